"""How far to believe a confidence: tempered until it holds on gold, and shown beside how often it was right."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hitl.consensus.crowd import UNKNOWN, Codes, Floats
from hitl.consensus.em import softmax
from hitl.metrics import proportion

Truths = npt.NDArray[np.bool_]
_TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(16), 145))
_MILD = 16.0
"""Weight of the pull of the temperature towards the doubt we begin with: few gold answers change little."""


def temperature(posterior: Floats, known: Codes, doubt: float = 1.0) -> float:
    """The temperature at which `posterior` (items, classes) fits the `known` classes; `doubt` where none is known.

    Temperature scaling (Guo et al., "On calibration of modern neural networks", 2017) with a prior around `doubt`: the
    order of the classes stays, and above 1 every confidence is lower.
    """
    rows = np.flatnonzero(known != UNKNOWN)
    if not len(rows):
        return doubt
    cost = [_cost(posterior[rows], known[rows], one, doubt) for one in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(cost))])


def tempered(posterior: Floats, at: float) -> Floats:
    """The probabilities raised to 1 / `at`, summing to 1 again."""
    return posterior if at == 1 else softmax(np.log(np.clip(posterior, 1e-12, 1.0)) / at)


def _cost(posterior: Floats, known: Codes, at: float, doubt: float) -> float:
    sure = tempered(posterior, at)[np.arange(len(known)), known]
    return float(-np.log(np.maximum(sure, 1e-12)).sum() + _MILD * np.log(at / doubt) ** 2 / 2)


@dataclass(frozen=True, slots=True)
class Bin:
    """Gold items of like confidence: how sure we were on average, and how often right, with an interval."""

    items: int
    confidence: float
    right: float
    low: float
    high: float


def reliability(confidence: Floats, right: Truths, *, bins: int = 10, sure: float = 0.95) -> tuple[Bin, ...]:
    """Confidences (n,) beside whether they were right (n,), in up to `bins` groups of equal size, least sure first.

    The interval of the share that was right is Wilson's, of confidence `sure`.
    """
    order = np.argsort(confidence, kind="stable")
    return tuple(_bin(confidence[group], right[group], sure) for group in np.array_split(order, bins) if len(group))


def error(bins: tuple[Bin, ...]) -> float:
    """The expected calibration error: how far confidence and the share right lie apart, by items; nan without any."""
    items = sum(one.items for one in bins)
    return sum(one.items * abs(one.confidence - one.right) for one in bins) / items if items else float("nan")


def _bin(confidence: Floats, right: Truths, sure: float) -> Bin:
    share, low, high = proportion(int(right.sum()), len(right), sure)
    return Bin(len(right), float(confidence.mean()), share, low, high)
