"""Labelbox: the export of a project as NDJSON (v2), the older JSON and CSV (v1), and what it imports.

Formats: docs.labelbox.com/reference, "Export text annotations" and "Import text annotations"; the SDK's own test files.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from hitl.contract import ITEM_ID, MODEL_CLASS, MODEL_CONFIDENCE
from hitl.formats import question
from hitl.formats.annotation import (
    BATCH_ID,
    PAID,
    SHOWN,
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
from hitl.formats.question import TEXT, Answer, Ticked

TITLE: Final = "Labelbox"
NDJSON, JSON, CSV = "ndjson", "json", "csv"
FIELD: Final = "label"
"""The name of the classification in the ontology that goes with our packs."""
_INSTEAD: Final = "export a project whose ontology has a global radio or checklist"
_OLD: Final = frozenset(("ID", "DataRow ID", "Label"))
_SHAPES: Final = {
    "ImageBoundingBox": "boxes",
    "ImagePolygon": "polygons",
    "ImageSegmentationMask": "segmentation masks",
    "ImagePolyline": "lines",
    "ImagePoint": "points",
    "TextEntity": "spans of text",
}
_PLACED: Final = {
    "bbox": "boxes",
    "bounding_box": "boxes",
    "polygon": "polygons",
    "line": "lines",
    "point": "points",
    "instanceURI": "segmentation masks",
    "mask": "segmentation masks",
    "data": "spans of text",
    "location": "spans of text",
    "geometry": "boxes or polygons",
    "keyframes": "boxes in video",
}


_NEVER: Final = {
    "status=draft": "what is not submitted is left out",
    "status=expelled": "members who leave are not marked",
    "origin=machine": "imported pre-labels are handed in by a person",
    "edited_by": "left out",
    "started_at": "only the time of creating is kept",
    "time_text": "every time names its zone",
    "seconds_kind=client": "the editor counts the time",
    "seconds_kind=wallclock": "the editor counts the time",
    "annotator_confidence": "not asked",
    **dict.fromkeys(STAMP, "an export of a project has no pre-labels"),
    "review_status=fixed": "a reviewer approves or rejects",
    "review_comment": "left out",
    "review_label": "a reviewer changes the label itself",
    **dict.fromkeys(PAID, "it pays nobody"),
}
_OLDER: Final = {
    **_NEVER,
    **dict.fromkeys((BATCH_ID, "content", *SHOWN), "metadata have no names"),
}


def recognise(document: Document) -> str | None:
    """`ndjson`, `json` or `csv`."""
    if document.shape == "table":
        return CSV if set(document.header) >= _OLD else None
    for record in document.first:
        if isinstance(record.get("data_row"), dict) and ("projects" in record or "experiments" in record):
            return NDJSON
        if "DataRow ID" in record or {"Labeled Data", "Label"} <= record.keys():
            return JSON
    return None


def read(document: Document, flavour: str, asked: Asked) -> Read:
    """Every label: several annotators of a data row have one each."""
    told = partial(_rows if flavour == NDJSON else _old_labels, document)
    return question.read(told, asked.label_field, tool=TITLE, instead=_INSTEAD)


def write(batch: Batch) -> dict[str, bytes]:
    """Data rows to upload and, where the model is shown, its answers as Model-Assisted Labeling takes them.

    The metadata fields must be made in the workspace first, and the radio `label` in the project's ontology.
    """
    rows = [_data_row(batch, row) for row in batch.rows]
    files = {"labelbox_data_rows.json": f"{json.dumps(rows, ensure_ascii=False, indent=1)}\n".encode()}
    if batch.shows_model:
        lines = [json.dumps(_prelabel(batch, row), ensure_ascii=False) for row in batch.rows if row[MODEL_CLASS]]
        files["labelbox_prelabels.ndjson"] = "".join(f"{line}\n" for line in lines).encode()
    return files


def _data_row(batch: Batch, row: Mapping[str, str]) -> Record:
    fields = {name: value for name, value in batch.carried(row).items() if name != ITEM_ID and value}
    return {
        "row_data": batch.shown(row),
        "global_key": row[ITEM_ID],
        "media_type": "TEXT",
        "metadata_fields": [{"name": name, "value": value} for name, value in fields.items()],
    }


def _prelabel(batch: Batch, row: Mapping[str, str]) -> Record:
    answer: Record = {"name": row[MODEL_CLASS]}
    confidence = number(row[MODEL_CONFIDENCE])
    if confidence is not None:
        answer["confidence"] = confidence
    # The same answer has the same id: a second import of it changes nothing.
    name = f"{batch.batch_id}/{batch.model_version}/{row[ITEM_ID]}"
    return {
        "name": FIELD,
        "answer": answer,
        "uuid": str(uuid5(NAMESPACE_URL, name)),
        "dataRow": {"globalKey": row[ITEM_ID]},
    }


def _list(value: object) -> list[Any]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _dict(value: object) -> Record:
    return value if isinstance(value, dict) else {}


def _rows(document: Document) -> Iterator[Answer | Dropped]:
    for place, record in document.records():
        labels = [
            (name, project, label)
            for name, project in _dict(record.get("projects")).items()
            for label in _list(_dict(project).get("labels"))
        ]
        if not labels:
            yield Dropped(UNANSWERED, place)
        for name, project, label in labels:
            where = f"{place}, label {text(label.get('id'))}"
            yield Answer(_form(_dict(label.get("annotations"))), partial(_label, where, record, name, project, label))


def _label(place: str, record: Record, project_id: str, project: Record, label: Record) -> Annotation:
    row, details, performance = (
        _dict(record.get("data_row")),
        _dict(label.get("label_details")),
        _dict(label.get("performance_details")),
    )
    told = _dict(project.get("project_details"))
    named = {text(one.get("schema_name")): one.get("value") for one in _list(record.get("metadata_fields"))}
    source = row.get("row_data")
    carried = {**({"row_data": source} if source is not None else {}), **named}
    key = text(row.get("global_key") or row.get("external_id"))
    seconds = number(performance.get("seconds_to_create"))
    review = _review(_list(told.get("workflow_history")), _list(details.get("reviews")))
    is_rejected = review.get("review_status") == "rejected"
    return Annotation(
        **{**payload(carried), ITEM_ID: key},
        annotator_id=text(details.get("created_by")),
        labeled_at=utc(details.get("created_at")),
        updated_at=utc(details.get("content_last_updated_at") or details.get("updated_at")),
        seconds=seconds,
        seconds_kind="" if seconds is None else "active",
        status="skipped" if performance.get("skipped") is True else "rejected" if is_rejected else "labeled",
        is_gold=bool(details.get("is_benchmark_reference") or performance.get("is_benchmark_reference")),
        project_id=project_id,
        source_item_id=text(row.get("id")),
        source_annotation_id=text(label.get("id")),
        content=content(carried),
        place=place,
        **review,
    )


def _review(history: Sequence[Record], reviews: Sequence[Record]) -> dict[str, Any]:
    """The newest verdict of the workflow, whose newest step stands first; else who reviewed."""
    words = {"Approve": "approved", "Reject": "rejected", "Rework": "rejected"}
    last = next((one for one in history if one.get("action") in words), None)
    if last is not None:
        return {
            "review_status": words[last["action"]],
            "reviewer_id": text(last.get("created_by")),
            "reviewed_at": utc(last.get("created_at")),
        }
    if not reviews:
        return {}
    return {
        "reviewer_id": text(reviews[-1].get("reviewed_by")),
        "reviewed_at": utc(reviews[-1].get("reviewed_at")),
    }


def _form(given: Record) -> dict[str, Ticked]:
    """The classifications of a whole data row, those within an answer too; what is marked in it, as `drawn`."""
    form = dict(_classified(_list(given.get("classifications"))))
    for one in _list(given.get("objects")):
        form[f"object {text(one.get('name') or one.get('title'))}"] = Ticked((), drawn=_shape(one))
    for key, what in (("frames", "frames of video"), ("segments", "segments of video"), ("relationships", "relations")):
        if given.get(key):
            form[key] = Ticked((), drawn=what)
    return form


def _classified(found: Sequence[Record], above: str = "") -> Iterator[tuple[str, Ticked]]:
    for one in found:
        name = above + text(one.get("name") or one.get("title") or one.get("value"))
        if "text_answer" in one:
            yield name, Ticked((text(_dict(one["text_answer"]).get("content")),), drawn=TEXT)
            continue
        radio = one.get("radio_answer", one.get("answer"))
        several = one.get("checklist_answers", one.get("answers", radio if isinstance(radio, list) else None))
        if isinstance(radio, str):
            yield name, Ticked((radio,), drawn=TEXT)
            continue
        answers = _list(several) if several is not None else [radio] if isinstance(radio, dict) else []
        yield (
            name,
            Ticked(tuple(text(answer.get("name") or answer.get("title") or answer.get("value")) for answer in answers)),
        )
        for answer in answers:
            yield from _classified(_list(answer.get("classifications")), f"{name} / ")


def _shape(one: Record) -> str:
    kind = text(one.get("annotation_kind"))
    return _SHAPES.get(kind) or next((what for key, what in _PLACED.items() if key in one), kind or "objects")


def _old_labels(document: Document) -> Iterator[Answer | Dropped]:
    for place, record in document.dicts() if document.shape == "table" else document.records():
        given, is_skipped = _old_label(record)
        if given is None and not is_skipped:
            yield Dropped(UNANSWERED, place)
            continue
        yield Answer(_old_form(given or {}), partial(_old, place, record, is_skipped=is_skipped))


def _old_label(record: Mapping[str, Any]) -> tuple[Record | None, bool]:
    """The label of a row of export v1, and whether the row was skipped: the label then was the word Skip."""
    label = record.get("Label")
    if isinstance(label, str) and label.lstrip()[:1] in ("{", "["):
        try:
            label = json.loads(label)
        except ValueError:
            label = None
    is_skipped = text(record.get("Skipped")).lower() == "true" or label == "Skip"
    if isinstance(label, list) and label:
        label = {"frames": label}
    return (label if isinstance(label, dict) else None), is_skipped


def _old_form(label: Record) -> dict[str, Ticked]:
    if "classifications" in label or "objects" in label or "frames" in label:
        return _form(label)
    # Before there were objects and classifications, a label was a class by question, or shapes by class.
    form: dict[str, Ticked] = {}
    for name, value in label.items():
        if isinstance(value, str):
            form[name] = Ticked((value,) if value else (), closed=False)
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            form[name] = Ticked(tuple(value))
        else:
            shapes = _list(value)
            form[name] = Ticked((), drawn=_shape(shapes[0]) if shapes else "objects")
    return form


def _old(place: str, record: Mapping[str, Any], *, is_skipped: bool) -> Annotation:
    reviews = _listed(record.get("Reviews"))
    given = [number(one.get("score")) for one in reviews]
    verdict = "" if not given or given[-1] is None else "approved" if given[-1] > 0 else "rejected"
    named = {
        text(one.get("schema_name") or one.get("schemaName")): one.get("value")
        for one in _listed(record.get("DataRow Metadata"))
    }
    source = record.get("Labeled Data")
    carried = {**({"row_data": source} if source else {}), **named}
    seconds = number(record.get("Seconds to Label"))
    last = reviews[-1] if reviews else {}
    return Annotation(
        **{**payload(carried), ITEM_ID: text(record.get("Global Key") or record.get("External ID"))},
        annotator_id=text(record.get("Created By")),
        labeled_at=utc(record.get("Created At")),
        updated_at=utc(record.get("Updated At")),
        time_text="" if utc(record.get("Created At")) else text(record.get("Created At")),
        seconds=seconds,
        seconds_kind="" if seconds is None else "active",
        status="skipped" if is_skipped else "rejected" if verdict == "rejected" else "labeled",
        review_status=verdict,
        reviewer_id=text(last.get("createdBy")),
        reviewed_at=utc(last.get("createdAt")),
        is_gold=bool(record.get("Benchmark ID")) and record.get("Benchmark ID") == record.get("ID"),
        project_id=text(record.get("Project Name")),
        source_item_id=text(record.get("DataRow ID")),
        source_annotation_id=text(record.get("ID")),
        content=content(carried),
        place=place,
    )


def _listed(value: object) -> list[Any]:
    """A list of objects, also where it is the JSON in a cell."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return _list(value)


FORMAT: Final = Format(
    name="labelbox",
    title=TITLE,
    flavours={
        NDJSON: Flavour("NDJSON (v2)", _NEVER),
        JSON: Flavour("JSON (v1)", _OLDER),
        CSV: Flavour("CSV (v1)", _OLDER),
    },
    recognise=recognise,
    read=read,
    write=write,
    transport="Read and written as documented, and tested on published exports; never against the live service.",
    reading=(
        "Each of a data row's labels is an annotation; an answer within an answer is a question of its own (`Team "
        "/ Which`). The newest Approve or Reject of the workflow is the review. Metadata fields must be made in "
        "the workspace before a pack is uploaded."
    ),
)
