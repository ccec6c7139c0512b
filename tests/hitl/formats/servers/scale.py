"""What Scale AI's API answers: a page of a list of tasks."""

import json
from collections.abc import Sequence
from typing import Any

from hitl.formats import Annotation

RESULTS = {"approved": "accepted", "fixed": "fixed", "rejected": "rejected"}


def exported(flavour: str, annotations: Sequence[Annotation]) -> tuple[str, bytes]:
    docs = [_one(one) for one in annotations]
    return "tasks.json", json.dumps({"docs": docs, "total": len(docs), "has_more": False}, indent=1).encode()


def _one(one: Annotation) -> dict[str, Any]:
    shown = {"model_class": one.shown_class, "model_confidence": one.shown_confidence, "model_version": one.shown_model}
    named = {"item_id": one.item_id, "batch_id": one.batch_id, **shown}
    fields = [{"type": "category", "field_id": "label"}, {"type": "text", "field_id": "comment"}]
    params: dict[str, Any] = {
        "attachments": [{"type": kind, "content": value} for kind, value in (one.content or {}).items()],
        "fields": fields,
    }
    if one.stamp_class:
        guess = {"type": "category", "field_id": "label", "response": [[one.stamp_class]]}
        params["hypothesis"] = {"annotations": {"label": guess}}
    audit = {"audited_by": one.reviewer_id, "audited_at": one.reviewed_at, "audit_source": "customer"}
    verdict = RESULTS.get(one.review_status)
    return {
        "task_id": one.source_item_id,
        "unique_id": f"{one.batch_id}:{one.item_id}",
        "type": "textcollection",
        "status": {"skipped": "canceled", "draft": "pending"}.get(one.status, "completed"),
        "completed_at": one.labeled_at,
        "updated_at": one.updated_at,
        "project": one.project_id,
        "params": params,
        "response": {"annotations": {"label": list(one.labels), "comment": one.comment}},
        "metadata": {name: value for name, value in named.items() if value not in ("", None)},
        "audits": [] if verdict is None else [{**audit, "audit_result": verdict}],
    }
