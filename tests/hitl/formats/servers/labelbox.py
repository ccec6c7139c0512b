"""What Labelbox exports: data rows as NDJSON (v2), and the labels of v1 as JSON and CSV."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from hitl.formats import Annotation

ACTIONS = {"approved": "Approve", "rejected": "Reject"}


def exported(flavour: str, annotations: Sequence[Annotation]) -> tuple[str, bytes]:
    submitted = [one for one in annotations if one.status != "draft"]
    if flavour == "ndjson":
        lines = [json.dumps(_data_row(one), ensure_ascii=False) for one in submitted]
        return "export.ndjson", "".join(f"{line}\n" for line in lines).encode()
    rows = [_old(one) for one in submitted]
    if flavour == "json":
        return "export.json", json.dumps(rows, indent=1).encode()
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(_old(annotations[0])), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return "export.csv", text.getvalue().encode()


def _data_row(one: Annotation) -> dict[str, Any]:
    shown = {"model_class": one.shown_class, "model_confidence": one.shown_confidence, "model_version": one.shown_model}
    named = {**(one.content or {}), "batch_id": one.batch_id, **shown}
    label = {
        "label_kind": "Default",
        "version": "1.0.0",
        "id": one.source_annotation_id,
        "label_details": {
            "created_at": one.labeled_at,
            "updated_at": one.labeled_at,
            "created_by": one.annotator_id,
            "content_last_updated_at": one.updated_at,
            "is_benchmark_reference": one.is_gold,
            "reviews": [],
        },
        "performance_details": {
            "seconds_to_create": one.seconds,
            "seconds_to_review": 2,
            "skipped": one.status == "skipped",
        },
        "annotations": {"objects": [], "classifications": _classified(one), "relationships": []},
    }
    step = {"action": ACTIONS.get(one.review_status), "created_at": one.reviewed_at, "created_by": one.reviewer_id}
    history = [step] * (one.review_status in ACTIONS) + [{"action": "Move", "next_task_name": "Review"}]
    project = {"name": "hitl", "labels": [label], "project_details": {"workflow_history": history}}
    return {
        "data_row": {"id": one.source_item_id, "global_key": one.item_id},
        "media_attributes": {"mime_type": "text/plain"},
        "metadata_fields": [{"schema_id": "s", "schema_name": name, "value": value} for name, value in named.items()],
        "projects": {one.project_id: project},
    }


def _classified(one: Annotation) -> list[dict[str, Any]]:
    answers = [{"name": label, "value": label.lower(), "classifications": []} for label in one.labels]
    given = {"radio_answer": answers[0]} if len(answers) == 1 else {"checklist_answers": answers}
    remark = {"name": "comment", "value": "comment", "text_answer": {"content": one.comment}}
    return [{"name": "label", "value": "label", **given}] * bool(answers) + [remark] * bool(one.comment)


def _old(one: Annotation) -> dict[str, Any]:
    answers = [{"title": label, "value": label.lower()} for label in one.labels]
    given = {"answer": answers[0]} if len(answers) == 1 else {"answers": answers}
    remark = {"title": "comment", "value": "comment", "answer": one.comment}
    classified = [{"title": "label", "value": "label", **given}] * bool(answers) + [remark] * bool(one.comment)
    said = {"createdBy": one.reviewer_id, "createdAt": one.reviewed_at}
    verdict = {"approved": 1, "rejected": -1}.get(one.review_status)
    return {
        "ID": one.source_annotation_id,
        "DataRow ID": one.source_item_id,
        "Labeled Data": "",
        "Label": {"objects": [], "classifications": classified},
        "Created By": one.annotator_id,
        "Project Name": one.project_id,
        "Created At": one.labeled_at,
        "Updated At": one.updated_at,
        "Seconds to Label": one.seconds,
        "External ID": one.item_id,
        "Benchmark ID": one.source_annotation_id if one.is_gold else None,
        "Reviews": [] if verdict is None else [{"id": "r", "score": verdict, **said}],
        "Skipped": one.status == "skipped",
    }


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else value
