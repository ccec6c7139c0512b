"""The page of a rehearsal: what to set, the curves of the strategies beside random choice, and the numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hitl.params import Query
from hitl.rehearsal import BEST, YARDSTICK, Run, Setting
from hitl.rehearsal_result import HEADS, Line, against, cells, end, named, recommended
from hitl.report.charts import Traced, traced_chart
from hitl.report.sections.headline import Tile
from hitl.report.sections.parts import Column, Figure, Section, Table
from hitl.report.spelled import NONE, many, measured, opening, percent, words
from hitl.visible import clipped

PICTURES = 8
"""More drawings than so many are no picture any more; the table has them all."""
POINTS = 60
NAME = 80


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the page shows."""

    name: str
    verdict: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]


def page_of(
    name: str,
    runs: Sequence[Run],
    found: Sequence[Line],
    advice: Sequence[str],
    now: Query,
    *,
    metric: str,
    sizes: Mapping[str, int],
) -> Rehearsal:
    """The page of the runs; `sizes` are the items of the initial set, pool and test set, and the seeds."""
    best = recommended(runs, found, found[0].setting.noise, now)
    saved = NONE if best.saved is None else percent(best.saved[0], 0)
    worst = f"worst seed {best.best.worst:,}" if best.best.worst else f"{many(best.best.reached, 'seed')} got there"
    tiles = (
        Tile("Full-data quality", measured(metric, best.full), f"{words(metric)}, every label known"),
        Tile("Annotations to 99 % of it", _count(best.best.median), worst),
        Tile("Fewer than random choice", saved, "median over the seeds"),
        Tile(
            "Played",
            f"{len(runs):,}",
            f"runs of {many(sizes['seeds'], 'seed')}; {many(sizes['pool'], 'item')} in the pool",
        ),
    )
    sections = (
        Section("advice", "What to set", words=tuple(advice)),
        Section("curves", "Curves", figures=tuple(_figures(runs, found, best, metric))),
        Section("numbers", "Numbers", tables=(_table(found),)),
    )
    return Rehearsal(clipped(name, NAME), advice[0], tiles, sections)


def _figures(runs: Sequence[Run], found: Sequence[Line], best: Line, metric: str) -> list[Figure]:
    """A drawing for each batch size, overlap and noise: the strategies beside random choice."""
    spaces = sorted({against(one.setting) for one in found}, key=lambda one: (one.noise, one.overlap, one.batch))
    return [_figure(space, runs, found, best, metric) for space in spaces[:PICTURES]]


def _figure(space: Setting, runs: Sequence[Run], found: Sequence[Line], best: Line, metric: str) -> Figure:
    there = [one for one in found if against(one.setting) == space]
    there.sort(key=lambda one: one.setting.strategy != best.setting.strategy)  # the first one has the band
    ends = [end(one) for one in runs if one.setting == space]
    start = min(one.annotations[0] for one in runs if one.setting == space)
    grid = np.linspace(start, max(ends), POINTS)
    traced = [_traced(line, runs, grid) for line in there]
    goal = BEST * float(np.median([one.full for one in runs if one.setting == space]))
    at = f"Batches of {space.batch}, overlap {space.overlap}, noise {space.noise:g}"
    caption = (
        f"{at}. {opening(words(metric))} on the test set against the annotations paid, the median of the seeds; the "
        f"band is from the worst seed to the best, of {named(there[0].setting, there)}; dotted, the worst "
        "seed of the others. The broken line is 99 % of full-data quality."
    )
    return Figure(traced_chart(traced, metric, goal=goal, title=at), caption)


def _traced(line: Line, runs: Sequence[Run], grid: npt.NDArray[np.float64]) -> Traced:
    own = [one for one in runs if one.setting == line.setting]
    curves = np.array([np.interp(grid, one.annotations, one.quality) for one in own])
    middle = np.median(curves, axis=0)
    name = "random choice" if line.setting.strategy == YARDSTICK else line.setting.strategy.replace("_", " ")
    return Traced(name, tuple(grid), tuple(middle), tuple(curves.min(axis=0)), tuple(curves.max(axis=0)))


def _table(found: Sequence[Line]) -> Table:
    note = (
        "Annotations to 95 and 99 % of full-data quality (median and worst seed), initial items included; the area "
        "under the curve in points above random choice with the same seeds; and the share of its annotations saved."
    )
    heads = tuple(Column(name, "text" if at == 0 else "number") for at, name in enumerate(HEADS))
    return Table("Every setting", heads, tuple(cells(line) for line in found), note=note)


def _count(value: float | None) -> str:
    return "never" if value is None else f"{value:,.0f}"
