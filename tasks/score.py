"""Score the pool: one pass over its files that keeps only the candidates for the batch."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from hitl import choose, firewall, overlap, strategies
from hitl.choose import SEEN
from hitl.errors import DataError, IntegrityError
from hitl.firewall import Wall
from hitl.ids import ItemIds, fractions, hashes
from hitl.layout import Workspace, round_number
from hitl.ledger import Facts
from hitl.linear import Columns, Floats, Linear, folded
from hitl.lookup import Lookup, lookup
from hitl.params import Params
from hitl.pipeline import Classifier, aligned, at_once, prepared, together
from hitl.shortlist import Cells, Limits, Shortlist, merged, seen_of
from hitl.strategies import MEMBERS, STRATEGIES, Strategy
from tasks import journal, reissue, train
from tasks.edges import files, pool, runner, tables
from tasks.edges.pool import File
from tasks.firewall import wall
from tasks.shares import Done, Each, Progress, Share, seen, shared

FAST_ROWS = 16_384
"""Items that a linear model scores together: what is worked on stays in the processor's cache."""
log = logging.getLogger("hitl")


@dataclass(frozen=True)
class Scoring:
    """What the items of a round are scored with, and which of them may be picked.

    `model` speaks of every item; `members` are the models that its utility comes from: that one, or a committee. `out`
    are the items that may not be picked, `again` those that go out again whatever their utility.
    """

    params: Params
    model: Classifier
    members: Sequence[Classifier]
    number: int
    limits: Limits
    out: Lookup
    again: Lookup
    test: Wall

    @cached_property
    def linear(self) -> Mapping[int, Linear]:
        """The models that are one matrix of the columns as that, by their id()."""
        if any(kind not in ("numeric", "boolean") for kind in self.params.features.values()):
            return {}
        names, classes = list(self.params.features), self.params.data.classes
        found = {id(one): folded(one, names, classes) for one in (self.model, *self.members)}
        return {model: one for model, one in found.items() if one is not None}

    @property
    def strategy(self) -> Strategy:
        return STRATEGIES[self.params.query.strategy]

    @property
    def key(self) -> tuple[object, ...]:
        return choose.key(seed=self.params.query.seed, round_number=self.number)


@dataclass(frozen=True, slots=True)
class Partial:
    """What one part of the pool gives: its candidates (`Shortlist.items`), and how many rows are eligible or barred."""

    items: Cells
    rows: int = 0
    barred: int = 0


def score(workspace: Workspace, round_id: str, *, each: Each | None = None) -> Facts:
    """Write the round's candidates.parquet (choose.CANDIDATE_COLUMNS); says how many eligible items were scored.

    `each` does several shares of the pool at once, where it has several files. Items that equal one of the test set in
    content are not eligible, and `barred_test_content` counts them.
    """
    try:
        found, candidates = _found(workspace, round_id, each)
    finally:
        _prepared.cache_clear()
    if not found.rows:
        raise DataError("the pool is empty: every item in it has been asked about; there is nothing left to open")
    ids = candidates["item_id"]
    twice = ids[1:][ids[1:] == ids[:-1]]
    if len(twice):
        raise DataError(
            f"{pool.where(workspace)} holds item {twice[0]!r} more than once; "
            "every row needs an id of its own: take the others out, or name them otherwise"
        )
    sha256 = tables.write_parquet(workspace.round(round_id) / "candidates.parquet", candidates)
    if found.barred:
        log.info("%s items of the pool equal a test item in content: they are never sent out", f"{found.barred:,}")
    return {"rows": found.rows, "barred_test_content": found.barred, "candidates_sha256": sha256}


def _found(workspace: Workspace, round_id: str, each: Each | None) -> tuple[Partial, Cells]:
    """What the whole pool gives, and its candidates, described."""
    head, parts = journal.head(workspace), pool.parts(workspace)
    scoring, progress = _prepared(workspace, round_id, head), Progress(tables.row_count(parts))
    count = min(runner.runner().shares, len(parts))
    with threadpool_limits(1):  # one thread a product: the same sums on any number of cores
        if each is None or count == 1:
            found = candidates_of(parts, scoring, told=_Said(progress))
        else:
            with shared(workspace, [one.name for one in parts], head, count=count) as shares:
                facts = each(part, workspace, round_id, shares, lambda: progress(seen(shares)))
                found = merge([_read(one, share) for one, share in zip(facts, shares, strict=True)], scoring.limits)
        return found, described(found.items, scoring)


def part(workspace: Workspace, round_id: str, share: Share) -> Facts:
    """Score one share: writes its candidates, and says their sha256 and how many rows are eligible or barred.

    Whoever calls it may be another process or another computer that sees the workspace's folder and the pool. Raises
    IntegrityError where the ledger it sees is not the one that the share speaks of.
    """
    with threadpool_limits(1):
        done = Done(share)
        done(0)
        scoring, parts = _prepared(workspace, round_id, share.head), pool.parts(workspace, share.names)
        found = candidates_of(parts, scoring, told=done)
        done(0)
    sha256 = tables.write_parquet(share.part, found.items)
    return {"part_sha256": sha256, "rows": found.rows, "barred": found.barred}


def _read(said: Facts, share: Share) -> Partial:
    """What `part` left of a share, and returned."""
    files.must_be(share.part, cast(str, said["part_sha256"]))
    items = {str(name): column.to_numpy() for name, column in tables.read_parquet(share.part).items()}
    return Partial(items, cast(int, said["rows"]), cast(int, said["barred"]))


@lru_cache(maxsize=1)
def _prepared(workspace: Workspace, round_id: str, head: str) -> Scoring:
    """As `prepare`, once for all shares that a process does by the ledger whose last event is hashed `head`."""
    if journal.head(workspace) != head:
        raise IntegrityError(f"{workspace.ledger} is not as it was where the scoring began: all must see one folder")
    return prepare(workspace, round_id)


def prepare(workspace: Workspace, round_id: str) -> Scoring:
    """What the pool is scored with in this round."""
    params, state, number = journal.params_of(workspace, round_id), journal.read(workspace), round_number(round_id)
    key, model = choose.key(seed=params.query.seed, round_number=number), train.current(workspace, state, params)
    committee, another = STRATEGIES[params.query.strategy].committee, overlap.waiting(params, state)
    return Scoring(
        params=params,
        model=model,
        members=train.committee(workspace, params, MEMBERS) if committee else [model],
        number=number,
        limits=strategies.limits(params),
        out=lookup(reissue.answered(workspace, state) - another.keys(), *key),
        again=lookup({*reissue.waiting(workspace, state), *another}, *key),
        test=wall(workspace, params),
    )


def candidates_of(parts: Sequence[File], scoring: Scoring, *, told: Callable[[int], None] | None = None) -> Partial:
    """The candidates of some files of the pool, in one pass over them; `told` hears of the rows as they are done.

    Memory does not grow with the files. However they are shared out, `merge` makes the same of what comes back.
    """
    shortlist, rows, barred = Shortlist(scoring.limits, _exact(scoring)), 0, 0
    for one in parts:
        for ids, cells in tables.items(one, list(scoring.params.features)):
            hashed = hashes(ids, *scoring.key)
            free = ~scoring.out.has(ids, hashed)
            copies = _copies(cells, free, scoring)
            free[copies] = False
            rows, barred = rows + int(free.sum()), barred + len(copies)
            _offer(shortlist, ids, hashed, free, cells, scoring)
            if told:
                told(len(ids))
            del ids, cells  # else they are held while the next ones are read
    return Partial(shortlist.items(), rows, barred)


def merge(partials: Sequence[Partial], limits: Limits) -> Partial:
    """The candidates of the whole pool, out of those of its parts in any order."""
    return Partial(
        merged([one.items for one in partials], limits),
        sum(one.rows for one in partials),
        sum(one.barred for one in partials),
    )


def described(items: Cells, scoring: Scoring) -> Cells:
    """The candidates with what the model says of each: choose.CANDIDATE_COLUMNS and what it sees, sorted by item_id.

    Without any item there is no column.
    """
    if not items:
        return {}
    probabilities = _probabilities(seen_of(items), scoring.model, scoring)
    classes = np.array(scoring.params.data.classes, dtype=object)
    said = {
        "model_class": classes[probabilities.argmax(axis=0)],
        "model_confidence": probabilities.max(axis=0),
        "probabilities": np.ascontiguousarray(probabilities.T),
    }
    found, seen = {**items, **said}, [name for name in items if name.startswith(SEEN)]
    return {name: found[name] for name in (*choose.CANDIDATE_COLUMNS, *seen)}


def _offer(
    shortlist: Shortlist,
    ids: ItemIds,
    hashed: npt.NDArray[np.uint64],
    free: npt.NDArray[np.bool_],
    cells: Cells,
    scoring: Scoring,
) -> None:
    """Score some items and keep those that are free to be picked, and that are worth it."""
    draw, again = fractions(hashed), scoring.again.has(ids, hashed)
    utility, slack = _utility(ids, draw, cells, scoring)
    places = shortlist.worth(utility, draw, free & ~again, slack)
    places = np.union1d(places, np.flatnonzero(free & again))
    if len(places):
        seen = prepared(_at(cells, places), scoring.params.features)
        shortlist.add(ids.at(places), draw[places], again[places], utility[places], seen)


def _utility(ids: ItemIds, draw: Floats, cells: Cells, scoring: Scoring) -> tuple[Floats, float]:
    """The utilities (n,) of some items, and how far each may be from the truth."""
    found, slack = np.empty(len(ids)), 0.0
    numbers = all(cell.dtype.kind in "fiub" for cell in cells.values())
    linear = [scoring.linear[id(one)] for one in scoring.members if numbers and id(one) in scoring.linear]
    size = FAST_ROWS if linear else at_once(scoring.model)
    for start in range(0, len(ids), size):
        part = slice(start, start + size)
        some = _at(cells, part)
        said = [one.fast(some) for one in linear] or [(one, 0.0) for one in _said(some, scoring)]
        found[part] = _of_all([one for one, _ in said], draw[part], ids[part].one, scoring)
        slack = max(slack, *(off for _, off in said))
    return found, scoring.strategy.slope(len(scoring.params.data.classes)) * slack


def _of_all(said: Sequence[Floats], draw: Floats, name: Callable[[int], str], scoring: Scoring) -> Floats:
    """The utilities by what each member says (classes, n), of items of which `name` gives the id at a place."""
    probabilities = np.stack(said) if scoring.strategy.committee else said[0]
    return strategies.utility(scoring.params.query.strategy, probabilities, draw, name)


def _said(cells: Cells, scoring: Scoring) -> list[Floats]:
    return [_probabilities(cells, one, scoring) for one in scoring.members]


def _probabilities(cells: Cells, model: Classifier, scoring: Scoring) -> Floats:
    """The probabilities (classes, n) of some items."""
    seen, linear = prepared(cells, scoring.params.features), scoring.linear.get(id(model))
    if linear is not None:
        return linear.exact(cast(Columns, seen))  # a model of numbers alone
    return aligned(model, together(seen), scoring.params.data.classes).T.copy()


def _exact(scoring: Scoring) -> Callable[[Cells], npt.NDArray[np.float64]]:
    def exact(items: Cells) -> npt.NDArray[np.float64]:
        said = _said(seen_of(items), scoring)
        return np.asarray(_of_all(said, items["draw"], items["item_id"].__getitem__, scoring))

    return exact


def _copies(cells: Cells, free: npt.NDArray[np.bool_], scoring: Scoring) -> npt.NDArray[np.intp]:
    """The places of the free items that hold what an item of the test set holds."""
    near = firewall.suspects(cells, len(free), scoring.test)
    near = near[free[near]]
    if not len(near):
        return near
    seen = pd.DataFrame(prepared(_at(cells, near), scoring.params.features))
    return near[firewall.copied(seen, scoring.test)]


def _at(cells: Cells, places: slice | npt.NDArray[np.intp]) -> dict[str, npt.NDArray[Any]]:
    return {name: cell[places] for name, cell in cells.items()}


@dataclass(slots=True)
class _Said:
    """Says the progress of what this process does alone."""

    progress: Progress
    rows: int = 0

    def __call__(self, rows: int) -> None:
        self.rows += rows
        if line := self.progress(self.rows):
            log.info("%s", line)
