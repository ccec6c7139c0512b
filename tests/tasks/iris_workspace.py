"""A small workspace on iris with two closed rounds, made of files alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_iris

from hitl import ledger, pipeline
from hitl.layout import Workspace
from hitl.ledger import Event, Facts
from hitl.params import parse
from tasks.edges import files, models, tables

PARAMS = """\
data:
  id: flower
  label: species
  classes: [setosa, versicolor, virginica]
  columns: {sepal: numeric, petal: numeric, note: text}
query: {batch: 6}
"""
IRIS = load_iris(as_frame=True)
ITEMS = pd.DataFrame(
    {
        "item_id": [f"{row:05d}" for row in range(150)],
        "sepal": IRIS.data["sepal length (cm)"],
        "petal": IRIS.data["petal width (cm)"],
        "note": np.resize(np.array(["<script>alert(1)</script>", "a flower", "été"], dtype=object), 150),
        "label": IRIS.target_names[IRIS.target],
    }
).sample(frac=1, random_state=0, ignore_index=True)
TEST, INITIAL, POOL = ITEMS[:40], ITEMS[40:60], ITEMS[60:]


def made(root: Path, *, note: str = "") -> Workspace:
    """A workspace whose baseline and first round are closed, as its steps leave it."""
    workspace = Workspace(root)
    files.write_text(workspace.params, PARAMS)
    tables.write_parquet(workspace.initial, INITIAL)
    named = {
        "data/test.parquet": tables.write_parquet(workspace.test, TEST),
        "data/pool/part-00000.parquet": tables.write_parquet(workspace.pool / "part-00000.parquet", POOL),
    }
    say(workspace, "created", "r0000", {"counts": {"initial": 20}, "files": named, "note": note})
    learn(workspace, "r0000", INITIAL, champion="r0000")
    steps: dict[str, Facts] = {
        "opened": {"params_sha256": parse(PARAMS).sha256(), "strategy": "margin", "model": "r0000"},
        "scored": {"rows": len(POOL), "candidates_sha256": "c" * 64},
        "selected": {"items": 6, "reasons": {"random": 1, "uncertain": 5}, "batch_sha256": "b" * 64},
        "exported": {
            "items": 6,
            "annotations": 6,
            "price": "0.1",
            "currency": "USD",
            "deadline": "2026-11-28T00:00:00Z",
        },
        "delivered": {
            "delivery": "d" * 64,
            "file": "<img src=x>.csv",
            "rows": {"delivered": 6, "accepted": 6, "quarantined": 0, "duplicate": 0},
            "payable": {"annotations": 6, "amount": "0.60", "price": "0.1", "currency": "USD"},
        },
        "validated": {"annotations_sha256": "a" * 64},
        "resolved": {"resolved": 5, "unresolved": ["00077"], "agreement": None, "labels_sha256": "e" * 64},
    }
    for event, facts in steps.items():
        say(workspace, event, "r0001", facts)
    learn(workspace, "r0001", ITEMS[40:65], champion="r0001")
    return workspace


def say(workspace: Workspace, event: str, round_id: str, facts: Facts) -> Event:
    past = ledger.parse(workspace.ledger.read_bytes()) if workspace.ledger.exists() else ()
    at = datetime(2026, 11, 21, tzinfo=UTC) + timedelta(hours=len(past))
    new = ledger.extend(past, at=at, actor="ann", event=event, round=round_id, facts=facts)
    files.write_bytes(workspace.ledger, b"".join(ledger.line(one) for one in (*past, new)))
    return new


def learn(workspace: Workspace, round_id: str, labeled: pd.DataFrame, *, champion: str) -> None:
    params, folder = parse(PARAMS), workspace.round(round_id)
    seen = pipeline.inputs(TEST, params.features)
    model = pipeline.build(params.model, params.features)
    model.fit(pipeline.inputs(labeled, params.features), labeled["label"].to_numpy(dtype=object))
    saved = models.save(folder, model, probe=seen, meta={})
    labeled_sha256 = tables.write_parquet(workspace.labeled, labeled)
    say(workspace, "trained", round_id, {"labels": len(labeled), "labeled_sha256": labeled_sha256, **saved})
    probabilities = pipeline.aligned(model, seen, params.data.classes)
    predicted = np.array(params.data.classes)[probabilities.argmax(axis=1)]
    shown = TEST[["item_id", "label"]].assign(predicted=predicted)
    sha256 = tables.write_parquet(folder / "predictions.parquet", shown)
    right = float((predicted == TEST["label"]).mean())
    found = {
        "accuracy": right,
        "accuracy_low": right - 0.1,
        "accuracy_high": 1.0,
        "log_loss": 0.5,
        "labels": len(labeled),
    }
    say(workspace, "evaluated", round_id, {"metrics": found, "predictions_sha256": sha256})
    judged = {"verdict": "promoted", "champion": champion, "challenger": round_id, "metric": "accuracy", "gain": 0.0}
    say(workspace, "judged", round_id, judged)
    files.write_text(folder / "report.html", f"<h1>{round_id}</h1>")
    say(workspace, "closed", round_id, {"files": {}})
