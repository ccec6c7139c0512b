"""Labels that a model contradicts with confidence: candidates for a person to look at, most damaging first.

Confident learning, from the paper: Northcutt, Jiang & Chuang, "Confident learning: estimating uncertainty in dataset
labels", JAIR 70 (2021). The probabilities must be out of fold: a model that learned a label defends it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hitl.metrics import Codes, Counts, Floats


@dataclass(frozen=True, slots=True)
class Doubt:
    """A label in doubt: the row it stands in, the class it has, the one the model holds, and how strongly.

    `margin` (0 to 1) is how much likelier the model finds `instead` than the label.
    """

    row: int
    label: int
    instead: int
    margin: float


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A label that a model which did not learn it contradicts: what the model says instead, and how sure it is."""

    item_id: str
    label: str
    instead: str
    sure: float


def thresholds(labels: Codes, probabilities: Floats) -> Floats:
    """What counts as confident, a class each: the mean probability of a class over the items that bear it.

    `labels` (n,) are positions of classes, `probabilities` (n, classes). A class that no item bears has inf.
    """
    classes = probabilities.shape[1]
    size = np.bincount(labels, minlength=classes)
    total = np.bincount(labels, weights=probabilities[np.arange(len(labels)), labels], minlength=classes)
    found: Floats = np.divide(total, size, out=np.full(classes, np.inf), where=size > 0)
    return found


def confident_joint(labels: Codes, probabilities: Floats) -> Counts:
    """How many items of each label (rows) are confidently of each class (columns), where they are of any."""
    classes = probabilities.shape[1]
    confident, likely = _confident(labels, probabilities)
    flat = labels[confident] * classes + likely[confident]
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def error_rate(labels: Codes, probabilities: Floats) -> float:
    """The estimated share of labels that are wrong: what lies off the diagonal of `estimated`.

    nan without labels.
    """
    if not len(labels):
        return float("nan")
    found = estimated(labels, probabilities)
    return float((found.sum() - np.trace(found)) / len(labels))


def estimated(labels: Codes, probabilities: Floats) -> Floats:
    """How many items of each label (rows) are of each class (columns): the confident joint, weighed to the labels."""
    joint = confident_joint(labels, probabilities).astype(np.float64)
    np.fill_diagonal(joint, np.where(joint.sum(axis=1) > 0, np.diag(joint), 1.0))
    size = np.bincount(labels, minlength=len(joint))
    found: Floats = joint * (size / joint.sum(axis=1))[:, None]
    return found


def doubts(labels: Codes, probabilities: Floats) -> tuple[Doubt, ...]:
    """As many labels as `estimated` says are wrong, for each pair of classes those of the largest margin.

    Pruning by noise rate, as the paper calls it. Largest margin first, then by row; each row once, with the class
    that the model holds most likely of those it is doubted for; none whose label the model finds likelier.
    """
    wrong = np.rint(estimated(labels, probabilities)).astype(np.int64) if len(labels) else np.zeros((0, 0), np.int64)
    found: dict[int, Doubt] = {}
    for label, instead in zip(*np.nonzero(wrong - np.diag(np.diag(wrong))), strict=True):
        rows = np.flatnonzero(labels == label)
        margin = probabilities[rows, instead] - probabilities[rows, label]
        for place in np.lexsort((rows, -margin))[: wrong[label, instead]]:
            one = Doubt(int(rows[place]), int(label), int(instead), float(margin[place]))
            if one.margin > 0 and (one.row not in found or found[one.row].margin < one.margin):
                found[one.row] = one
    return tuple(sorted(found.values(), key=lambda one: (-one.margin, one.row)))


def _confident(labels: Codes, probabilities: Floats) -> tuple[npt.NDArray[np.bool_], Codes]:
    """Which items have a class that the model is confident of, and the likeliest such class."""
    above: npt.NDArray[np.bool_] = np.asarray(probabilities >= thresholds(labels, probabilities) - 1e-9)
    return np.asarray(above.any(axis=1)), np.where(above, probabilities, -1.0).argmax(axis=1)
