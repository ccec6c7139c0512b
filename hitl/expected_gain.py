"""What one more answer is expected to bring: of an item that has some, or of a new one."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
DECIMALS = 9
"""Gains are compared to this many decimals: the last bits depend on the processor."""
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Weights:
    """What an answer of the crowd, and what the model, count for beside each other; each more than 0, at most 1."""

    annotator: float
    model: float


def weights(*, annotator: float | None, model: float, commonest: float) -> Weights:
    """The weights that follow from how often an annotator and the model are right, as CROWDLAB finds them.

    A weight is the share of the errors avoided that whoever says the `commonest` class (its share of the items) makes:
    Goh, Tkachenko & Mueller, "CROWDLAB: Supervised learning to infer consensus labels and quality scores for data with
    multiple annotators" (2022). Of annotators of whom nothing is known yet (None) as much is held as of the model.
    """

    def weight(right: float) -> float:
        return float(np.clip(1 - (1 - right) / max(1 - commonest, _LEAST), _LEAST, 1.0))

    return Weights(weight(model if annotator is None else annotator), weight(model))


def able(agreement: float, classes: int) -> float:
    """How often annotators are right whose answers to one item agree so often, all alike and erring at random.

    >>> able(1.0, 3), round(able(0.68, 2), 3)
    (1.0, 0.8)
    """
    return float((1 + np.sqrt(max((classes - 1) * (classes * agreement - 1), 0.0))) / classes)


def gain(
    model: Floats,
    crowd: Floats,
    answers: npt.NDArray[np.int64],
    *,
    weights: Weights,
    classes: int,
    cost: Floats | float = 1.0,
) -> Floats:
    """What the next answer to each item (n,) is expected to bring for an annotation: how far its label is in doubt.

    `model` is the model's probability of the class that the item has by now (its likeliest, where nobody answered),
    `crowd` the probability of that class by its `answers`, and `cost` the annotations that the item asks for at once.
    The doubt is 1 less the score of ActiveLab, a mean of the model's word, the crowd's (once for each answer), and
    that of somebody who guesses and weighs as much as one annotator, so that few answers leave doubt: Goh & Mueller,
    "ActiveLab: Active Learning with Re-Labeling by Humans" (2023). In place of the weighted shares of its answers our
    `crowd` is the confidence of the consensus.
    """
    one, said = weights.annotator, weights.annotator * answers
    trusted = (weights.model * model + said * crowd + one / classes) / (weights.model + said + one)
    return np.asarray(np.round((1 - trusted) / cost, DECIMALS))


def worth_more(again: Floats, new: Floats, size: int) -> npt.NDArray[np.intp]:
    """The places in `again` of the gains that are among the greatest `size` of both, the greatest first.

    The others of those are new items'. Of two that are equal the one of `again` goes first, and the earlier one.

    >>> worth_more(np.array([0.2, 0.9, 0.5]), np.array([0.7, 0.4]), 3).tolist()
    [1, 2]
    """
    order = np.argsort(-np.concatenate([again, new]), kind="stable")[: max(size, 0)]
    return order[order < len(again)]
