"""How far annotators agree, with each other and with gold; each number with an interval, all from counts alone."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from hitl.metrics import interval, proportion

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


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


def cohen_with_others(said: Codes, others: Counts, confidence: float) -> Measured:
    """Cohen's kappa of one annotator, who said the classes `said` (n,), with the others of the same items (n, classes).

    An item counts once, however many others answered it: what they said counts by its share. Items that nobody else
    answered say nothing. The interval is that of the jackknife over items (Efron & Tibshirani 1993, chapter 11).
    """
    kept = others.sum(axis=1) > 0
    said, others = said[kept], others[kept].astype(np.float64)
    if not len(said):
        return Measured(math.nan, math.nan, math.nan, 0)
    shares = others / others.sum(axis=1, keepdims=True)
    own = np.bincount(said, minlength=shares.shape[1]).astype(np.float64)
    all_equal, all_shares = shares[np.arange(len(said)), said], shares.sum(axis=0)
    value = float(_kappa(all_equal.sum(), own @ all_shares, np.asarray(float(len(said)))))
    # Without one item, the product of the sums loses its row and its column, and gains back where they cross.
    product = own @ all_shares - all_shares[said] - shares @ own + all_equal
    without = _kappa(all_equal.sum() - all_equal, product, np.full(len(said), len(said) - 1.0))
    if len(said) < 2 or math.isnan(value) or np.isnan(without).any():
        return Measured(value, math.nan, math.nan, len(said))
    error = math.sqrt((len(said) - 1) / len(said) * float(((without - without.mean()) ** 2).sum()))
    half = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Measured(value, max(-1.0, value - half), min(1.0, value + half), len(said))


def right(said: Sequence[str], known: Sequence[str], confidence: float) -> Measured:
    """How often the answers are the known classes, with Wilson's interval."""
    return share(sum(one == other for one, other in zip(said, known, strict=True)), len(said), confidence)


def share(right: int, of: int, confidence: float) -> Measured:
    """The share `right` / `of` with Wilson's interval."""
    return Measured(*proportion(right, of, confidence), of)


def difference(early: Collection[bool], late: Collection[bool], confidence: float) -> Measured:
    """How much oftener `late` answers are right than `early` ones.

    The interval is Newcombe's hybrid of Wilson's ("Interval estimation for the difference between independent
    proportions", 1998, method 10).
    """
    if not len(early) or not len(late):
        return Measured(math.nan, -1.0, 1.0, len(early) + len(late))
    (one, low_1, high_1), (two, low_2, high_2) = (
        proportion(int(sum(half)), len(half), confidence) for half in (early, late)
    )
    gain = two - one
    low = gain - math.hypot(two - low_2, high_1 - one)
    high = gain + math.hypot(high_2 - two, one - low_1)
    return Measured(gain, low, high, len(early) + len(late))


def pace(seconds: Sequence[float] | Floats, *, confidence: float) -> Measured:
    """The median of the seconds that answers took: people leave pages open, so no mean.

    The interval lies between two of the times, by the binomial chance of the median's place among them, whatever their
    distribution (Conover, "Practical nonparametric statistics", 1999, section 3.2).
    """
    values = np.sort(np.asarray(seconds, dtype=np.float64))
    of = len(values)
    if not of:
        return Measured(math.nan, math.nan, math.nan, 0)
    half = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(of) / 2
    low, high = max(0, math.floor(of / 2 - half) - 1), min(of - 1, math.ceil(of / 2 + half))
    return Measured(float(np.median(values)), float(values[low]), float(values[high]), of)


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


def _kappa(equal: Floats, product: Floats, items: Floats) -> Floats:
    """Kappa of sums over items: of equal answers, and of the products of how often each class was said."""
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = product / items**2
        return np.asarray(np.where(1 - chance > 1e-12, (equal / items - chance) / (1 - chance), np.nan))


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
