"""Amazon Mechanical Turk: the results of a batch, the assignments of its API, and the input file of a batch.

The service closed in 2026; its files still circulate, and other vendors write the same. What they mean is told by
docs.aws.amazon.com/AWSMechTurk: "Reviewing results outside of the Requester UI", "QuestionFormAnswers data structure".
"""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import groupby
from typing import Any, Final

from hitl.contract import ITEM_ID, MODEL_CLASS, MODEL_CONFIDENCE, csv_bytes
from hitl.errors import DataError
from hitl.formats import question
from hitl.formats.annotation import (
    BATCH_ID,
    MODEL_VERSION,
    PAID,
    SHOWN,
    UNANSWERED,
    Annotation,
    Dropped,
    content,
    number,
    payload,
)
from hitl.formats.document import Document, Record, Unreadable
from hitl.formats.form import ticked
from hitl.formats.format import Asked, Batch, Flavour, Format, Read
from hitl.formats.moments import spelled, utc
from hitl.formats.question import Answer, Ticked

TITLE: Final = "Mechanical Turk"
RESULTS, ASSIGNMENTS, ANSWERS = "results", "assignments", "answers"
_REVIEWED: Final = ("Approve", "Reject")
"""The two last columns of a download: for a requester to fill in, so no row has them until one does."""
_HOURS: Final = {"PST": -8, "PDT": -7, "UTC": 0, "GMT": 0}
_TIME: Final = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2} \d{2} \d{2}:\d{2}:\d{2}) ([A-Z]{3}) (\d{4})")
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
_TICKS: Final = {"true": True, "false": False}
_WIDE: Final = re.compile("[\U00010000-\U0010ffff]")
_ENTITY: Final = re.compile(r"&((?:amp;)*)#x([0-9a-f]{5,6});")
# The names that the command line tools gave to the same columns.
_OLD: Final = {
    "assignmentaccepttime": "AcceptTime",
    "assignmentsubmittime": "SubmitTime",
    "assignmentapprovaltime": "ApprovalTime",
    "assignmentrejecttime": "RejectionTime",
    "feedback": "RequesterFeedback",
    "annotation": "RequesterAnnotation",
}
_NAMES: Final = (
    *("HITId", "AssignmentId", "WorkerId", "AssignmentStatus", "AcceptTime", "SubmitTime", "ApprovalTime"),
    *("RejectionTime", "RequesterFeedback", "RequesterAnnotation", "WorkTimeInSeconds", "Reward", *_REVIEWED),
)


Told = Callable[[], Iterable[Answer | Dropped]]
"""Tells all that was handed in, as often as it is asked."""


def moment(told: object) -> str:
    """A time of Mechanical Turk in UTC, "" when it names no zone of Amazon's documents: PST is UTC-8, PDT UTC-7.

    >>> moment("Mon Oct 05 12:00:00 PDT 2020"), moment("2019-01-19 21:43:39 UTC"), moment("10/5/2020 12:00")
    ('2020-10-05T19:00:00Z', '2019-01-19T21:43:39Z', '')
    """
    found = _TIME.fullmatch(told.strip()) if isinstance(told, str) else None
    if found is None:
        return utc(f"{told.removesuffix(' UTC')}Z" if isinstance(told, str) and told.endswith(" UTC") else told)
    day, zone, year = found.groups()
    if zone not in _HOURS:
        return ""
    try:
        at = datetime.fromisoformat(f"{year}-{_MONTHS.find(day[:3]) // 3 + 1:02}-{day[4:6]}T{day[7:]}")
    except ValueError:
        return ""
    return spelled(at.replace(tzinfo=timezone(timedelta(hours=_HOURS[zone]))))


_NEVER: Final = {
    "status=skipped": "a HIT that is returned leaves no row",
    "status=draft": "a HIT that is not submitted leaves no row",
    "status=expelled": "the rows of a blocked worker stay as they are",
    "origin=machine": "only people answer",
    "updated_at": "an answer cannot be changed",
    "edited_by": "an answer cannot be changed",
    "time_text": "every time names its zone",
    "seconds_kind=active": "the clock runs from accepting to submitting",
    "seconds_kind=client": "the clock runs from accepting to submitting",
    "annotator_confidence": "not asked",
    "stamp_class": "it knows no predictions",
    "stamp_confidence": "it knows no predictions",
    "stamp_model": "it knows no predictions",
    "review_status=fixed": "a requester approves or rejects",
    "reviewer_id": "the requester is not named",
    "review_label": "a requester approves or rejects",
    "is_gold": "it knows no gold items",
    **dict.fromkeys(("labeled_at=.", "started_at=.", "reviewed_at=."), "times are in whole seconds"),
}
_OF_ANSWERS: Final = frozenset(("labels", "label_field", "part", "comment", "status", "origin", "place"))
_UNLISTED: Final = {
    **dict.fromkeys((ITEM_ID, BATCH_ID, "content", *SHOWN), "stand in the HIT"),
    **dict.fromkeys((*PAID, "project_id"), "stand in the HIT"),
    "seconds": "to be counted from the two times",
    "seconds_kind": "to be counted from the two times",
}


def recognise(document: Document) -> str | None:
    """`results`, `assignments` or `answers`."""
    if document.shape == "table":
        names = {name.strip().lower() for name in document.header}
        return RESULTS if {"hitid", "assignmentid", "workerid"} <= names else None
    if document.shape == "page":
        with document.source.open() as file:
            return ANSWERS if b"QuestionFormAnswers" in file.read(1 << 12) else None
    if document.shape == "records":
        first = next((one for record in document.first for one in _assignments(record)), {})
        return ASSIGNMENTS if {"AssignmentId", "WorkerId", "Answer"} <= first.keys() else None
    return None


def read(document: Document, flavour: str, asked: Asked) -> Read:
    """Every assignment that was handed in."""
    told = {RESULTS: _results, ASSIGNMENTS: _listed, ANSWERS: _bare}[flavour](document)
    return question.read(told, asked.label_field, tool=TITLE)


def write(batch: Batch) -> dict[str, bytes]:
    """The input file of a batch: a column for each `${name}` of the template. Raises DataError for two equal names."""
    shown = (MODEL_CLASS, MODEL_CONFIDENCE, MODEL_VERSION) if batch.shows_model else ()
    header = (ITEM_ID, BATCH_ID, *batch.columns, *shown)
    if len(set(header)) < len(header):
        raise DataError("export.columns: a column is called as one that the pack adds; rename it in your data")
    more = {BATCH_ID: batch.batch_id, MODEL_VERSION: batch.model_version}
    rows = ([narrow({**more, **row}.get(name, "")) for name in header] for row in batch.rows)
    return {"mturk_input.csv": csv_bytes([header, *rows])}


def narrow(text: str) -> str:
    """`text` as Mechanical Turk takes it: it refuses characters beyond the first plane, so they go as HTML names them.

    >>> narrow("fine \N{GRINNING FACE}"), wide(narrow("fine \N{GRINNING FACE}")) == "fine \N{GRINNING FACE}"
    ('fine &#x1f600;', True)
    """
    kept = _ENTITY.sub(r"&amp;\1#x\2;", text)
    return _WIDE.sub(lambda found: f"&#x{ord(found[0]):x};", kept)


def wide(text: str) -> str:
    """What `narrow` made `text` of."""

    def letter(found: re.Match[str]) -> str:
        code = int(found[2], 16)
        if found[1]:
            return f"&{found[1].removeprefix('amp;')}#x{found[2]};"
        return chr(code) if 0x10000 <= code <= 0x10FFFF else found[0]

    return _ENTITY.sub(letter, text)


def _told(place: str, fields: Mapping[str, Any], form: Mapping[str, Ticked]) -> Answer | Dropped:
    if not fields.get("AssignmentId") and not fields.get("WorkerId"):
        return Dropped(UNANSWERED, place)
    return Answer(form, partial(_annotation, place, fields))


def _annotation(place: str, fields: Mapping[str, Any]) -> Annotation:
    carried = {name: wide(value) for name, value in fields.get("Input", {}).items()}
    status = fields.get("AssignmentStatus", "")
    rejected = status == "Rejected" or bool(fields.get("Reject"))
    approved = status == "Approved" or bool(fields.get("Approve"))
    submitted = moment(fields.get("SubmitTime", ""))
    reward = str(fields.get("Reward", "")).strip()
    found = re.search(r"BatchId:(\w+)", fields.get("RequesterAnnotation", ""))
    seconds = number(fields.get("WorkTimeInSeconds"))
    return Annotation(
        **payload(carried),
        annotator_id=fields.get("WorkerId", ""),
        labeled_at=submitted,
        time_text="" if submitted else str(fields.get("SubmitTime") or ""),
        started_at=moment(fields.get("AcceptTime", "")),
        seconds=seconds,
        seconds_kind="" if seconds is None else "wallclock",
        status="rejected" if rejected else "labeled",
        review_status="rejected" if rejected else "approved" if approved else "",
        reviewed_at=moment(fields.get("RejectionTime" if rejected else "ApprovalTime", "")),
        review_comment=fields.get("RequesterFeedback") or fields.get("Reject", ""),
        reward=reward.lstrip("$"),
        currency="USD" if reward.startswith("$") else "",
        project_id=found[1] if found else "",
        source_item_id=fields.get("HITId", ""),
        source_annotation_id=fields.get("AssignmentId", ""),
        content=content(carried),
        place=place,
    )


def _results(document: Document) -> Told:
    """The rows of a batch's results; what its columns are is looked up in the whole file once."""
    header = [name.strip() for name in document.header]
    known = {name.lower(): name for name in _NAMES} | _OLD
    fields = {known[name.lower()]: at for at, name in enumerate(header) if name.lower() in known}
    inputs = {name.removeprefix("Input."): at for at, name in enumerate(header) if name.startswith("Input.")}
    columns = {name.removeprefix("Answer."): at for at, name in enumerate(header) if name.startswith("Answer.")}
    groups = _groups(columns, _tick_columns(document, columns))

    def told() -> Iterator[Answer | Dropped]:
        for place, cells in _rows(document):
            row: dict[str, Any] = {name: cells[at] for name, at in fields.items()}
            row["Input"] = {name: cells[at] for name, at in inputs.items()}
            yield _told(place, row, dict(_answers(cells, columns, groups, document.name, place)))

    return told


def _rows(document: Document) -> Iterator[tuple[str, list[str]]]:
    """The rows, as wide as the header. Raises Unreadable where a row is not, but for Approve and Reject."""
    width = len(document.header)
    spare = 2 if tuple(document.header[-2:]) == _REVIEWED else 0
    for place, cells in document.rows():
        if len(cells) < width - spare or any(cells[width:]):
            raise Unreadable(
                f"{document.name}, {place}: {len(cells)} cells where the header has {width}; "
                "take the file as it was downloaded, not one that was saved again"
            )
        yield place, [*cells[:width], *[""] * (width - len(cells))]


def _tick_columns(document: Document, columns: Mapping[str, int]) -> frozenset[str]:
    """The columns in which nothing but true and false stands, and one of them does: an option that can be ticked."""
    ticks = {name: at for name, at in columns.items() if "." in name and not name.endswith(".label")}
    used: set[str] = set()
    for _, cells in _rows(document) if ticks else ():
        for name, at in list(ticks.items()):
            cell = cells[at].lower()
            if cell in _TICKS:
                used.add(name)
            elif cell:
                del ticks[name]
    return frozenset(used & ticks.keys())


def _groups(columns: Sequence[str] | Mapping[str, int], ticks: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """The questions whose options are a column each (`Answer.label.cat`), with these columns."""

    def stem(name: str) -> str:
        return name.rpartition(".")[0]

    options = sorted((name for name in columns if name in ticks), key=stem)
    return {question: tuple(names) for question, names in groupby(options, stem)}


def _answers(
    cells: Sequence[str], columns: Mapping[str, int], groups: Mapping[str, Sequence[str]], file: str, place: str
) -> Iterator[tuple[str, Ticked]]:
    grouped = {name for names in groups.values() for name in names}
    for stem, names in groups.items():
        ticks = {name.rpartition(".")[2]: _TICKS.get(cells[columns[name]].lower()) for name in names}
        yield from ticked({option: on for option, on in ticks.items() if on is not None}, stem)
    for name, at in columns.items():
        cell = cells[at]
        if name == "taskAnswers":
            yield from _form(cell, file, place)
        elif name.endswith(".label") and name not in grouped:
            yield from ticked({"label": cell}, name.removesuffix(".label"))
        elif name.endswith(".labels") and name not in grouped:
            yield name.removesuffix(".labels"), Ticked(_listed_in(cell))
        elif name not in grouped:
            # An unanswered question is {} in newer files, and boxes ticked under one name are joined by a bar.
            yield name, Ticked(tuple(filter(None, cell.split("|"))) if cell != "{}" else (), closed=False)


def _listed_in(cell: str) -> tuple[str, ...]:
    """The classes of a multi-select: a list of JSON, or joined by bars."""
    try:
        found = json.loads(cell) if cell.startswith("[") else cell.split("|")
    except ValueError:
        found = [cell]
    return tuple(str(one) for one in found if one)


def _form(text: str, file: str, place: str) -> Iterator[tuple[str, Ticked]]:
    if not text.strip():
        return
    try:
        yield from ticked(json.loads(text))
    except ValueError as error:
        raise Unreadable(f"{file}, {place}: Answer.taskAnswers is not sound JSON ({error})") from error


def _assignments(record: Record) -> list[Record]:
    """The assignments that a record of the API holds: itself, or those it lists."""
    listed = record.get("Assignments", [record])
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _listed(document: Document) -> Told:
    def told() -> Iterator[Answer | Dropped]:
        for place, record in document.records():
            for fields in _assignments(record):
                where = f"{place}, {fields.get('AssignmentId', 'an assignment')}"
                yield _told(where, fields, dict(_parsed(str(fields.get("Answer") or ""), document.name, where)))

    return told


def _bare(document: Document) -> Told:
    """The answer alone, as it stands in a file for itself."""
    with document.source.open() as file:
        answer = file.read().decode("utf-8-sig", "replace")
    form = dict(_parsed(answer, document.name, "the answer"))
    return lambda: [Answer(form, partial(Annotation, place="the answer"))]


def _parsed(answer: str, file: str, place: str) -> Iterator[tuple[str, Ticked]]:
    """The questions of a QuestionFormAnswers document. Raises Unreadable when it is none, or brings a DTD."""
    if not answer:
        return
    if "<!DOCTYPE" in answer or "<!ENTITY" in answer:
        raise Unreadable(f"{file}, {place}: Answer declares entities, as no answer of Mechanical Turk does")
    try:
        root = ET.fromstring(answer)  # noqa: S314 - a document without a DTD expands nothing
    except ET.ParseError as error:
        raise Unreadable(f"{file}, {place}: Answer is not sound XML ({error})") from error
    for one in root.iterfind("{*}Answer"):
        name = one.findtext("{*}QuestionIdentifier", "")
        selected = tuple(element.text or "" for element in one.iterfind("{*}SelectionIdentifier"))
        written = one.findtext("{*}FreeText", "") or one.findtext("{*}OtherSelectionText", "")
        if name == "taskAnswers":
            yield from _form(written, file, place)
        elif selected:
            yield name, Ticked(selected)
        else:
            yield name, Ticked((written,) if written else (), closed=False)


FORMAT: Final = Format(
    name="mturk",
    title="Amazon Mechanical Turk",
    flavours={
        RESULTS: Flavour("batch results (CSV)", _NEVER),
        ASSIGNMENTS: Flavour("assignments of the API (JSON, their answers XML)", {**_NEVER, **_UNLISTED}),
        ANSWERS: Flavour(
            "answer alone (XML)",
            {
                **_NEVER,
                **{name: "stands in the assignment" for name in Annotation._fields if name not in _OF_ANSWERS},
                **dict.fromkeys(("status=rejected", "review_status=approved"), "stands in the assignment"),
            },
            lost="whose answer it is, to which HIT, and when",
            instead="save what ListAssignmentsForHIT returns as JSON",
        ),
    },
    recognise=recognise,
    read=read,
    write=write,
    transport="Read and written as documented, tested on files that its users published; the service closed in 2026.",
    reading=(
        "Each column `Answer.*` is a question. It has labels when the form offered the answers (a classifier, "
        "radio buttons, `taskAnswers`), or when they repeat as classes do; codes and free text are no labels "
        "unless `--label-field` names them. Rejected work is kept and marked. PST is taken for UTC-8 and PDT for "
        "UTC-7, as documented."
    ),
)
