"""What Prodigy's `db-out` writes of a choice."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hitl.formats import Annotation

ANSWERS = {"skipped": "ignore", "rejected": "reject"}


def exported(flavour: str, annotations: Sequence[Annotation]) -> tuple[str, bytes]:
    lines = [json.dumps(_line(one), ensure_ascii=False) for one in annotations if one.status != "draft"]
    return "dataset.jsonl", "".join(f"{line}\n" for line in lines).encode()


def _line(one: Annotation) -> dict[str, Any]:
    meta = {"item_id": one.item_id, "batch_id": one.batch_id, "model_class": one.shown_class}
    meta |= {"model_version": one.shown_model}
    meta = {name: value for name, value in meta.items() if value}
    shown = {} if one.shown_confidence is None else {"model_confidence": one.shown_confidence}
    return {
        **(one.content or {}),
        "meta": {**meta, **shown},
        "options": [{"id": label, "text": label} for label in sorted({*one.labels, "cat", "dog"})],
        "accept": list(one.labels),
        "config": {"choice_style": "multiple"},
        "user_input": one.comment,
        "answer": ANSWERS.get(one.status, "accept"),
        "_input_hash": one.source_item_id,
        "_task_hash": one.source_annotation_id,
        "_view_id": "blocks",
        "_timestamp": int(datetime.fromisoformat(one.labeled_at).timestamp()),
        "_annotator_id": one.annotator_id,
        "_session_id": one.annotator_id,
    }
