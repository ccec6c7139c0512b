"""What the runs of a rehearsal come to: a line a setting, against random choice, and what to set, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import median

import numpy as np

from hitl.ledger import Facts
from hitl.params import Query
from hitl.rehearsal import BEST, GOOD, YARDSTICK, Run, Setting
from hitl.report.spelled import NONE, many, measured, part, percent, signed, words

NEAR = 0.05
"""Settings that need no more than this share above the least are as good: of these the one with fewest rounds."""
CLEAR, FEW = 0.75, 5
"""A setting is clearly better than another if so many of the seeds say so; fewer seeds than these say nothing."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Annotations to a quality over the seeds: the median, the worst, and how many seeds reached it.

    Seeds that never did count as more than any number; None where the median, or the worst, is one of them.
    """

    median: float | None
    worst: int | None
    reached: int


@dataclass(frozen=True, slots=True)
class Line:
    """What the seeds of one setting say.

    `gain` is how much larger the area under the curve is than random's, as a mean quality up to where random reached
    BEST of full-data quality: the median over the seeds, and the worst. `saved` is the share of random's annotations
    to BEST that it does without: by both medians, and the least and the most of a seed; None where nothing tells.
    """

    setting: Setting
    full: float
    good: Needed
    best: Needed
    gain: float
    worst_gain: float
    saved: tuple[float, float, float] | None
    rounds: int


def end(random: Run) -> int:
    """Up to how many annotations the curves of a seed are compared: where random reached BEST, or its end."""
    return random.needed(BEST) or random.annotations[-1]


def lines(runs: Sequence[Run]) -> tuple[Line, ...]:
    """A line for each setting, by noise, overlap and batch, and then the least annotations to BEST first."""
    settings = {one.setting for one in runs}
    found = [_line([one for one in runs if one.setting == setting], runs) for setting in settings]
    return tuple(sorted(found, key=_order))


def _order(line: Line) -> tuple[object, ...]:
    at = line.setting
    return (at.noise, at.overlap, at.batch, _number(line.best.median), -line.gain, at.strategy)


def _line(own: Sequence[Run], runs: Sequence[Run]) -> Line:
    setting = own[0].setting
    random = {one.seed: one for one in runs if one.setting == against(setting)}
    gains = [one.area(end(random[one.seed])) - random[one.seed].area(end(random[one.seed])) for one in own]
    saved = [1 - a / b for one in own if (a := one.needed(BEST)) and (b := random[one.seed].needed(BEST))]
    best, beside = needed(own, BEST), needed(list(random.values()), BEST)
    typical = best.median or median(one.annotations[-1] for one in own)
    start = median(one.annotations[0] for one in own)
    return Line(
        setting=setting,
        full=median(one.full for one in own),
        good=needed(own, GOOD),
        best=best,
        gain=median(gains),
        worst_gain=min(gains),
        saved=(1 - best.median / beside.median, min(saved), max(saved))
        if saved and best.median and beside.median
        else None,
        rounds=int(np.ceil((typical - start) / (setting.batch * setting.overlap))),
    )


def against(setting: Setting) -> Setting:
    """Random choice under the same circumstances."""
    return Setting(YARDSTICK, setting.batch, setting.overlap, setting.noise)


def needed(runs: Sequence[Run], share: float) -> Needed:
    """Annotations to `share` of full-data quality over `runs`, one a seed."""
    found = [inf if (one := run.needed(share)) is None else float(one) for run in runs]
    middle, worst = median(found), max(found)
    return Needed(
        middle if isfinite(middle) else None, int(worst) if isfinite(worst) else None, sum(map(isfinite, found))
    )


def recommended(runs: Sequence[Run], found: Sequence[Line], noise: float, now: Query) -> Line:
    """The setting to take where annotators err so often: the `least`, or that of the strategy of `now`.

    Another strategy has to be clearly better than the one that params.yaml names, where that was tried: luck must not
    lead away from a default that was measured on many tables.
    """
    some = [one for one in found if one.setting.noise == noise]
    best, usual = least(some), [one for one in some if one.setting.strategy == now.strategy]
    if not usual or best in usual:
        return best
    kept = least(usual)
    wins, seeds = _wins(best, kept, runs)
    return best if _is_clear(wins, seeds) else kept


def least(some: Sequence[Line]) -> Line:
    """The line with the fewest annotations to BEST (or, where none got there, to GOOD; or else the largest area).

    Of those within NEAR of it the one with the fewest rounds, then the least worst seed.
    """
    cost = min(map(_cost, some))
    near = [one for one in some if _cost(one)[:1] == cost[:1] and _cost(one)[1] <= cost[1] + NEAR * abs(cost[1])]
    return min(near, key=lambda one: (one.rounds, _number(one.best.worst), *_cost(one), one.setting))


def _wins(one: Line, other: Line, runs: Sequence[Run]) -> tuple[int, int]:
    """In how many of the seeds one needs fewer annotations to BEST than the other, and how many seeds there are."""
    ours, theirs = ({run.seed: run.needed(BEST) for run in runs if run.setting == at.setting} for at in (one, other))
    return sum(_number(ours[seed]) < _number(theirs[seed]) for seed in ours), len(ours)


def _is_clear(wins: int, seeds: int) -> bool:
    return seeds >= FEW and wins >= CLEAR * seeds


def _cost(line: Line) -> tuple[int, float]:
    if line.best.median is not None:
        return 0, line.best.median
    return (1, line.good.median) if line.good.median is not None else (2, -line.gain)


def advice(
    runs: Sequence[Run], found: Sequence[Line], now: Query, *, metric: str, tested: int, commonest: float
) -> tuple[str, ...]:
    """What to set in params.yaml, what it saves, and where that is uncertain: sentences, some for each noise level.

    `now` is what params.yaml says already, `tested` the items of a test set, `commonest` the share of the items that
    the commonest class has.
    """
    noises = sorted({one.setting.noise for one in found})
    said: list[str] = []
    if metric == "accuracy" and max(one.full for one in found) <= commonest:
        said.append(
            f"Even with every label known the model is no better than who always says the commonest class "
            f"({percent(commonest)} of the items): nothing can be learned from these columns."
        )
    for noise in noises:
        best = recommended(runs, found, noise, now)
        said += [_set(best, now, many_noises=len(noises) > 1), _saves(best, metric), *_doubts(best, runs, found)]
    seeds = len({one.seed for one in runs})
    if seeds < FEW:
        verb = "says" if seeds == 1 else "say"
        said.append(f"{many(seeds, 'seed')} {verb} little about the worst case: --seeds 8 says more.")
    if not max(one.rounds for one in found):
        said.append("The initial items alone get there, so nothing tells the settings apart: these items are too easy.")
    if tested < 1 / (1 - BEST):
        said.append(
            f"A test set of {many(tested, 'item')} cannot tell 99 % from full quality: one item is "
            f"{percent(1 / tested)} of it."
        )
    return tuple(said)


def _set(line: Line, now: Query, *, many_noises: bool) -> str:
    at = line.setting
    start = f"Where annotators err in {percent(at.noise, 0)} of the answers: set" if many_noises else "Set"
    keys = [f'query.strategy to "{at.strategy}"', f"query.batch to {at.batch}"]
    if at.overlap > 1:
        keys += [f"export.overlap to {at.overlap} with export.overlap_share 1"]
    same = now.strategy == at.strategy and now.batch == at.batch and at.overlap == 1
    return f"{start} {', '.join(keys[:-1])} and {keys[-1]}{', as it is now' if same else ''}."


def _saves(line: Line, metric: str) -> str:
    at, best = line.setting, line.best
    goal = f"99 % of full-data quality ({measured(metric, line.full)} {words(metric)})"
    if best.median is None:
        reached = f"{many(line.good.reached, 'seed')} reached 95 %, {best.reached} 99 %"
        return f"No setting reaches {goal} in most seeds; this one comes nearest: {reached}."
    took = f"It reaches {goal} with {best.median:,.0f} annotations in {many(line.rounds, 'round')} (median"
    worst = f"worst seed {best.worst:,}" if best.worst else f"{best.reached} seeds got there"
    if at.strategy == YARDSTICK or line.saved is None:
        return f"{took}; {worst})."
    middle, low, high = line.saved
    spread = f"in single seeds {_fewer(high)} to {_fewer(low)}" if low < high else "in every seed"
    than = "as" if _fewer(middle) == _EQUAL else "than"
    return f"{took}; {worst}): {_fewer(middle)} {than} random choice needs ({spread})."


_EQUAL = "as many"


def _fewer(share: float) -> str:
    """So many annotations fewer, or more."""
    size = percent(abs(share), 0)
    return _EQUAL if size == percent(0, 0) else f"{size} {'fewer' if share > 0 else 'more'}"


def _doubts(best: Line, runs: Sequence[Run], found: Sequence[Line]) -> list[str]:
    """Which other settings the seeds cannot tell from the best, and whether it lost to random anywhere."""
    some = [one for one in found if one.setting.noise == best.setting.noise]
    close: list[str] = []
    for other in sorted(some, key=_cost):
        wins, seeds = _wins(best, other, runs)
        if other is not best and not _is_clear(wins, seeds):
            close.append(f"{named(other.setting, found)} (better than it in {part(wins, seeds)} of the seeds)")
    said, front = [], least(some)
    if front.setting.strategy != best.setting.strategy and _cost(front) < _cost(best):
        said.append(f"The numbers of {named(front.setting, found)} are better, but not clearly: the strategy stays.")
    if close:
        more = f", and {len(close) - 3} more" if len(close) > 3 else ""
        said.append(f"Uncertain: the seeds do not clearly tell it from {', '.join(close[:3])}{more}.")
    if best.setting.strategy != YARDSTICK and best.worst_gain < 0:
        said.append(f"In its worst seed it is {signed(100 * best.worst_gain, 1)} points of quality against random.")
    return said


def named(setting: Setting, found: Sequence[Line]) -> str:
    """A setting by what tells it from the others."""
    every = [one.setting for one in found]
    told = [setting.strategy.replace("_", " ")]
    told += [f"batches of {setting.batch}"] if len({one.batch for one in every}) > 1 else []
    told += [f"overlap {setting.overlap}"] if len({one.overlap for one in every}) > 1 else []
    told += [f"noise {setting.noise:g}"] if len({one.noise for one in every}) > 1 else []
    return ", ".join(told)


def facts(runs: Sequence[Run], found: Sequence[Line]) -> list[Facts]:
    """The lines as plain values, with the runs of each."""
    return [{**_plain(line), "runs": [_run(one) for one in runs if one.setting == line.setting]} for line in found]


def _plain(line: Line) -> Mapping[str, object]:
    at = line.setting
    return {
        "strategy": at.strategy,
        "batch": at.batch,
        "overlap": at.overlap,
        "noise": at.noise,
        "full_quality": line.full,
        "annotations_to_95": _needed(line.good),
        "annotations_to_99": _needed(line.best),
        "area_gain": line.gain,
        "area_gain_worst": line.worst_gain,
        "saved": None if line.saved is None else dict(zip(("median", "least", "most"), line.saved, strict=True)),
        "rounds": line.rounds,
    }


def _needed(one: Needed) -> Mapping[str, object]:
    return {"median": one.median, "worst": one.worst, "seeds_reached": one.reached}


def _run(one: Run) -> Mapping[str, object]:
    return {
        "seed": one.seed,
        "full_quality": one.full,
        "annotations_to_95": one.needed(GOOD),
        "annotations_to_99": one.needed(BEST),
        "labels": list(one.labels),
        "annotations": list(one.annotations),
        "quality": list(one.quality),
    }


def _number(value: float | None) -> float:
    return inf if value is None else float(value)


HEADS = ("strategy", "batch", "overlap", "noise", "to 95 %", "worst", "to 99 %", "worst", "area", "worst", "saved")
"""What `cells` gives of a line, in this order."""


def cells(line: Line) -> tuple[str, ...]:
    """A line as people read it."""
    at = line.setting
    return (
        at.strategy,
        f"{at.batch:,}",
        str(at.overlap),
        f"{at.noise:g}",
        _told(line.good.median),
        _told(line.good.worst),
        _told(line.best.median),
        _told(line.best.worst),
        signed(100 * line.gain, 1),
        signed(100 * line.worst_gain, 1),
        NONE if line.saved is None else f"{percent(line.saved[0], 0)}".replace("-", "−"),
    )


def text(found: Sequence[Line]) -> str:
    """The lines as a table of plain characters."""
    rows = [HEADS, *(cells(line) for line in found)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADS))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(wide) for cell, wide in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def _told(count: float | None) -> str:
    return "never" if count is None else f"{count:,.0f}"
