"""The gate: a challenger replaces the champion only when it is proven better on the same test items."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hitl.metrics import METRICS, Codes, confusion, interval, resampled
from hitl.params import MetricName

Verdict = Literal["first", "promoted", "kept"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate found: the gain in `metric`, its interval, and the verdict in words."""

    verdict: Verdict
    metric: MetricName
    gain: float
    low: float
    high: float
    note: str


def judge(
    actual: Codes,
    champion: Codes,
    challenger: Codes,
    classes: int,
    *,
    metric: MetricName,
    margin: float,
    draws: int,
    confidence: float,
    rng: np.random.Generator,
) -> Judgement:
    """Compare predictions (n,) on the same items by a paired bootstrap of `metric`.

    The challenger is promoted only when the lower bound of the gain's percentile interval is above `margin`.
    """
    value = METRICS[metric]
    gain = float(value(confusion(actual, challenger, classes)) - value(confusion(actual, champion, classes)))
    before, after = resampled(actual, [champion, challenger], classes, draws=draws, rng=rng)
    low, high = interval(value(after) - value(before), confidence)
    verdict: Verdict = "promoted" if low > margin else "kept"
    found = f"{metric} changed by {gain:+.4f} ({confidence:.0%} interval {low:+.4f} to {high:+.4f})"
    return Judgement(verdict, metric, gain, low, high, _note(verdict, found, margin))


def first(metric: MetricName) -> Judgement:
    """The verdict on the first model: there is nothing to compare it with."""
    return Judgement("first", metric, 0.0, 0.0, 0.0, "the first model: there was no champion to compare it with")


def _note(verdict: Verdict, found: str, margin: float) -> str:
    if verdict == "promoted":
        return f"promoted: {found}, and the lower bound is above {margin:g}"
    return f"kept the champion: {found}, and the lower bound is not above {margin:g}"
