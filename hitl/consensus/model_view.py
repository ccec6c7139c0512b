"""What a model's probabilities add to a crowd's answers: nothing, until they have foretold answers held out."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy import optimize

from hitl.consensus.crowd import Crowd, Floats
from hitl.consensus.em import softmax

FOLDS = 5
SURE = 2.0
"""Standard errors by which the model must foretell held-out answers better than the classes' shares do."""
MILD = 1.0
"""Weight of the pull of the tempering towards none at all, in items."""


@dataclass(frozen=True)
class View:
    """The model tempered by what the crowd says: log-probabilities `logs` (items, classes), and its `weight` (0 to 1).

    `gain` is how much better than the classes' shares it foretells held-out answers, in nats an item, with its
    standard error.
    """

    logs: Floats
    gain: float
    error: float
    weight: float

    @property
    def helps(self) -> bool:
        return self.gain > SURE * self.error


def view(crowd: Crowd, evidence: Floats, probabilities: Floats) -> View:
    """The model's view of each item, raised to a power of at most 1 and shifted by class so that it fits the crowd.

    `evidence` (items, classes) are the logs of what the answers are worth without any prior, `probabilities` of the
    same shape are out of sample: the model has not learned from these answers. Power and shifts are those
    under which the answers are likeliest; the gain is measured on items that they were not fitted on.
    """
    answered = np.flatnonzero(crowd.votes.sum(axis=1) > 0)
    logs = np.log(np.clip(probabilities, 1e-6, 1.0))
    evidence = evidence[answered]
    fold = np.arange(len(answered)) % FOLDS
    gains = np.zeros(len(answered))
    for one in range(FOLDS):
        held, rest = fold == one, fold != one
        if held.any() and rest.any():
            with_model = _tempered(logs[answered[held]], _fitted(logs[answered[rest]], evidence[rest]))
            without = _tempered(0 * logs[answered[held]], _fitted(0 * logs[answered[rest]], evidence[rest]))
            gains[held] = _likelihood(with_model, evidence[held]) - _likelihood(without, evidence[held])
    whole = _fitted(logs[answered], evidence)
    error = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else np.inf
    return View(_tempered(logs, whole), float(gains.mean()) if len(gains) else 0.0, error, float(whole[0]))


def _tempered(logs: Floats, at: Floats) -> Floats:
    """Log-probabilities (n, classes): the logs times the power at[0], plus a shift a class."""
    return np.log(softmax(at[0] * logs + at[1:]) + 1e-12)


def _likelihood(logs: Floats, evidence: Floats) -> Floats:
    return cast(Floats, np.logaddexp.reduce(logs + evidence, axis=1))


def _fitted(logs: Floats, evidence: Floats) -> Floats:
    """The power and the shifts (1 + classes,) that make the answers likeliest, held mildly to 0."""
    classes = logs.shape[1]

    def cost(at: Floats) -> tuple[float, Floats]:
        tempered = _tempered(logs, at)
        surplus = softmax(tempered + evidence) - np.exp(tempered)
        slope = np.concatenate([[(surplus * logs).sum()], surplus.sum(axis=0)]) - MILD * at
        return -float(_likelihood(tempered, evidence).sum()) + MILD * float(at @ at) / 2, -slope

    bounds = [(0.0, 1.0), *[(None, None)] * classes]
    start = np.zeros(classes + 1)
    return cast(Floats, optimize.minimize(cost, start, jac=True, bounds=bounds, method="L-BFGS-B").x)
