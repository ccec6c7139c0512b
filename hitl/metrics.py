"""How good a model is on the test set, with bootstrap intervals; each headline metric is one of a confusion matrix."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import reduce
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from hitl.params import MetricName

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.intp]


def accuracy(confusions: Counts) -> Floats:
    """The share of items predicted right, of matrices (..., classes, classes) with rows = actual."""
    return np.asarray(np.trace(confusions, axis1=-2, axis2=-1) / confusions.sum(axis=(-2, -1)))


def macro_f1(confusions: Counts) -> Floats:
    """The mean over classes of F1; a class that neither occurs nor is predicted is left out of the mean."""
    right = np.diagonal(confusions, axis1=-2, axis2=-1)
    named = confusions.sum(axis=-1) + confusions.sum(axis=-2)
    f1 = np.divide(2.0 * right, named, out=np.full(named.shape, np.nan), where=named > 0)
    return np.asarray(np.nanmean(f1, axis=-1))


def balanced_accuracy(confusions: Counts) -> Floats:
    """The mean over the classes that occur of the share of their items predicted right."""
    right = np.diagonal(confusions, axis1=-2, axis2=-1).astype(float)
    actual = confusions.sum(axis=-1)
    recall = np.divide(right, actual, out=np.full(actual.shape, np.nan), where=actual > 0)
    return np.asarray(np.nanmean(recall, axis=-1))


METRICS: Mapping[MetricName, Callable[[Counts], Floats]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "balanced_accuracy": balanced_accuracy,
}


def codes(labels: Collection[str], classes: Sequence[str]) -> Codes:
    """The position of each label (n,) in `classes`."""
    position = {name: index for index, name in enumerate(classes)}
    return np.fromiter((position[label] for label in labels), dtype=np.intp, count=len(labels))


def confusion(actual: Codes, predicted: Codes, classes: int) -> Counts:
    """Counts (classes, classes): rows actual, columns predicted."""
    flat = np.bincount(actual * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes).astype(np.int64)


def resampled(
    actual: Codes, predictions: Sequence[Codes], classes: int, *, draws: int, rng: np.random.Generator
) -> list[Counts]:
    """For each prediction, `draws` confusion matrices (draws, classes, classes) of items drawn with replacement.

    The same items are drawn for every prediction, so that differences are paired (Efron & Tibshirani 1993, ch. 16).
    Drawing n of n items and counting their outcomes is one multinomial draw over the outcomes, whatever n is.
    """
    size = classes * classes
    flat = [actual * classes + predicted for predicted in predictions]
    joint = reduce(lambda codes, cells: codes * size + cells, flat)
    _, first, counts = np.unique(joint, return_index=True, return_counts=True)
    drawn = rng.multinomial(len(actual), counts / len(actual), size=draws)
    return [_summed(drawn, cells[first], size).reshape(draws, classes, classes) for cells in flat]


def _summed(drawn: Counts, cells: Codes, size: int) -> Counts:
    """Counts (draws, outcomes) added up over the outcomes that fall into the same of `size` cells."""
    order = np.argsort(cells, kind="stable")
    there, starts = np.unique(cells[order], return_index=True)
    found = np.zeros((len(drawn), size), dtype=np.int64)
    found[:, there] = np.add.reduceat(drawn[:, order], starts, axis=1)
    return found


def interval(values: Floats, confidence: float) -> tuple[float, float]:
    """The percentile interval that holds `confidence` of the values."""
    low, high = np.nanquantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def measure(
    actual: Codes, probabilities: Floats, *, draws: int, confidence: float, rng: np.random.Generator
) -> dict[str, float]:
    """All metrics of `probabilities` (n, classes) on items of class `actual` (n,).

    Each of METRICS comes with its `_low` and `_high`; log_loss is in nats, brier is the mean squared distance to the
    one-hot answer over classes (Brier 1950, in [0, 2]).
    """
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    matrix = confusion(actual, predicted, classes)
    (drawn,) = resampled(actual, [predicted], classes, draws=draws, rng=rng)
    found: dict[str, float] = {}
    for name, metric in METRICS.items():
        found[name] = float(metric(matrix))
        found[f"{name}_low"], found[f"{name}_high"] = interval(metric(drawn), confidence)
    sure = np.clip(probabilities[np.arange(len(actual)), actual], 1e-15, 1.0)
    found["log_loss"] = float(-np.log(sure).mean())
    found["brier"] = float(((probabilities - np.eye(classes)[actual]) ** 2).sum(axis=1).mean())
    return found


def proportion(right: int, of: int, confidence: float) -> tuple[float, float, float]:
    """The share `right` / `of` with its interval (Wilson, JASA 1927); (nan, 0, 1) of nothing.

    >>> tuple(round(x, 3) for x in proportion(9, 10, 0.95))
    (0.9, 0.596, 0.982)
    """
    if not of:
        return math.nan, 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = right / of, z * z / of
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return share, max(0.0, centre - half), min(1.0, centre + half)
