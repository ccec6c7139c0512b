"""Acceptance: how many items of a lot an auditor looks at, when that is enough, and what it then says of the lot.

Two lots are told apart: a good one, which should be accepted, and the best of those that must not be. The test is
Wald's ("Sequential tests of statistical hypotheses", 1945), cut off at the first item at which both of its risks hold.
All risks and intervals are those of drawing from this very lot without putting back, summed over every way the drawing
can go; nothing is approximated.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from hitl.errors import ParamsError

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Verdict = Literal["accepted", "sent back"]
_EARLY = (0.7, 0.35, 0.1, 0.0)
"""Shares of the risks that may be spent before the cut, the first that leaves a plan; 0 always does."""
_NEVER = 1 << 60


@dataclass(frozen=True, slots=True)
class Plan:
    """When an audit of a lot of `lot` items may stop.

    After n answers, `accept[n - 1]` errors or fewer accept the lot and `reject[n - 1]` or more send it back. A lot with
    `good` errors is sent back, and one with `bad` accepted, with a probability of at most 1 - `confidence`.
    """

    lot: int
    good: int
    bad: int
    confidence: float
    accept: tuple[int, ...]
    reject: tuple[int, ...]

    @property
    def most(self) -> int:
        """Items that decide in any case."""
        return len(self.accept)

    @property
    def least(self) -> int:
        """Items that accept a lot in which no error is found."""
        return next(n for n, bound in enumerate(self.accept, start=1) if bound >= 0)


@dataclass(frozen=True, slots=True)
class Stop:
    """What an audit came to: the verdict after so many items, and the errors among them."""

    verdict: Verdict
    items: int
    errors: int


def plan(lot: int, *, error: float, good: float, confidence: float) -> Plan:
    """The plan that accepts a lot only if at most the share `error` of it is wrong, with that confidence.

    A lot of which no more than the share `good` is wrong is accepted with the same confidence. With `good` 0 the first
    error decides: the plan of acceptance number zero. Raises ParamsError where the shares cannot be told apart.
    """
    if lot < 1:
        raise ParamsError("the lot is empty, so there is nothing to audit")
    if not (0 <= good < error < 1 and 0.5 < confidence < 1):
        raise ParamsError(
            f"--good must be below --error, and --confidence from 50% to 100% (got {good:g}, {error:g}, {confidence:g})"
        )
    fewest, bad = math.floor(good * lot + 1e-9), math.floor(error * lot + 1e-9) + 1
    found = (_cut(lot, fewest, bad, confidence, early) for early in _EARLY)
    return next(one for one in found if one is not None)


def stop(one: Plan, wrong: Sequence[bool]) -> Stop | None:
    """What the answers, in the order of the draw, decide; None while more are needed. Later answers do not count."""
    errors = 0
    for n, (is_wrong, accept, reject) in enumerate(zip(wrong, one.accept, one.reject, strict=False), start=1):
        errors += is_wrong
        if errors <= accept:
            return Stop("accepted", n, errors)
        if errors >= reject:
            return Stop("sent back", n, errors)
    return None


def risk(one: Plan, errors: int) -> float:
    """The probability that a lot with so many errors is accepted."""
    items, wrong, chance = _stops(one, errors)
    return float(chance[wrong <= np.array(one.accept)[items - 1]].sum())


def expected_items(one: Plan, errors: int) -> float:
    """How many items the audit of a lot with so many errors takes on average."""
    items, _, chance = _stops(one, errors)
    return float(items @ chance)


def interval(one: Plan, found: Stop) -> tuple[int, int]:
    """The fewest and the most errors that the lot may have after this stop; each bound holds with the confidence.

    The bounds invert the test over all stops, ordered by the share of errors (Jennison and Turnbull, "Confidence
    intervals for a binomial parameter following a multistage test", 1983), so stopping early is paid for.
    """
    tail, low, high = 1 - one.confidence, found.errors, one.lot - (found.items - found.errors)
    fewest = _first(low, high, lambda errors: _beyond(one, errors, found, above=True) > tail)
    return fewest, _first(low, high, lambda errors: _beyond(one, errors, found, above=False) <= tail) - 1


def _beyond(one: Plan, errors: int, found: Stop, *, above: bool) -> float:
    """The probability, in a lot with so many errors, of a stop with the share of errors found, or further above it."""
    items, wrong, chance = _stops(one, errors)
    further = wrong * found.items - found.errors * items
    return float(chance[further >= 0 if above else further <= 0].sum())


def _stops(one: Plan, errors: int) -> tuple[Counts, Counts, Floats]:
    """Where the audit of a lot with so many errors can stop: items, errors found, and the probability of it."""
    ends: list[tuple[int, int, float]] = []
    for n, (_, going) in enumerate(_walk(one.lot, errors, one.accept, one.reject), start=1):
        over = (np.arange(len(going)) <= one.accept[n - 1]) | (np.arange(len(going)) >= one.reject[n - 1])
        ends += [(n, int(e), float(going[e])) for e in np.flatnonzero(over & (going > 0))]
    items, wrong, chance = (np.array(column) for column in zip(*ends, strict=True))
    return items, wrong, chance


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The least number from `low` on for which `holds`, which once true stays so; high + 1 where there is none."""
    high += 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _cut(lot: int, good: int, bad: int, confidence: float, early: float) -> Plan | None:
    """The plan that stops early by Wald's lines, at `early` times the risks; None if it spends too much on them."""
    accept, reject = _lines(lot, good / lot, bad / lot, early * (1 - confidence))
    walks = (_walk(lot, errors, accept, reject, width=bad) for errors in (good, bad))
    for n, ((right, at_good), (wrong, at_bad)) in enumerate(zip(*walks, strict=True), start=1):
        holds = (right + np.cumsum(at_good) >= confidence) & (wrong + np.cumsum(at_bad) <= 1 - confidence)
        if holds.any():
            last = int(np.flatnonzero(holds)[-1])
            # What the cut will say whatever comes is said at once.
            sure = [max(bound, last - n + done) for done, bound in enumerate(accept[:n], start=1)]
            return Plan(lot, good, bad, confidence, tuple(sure), tuple(min(bound, last + 1) for bound in reject[:n]))
    return None


def _lines(lot: int, good: float, bad: float, risk: float) -> tuple[list[int], list[int]]:
    """Wald's acceptance and rejection numbers after 1, 2, ... items, for two equal risks; at 0 none is reached."""
    if not risk:
        return [-1] * lot, [_NEVER] * lot
    right = math.log((1 - good) / (1 - bad)) if bad < 1 else math.inf
    bound = math.log((1 - risk) / risk)
    if not good or bad >= 1:
        return [0 if n * right >= bound else -1 for n in range(1, lot + 1)], [1] * lot
    step = math.log(bad / good) + right
    accept = [math.floor((n * right - bound) / step) for n in range(1, lot + 1)]
    return accept, [math.ceil((n * right + bound) / step) for n in range(1, lot + 1)]


def _walk(
    lot: int, errors: int, accept: Sequence[int], reject: Sequence[int], *, width: int | None = None
) -> Iterator[tuple[float, Floats]]:
    """After 1, 2, ... items of a lot with so many errors: P(accepted before now), and P(going on, 0, 1, ... found)."""
    found = np.arange((reject[-1] if width is None else width) + 1)
    accepted, going = 0.0, (found == 0).astype(np.float64)
    for n, (low, high) in enumerate(zip(accept, reject, strict=True)):
        hit = going * np.clip(errors - found, 0, lot - n) / (lot - n)
        going = going - hit
        going[1:] += hit[:-1]
        yield accepted, going
        accepted += float(going[found <= low].sum())
        going = np.where((found > low) & (found < high), going, 0.0)
