"""Rehearse: play the loop on labels that are known, under several settings; writes a page and nothing else."""

import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from hitl import choose, rehearsal, rehearsal_page, rehearsal_result
from hitl.errors import ParamsError
from hitl.founding.first_params import NO_OVERRIDES, first_params
from hitl.founding.items import items_of
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params, StrategyName
from hitl.rehearsal import YARDSTICK, Known, Run, Setting
from hitl.strategies import STRATEGIES
from tasks import journal
from tasks.edges import files, page, parallel, pool, source, tables, vendor

TOLD_EVERY = 5.0
"""Seconds between two lines about the progress."""
ROUNDS = 50
"""About so many batches make a pool, where nobody says how large a batch is."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried: every combination of these, each with every seed, and random choice beside it.

    An empty `batches` leaves the size to params.yaml or, for a file, to the size of the pool.
    """

    strategies: tuple[StrategyName, ...] = ("diverse", "margin")
    batches: tuple[int, ...] = ()
    overlaps: tuple[int, ...] = (1,)
    noises: tuple[float, ...] = (0.0,)
    seeds: int = 8


@dataclass(frozen=True, slots=True)
class _Asked:
    """One run: `end` is where random choice ended for the seed (0: this is that run), `full` the full-data quality."""

    setting: Setting
    seed: int
    end: int = 0
    full: float = 0.0


def plan_of(
    *,
    strategies: Sequence[str] = (),
    batches: Sequence[int] = (),
    overlaps: Sequence[int] = (),
    noises: Sequence[float] = (),
    seeds: int = 8,
) -> Plan:
    """A plan of what was asked for, each once, and the rest by default; raises ParamsError at an unknown strategy."""
    unknown = [name for name in strategies if name not in STRATEGIES]
    if unknown:
        raise ParamsError(f"--strategy {unknown[0]}: no such strategy; there are {', '.join(STRATEGIES)}")
    usual = Plan()
    return Plan(
        strategies=cast(tuple[StrategyName, ...], tuple(dict.fromkeys(strategies))) or usual.strategies,
        batches=tuple(dict.fromkeys(batches)),
        overlaps=tuple(dict.fromkeys(overlaps)) or usual.overlaps,
        noises=tuple(dict.fromkeys(noises)) or usual.noises,
        seeds=seeds,
    )


def rehearse_file(
    path: Path,
    plan: Plan,
    *,
    label: str,
    id: str | None = None,
    text: str | None = None,
    rows: int,
    initial: int | None = None,
    processes: int | None = None,
    out: Path,
) -> Facts:
    """Rehearse on the labeled rows of any table, as `hitl init` would take it; write the page to `out`.

    Raises DataError when the table cannot serve.
    """
    source.located(path)
    items = items_of(source.read(path), label=label, id=id, text=text)
    params, notes = first_params(items, seed=0, overrides=NO_OVERRIDES)
    known, more = rehearsal.known_of(items, params, most=rows, initial=initial)
    return _rehearsed(known, plan, name=path.name, notes=[*items.notes, *notes, *more], processes=processes, out=out)


def rehearse(
    workspace: Workspace, plan: Plan, *, rows: int, initial: int | None = None, processes: int | None = None, out: Path
) -> Facts:
    """Rehearse on the items of a workspace whose labels are known: all with data/truth.csv, else the labeled set.

    Params and test set are the workspace's; nothing in it changes but the page at `out`. Raises DataError when too few
    labels are known.
    """
    params = journal.params(workspace)
    known, notes = _known(workspace, params, rows, initial)
    return _rehearsed(known, plan, name=workspace.name, notes=notes, processes=processes, out=out)


def runs_of(known: Known, plan: Plan, *, processes: int | None = None) -> list[Run]:
    """The runs of a plan, by setting and seed: the same, however many `processes` share them out."""
    sizes = plan.batches or (default_batch(known),)
    spaces = list(product(sizes, plan.overlaps, plan.noises))
    first = [_Asked(Setting(YARDSTICK, *space), seed) for space in spaces for seed in range(plan.seeds)]
    names = [name for name in dict.fromkeys(plan.strategies) if name != YARDSTICK]
    told = _Progress(len(first) * (1 + len(names)))
    random = _run_all(known, first, processes, told)
    ends = {(one.setting, one.seed): one for one in random}
    rest = [
        _Asked(setting, seed, rehearsal_result.end(beside), beside.full)
        for name, space, seed in product(names, spaces, range(plan.seeds))
        for setting in [Setting(name, *space)]
        for beside in [ends[rehearsal_result.against(setting), seed]]
    ]
    return sorted([*random, *_run_all(known, rest, processes, told)], key=lambda one: (one.setting, one.seed))


def default_batch(known: Known) -> int:
    """As many items as make the pool about ROUNDS batches, from 10 to 100."""
    left = len(known.table) * (1 - rehearsal.TEST) if known.test is None else int((~known.test).sum())
    return min(max(round(left / ROUNDS), 10), 100)


def _rehearsed(known: Known, plan: Plan, *, name: str, notes: Sequence[str], processes: int | None, out: Path) -> Facts:
    initial, rest, test = rehearsal.divided(known, 0)  # what cannot be divided is refused before anything runs
    runs = runs_of(known, plan, processes=processes)
    lines, metric = rehearsal_result.lines(runs), known.params.evaluate.metric
    now, commonest = known.params.query, float(known.table["label"].value_counts(normalize=True).max())
    advice = rehearsal_result.advice(runs, lines, now, metric=metric, tested=len(test), commonest=commonest)
    sizes = {"initial": len(initial), "pool": len(rest), "test": len(test), "seeds": plan.seeds}
    files.write_bytes(
        out, page.rehearsal(rehearsal_page.page_of(name, runs, lines, advice, now, metric=metric, sizes=sizes))
    )
    return {
        "name": name,
        "metric": metric,
        **sizes,
        "settings": rehearsal_result.facts(runs, lines),
        "recommendation": list(advice),
        "table": rehearsal_result.text(lines),
        "notes": list(notes),
        "page": str(out),
    }


def _run_all(known: Known, asked: Sequence[_Asked], processes: int | None, told: "_Progress") -> list[Run]:
    found: dict[int, Run] = {}
    for place, run in parallel.each(_run, known, asked, processes=processes or os.cpu_count() or 1):
        found[place] = run
        told()
    return [found[place] for place in sorted(found)]


def _run(known: Known, asked: _Asked) -> Run:
    noise = asked.setting.noise
    say = _Vendor(known.params.data.classes, noise) if noise else None
    with threadpool_limits(1):  # one thread a run: the same sums on any number of cores
        full = asked.full if asked.end else rehearsal.full_quality(known, asked.seed)
        return rehearsal.play(known, asked.setting, asked.seed, full=full, until=asked.end, say=say)


@dataclass(frozen=True, slots=True)
class _Vendor:
    """The simulated vendor, who errs so often."""

    classes: tuple[str, ...]
    noise: float

    def __call__(self, truth: Mapping[str, str], wanted: Mapping[str, int], rng: np.random.Generator) -> pd.DataFrame:
        said = vendor.answer(truth, wanted, self.classes, annotators=max(wanted.values()), noise=self.noise, rng=rng)
        return pd.DataFrame(said, columns=["item_id", "label", "annotator_id", "seconds"])


def _known(workspace: Workspace, params: Params, rows: int, initial: int | None) -> tuple[Known, list[str]]:
    test = tables.read_parquet(workspace.test)
    rest, notes = _labeled(workspace, params, rows)
    if len(test) > rows:
        test = test[rehearsal.thinned(test["label"], rows)]
        notes.append(f"{rows:,} items of the test set are used, drawn at random (--rows)")
    names = ["item_id", *params.features, "label"]
    whole = pd.concat([rest[names].assign(test=False), test[names].assign(test=True)], ignore_index=True)
    whole = whole.sort_values("item_id", ignore_index=True)
    return rehearsal.known_in(whole.drop(columns="test"), whole["test"].to_numpy(), params, initial), notes


def _labeled(workspace: Workspace, params: Params, rows: int) -> tuple[pd.DataFrame, list[str]]:
    """The items outside the test set whose labels are known, at most about so many."""
    if not workspace.truth.is_file():
        labeled = tables.read_parquet(workspace.labeled)
        chosen = rehearsal.thinned(labeled["label"], rows)
        note = "data/truth.csv is not there: the rehearsal learns from the labeled set alone"
        return labeled[chosen], [note]
    truth = vendor.truth(workspace.truth)
    limit = np.partition(_draws(truth), rows)[rows] if len(truth) > rows else 1.0
    found = [tables.read_parquet(workspace.initial)]
    for part in tables.stream(pool.parts(workspace), ["item_id", *params.features]):
        some = part[(_draws(part["item_id"]) < limit) & part["item_id"].isin(truth).to_numpy()]
        found.append(some.assign(label=[truth[one] for one in some["item_id"]]))
    notes = [f"{rows:,} of {len(truth):,} items of the pool are used, drawn at random (--rows)"] if limit < 1 else []
    return pd.concat(found, ignore_index=True), notes


def _draws(item_ids: Iterable[str]) -> npt.NDArray[np.float64]:
    return choose.draw(np.array(list(item_ids), dtype=object), seed=0, round_number=0, purpose="rehearse")


class _Progress:
    """Says now and then how many of `total` runs are done, and how long the rest takes."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.began = self.last = time.monotonic()

    def __call__(self) -> None:
        self.done, now = self.done + 1, time.monotonic()
        if now - self.last < TOLD_EVERY or self.done >= self.total:
            return
        self.last, rate = now, self.done / (now - self.began)
        told = (self.done, self.total, 60 * rate, (self.total - self.done) / rate)
        logging.getLogger("hitl").info("played %s of %s runs, %.1f a minute, about %.0f s to go", *told)
