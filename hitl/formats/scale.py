"""Scale AI: tasks as its API lists them or calls back with, and the tasks that it takes in.

Formats: docs.scale.com/reference, "Task object", "Text collection" and its hypothesis, and the older "Categorization".
A task comes back with one answer that nobody's name is on.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from hitl.contract import ITEM_ID, MODEL_CLASS
from hitl.formats import question
from hitl.formats.annotation import PAID, UNANSWERED, Annotation, Dropped, content, payload, text
from hitl.formats.document import Document, Record
from hitl.formats.format import Asked, Batch, Flavour, Format, Read
from hitl.formats.moments import utc
from hitl.formats.question import TEXT, Answer, Ticked

TITLE: Final = "Scale AI"
FIELD: Final = "label"
FAILED: Final = "items that could not be worked on (status error)"
_INSTEAD: Final = "take tasks of type textcollection with a category field, or categorization"
_VERDICTS: Final = {"accepted": "approved", "fixed": "fixed", "rejected": "rejected"}
_GEOMETRY: Final = frozenset(("geometry", "vertices", "left", "top", "center", "start", "position"))
_CALLED: Final = ("category", "categorization")


_NEVER: Final = {
    "annotator_id": "one answer is made of several people's",
    "source_annotation_id": "the answer has the id of its item",
    "status=draft": "what is not finished is pending",
    "status=expelled": "nobody is named",
    "origin=machine": "left out",
    **dict.fromkeys(("seconds", "seconds_kind", "started_at", "edited_by"), "nobody is named"),
    "time_text": "every time names its zone",
    "annotator_confidence": "not asked",
    **dict.fromkeys(("stamp_confidence", "stamp_model"), "a hypothesis is an answer alone"),
    "review_comment": "not documented",
    "review_label": "a fixed answer replaces the one before",
    **dict.fromkeys(("is_gold", *PAID), "left out"),
}


def recognise(document: Document) -> str | None:
    """`tasks`."""
    found = next((one for record in document.first for one in _listed(record)), {})
    known = {"task_id", "status"} <= found.keys() and not found.keys().isdisjoint(("params", "response"))
    return "tasks" if known else None


def read(document: Document, flavour: str, asked: Asked) -> Read:
    """Every task that was completed or canceled."""
    del flavour
    return question.read(partial(_told, document), asked.label_field, tool=TITLE, instead=_INSTEAD)


def write(batch: Batch) -> dict[str, bytes]:
    """The bodies to send to /v1/task/textcollection, each with its own `unique_id`: a second sending is refused."""
    bodies = [_body(batch, row) for row in batch.rows]
    return {"scale_tasks.json": f"{json.dumps(bodies, ensure_ascii=False, indent=1)}\n".encode()}


def _body(batch: Batch, row: Mapping[str, str]) -> Record:
    choices = [{"label": name, "value": name} for name in batch.classes]
    body: Record = {
        "batch": batch.batch_id,
        "unique_id": f"{batch.batch_id}:{row[ITEM_ID]}",
        "attachments": [{"type": "text", "content": batch.shown(row)}],
        "fields": [
            {"type": "category", "field_id": FIELD, "title": FIELD, "required": True, "choices": choices},
            {"type": "text", "field_id": "comment", "title": "comment", "required": False},
        ],
        "metadata": {**batch.others(row), **batch.carried(row)},
    }
    if batch.shows_model and row[MODEL_CLASS]:
        guess = {"type": "category", "field_id": FIELD, "response": [[row[MODEL_CLASS]]]}
        body["hypothesis"] = {"annotations": {FIELD: guess}}
    return body


def _dict(value: object) -> Record:
    return value if isinstance(value, dict) else {}


def _listed(record: Record) -> Sequence[Record]:
    """The tasks of a record: itself, the one that a callback is about, or those of a page of a list."""
    if isinstance(record.get("docs"), list):
        return [one for one in record["docs"] if isinstance(one, dict)]
    if isinstance(record.get("task"), dict):
        return [{"response": record.get("response"), **record["task"]}]
    return [record]


def _told(document: Document) -> Iterator[Answer | Dropped]:
    for place, record in document.records():
        for one in _listed(record):
            where = f"{place}, task {text(one.get('task_id'))}"
            status = text(one.get("status"))
            if status in ("completed", "canceled"):
                yield Answer(_form(one), partial(_annotation, where, one))
            else:
                yield Dropped(FAILED if status == "error" else UNANSWERED, where)


def _form(one: Record) -> dict[str, Ticked]:
    response, params = _dict(one.get("response")), _dict(one.get("params"))
    kinds = {text(_dict(f).get("field_id")): text(_dict(f).get("type")) for f in params.get("fields") or ()}
    for name in _CALLED:
        if name in response:
            return {FIELD: _ticked(response[name], "category")}
    found = response.get("annotations")
    if isinstance(found, list):
        return {"annotations": Ticked((), drawn="boxes or other shapes")} if found else {}
    return {name: _ticked(value, kinds.get(name, "")) for name, value in _dict(found).items()}


def _ticked(value: object, kind: str) -> Ticked:
    """The answer to a field: what was sent as a guess comes back less deeply nested."""
    if isinstance(value, dict) and "response" in value:
        return _ticked(value["response"], text(value.get("type")) or kind)
    if isinstance(value, list) and any(isinstance(one, dict) and not _GEOMETRY.isdisjoint(one) for one in value):
        return Ticked((), drawn="boxes or other shapes")
    classes = tuple(text(one) for one in _flat(value) if one not in (None, ""))
    return Ticked(classes, closed=kind == "category", drawn=TEXT if kind == "text" else "")


def _flat(value: object) -> Iterator[object]:
    if isinstance(value, list):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _annotation(place: str, one: Record) -> Annotation:
    params, named = _dict(one.get("params")), _dict(one.get("metadata"))
    named = named or _dict(params.get("metadata"))
    attached = [_dict(a) for a in params.get("attachments") or () if _dict(a).get("content") is not None]
    shown = {text(a.get("type")) or "attachment": a["content"] for a in attached}
    carried = {**shown, **named}
    guess = _ticked(_dict(_dict(params.get("hypothesis")).get("annotations")).get(FIELD), "category").classes
    audits = [_dict(a) for a in one.get("audits") or ()]
    last = audits[-1] if audits else {}
    verdict = _VERDICTS.get(text(last.get("audit_result")), "")
    found: dict[str, Any] = {ITEM_ID: text(one.get("unique_id")), **payload(carried)}
    return Annotation(
        **found,
        labeled_at=utc(one.get("completed_at")),
        updated_at=utc(one.get("updated_at")),
        status="skipped" if one.get("status") == "canceled" else "rejected" if verdict == "rejected" else "labeled",
        stamp_class=guess[0] if len(guess) == 1 else "",
        review_status=verdict,
        reviewer_id=text(last.get("audited_by")),
        reviewed_at=utc(last.get("audited_at")),
        project_id=text(one.get("project")),
        source_item_id=text(one.get("task_id")),
        content=content(carried),
        place=place,
    )


FORMAT: Final = Format(
    name="scale",
    title=TITLE,
    flavours={"tasks": Flavour("tasks (JSON)", _NEVER)},
    recognise=recognise,
    read=read,
    write=write,
    transport="Read and written as documented; no genuine file was found to test on, and the live service never tried.",
    reading="A canceled task is a skip. One answer is made of several people's, so nobody is named (`--annotator`).",
)
