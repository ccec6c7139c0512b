"""Exports as Label Studio 1.23 writes them."""

import csv
import io
import json
from collections.abc import Sequence
from itertools import count
from typing import Any

from hitl.formats import Annotation

NEVER = {"id": 7, "model": None, "cluster": None, "mislabeling": 0.0, "created_ago": "1\u00a0minute"}


def exported(flavour: str, annotations: Sequence[Annotation]) -> tuple[str, bytes]:
    if flavour == "json":
        return "project-1.json", json.dumps([_whole(one, n) for n, one in enumerate(annotations)]).encode()
    rows = [_flat(one) for one in annotations if one.status == "labeled"]
    if flavour == "json_min":
        return "project-1.json", json.dumps(rows, indent=2, ensure_ascii=False).encode()
    text = io.StringIO(newline="")
    header = sorted({name for row in rows for name in row} | {"annotation_id", "annotator", "label"})
    writer = csv.DictWriter(text, header, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return "project-1.csv", text.getvalue().encode()


def _data(one: Annotation) -> dict[str, Any]:
    shown = {"model_class": one.shown_class, "model_confidence": one.shown_confidence, "model_version": one.shown_model}
    ours = {"item_id": one.item_id, "batch_id": one.batch_id, **shown}
    return {**(one.content or {}), **{name: value for name, value in ours.items() if value not in ("", None)}}


def _whole(one: Annotation, number: int) -> dict[str, Any]:
    numbers = count(1)

    def result(kind: str, name: str, value: dict[str, Any]) -> dict[str, Any]:
        return {"id": f"r{next(numbers)}", "type": kind, "from_name": name, "to_name": "text", "value": value}

    results = [result("choices", one.label_field, {"choices": list(one.labels)})] * bool(one.labels)
    if one.comment:
        results.append(result("textarea", "comment", {"text": [one.comment]}))
    if one.annotator_confidence is not None:
        results.append(result("rating", "confidence", {"rating": one.annotator_confidence}))
    stamp = [result("choices", one.label_field, {"choices": [one.stamp_class]})] * bool(one.stamp_class)
    prediction = {"result": stamp, "score": one.stamp_confidence, "model_version": one.stamp_model, **NEVER}
    answer = {
        "id": number,
        "unique_id": one.source_annotation_id,
        "completed_by": one.annotator_id,
        "result": results,
        "was_cancelled": one.status == "skipped",
        "ground_truth": one.is_gold,
        "created_at": one.labeled_at,
        "updated_at": one.updated_at,
        "lead_time": one.seconds,
        "prediction": prediction if one.stamp_class or one.stamp_model else {},
        "updated_by": one.edited_by or one.annotator_id,
        "project": one.project_id,
        "parent_annotation": None,
        "reviews": _reviews(one),
    }
    is_draft = one.status == "draft"
    draft = {**answer, "user": one.annotator_id}
    return {
        "id": one.source_item_id,
        "annotations": [] if is_draft else [answer],
        "drafts": [draft] * is_draft,
        "predictions": [4],
        "data": _data(one),
        "meta": {},
        "project": one.project_id,
    }


def _reviews(one: Annotation) -> list[dict[str, Any]]:
    if not one.review_status:
        return []
    said = {
        "accepted": one.review_status != "rejected",
        "fixed_annotation_history": one.review_status == "fixed" or None,
    }
    return [{"id": 1, **said, "created_by": {"id": one.reviewer_id}, "created_at": one.reviewed_at}]


def _flat(one: Annotation) -> dict[str, Any]:
    row = {**_data(one), "id": one.source_item_id, "annotation_id": one.source_annotation_id}
    row |= {"annotator": one.annotator_id, "created_at": one.labeled_at, "updated_at": one.updated_at}
    row |= {"lead_time": one.seconds, "comment": one.comment}
    row[one.label_field] = one.labels[0] if len(one.labels) == 1 else {"choices": list(one.labels)}
    if one.annotator_confidence is not None:
        row["confidence"] = [{"rating": one.annotator_confidence}]
    return {name: value for name, value in row.items() if value not in ("", None)}


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
