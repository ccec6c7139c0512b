"""Appen, which was Figure Eight, which was CrowdFlower: its full and its aggregated report as CSV, and its JSON.

The columns that begin with an underscore are the platform's; of the others the answers stand first, then the data of
the row, each in the order of the alphabet ("Guide to: Reports Page", success.appen.com; published reports agree).
"""

import json
import re
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any, Final

from hitl.contract import ITEM_ID, MODEL_CLASS, MODEL_CONFIDENCE, csv_bytes
from hitl.formats import question
from hitl.formats.annotation import (
    BATCH_ID,
    MODEL_VERSION,
    PAID,
    REVIEW,
    STAMP,
    UNANSWERED,
    Annotation,
    Dropped,
    content,
    number,
    payload,
    text,
)
from hitl.formats.document import Document, Record
from hitl.formats.format import Asked, Batch, Flavour, Format, Read
from hitl.formats.moments import utc
from hitl.formats.question import REMARKS, Answer, Ticked

TITLE: Final = "Appen"
FULL, AGGREGATED, JSON = "full", "aggregated", "json"
_TIME: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d\d):(\d\d)")
_GOLD: Final = "_gold"
_CONFIDENCE: Final = ":confidence"


_NEVER: Final = {
    "status=skipped": "what is not handed in leaves no trace",
    "status=draft": "what is not handed in leaves no trace",
    "origin=machine": "only people answer",
    "updated_at": "an answer cannot be changed",
    "edited_by": "an answer cannot be changed",
    "seconds_kind=active": "the clock runs from opening the page to handing it in",
    "seconds_kind=client": "the clock runs from opening the page to handing it in",
    **dict.fromkeys(STAMP, "it knows no predictions"),
    **dict.fromkeys(REVIEW, "nobody reviews"),
    **dict.fromkeys(PAID, "left out"),
}
_FULL: Final = {
    **_NEVER,
    "status=rejected": "left out",
    "annotator_confidence": "not asked",
    "labeled_at": "its times name no zone (they are kept as `time_text`)",
    "started_at": "its times name no zone",
    "seconds=.": "times are in whole seconds",
    "labels=[": "looks like a list of classes",
    "project_id": "left out",
}
_AGGREGATED: Final = {
    **{key: why for key, why in _FULL.items() if key != "annotator_confidence"},
    "status=empty": "a row without an answer was not worked on",
    "status=expelled": "left out",
    **dict.fromkeys(
        ("annotator_id", "source_annotation_id", "seconds", "seconds_kind", "comment"), "answers are merged"
    ),
}
_JSON: Final = {
    **_NEVER,
    "annotator_confidence": "not asked",
    "time_text": "every time names its zone",
    "seconds": "to be counted from the two times",
    "seconds_kind": "to be counted from the two times",
}


def recognise(document: Document) -> str | None:
    """`full`, `aggregated` or `json`."""
    names = set(document.header)
    if "_unit_id" in names:
        if names & {"_worker_id", "_id"}:
            return FULL
        return AGGREGATED if names & {"_unit_state", "_trusted_judgments", "_last_judgment_at"} else None
    results = [record.get("results") for record in document.first]
    return JSON if any(isinstance(one, dict) and "judgments" in one for one in results) else None


def read(document: Document, flavour: str, asked: Asked) -> Read:
    """Every judgment; of an aggregated report every row that has a result."""
    told = {FULL: _full, AGGREGATED: _aggregated, JSON: _units}[flavour](document)
    return question.read(told, asked.label_field, tool=TITLE)


def write(batch: Batch) -> dict[str, bytes]:
    """The data of a job: a column for each `{{name}}` of its design."""
    shown = (MODEL_CLASS, MODEL_CONFIDENCE, MODEL_VERSION) if batch.shows_model else ()
    header = (ITEM_ID, BATCH_ID, *batch.columns, *shown)
    more = {BATCH_ID: batch.batch_id, MODEL_VERSION: batch.model_version}
    rows = ([{**more, **row}.get(name, "") for name in header] for row in batch.rows)
    return {"appen_data.csv": csv_bytes([header, *rows])}


def classes(cell: str) -> tuple[str, ...]:
    r"""The classes in a cell: of boxes that are ticked a line each, or a list of JSON.

    >>> classes("cat"), classes("cat\ndog"), classes('["cat","dog"]'), classes("[none]")
    (('cat',), ('cat', 'dog'), ('cat', 'dog'), ('[none]',))
    """
    if cell.startswith('["') and cell.endswith('"]'):
        try:
            found = json.loads(cell)
        except ValueError:
            found = None
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return tuple(found)
    return tuple(filter(None, cell.split("\n"))) if cell != "[]" else ()


Told = Callable[[], Iterator[Answer | Dropped]]


def _full(document: Document) -> Told:
    names = _asked(document)

    def told() -> Iterator[Answer | Dropped]:
        for place, row in document.dicts():
            form = {name: _given(name, row[name]) for name in names}
            yield Answer(form, partial(_judged, place, row, names))

    return told


def _asked(document: Document) -> tuple[str, ...]:
    """The columns that hold answers: they differ from one annotator of a row to the next.

    Where no row tells, those from the first to the last that gold has a column for: answers stand together.
    """
    names = [name for name in document.header if not name.startswith("_") and not name.endswith(_GOLD)]
    first: dict[str, array[int]] = {}
    differing: set[str] = set()
    for _, row in document.dicts():
        prints = array("q", [hash(row[name]) for name in names])
        before = first.setdefault(row["_unit_id"], prints)
        if before != prints:
            differing.update(name for name, one, other in zip(names, before, prints, strict=True) if one != other)
    last = max((at for at, name in enumerate(names, start=1) if f"{name}{_GOLD}" in document.header), default=0)
    block = names[:last] or _leading(names)
    found = differing | {name for name in block if name in REMARKS} if differing else block
    return tuple(name for name in names if name in found)


def _given(name: str, cell: str) -> Ticked:
    if name in REMARKS:
        return Ticked((cell,) if cell else (), closed=False)
    return Ticked(classes(cell), closed=False)


def _leading(names: Sequence[str]) -> Sequence[str]:
    """The names up to where the alphabet begins anew; all of them when it does not."""
    end = next((at for at, (one, other) in enumerate(pairwise(names), start=1) if other < one), len(names))
    return names[:end]


def _judged(place: str, row: Mapping[str, str], questions: Collection[str]) -> Annotation:
    carried = {
        name: cell
        for name, cell in row.items()
        if not name.startswith("_") and not name.endswith(_GOLD) and name not in questions
    }
    is_out = row.get("_tainted", "").lower() == "true"
    seconds = _between(row.get("_started_at", ""), row.get("_created_at", ""))
    return Annotation(
        **payload(carried),
        annotator_id=row.get("_worker_id", ""),
        status="expelled" if is_out else "labeled",
        time_text=row.get("_created_at", ""),
        seconds=seconds,
        seconds_kind="" if seconds is None else "wallclock",
        is_gold=row.get("_golden", "").lower() == "true",
        source_item_id=row["_unit_id"],
        source_annotation_id=row.get("_id", ""),
        content=content(carried),
        place=place,
    )


def _between(started: str, ended: str) -> float | None:
    """Seconds from one time of a report to another; None where one of them is none."""
    one, other = _at(started), _at(ended)
    return None if one is None or other is None else (other - one).total_seconds()


def _at(told: str) -> datetime | None:
    found = _TIME.fullmatch(told)
    if found is None:
        return None
    month, day, year, hour, minute, second = map(int, found.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _aggregated(document: Document) -> Told:
    names = [name.removesuffix(_CONFIDENCE) for name in document.header if name.endswith(_CONFIDENCE)]
    questions = [name for name in names if name in document.header]
    mine = {*questions, *(f"{name}{_CONFIDENCE}" for name in questions)}

    def told() -> Iterator[Answer | Dropped]:
        for place, row in document.dicts():
            form = {name: _given(name, row[name]) for name in questions}
            answered = [name for name in questions if form[name].classes]
            sure = number(row[f"{answered[0]}{_CONFIDENCE}"]) if len(answered) == 1 else None
            if answered:
                yield Answer(form, partial(_settled, place, row, mine, sure))
            else:
                yield Dropped(UNANSWERED, place)

    return told


def _settled(place: str, row: Mapping[str, str], mine: Collection[str], sure: float | None) -> Annotation:
    carried = {
        name: cell for name, cell in row.items() if name[:1] != "_" and name not in mine and not name.endswith(_GOLD)
    }
    return Annotation(
        **payload(carried),
        time_text=row.get("_last_judgment_at", ""),
        annotator_confidence=sure,
        is_gold=row.get("_golden", "").lower() == "true",
        source_item_id=row["_unit_id"],
        content=content(carried),
        place=place,
    )


def _judged_by(record: Record) -> list[Record]:
    results = record.get("results")
    found = results.get("judgments") if isinstance(results, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _form(judged: Record) -> dict[str, Ticked]:
    """The questions that a judgment answers; boxes that are ticked are a list."""
    data = judged.get("data")
    told = {name: value if isinstance(value, list) else [value] for name, value in data.items()} if data else {}
    return {name: Ticked(tuple(filter(None, map(text, value))), closed=False) for name, value in told.items()}


def _units(document: Document) -> Told:
    def told() -> Iterator[Answer | Dropped]:
        for place, record in document.records():
            found = _judged_by(record)
            if not found:
                yield Dropped(UNANSWERED, place)
            for judged in found:
                yield Answer(_form(judged), partial(_spoken, place, record, judged))

    return told


def _spoken(place: str, record: Record, judged: Record) -> Annotation:
    data = record.get("data") or judged.get("unit_data")
    carried: Mapping[str, Any] = data if isinstance(data, dict) else {}
    carried = {name: value for name, value in carried.items() if not name.endswith(_GOLD)}
    is_out = judged.get("tainted") is True
    is_rejected = bool(judged.get("rejected"))
    return Annotation(
        **payload(carried),
        annotator_id=text(judged.get("worker_id")),
        labeled_at=utc(judged.get("created_at")),
        started_at=utc(judged.get("started_at")),
        status="expelled" if is_out else "rejected" if is_rejected else "labeled",
        is_gold=judged.get("golden") is True,
        project_id=text(judged.get("job_id") or record.get("job_id")),
        source_item_id=text(judged.get("unit_id") or record.get("id")),
        source_annotation_id=text(judged.get("id")),
        content=content(carried),
        place=f"{place}, judgment {text(judged.get('id'))}",
    )


FORMAT: Final = Format(
    name="crowdflower",
    title="Appen (CrowdFlower)",
    flavours={
        FULL: Flavour("full report (CSV)", _FULL),
        AGGREGATED: Flavour(
            "aggregated report (CSV)",
            _AGGREGATED,
            lost="who answered, when, and all answers but the most frequent",
            instead="take the full report",
        ),
        JSON: Flavour("JSON", _JSON),
    },
    recognise=recognise,
    read=read,
    write=write,
    transport="Read and written as documented, and tested on published reports; never against the live service.",
    reading=(
        "An answer is a column in which the annotators of a row differ. It has labels when the answers repeat as "
        "classes do; free text is none unless `--label-field` names it. Tainted answers are those of the "
        "expelled; golden rows are marked."
    ),
)
