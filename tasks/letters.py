"""Letters: gather what each annotator should hear, out of the rounds' tables, and write a page and a text of it.

A letter shows only what its reader saw in a pack, as it stood there. A gold item in it is one that its reader answered:
`hitl.hidden` takes those for known, so none of them goes to that person again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from hitl import gate, letter, metrics, mistakes as judging, pack, passage, pipeline
from hitl.annotators import Record, records_of
from hitl.contract import MODEL_CLASS, MODEL_CONFIDENCE
from hitl.errors import DataError, IntegrityError, MomentError
from hitl.founding.scaffold import UNWRITTEN
from hitl.guideline import is_question
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.letter import Lesson, Question, Sources, Taught, Without
from hitl.mistakes import Mistake
from hitl.params import Image, Params
from hitl.report.png import thumbnail
from hitl.report.sections.parts import Picture
from hitl.report.spelled import moment
from hitl.shortage import UNNAMED
from hitl.state import Phase, RoundState, State
from hitl.visible import clipped
from tasks import annotations, annotators, decisions, expected, guideline, journal, resolve
from tasks.edges import files, models, page, tables

AFFORDABLE = 5_000
"""Labels up to which the round's model is learned anew without somebody's: once for each letter."""
_NAMES = ("round", "item_id", "annotator_id", "label", "comment")
_NAMED = 20


def letters(
    workspace: Workspace,
    wanted: Collection[str] = (),
    *,
    round_id: str | None = None,
    out: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Facts:
    """Write a letter (.html and .txt) to each annotator whose answers stand, or to those `wanted`, up to a round.

    By default up to the newest that is closed. Returns `round`, `folder`, what each letter says in figures, and the
    annotators who are `held` and get none. The same ledger, params and guideline give the same bytes. Raises
    MomentError where no such round is closed with answers or somebody wanted is held, DataError for a stranger.
    """
    state = journal.read(workspace)
    one = _closed(state, round_id)
    told = _Told(workspace, state, one)
    held = sorted({str(record.annotator_id) for record in told.people if told.is_held(record)})
    people = _wanted(told, wanted, held)
    folder = files.private_folder(out or workspace.letters / one.id)
    written = []
    for number, record in enumerate(people, start=1):
        tell(f"letter {number} of {len(people)}: {record.annotator_id}")
        written.append(_written(folder, told, record))
    return {"round": one.id, "folder": str(folder), "letters": written, "held": held}


def _closed(state: State, round_id: str | None) -> RoundState:
    """The round up to which letters speak."""
    closed = [one for one in state.rounds[1:] if one.phase is Phase.CLOSED and one.done("resolved")]
    if not closed:
        raise MomentError("no round with answers is closed yet: letters tell what closed rounds know (hitl close)")
    if round_id is None:
        return closed[-1]
    one = state.round(round_id)
    if one not in closed:
        raise MomentError(f"{round_id} is {one.phase}; letters tell of {', '.join(each.id for each in closed)}")
    return one


def _wanted(told: "_Told", wanted: Collection[str], held: Sequence[str]) -> list[Record]:
    names = sorted({str(one.annotator_id) for one in told.people})
    if strangers := [name for name in dict.fromkeys(wanted) if name not in names]:
        there = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        raise DataError(
            f"{', '.join(map(repr, strangers))}: no answers of anybody called so stand in rounds up to "
            f"{told.one.id}; there are {there or 'none of anybody'}"
        )
    if waiting := [name for name in wanted if name in held]:
        raise MomentError(
            f"the answers of {', '.join(waiting)} are held by resolve.policy, so a letter would tell what may not "
            f"count: first decide (hitl undo exclusion {waiting[0]} lets them count, hitl undo annotator "
            f"{waiting[0]} withdraws them)"
        )
    return [one for one in told.people if (not wanted or one.annotator_id in wanted) and one.annotator_id not in held]


@dataclass(frozen=True)
class _Told:
    """All that was told up to a round, read once for all letters."""

    workspace: Workspace
    state: State
    one: RoundState

    @cached_property
    def rounds(self) -> list[RoundState]:
        return [each for each in self.state.until(self.one.id).rounds if each.done("resolved")]

    @cached_property
    def params(self) -> Params:
        return journal.params_of(self.workspace, self.one.id)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        found = annotators.of_round(self.workspace, self.one.id)
        if not found:
            raise IntegrityError(f"the records of {self.one.id} are not there; bring them back: dvc checkout")
        return records_of(found)

    @property
    def closed_at(self) -> str:
        moments = self.one.at
        return moments["closed"]

    @property
    def people(self) -> list[Record]:
        return [record for record in self.records if record.annotator_id is not None]

    def is_held(self, record: Record) -> bool:
        return any(record.annotator_id in _held(each) for each in self.rounds)

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Every answer that stands: round, item_id, annotator_id, label, comment, vendor, and whether it `counts`."""
        parts = []
        for each in self.rounds:
            found = annotations.standing(self.workspace, each.id, _NAMES)
            vendor = str(each.facts["exported"].get("vendor", UNNAMED))
            counts = ~found["annotator_id"].isin(list(_held(each)))
            parts.append(found.assign(vendor=vendor, counts=counts))
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def mistakes(self) -> pd.DataFrame:
        labels, gold = [], dict[str, str]()
        for each in self.rounds:
            path = self.workspace.round(each.id) / "labels.parquet"
            labels.append(tables.read_parquet(path, ["item_id", "label", "confidence", "from"]).assign(round=each.id))
            gold |= expected.gold(self.workspace, each.id)
        told = decisions.newest(self.workspace, self.state, until=self.one.id)
        decided = {item: one.label for item, one in told.items()}
        gold = decisions.corrected(self.workspace, self.state, gold, until=self.one.id)
        found = judging.mistakes(self.answers, gold=gold, decided=decided, labels=pd.concat(labels))
        vendors = {each.id: str(each.facts["exported"].get("vendor", UNNAMED)) for each in self.rounds}
        return found.assign(vendor=found["round"].map(vendors))

    @cached_property
    def labeled(self) -> pd.DataFrame:
        """The labeled set of the round's model, with features."""
        return resolve.labeled_set(self.workspace, self.state, self.one.id)

    @cached_property
    def given(self) -> pd.DataFrame:
        """Each answer, of any round, that is the label that a crowd gave its item, and whether it is the `only` one.

        `round` is the one whose label it is: an item without consensus may have been answered in others before.
        """
        crowd = self.labeled.loc[self.labeled["from"] == "human", ["round", "item_id", "label"]]
        answers = self.answers[self.answers["counts"]].drop(columns="round")
        same = answers.merge(crowd, on=["item_id", "label"]).drop_duplicates(["item_id", "vendor", "annotator_id"])
        return same.assign(only=same.groupby("item_id")["annotator_id"].transform("size") == 1)

    @cached_property
    def turned(self) -> frozenset[str]:
        """The items of the round whose label is what its model takes them for, and the one that chose them did not."""
        folder, trained = self.workspace.round(self.one.id), self.one.facts["trained"]
        batch = tables.read_parquet(folder / "batch.parquet", ["item_id", "model_class"])
        labeled = self.labeled[self.labeled["round"] == self.one.id].merge(batch, on="item_id")
        trusted = self.params.model.trusted_types
        model = models.load(folder / "model.skops", sha256=str(trained["model_sha256"]), trusted=trusted)
        with threadpool_limits(1):
            now = self._predicted(model, labeled)
        is_turned = labeled["model_class"].notna() & (labeled["model_class"] != labeled["label"])
        return frozenset(labeled.loc[is_turned & (now == labeled["label"]), "item_id"])

    @cached_property
    def guideline(self) -> str:
        return self.workspace.guideline.read_text(encoding="utf-8", errors="replace")

    @cached_property
    def guideline_sha256(self) -> str:
        return files.sha256(self.workspace.guideline)

    @cached_property
    def packs(self) -> dict[str, tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]]]:
        """By round, as far as they were needed: the sent id of each item, the cells of each sent id in batch.csv."""
        return {}

    def pack(self, round_id: str) -> tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]]:
        if round_id not in self.packs:
            data = (self.workspace.pack(round_id) / "batch.csv").read_bytes()
            self.packs[round_id] = expected.sent_ids(self.workspace, round_id), pack.exported_items(data)
        return self.packs[round_id]

    def sent_id(self, round_id: str, item: str) -> str:
        return self.pack(round_id)[0][item]

    def seen(self, round_id: str, item: str) -> dict[str, str]:
        """The cells of an item as they stood in the pack, but for what the model said."""
        cells = self.pack(round_id)[1][self.sent_id(round_id, item)]
        return {name: cell for name, cell in cells.items() if name not in (MODEL_CLASS, MODEL_CONFIDENCE)}

    def is_changed(self, round_id: str) -> bool:
        """Whether the guideline is another now than in the pack of that round."""
        return guideline.sha256(self.state.round(round_id)) != self.guideline_sha256

    def without(self, items: Collection[str]) -> Without | None:
        """What the round's model is on the test set, learned anew without these; None where that costs too much."""
        rest = self.labeled[~self.labeled["item_id"].isin(list(items))]
        if not items or len(self.labeled) > AFFORDABLE or rest["label"].nunique() < 2:
            return None
        params, classes = self.params, self.params.data.classes
        model = pipeline.build(params.model, params.features)
        test = tables.read_parquet(self.workspace.test).sort_values("item_id", ignore_index=True)
        with threadpool_limits(1):
            pipeline.fit(model, rest, params.features)
            anew = self._predicted(model, test)
        path = self.workspace.round(self.one.id) / "predictions.parquet"
        with_all = tables.read_parquet(path, ["item_id", "label", "predicted"]).sort_values("item_id")
        actual, ours, theirs = (
            metrics.codes(list(each), classes) for each in (with_all["label"], with_all["predicted"], anew)
        )
        rule = params.evaluate
        found = gate.judge(
            actual,
            theirs,
            ours,
            len(classes),
            metric=rule.metric,
            margin=0.0,
            draws=rule.bootstrap,
            confidence=rule.confidence,
            rng=np.random.default_rng(rule.seed),
        )
        among = float(metrics.METRICS[rule.metric](metrics.confusion(actual, ours, len(classes))))
        return Without(rule.metric, among, among - found.gain, found.gain, found.low, found.high)

    def _predicted(self, model: pipeline.Classifier, items: pd.DataFrame) -> "np.ndarray[Any, np.dtype[np.object_]]":
        classes = list(self.params.data.classes)
        probabilities = pipeline.aligned(model, pipeline.inputs(items, self.params.features), classes)
        return np.asarray(np.array(classes, dtype=object)[probabilities.argmax(axis=1)])


def _held(one: RoundState) -> Mapping[str, str]:
    return cast(Mapping[str, str], one.facts["resolved"].get("held", {}))


def _written(folder: Path, told: _Told, record: Record) -> Facts:
    sources = _sources(told, record)
    made = letter.letter_of(sources)
    vendors = {one.vendor for one in told.people if one.annotator_id == record.annotator_id}
    name = letter.file_name(str(record.annotator_id)) + (f"@{record.vendor}" if len(vendors) > 1 else "")
    files.write_bytes(folder / f"{name}.html", page.letter(made), mode=files.PRIVATE)
    files.write_bytes(folder / f"{name}.txt", letter.plain(made).encode(), mode=files.PRIVATE)
    gold, taught = record.gold, sources.taught
    return {
        "vendor": record.vendor,
        "annotator_id": record.annotator_id,
        "letter": str(folder / f"{name}.html"),
        "text": str(folder / f"{name}.txt"),
        "answers": record.answers,
        "skips": record.skips,
        "gold": {"value": gold.value, "low": gold.low, "high": gold.high, "of": gold.of} if gold.of else None,
        "mistakes": sources.mistakes,
        "shown": [lesson.sent for lesson in sources.lessons],
        "questions": len(sources.questions),
        "labels": taught.labels,
        "turned": taught.turned,
        "gain": taught.without._asdict() if taught.without else None,
    }


def _sources(told: _Told, record: Record) -> Sources:
    own = _of(record, told.mistakes)
    team = [one for one in told.people if one.vendor == record.vendor]
    return Sources(
        round_id=told.one.id,
        when=moment(told.closed_at),
        record=record,
        others=tuple(one for one in team if one.annotator_id != record.annotator_id),
        confidence=told.params.evaluate.confidence,
        mistakes=len(own),
        lessons=tuple(_lesson(told, one) for one in judging.instructive(own)),
        questions=tuple(_questions(told, record)),
        taught=_taught(told, record),
        ranked=tuple(team) if journal.params(told.workspace).letter.leaderboard else (),
    )


def _of(record: Record, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that are that annotator's: people of two vendors are different people, whatever they are called."""
    return frame[(frame["annotator_id"] == record.annotator_id) & (frame["vendor"] == record.vendor)]


def _lesson(told: _Told, one: Mistake) -> Lesson:
    classes, seen = told.params.data.classes, told.seen(one.round, one.item_id)
    sent, image = told.sent_id(one.round, one.item_id), told.params.data.image
    picture = _picture(seen, image, sent) if image else None
    quote = passage.passage(told.guideline, one.truth, instead=one.said, classes=classes, unwritten=UNWRITTEN)
    return Lesson(one, sent, seen, picture, quote, told.is_changed(one.round))


def _picture(seen: Mapping[str, str], image: Image, sent: str) -> Picture | None:
    """The item as the picture that its cells make; None where the pack had not all of it."""
    names = [f"{image.prefix}{index}" for index in range(image.width * image.height)]
    if not all(name in seen for name in names):
        return None
    pixels = [float(seen[name] or "nan") for name in names]
    uri = thumbnail(pixels, width=image.width, height=image.height, maximum=image.maximum)
    return Picture(uri, f"item {clipped(sent, letter.NAME)}, {image.width} by {image.height} pixels")


def _questions(told: _Told, record: Record) -> Iterator[Question]:
    """What the annotator asked, the newest first."""
    own = _of(record, told.answers).dropna(subset="comment")
    asked = own[own["comment"].map(is_question).astype(bool)].drop_duplicates(["round", "item_id", "comment"])
    for row in asked.sort_values(["round", "item_id", "comment"], ascending=[False, True, True]).itertuples():
        item, name = str(row.item_id), str(row.round)
        yield Question(name, told.sent_id(name, item), str(row.comment).strip(), told.is_changed(name))


def _taught(told: _Told, record: Record) -> Taught:
    own = _of(record, told.given)
    alone, here = own[own["only"]], set(own.loc[own["round"] == told.one.id, "item_id"])
    return Taught(
        of=int((told.labeled["from"] == "human").sum()),
        labels=len(own),
        alone=len(alone),
        asked=len(here),
        turned=len(here & told.turned),
        without=told.without(set(alone["item_id"])),
    )
