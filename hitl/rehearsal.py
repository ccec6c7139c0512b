"""Play the loop on items whose labels are known: train, pick a batch, reveal its labels, measure, and again.

What trains and picks is what a round runs (`pipeline`, `strategies`, `choose`); only the files are missing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from hitl import choose, embedding, metrics, pipeline, resolve as resolving, strategies
from hitl.budget import random_slice
from hitl.errors import DataError
from hitl.founding.classes import AT_LEAST
from hitl.founding.items import Items
from hitl.founding.split import split
from hitl.founding.stratify import draw, quotas
from hitl.params import MetricName, Params, StrategyName
from hitl.pipeline import Classifier, Rows
from hitl.shortlist import DECIMALS, kept

Places = npt.NDArray[np.intp]
Say = Callable[[Mapping[str, str], Mapping[str, int], np.random.Generator], pd.DataFrame]
"""(true label by item_id, annotators by item_id, generator) -> annotations (item_id, annotator_id, label)."""
TEST = 0.25
"""The share of the items that a test set takes, where there is none yet."""
GOOD, BEST = 0.95, 0.99
"""The shares of full-data quality that labels are counted to."""
YARDSTICK: StrategyName = "random"
HOLDS = 2
"""So many measurements in a row must reach a quality: one lucky one does not count."""


@dataclass(frozen=True)
class Known:
    """Items whose labels are all known: `table` (item_id, the features, label) sorted by item_id, `content` (n,).

    `test` (n,) marks the items of the test set; None where every seed draws its own. `initial` is how many items each
    run begins with, drawn anew by every seed so that each class is there.
    """

    table: pd.DataFrame
    content: npt.NDArray[np.uint64]
    params: Params
    initial: int
    test: npt.NDArray[np.bool_] | None = None

    @cached_property
    def seen(self) -> pd.DataFrame:
        """What a model sees of each item."""
        return pipeline.inputs(self.table, self.params.features)

    @cached_property
    def ids(self) -> npt.NDArray[np.object_]:
        return self.table["item_id"].to_numpy(dtype=object)

    @cached_property
    def labels(self) -> npt.NDArray[np.object_]:
        return self.table["label"].to_numpy(dtype=object)


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """How a run picks and is answered: the strategy, items a batch, annotators an item, and how often one errs."""

    strategy: StrategyName
    batch: int
    overlap: int = 1
    noise: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """One play: the quality on the test set with so many `labels`, for which so many `annotations` were paid.

    Labels and annotations both count the initial items. `full` is the quality with every label known.
    """

    setting: Setting
    seed: int
    labels: tuple[int, ...]
    annotations: tuple[int, ...]
    quality: tuple[float, ...]
    full: float

    def place(self, share: float) -> int | None:
        """Where the run first reaches `share` of full-data quality, and holds it; None when it never does."""
        there = [one >= share * self.full for one in self.quality]
        ends = (all(there[at : at + HOLDS]) for at in range(len(there)))
        return next((at for at, holds in enumerate(ends) if holds), None)

    def needed(self, share: float) -> int | None:
        """The annotations paid when `share` of full-data quality was reached; None when it never was."""
        at = self.place(share)
        return None if at is None else self.annotations[at]

    def area(self, end: int) -> float:
        """The mean quality over the annotations from the first model to `end` (the area under the curve)."""
        grid = np.linspace(self.annotations[0], max(end, self.annotations[0]), 201)
        return float(np.interp(grid, self.annotations, self.quality).mean())


@dataclass(slots=True)
class Loop:
    """Where a run stands: the places of the labeled items (sorted) with the label given to each, and of the pool."""

    known: Known
    params: Params
    labeled: Places
    given: npt.NDArray[np.object_]
    pool: Places
    paid: int
    number: int = 0

    @property
    def labels(self) -> pd.DataFrame:
        """The labeled set: the items, with the labels they were given."""
        return self.known.table.iloc[self.labeled].assign(label=self.given).reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model's last step, and what it sees of every item of the table, one in a row: all else is done once a round."""

    model: Classifier
    rows: Rows

    def says(self, places: Places, classes: Sequence[str]) -> npt.NDArray[np.float64]:
        """The probabilities (n, classes) of the items at `places`."""
        return pipeline.aligned(self.model, _at(self.rows, places), classes)

    def points(self, *places: Places) -> list[npt.NDArray[np.float32]]:
        """The items at each of `places` as points (n, d) in one space."""
        together = embedding.points(_at(self.rows, np.concatenate(places)))
        return np.split(together, np.cumsum([len(some) for some in places])[:-1])


Pick = Callable[[Loop, Fitted], Places]
"""(where the loop stands, its model) -> the places of the batch, in the table."""


def divided(known: Known, seed: int) -> tuple[Places, Places, Places]:
    """The places of the initial set, the pool and the test set for `seed`.

    Raises DataError when a class has too few items.
    """
    rng = np.random.default_rng([seed, 1])
    if known.test is None:
        keys = known.table[["item_id", "label"]].assign(content=known.content)
        made = split(keys, test=TEST, initial=known.initial, gold=0, hide=True, rng=rng)
        places = pd.Index(known.ids)
        initial, pool, test = (places.get_indexer(pd.Index(ids)) for ids in (made.initial, made.pool, made.test))
        return initial, pool, test
    rest = np.flatnonzero(~known.test)
    labels = known.table["label"].iloc[rest].reset_index(drop=True)
    counts = {str(name): int(count) for name, count in labels.value_counts().sort_index().items()}
    first = draw(labels, quotas(counts, known.initial, floor=AT_LEAST), rng)
    return rest[first], rest[~first], np.flatnonzero(known.test)


def full_quality(known: Known, seed: int) -> float:
    """The quality on the test set of the model that has every other label."""
    initial, pool, test = divided(known, seed)
    everything = np.sort(np.concatenate([initial, pool]))
    return quality(known, fitted(known, known.params, known.table.iloc[everything]), test, known.params.evaluate.metric)


def play(
    known: Known,
    setting: Setting,
    seed: int,
    *,
    full: float,
    until: int,
    say: Say | None = None,
    pick: Pick | None = None,
) -> Run:
    """The run of one setting and seed: to `until` annotations and to BEST of `full`, or to the end of the pool.

    Initial items cost an annotation each and are labeled right. `say` answers what is picked, by default the truth;
    `pick` picks, by default `batch`.
    """
    initial, pool, test = divided(known, seed)
    asked = {"strategy": setting.strategy, "batch": setting.batch, "seed": seed}
    params = known.params.model_copy(update={"query": known.params.query.model_copy(update=asked)})
    first = np.sort(initial)
    loop = Loop(known, params, first, known.labels[first], pool, len(first))
    rng = np.random.default_rng([seed, 2])
    curve: list[tuple[int, int, float]] = []
    while True:
        model = fitted(known, params, loop.labels)
        curve.append((len(loop.labeled), loop.paid, quality(known, model, test, params.evaluate.metric)))
        labels, annotations, qualities = zip(*curve, strict=True)
        run = Run(setting, seed, labels, annotations, qualities, full)
        there = run.place(BEST)
        if not len(loop.pool) or (loop.paid >= until and there is not None and len(curve) - there >= HOLDS):
            return run
        loop.number += 1
        chosen = (pick or batch)(loop, model)
        _answered(loop, chosen, setting.overlap, say, rng)


def batch(loop: Loop, model: Fitted) -> Places:
    """The places of the items that the strategy picks from the pool, as a round does."""
    known, asked = loop.known, loop.params.query
    drawn = choose.draw(known.ids[loop.pool], seed=asked.seed, round_number=loop.number)
    if asked.strategy == YARDSTICK:
        return loop.pool[np.lexsort((known.ids[loop.pool], drawn))[: asked.batch]]
    candidates = _candidates(loop, model, drawn)
    places = candidates["place"].to_numpy()
    points = model.points(places, loop.labeled)
    rng = np.random.default_rng([asked.seed, loop.number])

    def picked(left: pd.DataFrame, size: int) -> pd.DataFrame:
        return strategies.picked(
            loop.params,
            left,
            size,
            features=points[0][np.searchsorted(places, left["place"])],
            labeled=points[1],
            labels=pd.Series(loop.given),
            rng=rng,
        )

    chosen = choose.batch(
        candidates, size=asked.batch, random=random_slice(loop.params), seen=len(loop.pool), pick=picked
    )
    return places[candidates["item_id"].isin(chosen["item_id"]).to_numpy()]


def _candidates(loop: Loop, model: Fitted, drawn: npt.NDArray[np.float64]) -> pd.DataFrame:
    """The shortlist of the pool, as `score` leaves it, with the place of each item in the table; sorted by that."""
    known, name, classes = loop.known, loop.params.query.strategy, loop.params.data.classes
    ids, said = known.ids[loop.pool], model.says(loop.pool, classes)
    each = said.T.copy()
    if strategies.STRATEGIES[name].committee:
        members = pipeline.committee(loop.params.model, loop.labels, loop.params.features, strategies.MEMBERS)
        seen = known.seen.iloc[loop.pool]
        each = np.stack([pipeline.aligned(one, seen, classes).T for one in members])
    frame = pd.DataFrame(
        {
            "item_id": ids,
            "draw": drawn,
            "again": False,
            "utility": np.round(strategies.utility(name, each, drawn, ids.__getitem__), DECIMALS),
            "place": loop.pool,
            "model_class": np.array(classes, dtype=object)[said.argmax(axis=1)],
            "model_confidence": said.max(axis=1),
            "probabilities": list(said),
        }
    )
    return kept(frame, strategies.limits(loop.params))


def _answered(loop: Loop, chosen: Places, overlap: int, say: Say | None, rng: np.random.Generator) -> None:
    """Have the chosen items answered, and add those that come to a label to the labeled set; the rest is lost."""
    places = dict(zip(loop.known.ids[chosen], chosen.tolist(), strict=True))
    labels = {item_id: str(loop.known.labels[at]) for item_id, at in places.items()}
    loop.pool, loop.paid = np.setdiff1d(loop.pool, chosen), loop.paid + len(chosen) * overlap
    if say is not None:
        said = say(labels, dict.fromkeys(labels, overlap), rng)
        found = resolving.resolve(said, loop.params.resolve, gold={}, classes=loop.params.data.classes).labels
        found = found[found["label"].notna()]
        labels = dict(zip(found["item_id"], found["label"], strict=True))
    won = np.array([places[item_id] for item_id in labels], dtype=np.intp)
    given = np.concatenate([loop.given, np.array(list(labels.values()), dtype=object)])
    labeled = np.concatenate([loop.labeled, won])
    order = np.argsort(labeled, kind="stable")
    loop.labeled, loop.given = labeled[order], given[order]


def fitted(known: Known, params: Params, labeled: pd.DataFrame) -> Fitted:
    """The model that `params` describe, fitted on the labeled set."""
    first, last = pipeline.halves(pipeline.fit(pipeline.build(params.model, params.features), labeled, params.features))
    rows = first(known.seen)
    return Fitted(last, rows.tocsr() if sparse.issparse(rows) else rows)


def quality(known: Known, model: Fitted, test: Places, metric: MetricName) -> float:
    """The quality of a model on the test set."""
    classes = known.params.data.classes
    predicted = model.says(test, classes).argmax(axis=1)
    matrix = metrics.confusion(metrics.codes(known.labels[test], classes), predicted, len(classes))
    return float(metrics.METRICS[metric](matrix))


def _at(rows: Rows, places: Places) -> Rows:
    return rows.iloc[places] if isinstance(rows, pd.DataFrame) else rows[places]


def known_of(items: Items, params: Params, *, most: int, initial: int | None = None) -> tuple[Known, list[str]]:
    """The labeled items of a table, at most so many of them, drawn so that classes keep their shares; and notes.

    `initial` is by default the least that a workspace begins with. Raises DataError when `initial` is too small.
    """
    labeled = (items.table["label"] != "").to_numpy()
    table, content = items.table[labeled].reset_index(drop=True), items.content[labeled]
    notes = [] if labeled.all() else [f"{(~labeled).sum():,} rows without a label are left out"]
    chosen = thinned(table["label"], most)
    if not chosen.all():
        notes.append(f"{most:,} of {len(table):,} labeled items are used, drawn at random (--rows)")
    table, content = table[chosen].reset_index(drop=True), content[chosen]
    least, rest = AT_LEAST * len(items.classes), len(table) - round(TEST * len(table))
    if initial is not None and initial >= rest:
        raise DataError(
            f"{initial:,} initial items leave nothing to pick: beside the test set there are {rest:,}; "
            "begin with fewer (--initial), or use more rows (--rows)"
        )
    return Known(table, content, params, _enough(initial, least)), notes


def thinned(labels: pd.Series, most: int) -> npt.NDArray[np.bool_]:
    """Which of the labeled items (n,) are kept where there are more than `most`: classes keep their shares."""
    if len(labels) <= most:
        return np.ones(len(labels), dtype=np.bool_)
    counts = {str(name): int(count) for name, count in labels.value_counts().sort_index().items()}
    return draw(labels, quotas(counts, most, floor=2 * AT_LEAST), np.random.default_rng(0))


def _enough(initial: int | None, least: int) -> int:
    if initial is not None and initial < least:
        raise DataError(f"{initial} initial items are too few: {AT_LEAST} of each class make {least} (--initial)")
    return initial or least


def known_in(table: pd.DataFrame, test: npt.NDArray[np.bool_], params: Params, initial: int | None = None) -> Known:
    """The items of a workspace (item_id, the features, label; sorted by item_id), of which `test` are its test set.

    Raises DataError when fewer labels are known than a rehearsal needs.
    """
    counts = table.loc[~test, "label"].value_counts()
    least = AT_LEAST * len(counts)
    if len(counts) < 2 or counts.min() < AT_LEAST or counts.sum() <= (initial or least):
        listed = ", ".join(f"{many} of {name!r}" for name, many in list(counts.sort_index().items())[:5])
        raise DataError(
            f"too few labels are known for a rehearsal: {counts.sum():,} outside the test set ({listed or 'none'}); it "
            f"needs two classes, {AT_LEAST} items of each to begin with, and others to pick; rehearse on a labeled "
            "file instead (hitl rehearse FILE --label COL), or come back after a few rounds"
        )
    content = np.zeros(len(table), dtype=np.uint64)
    return Known(table, content, params, _enough(initial, least), test)
