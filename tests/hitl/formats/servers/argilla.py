"""What Argilla's SDK writes: records as they are, and rows of a flattened dataset."""

import json
from collections.abc import Sequence
from typing import Any

from hitl.formats import Annotation

STATUSES = {"draft": "draft", "skipped": "discarded"}


def exported(flavour: str, annotations: Sequence[Annotation]) -> tuple[str, bytes]:
    write = {"records": _record, "rows": _row}[flavour]
    return "records.json", json.dumps([write(one) for one in annotations]).encode()


def _answers(one: Annotation) -> dict[str, Any]:
    label = one.labels[0] if len(one.labels) == 1 else list(one.labels) or None
    return {"label": label, "comment": one.comment or None}


def _metadata(one: Annotation) -> dict[str, Any]:
    named = {"batch_id": one.batch_id, "model_class": one.shown_class, "model_version": one.shown_model}
    shown = {} if one.shown_confidence is None else {"model_confidence": one.shown_confidence}
    return {**{name: value for name, value in named.items() if value}, **shown}


def _record(one: Annotation) -> dict[str, Any]:
    said = {"value": one.stamp_class, "score": one.stamp_confidence, "agent": one.stamp_model}
    return {
        "id": one.item_id,
        "fields": dict(one.content or {}),
        "metadata": _metadata(one),
        "suggestions": {"label": said} if one.stamp_class else {},
        "responses": {
            name: [{"value": value, "user_id": one.annotator_id}]
            for name, value in _answers(one).items()
            if value is not None or name == "label"
        },
        "vectors": {},
        "status": "completed",
        "_server_id": one.source_item_id,
    }


def _row(one: Annotation) -> dict[str, Any]:
    status = STATUSES.get(one.status, "submitted")
    row: dict[str, Any] = {
        "id": one.item_id,
        "status": "completed",
        "_server_id": one.source_item_id,
        "updated_at": one.updated_at,
    }
    for name, value in _answers(one).items():
        row |= {f"{name}.responses": [value], f"{name}.responses.users": [one.annotator_id]}
        row |= {f"{name}.responses.status": [status]}
    if one.stamp_class:
        row |= {"label.suggestion": one.stamp_class, "label.suggestion.agent": one.stamp_model}
        row |= {"label.suggestion.score": one.stamp_confidence}
    return {**row, **(one.content or {}), **_metadata(one)}
