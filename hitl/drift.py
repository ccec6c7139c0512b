"""Whether somebody's answers to gold items became worse, or better: later ones beside earlier ones, class by class."""

from dataclasses import dataclass
from math import lgamma

import numpy as np
import numpy.typing as npt

from hitl.agreement import Measured, difference

LEVEL = 0.005
"""At a `p` of at most this there is a drift.

Two tests are made of everybody (over rounds, and over the position in a session), so that of annotators who do not
drift at most one in a hundred is said to: the test is exact, and the two levels add up to 1 %.
"""

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Drift:
    """By how much later answers are oftener right than earlier ones (below 0: less often), and how likely by chance.

    `change` has Newcombe's interval and says how many answers it rests on; `p` is two-sided, 1 where nothing can be
    told. `change` compares all answers, `p` only those to items of the same class.
    """

    change: Measured
    p: float

    @property
    def is_real(self) -> bool:
        """Whether chance makes so much of a change at most as often as LEVEL says."""
        return self.p <= LEVEL


def drift(right: Flags, late: Flags, kinds: npt.NDArray[np.object_], *, confidence: float) -> Drift:
    """How answers (n,) that came `late` differ from the others in being `right`; `kinds` are the items' known classes.

    An exact test, stratified by class: hard classes come oftener in later batches, and that must make nobody worse.
    Given how many answers to each class are right and how many are late, every set of late ones is as likely where
    nothing changed (Fisher 1935; over strata: Cochran, Mantel & Haenszel, exact as in Mehta, Patel & Gray 1985).
    """
    change = difference(right[~late], right[late], confidence)
    seen, chances = 0, np.ones(1)
    for kind in sorted(set(kinds.tolist())):
        own = kinds == kind
        both = int((right & late & own).sum())
        low, own_chances = _hypergeometric(int(own.sum()), int((right & own).sum()), int((late & own).sum()))
        seen += both - low
        chances = np.convolve(chances, own_chances)
    worse, better = chances[: seen + 1].sum(), chances[seen:].sum()
    return Drift(change, float(min(1.0, 2 * min(worse, better))))


def later_half(order: npt.NDArray[np.object_]) -> Floats:
    """For each of `order` (n,), which may repeat, 1 in the later half and 0 in the earlier; equal ones stay together.

    All nan where they are all equal: then there is no earlier half.

    >>> later_half(np.array(["r1", "r2", "r2", "r1", "r3"], dtype=object)).tolist()
    [0.0, 1.0, 1.0, 0.0, 1.0]
    """
    names, counts = np.unique(order.astype(str), return_counts=True)
    if len(names) < 2:
        return np.full(len(order), np.nan)
    ends = np.cumsum(counts)[:-1]
    first = int(np.abs(2 * ends - len(order)).argmin())
    late: Floats = (order.astype(str) > names[first]).astype(np.float64)
    return late


def _hypergeometric(of: int, right: int, late: int) -> tuple[int, Floats]:
    """The least number of right ones among `late` drawn of `of`, and the chance of each number from there on."""
    low, high = max(0, late + right - of), min(late, right)
    ways = [_ways(right, n) + _ways(of - right, late - n) - _ways(of, late) for n in range(low, high + 1)]
    chances = np.exp(np.array(ways))
    return low, chances / chances.sum()


def _ways(of: int, drawn: int) -> float:
    """The logarithm of how many ways there are to draw so many."""
    return lgamma(of + 1) - lgamma(drawn + 1) - lgamma(of - drawn + 1)
