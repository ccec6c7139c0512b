"""What the answers of a crowd are worth: the expected log-probability that a cell's answer is given to a true class.

Each function takes the expected counts (cells, classes): how often a cell's answer met an item of each true class. It
returns the expectation of the log of the confusion, of the same shape, under the posterior of a Dirichlet prior: the
variational form of Dawid & Skene (1979), after Kim & Ghahramani, "Bayesian classifier combination" (2012). The priors
form a ladder, so that few answers cannot fool it: an annotator's confusion is drawn towards the crowd's by one answer
a class, the crowd's by CROWD answers towards one coin that is the same for every class.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import digamma

from hitl.consensus.crowd import Cells, Crowd, Floats

CROWD = 100.0
"""Answers that the crowd's own confusion is drawn by towards the same coin for all classes."""
TRUST = (8.0, 2.0)
"""Right and wrong answers that a crowd is credited with before it answers, lest a few tell that it guesses."""
COIN = 2.0
"""Answers that an annotator's one coin is drawn by towards the crowd's."""

Skill = Callable[[Floats, Crowd], Floats]


def equal(counts: Floats, crowd: Crowd) -> Floats:
    """Everybody is as able as everybody else, at every class."""
    right, said = _right(counts, crowd.cells)
    return _coins(
        right.sum(keepdims=True) + TRUST[0], (said - right).sum(keepdims=True) + TRUST[1], crowd, everybody=True
    )


def one_coin(counts: Floats, crowd: Crowd) -> Floats:
    """Each annotator is right with a probability of their own, at every class, drawn towards the crowd's by COIN."""
    right, said = _right(counts, crowd.cells)
    share = _coin(right.sum(), said.sum())
    right, said = (crowd.cells.by_annotator(one[:, None], len(crowd.annotators))[:, 0] for one in (right, said))
    return _coins(right + COIN * share, said - right + COIN * (1 - share), crowd)


def shared(counts: Floats, crowd: Crowd) -> Floats:
    """All annotators share one confusion."""
    alpha = _crowd(counts, crowd)
    said: Floats = digamma(alpha) - digamma(alpha.sum(axis=0))
    return said[crowd.cells.said]


def own(counts: Floats, crowd: Crowd) -> Floats:
    """Each annotator has a confusion of their own, drawn towards the crowd's."""
    weight = float(len(crowd.classes))
    alpha = _crowd(counts, crowd)
    total = crowd.cells.by_annotator(counts, len(crowd.annotators)) + weight
    prior = weight * alpha / alpha.sum(axis=0)
    found: Floats = digamma(counts + prior[crowd.cells.said]) - digamma(total)[crowd.cells.annotator]
    return found


def _crowd(counts: Floats, crowd: Crowd) -> Floats:
    """The pseudo-counts (said, true) of the crowd's confusion."""
    classes = len(crowd.classes)
    right, said = _right(counts, crowd.cells)
    share = _coin(right.sum(), said.sum())
    coin = np.full((classes, classes), (1 - share) / max(classes - 1, 1))
    np.fill_diagonal(coin, share)
    return crowd.cells.by_class(counts, classes) + CROWD * coin


def _right(counts: Floats, cells: Cells) -> tuple[Floats, Floats]:
    """How many of each cell's answers were right, and how many there are: (cells,)."""
    return counts[np.arange(len(counts)), cells.said], counts.sum(axis=1)


def _coin(right: float, said: float) -> float:
    return (right + TRUST[0]) / (said + sum(TRUST))


def _coins(right: Floats, wrong: Floats, crowd: Crowd, *, everybody: bool = False) -> Floats:
    """The logs of coins with those pseudo-counts (annotators,), as confusions of cells; never worse than chance.

    A coin below chance would turn an annotator's answers into answers against their class: with several classes it says
    nothing, with two it is what lets EM exchange the classes.
    """
    cells, classes = crowd.cells, len(crowd.classes)
    gain = digamma(right) - digamma(wrong) + np.log(max(classes - 1, 1))
    worth = np.maximum(gain, 0.0)
    found = np.zeros((len(cells.said), classes))
    found[np.arange(len(found)), cells.said] = worth[0] if everybody else worth[cells.annotator]
    return found
