"""What the next labels may bring: the learning curve so far, fitted and carried on, with an interval.

The curve is an inverse power law, level + room x (1 - (labels / labels now)^-rate): Cortes et al., "Learning curves:
asymptotic values and rate of convergence" (NIPS 1993); Figueroa et al., "Predicting sample size required for
classification performance" (BMC Medical Informatics 2012). Curves of other shapes exist: Viering & Loog, "The shape of
learning curves: a review" (IEEE TPAMI 2023). What is not known of it is averaged over, as by Domhan, Springenberg &
Hutter, "Speeding up automatic hyperparameter optimization" (IJCAI 2015): rate and room over a grid, level and noise in
closed form (Gelman et al., "Bayesian data analysis", 3rd ed. 2013, ch. 14). So few models give wide intervals.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from hitl.curve import CurvePoint

MINIMUM = 4
"""Models measured before anything is expected: a curve of three unknowns goes through any three of them."""
_RATES = tuple(0.1 * 1.25**step for step in range(16))
_ROOMS = (0.0, *(1e-4 * 10 ** (step / 12) for step in range(49)))
_USUAL_ROOM = 0.03
"""A room is as likely beforehand as 1 / (this + room): small ones are usual, and none is ruled out."""
_NOISE, _WORTH = 0.5, 4
"""How far a model lies off its curve beforehand, in standard errors of its metric; and how many models that is worth.

It is less than one: all models are measured on the same test set, whose luck moves the whole curve."""
_NEGLIGIBLE = 1e-4


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a model of `labels` labels will measure, in the metric's own units, and its gain over the last model.

    `value` and `gain` are medians; what will be measured lies between low and high with the `confidence` asked for.
    `rise` is how far the curve itself goes up: it leaves out how far any one model lies off the curve.
    """

    labels: int
    value: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float
    rise: float
    rise_low: float
    rise_high: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Law:
    """One curve and how likely it is; `noise` is how far models lie off it, in standard errors of their metric."""

    weight: float
    level: float
    room: float
    rate: float
    noise: float

    def rise(self, times: float) -> float:
        """How far it goes up until there are so many times the labels of now."""
        return self.room * (1 - math.pow(times, -self.rate))


@dataclass(frozen=True, slots=True)
class Fit:
    """The curves that fit: their weights add up to 1. `error` is the standard error of the last model's metric.

    `level_error` is that of a level, with as much noise as there is error; noise has so many degrees of `freedom`.
    """

    laws: tuple[Law, ...]
    last: CurvePoint
    error: float
    level_error: float
    freedom: int

    def expected(self, labels: int, confidence: float) -> Expectation:
        """What a model of so many labels will measure."""
        ends = (0.5, (1 - confidence) / 2, (1 + confidence) / 2)
        times, now = labels / self.last.labels, self.last.value
        value, low, high = (self._measured(times, share) for share in ends)
        rise, rise_low, rise_high = (self._risen(times, share) for share in ends)
        gains = (value - now, low - now, high - now)
        return Expectation(labels, value, low, high, *gains, rise, rise_low, rise_high, confidence)

    def chance_below(self, labels: int, gain: float) -> float:
        """The probability that the curve goes up by less than `gain` until there are so many labels."""
        return sum(law.weight for law in self.laws if law.rise(labels / self.last.labels) < gain)

    def chance_under(self, labels: int, value: float) -> float:
        """The probability that a model of so many labels measures less than `value`."""
        return self._under(self._models(labels / self.last.labels), value)

    def _models(self, times: float) -> list[tuple[float, float, float]]:
        """For each law its weight, what a model is expected to measure, and how far that is off."""
        off = math.hypot(self.error, self.level_error)
        return [(law.weight, law.level + law.rise(times), law.noise * off) for law in self.laws]

    def _under(self, models: Sequence[tuple[float, float, float]], value: float) -> float:
        return sum(weight * student((value - mean) / off, self.freedom) for weight, mean, off in models)

    def _measured(self, times: float, share: float) -> float:
        models = self._models(times)
        return _where(lambda value: self._under(models, value), share)

    def _risen(self, times: float, share: float) -> float:
        below = 0.0
        for rise, weight in sorted((law.rise(times), law.weight) for law in self.laws):
            below += weight
            if below >= share:
                return rise
        return rise


def fit(points: Sequence[CurvePoint], confidence: float) -> Fit | None:
    """The curves that fit the models measured so far; None of fewer than MINIMUM models.

    `confidence` is that of the interval of each point, which must have one.
    """
    if len(points) < MINIMUM:
        return None
    errors, values, last = _errors(points, confidence), [one.value for one in points], points[-1]
    weights = [error**-2 for error in errors]
    level_error, freedom = sum(weights) ** -0.5, _WORTH + len(points) - 1
    found: list[tuple[float, Law]] = []
    for rate in _RATES:
        # With level and noise integrated out, every room of a rate follows from five sums.
        shape = [1 - (one.labels / last.labels) ** -rate for one in points]
        x, y = _mean(weights, shape), _mean(weights, values)
        off = [(w, a - x, b - y) for w, a, b in zip(weights, shape, values, strict=True)]
        xx, xy = math.fsum(w * a * a for w, a, _ in off), math.fsum(w * a * b for w, a, b in off)
        yy = math.fsum(w * b * b for w, _, b in off)
        for room in _ROOMS:
            squares = _WORTH * _NOISE**2 + max(0.0, yy - 2 * room * xy + room * room * xx)
            law = Law(1.0, y - room * x, room, rate, math.sqrt(squares / freedom))
            odds = student((1 - room - law.level) / (law.noise * level_error), freedom)  # no metric goes above 1
            if odds > 0:
                found.append((math.log(odds * _prior(room)) - freedom / 2 * math.log(squares), law))
    return Fit(_weighed(found), last, errors[-1], level_error, freedom)


def student(value: float, freedom: int) -> float:
    """The share of Student's t with so many degrees of freedom that is below `value`.

    Abramowitz & Stegun, "Handbook of mathematical functions" (1964), 26.7.3 and 26.7.4.

    >>> round(student(2.228, 10), 4), student(0.0, 7)
    (0.975, 0.5)
    """
    angle = math.atan2(value, math.sqrt(freedom))
    cosine = math.cos(angle)
    is_odd = freedom % 2
    term = total = 1.0
    for step in range(2 + is_odd, freedom, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    if not is_odd:
        return 0.5 + math.sin(angle) * total / 2
    return 0.5 + (angle + (math.sin(angle) * cosine * total if freedom > 1 else 0.0)) / math.pi


def _errors(points: Sequence[CurvePoint], confidence: float) -> list[float]:
    """The standard error of each metric, by its interval. None is taken for certain, though an interval be a point."""
    wide = 2 * NormalDist().inv_cdf((1 + confidence) / 2)
    found = [((one.high or one.value) - (one.low or one.value)) / wide for one in points]
    return [max(one, max(found) / 4, _NEGLIGIBLE) for one in found]


def _prior(room: float) -> float:
    """The odds of a room beforehand, times how much room this place of the grid, which is even in logs, stands for."""
    return max(room, _ROOMS[1]) / (_USUAL_ROOM + room)


def _weighed(found: Sequence[tuple[float, Law]]) -> tuple[Law, ...]:
    """The laws with their log odds as weights, those left out that nobody would miss."""
    best = max(odds for odds, _ in found)
    kept = [(math.exp(odds - best), law) for odds, law in found if odds - best > math.log(_NEGLIGIBLE)]
    total = sum(odds for odds, _ in kept)
    return tuple(Law(odds / total, law.level, law.room, law.rate, law.noise) for odds, law in kept)


def _mean(weights: Sequence[float], values: Sequence[float]) -> float:
    return math.fsum(w * value for w, value in zip(weights, values, strict=True)) / math.fsum(weights)


def _where(below: Callable[[float], float], share: float) -> float:
    """The value of a metric, from 0 to 1, below which the `share` lies."""
    low, high = 0.0, 1.0
    while high - low > 1e-5:
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < share else (low, middle)
    return (low + high) / 2
