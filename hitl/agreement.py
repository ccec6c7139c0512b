"""How far annotators agree, with each other and with gold; each number with an interval, all from counts alone."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hitl.metrics import interval, proportion

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with its interval, and how many items (or answers) it rests on; nan where nothing can be said."""

    value: float
    low: float
    high: float
    of: int


def alpha(votes: Counts) -> float:
    """Krippendorff's alpha for nominal data, of how often each class was answered to each item (items, classes).

    From the formulas in Krippendorff, "Computing Krippendorff's alpha-reliability" (2011). Items with fewer than two
    answers say nothing. 1 is perfect agreement, 0 that of chance; nan where only one class was ever answered.

    >>> round(alpha(np.array([[2, 0], [0, 2], [1, 1]])), 3)
    0.444
    """
    return float(_alpha(_paired(votes).sum(axis=0)))


def fleiss(votes: Counts) -> float:
    """Fleiss' kappa (1971) of votes (items, classes), whose items may differ in how many answers they have.

    Items with fewer than two answers say nothing; the share of a class is over all answers of the others.
    """
    return float(_fleiss(_paired(votes).sum(axis=0)))


def cohen(confusion: Counts) -> float:
    """Cohen's kappa (1960) of what two annotators said of the same items: counts (classes, classes).

    nan where both said one class only, or nothing.

    >>> round(cohen(np.array([[20, 5], [10, 15]])), 2)
    0.4
    """
    total = confusion.sum()
    if not total:
        return math.nan
    seen = np.trace(confusion) / total
    chance = float(confusion.sum(axis=0) @ confusion.sum(axis=1)) / total**2
    return float((seen - chance) / (1 - chance)) if chance < 1 else math.nan


def alpha_measured(votes: Counts, *, draws: int, confidence: float, rng: np.random.Generator) -> Measured:
    """Alpha with the percentile interval of items drawn with replacement (Efron & Tibshirani 1993)."""
    return _measured(votes, _alpha, draws=draws, confidence=confidence, rng=rng)


def fleiss_measured(votes: Counts, *, draws: int, confidence: float, rng: np.random.Generator) -> Measured:
    """Fleiss' kappa with the percentile interval of items drawn with replacement."""
    return _measured(votes, _fleiss, draws=draws, confidence=confidence, rng=rng)


def cohen_measured(confusion: Counts, *, draws: int, confidence: float, rng: np.random.Generator) -> Measured:
    """Cohen's kappa with the percentile interval of items drawn with replacement."""
    total = int(confusion.sum())
    if not total:
        return Measured(math.nan, math.nan, math.nan, 0)
    drawn = rng.multinomial(total, confusion.ravel() / total, size=draws).reshape(draws, *confusion.shape)
    low, high = _interval(np.array([cohen(one) for one in drawn]), confidence)
    return Measured(cohen(confusion), low, high, total)


def right(said: Sequence[str], known: Sequence[str], confidence: float) -> Measured:
    """How often the answers are the known classes, with Wilson's interval."""
    count = sum(one == other for one, other in zip(said, known, strict=True))
    return Measured(*proportion(count, len(said), confidence), len(said))


def drift(answers: Sequence[bool], confidence: float) -> Measured:
    """How much oftener the later half of `answers`, in their order, is right than the earlier half.

    The interval is Newcombe's hybrid of Wilson's ("Interval estimation for the difference between independent
    proportions", 1998, method 10). An interval that holds 0 tells no drift.
    """
    middle = len(answers) // 2
    if not middle:
        return Measured(math.nan, -1.0, 1.0, len(answers))
    early, late = answers[:middle], answers[middle:]
    (one, low_1, high_1), (two, low_2, high_2) = (
        proportion(sum(half), len(half), confidence) for half in (early, late)
    )
    gain = two - one
    low = gain - math.hypot(two - low_2, high_1 - one)
    high = gain + math.hypot(high_2 - two, one - low_1)
    return Measured(gain, low, high, len(answers))


def pace(seconds: Sequence[float], *, draws: int, confidence: float, rng: np.random.Generator) -> Measured:
    """The median of seconds an answer took, with a bootstrap interval: people leave pages open, so no mean."""
    values = np.asarray(seconds, dtype=np.float64)
    if not len(values):
        return Measured(math.nan, math.nan, math.nan, 0)
    drawn = np.median(values[rng.integers(len(values), size=(draws, len(values)))], axis=1)
    return Measured(float(np.median(values)), *_interval(drawn, confidence), len(values))


def _paired(votes: Counts) -> Floats:
    """What each item with two answers or more adds to the sums: (items, 3 + classes).

    Alpha's agreeing pairs, Fleiss' share of agreeing pairs, 1, and the answers by class.
    """
    kept = votes[votes.sum(axis=1) >= 2].astype(np.float64)
    said = kept.sum(axis=1)
    pairs = (kept * (kept - 1)).sum(axis=1)
    return np.column_stack([pairs / (said - 1), pairs / (said * (said - 1)), np.ones(len(kept)), kept])


def _alpha(sums: Floats) -> Floats:
    agreed, classes = sums[..., 0], sums[..., 3:]
    said = classes.sum(axis=-1)
    chance = said * (said - 1) - (classes * (classes - 1)).sum(axis=-1)
    return _ratio(chance - (said - 1) * (said - agreed), chance)


def _fleiss(sums: Floats) -> Floats:
    shares = sums[..., 3:] / np.maximum(sums[..., 3:].sum(axis=-1, keepdims=True), 1)
    chance = (shares**2).sum(axis=-1)
    return _ratio(sums[..., 1] / np.maximum(sums[..., 2], 1) - chance, np.where(sums[..., 2] > 0, 1 - chance, 0.0))


def _ratio(above: Floats, below: Floats) -> Floats:
    below = np.asarray(below, dtype=np.float64)
    found: Floats = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 1e-12)
    return found


def _measured(
    votes: Counts,
    statistic: Callable[[Floats], Floats],
    *,
    draws: int,
    confidence: float,
    rng: np.random.Generator,
) -> Measured:
    # Items with equal votes are drawn together: one multinomial draw, whatever the number of items.
    kept = votes[votes.sum(axis=1) >= 2]
    if not len(kept):
        return Measured(math.nan, math.nan, math.nan, 0)
    patterns, times = np.unique(kept, axis=0, return_counts=True)
    sums = _paired(patterns)
    drawn = rng.multinomial(len(kept), times / len(kept), size=draws)
    low, high = _interval(statistic(drawn @ sums), confidence)
    return Measured(float(statistic(times @ sums)), low, high, len(kept))


def _interval(values: Floats, confidence: float) -> tuple[float, float]:
    return interval(values, confidence) if np.isfinite(values).any() else (math.nan, math.nan)
