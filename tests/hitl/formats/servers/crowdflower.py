"""Reports of Appen (CrowdFlower): the full and the aggregated one as CSV, and the JSON."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hitl.formats import Annotation

TIME = "%m/%d/%Y %H:%M:%S"
OURS = (
    *("_unit_id", "_created_at", "_golden", "_id", "_missed", "_started_at", "_tainted", "_channel", "_trust"),
    *("_worker_id", "_country", "_region", "_city", "_ip"),
)
DATA = ("batch_id", "item_id", "label_gold", "model_class", "model_confidence", "model_version", "text")


def exported(flavour: str, annotations: Sequence[Annotation]) -> tuple[str, bytes]:
    handed_in = [one for one in annotations if one.status not in ("skipped", "draft")]
    if flavour == "json":
        return "job_1.json", "".join(f"{json.dumps(_unit(one), ensure_ascii=False)}\n" for one in handed_in).encode()
    rows = [_row(one) if flavour == "full" else _result(one) for one in handed_in]
    mine = (*OURS, "comment", "label") if flavour == "full" else ("_unit_id", "_golden", "_unit_state")
    mine = (
        mine if flavour == "full" else (*mine, "_trusted_judgments", "_last_judgment_at", "label", "label:confidence")
    )
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, (*mine, *DATA), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return "f1.csv", text.getvalue().encode()


def _data(one: Annotation) -> dict[str, str]:
    shown = "" if one.shown_confidence is None else str(one.shown_confidence)
    given = (one.batch_id, one.item_id, "", one.shown_class, shown, one.shown_model, (one.content or {})["text"])
    return dict(zip(DATA, given, strict=True))


def _row(one: Annotation) -> dict[str, str]:
    began = ""
    if one.seconds is not None:
        began = (datetime.strptime(f"{one.time_text} +0000", f"{TIME} %z") - timedelta(seconds=one.seconds)).strftime(
            TIME
        )
    return {
        "_unit_id": one.source_item_id,
        "_created_at": one.time_text,
        "_golden": str(one.is_gold).lower(),
        "_id": one.source_annotation_id,
        "_started_at": began,
        "_tainted": str(one.status == "expelled").lower(),
        "_channel": "elite",
        "_trust": "0.9",
        "_worker_id": one.annotator_id,
        "_country": "USA",
        "comment": one.comment,
        "label": "\n".join(one.labels),
        **_data(one),
    }


def _result(one: Annotation) -> dict[str, str]:
    return {
        "_unit_id": one.source_item_id,
        "_golden": str(one.is_gold).lower(),
        "_unit_state": "finalized",
        "_trusted_judgments": "3",
        "_last_judgment_at": one.time_text,
        "label": "\n".join(one.labels),
        "label:confidence": "" if one.annotator_confidence is None else str(one.annotator_confidence),
        **_data(one),
    }


def _unit(one: Annotation) -> dict[str, Any]:
    data = {name: value for name, value in _data(one).items() if value}
    given = {
        "id": one.source_annotation_id,
        "created_at": one.labeled_at.replace("Z", "+00:00"),
        "started_at": one.started_at.replace("Z", "+00:00"),
        "external_type": "cf_internal",
        "golden": one.is_gold,
        "missed": None,
        "rejected": one.status == "rejected" or None,
        "tainted": one.status == "expelled",
        "job_id": one.project_id,
        "unit_id": one.source_item_id,
        "worker_id": one.annotator_id,
        "trust": 0.9,
        "data": {"label": one.labels[0] if len(one.labels) == 1 else list(one.labels), "comment": one.comment},
    }
    return {"id": one.source_item_id, "data": data, "state": "finalized", "results": {"judgments": [given]}}
