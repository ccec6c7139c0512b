"""Argilla 2: the records of its SDK, the flattened rows of a dataset, and what it logs.

Shapes: what argilla 2.8 writes (`Record.to_dict`, `records.to_list(flatten=True)`, which is also a dataset on the Hub).
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from hitl.contract import ITEM_ID, MODEL_CLASS, MODEL_CONFIDENCE
from hitl.formats import question
from hitl.formats.annotation import (
    PAID,
    REVIEW,
    UNANSWERED,
    Annotation,
    Dropped,
    Status,
    content,
    number,
    payload,
    text,
)
from hitl.formats.document import Document, Record
from hitl.formats.format import Asked, Batch, Flavour, Format, Read
from hitl.formats.moments import utc
from hitl.formats.question import Answer, Ticked

TITLE: Final = "Argilla"
RECORDS, ROWS = "records", "rows"
FIELD: Final = "label"
_INSTEAD: Final = "export a dataset with a label question"
_RESPONSES: Final = ".responses"
_SUGGESTION: Final = ".suggestion"
_OWN: Final = frozenset(("id", "status", "_server_id", "inserted_at", "updated_at"))
_STATUSES: Final[Mapping[str, Status]] = {"submitted": "labeled", "draft": "draft", "discarded": "skipped"}

Given = dict[str, tuple[Any, str]]
"""What a user answered: the value and the status, by question."""


_NEVER: Final = {
    "status=rejected": "it knows no reviews",
    "status=expelled": "users who leave are not marked",
    "origin=machine": "suggestions are kept apart from responses",
    "labeled_at": "only the time of the record's last change is kept",
    "source_annotation_id": "responses have no id here",
    **dict.fromkeys(("started_at", "edited_by", "time_text", "seconds", "seconds_kind"), "left out"),
    "annotator_confidence": "not asked",
    **dict.fromkeys(REVIEW, "it knows no reviews"),
    **dict.fromkeys(("is_gold", *PAID, "project_id"), "it knows none"),
}
_RECORDS: Final = {
    **_NEVER,
    "status=skipped": "looks like an answer",
    "status=draft": "looks like an answer",
    "updated_at": "left out",
}


def recognise(document: Document) -> str | None:
    """`records` or `rows`."""
    for record in document.first:
        if isinstance(record.get("fields"), dict) and {"responses", "suggestions"} <= record.keys():
            return RECORDS
        if any(f"{key}.users" in record and f"{key}.status" in record for key in record if key.endswith(_RESPONSES)):
            return ROWS
    return None


def read(document: Document, flavour: str, asked: Asked) -> Read:
    """Every user's response to every record."""
    return question.read(partial(_told, document, flavour), asked.label_field, tool=TITLE, instead=_INSTEAD)


def write(batch: Batch) -> dict[str, bytes]:
    """Records to log, each with what the model says as a suggestion."""
    records = [_record(batch, row) for row in batch.rows]
    return {"argilla_records.json": f"{json.dumps(records, ensure_ascii=False, indent=1)}\n".encode()}


def _record(batch: Batch, row: Mapping[str, str]) -> Record:
    named = {**batch.others(row), **batch.carried(row)}
    record: Record = {"id": row[ITEM_ID], "fields": {"text": batch.shown(row)}, "metadata": named, "suggestions": {}}
    if batch.shows_model and row[MODEL_CLASS]:
        said = {"value": row[MODEL_CLASS], "score": number(row[MODEL_CONFIDENCE]), "agent": batch.model_version}
        record["suggestions"] = {FIELD: said}
    return record


def _told(document: Document, flavour: str) -> Iterator[Answer | Dropped]:
    for place, record in document.records():
        users = _by_user(record) if flavour == RECORDS else _by_user_of_row(record)
        if not users:
            yield Dropped(UNANSWERED, place)
        make = _of_record if flavour == RECORDS else _of_row
        for user, given in users.items():
            form = {name: _ticked(value) for name, (value, _) in given.items()}
            yield Answer(form, partial(make, f"{place}, user {user}", record, user, given))


def _by_user(record: Record) -> dict[str, Given]:
    users: dict[str, Given] = {}
    responses = record["responses"]
    for name, found in responses.items() if isinstance(responses, dict) else ():
        for one in found if isinstance(found, list) else ():
            status = text(one.get("status")) or "submitted"
            users.setdefault(text(one.get("user_id")), {})[name] = (one.get("value"), status)
    return users


def _by_user_of_row(record: Record) -> dict[str, Given]:
    users: dict[str, Given] = {}
    for key in record:
        name = key.removesuffix(_RESPONSES)
        who, statuses = record.get(f"{key}.users"), record.get(f"{key}.status")
        if name == key or not isinstance(who, list) or not isinstance(statuses, list):
            continue
        values = record[key] if isinstance(record[key], list) else [None] * len(who)
        for user, value, status in zip(who, values, statuses, strict=False):
            users.setdefault(text(user), {})[name] = (value, text(status))
    return users


def _ticked(value: object) -> Ticked:
    """A label is a text, several are a list; a rating is a number, a ranking and spans are lists of objects."""
    if isinstance(value, list):
        if any(isinstance(one, dict) for one in value):
            is_span = any(isinstance(one, dict) and "start" in one for one in value)
            return Ticked((), drawn="spans of text" if is_span else "rankings")
        return Ticked(tuple(text(one) for one in value), closed=bool(value))
    return Ticked((text(value),) if value not in (None, "") else (), closed=False)


def _of_record(place: str, record: Record, user: str, given: Given) -> Annotation:
    named = record.get("metadata")
    suggestions = record["suggestions"]
    told = {
        name: (said.get("value"), said.get("score"), said.get("agent"))
        for name, said in (suggestions.items() if isinstance(suggestions, dict) else ())
        if isinstance(said, dict)
    }
    return _annotation(
        place, record, {**record["fields"], **(named if isinstance(named, dict) else {})}, told, user, given
    )


def _of_row(place: str, record: Record, user: str, given: Given) -> Annotation:
    told = {
        key.removesuffix(_SUGGESTION): (record[key], record.get(f"{key}.score"), record.get(f"{key}.agent"))
        for key in record
        if key.endswith(_SUGGESTION)
    }
    names = {key.removesuffix(_RESPONSES) for key in record if key.endswith(_RESPONSES)} | told.keys()
    carried = {
        key: value
        for key, value in record.items()
        if key not in _OWN
        and not any(key.startswith((f"{name}{_RESPONSES}", f"{name}{_SUGGESTION}")) for name in names)
    }
    return _annotation(place, record, carried, told, user, given)


def _annotation(
    place: str,
    record: Record,
    carried: Mapping[str, Any],
    told: Mapping[str, tuple[Any, Any, Any]],
    user: str,
    given: Given,
) -> Annotation:
    stamp, sure, agent = next((told[name] for name in given if name in told), (None, None, None))
    statuses = [status for _, status in given.values()]
    status = next((one for one in ("discarded", "draft", "submitted") if one in statuses), "submitted")
    found: dict[str, Any] = {ITEM_ID: text(record.get("id")), **payload(carried)}
    return Annotation(
        **found,
        annotator_id=user,
        updated_at=utc(record.get("updated_at")),
        status=_STATUSES[status],
        stamp_class=stamp if isinstance(stamp, str) else "",
        stamp_confidence=number(sure),
        stamp_model=text(agent),
        source_item_id=text(record.get("_server_id")) or text(record.get("id")),
        content=content(carried),
        place=place,
    )


FORMAT: Final = Format(
    name="argilla",
    title=TITLE,
    flavours={
        RECORDS: Flavour(
            "records (JSON)",
            _RECORDS,
            lost="which responses were discarded or are drafts",
            instead="take the rows: records.to_list(flatten=True), or the dataset on the Hub",
        ),
        ROWS: Flavour("rows (JSON)", _NEVER),
    },
    recognise=recognise,
    read=read,
    write=write,
    transport="Read and written as its SDK 2.8 does; the server was never run.",
    reading="Each user's response to a record is an annotation, a discarded one a skip.",
)
