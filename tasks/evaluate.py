"""Evaluate: measure the newest model on the test set."""

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from hitl import metrics
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params
from hitl.pipeline import Classifier, aligned, inputs
from tasks import journal
from tasks.edges import files, models, tables


def measure(workspace: Workspace, params: Params | None = None, model: Classifier | None = None) -> Facts:
    """Predict the test set with `model`; write predictions, metrics and confusion to data/evaluation.

    By default that is data/model, and `params` are those of now.
    """
    params, model = params or journal.params(workspace), model or models.own(workspace.model)
    test = tables.read_parquet(workspace.test).sort_values("item_id", ignore_index=True)
    classes = params.data.classes
    with threadpool_limits(1):
        probabilities = aligned(model, inputs(test, params.features), classes)
    actual = metrics.codes(test["label"], classes)
    predicted = np.array(classes, dtype=object)[probabilities.argmax(axis=1)]
    found = metrics.measure(
        actual,
        probabilities,
        draws=params.evaluate.bootstrap,
        confidence=params.evaluate.confidence,
        rng=np.random.default_rng(params.evaluate.seed),
    )
    table = pd.DataFrame(
        {
            "item_id": test["item_id"],
            "label": test["label"],
            "predicted": predicted,
            "probabilities": list(probabilities),
        }
    )
    table = table.sort_values("item_id", ignore_index=True)
    shown = table[["label", "predicted"]].rename(columns={"label": "actual"})
    files.write_text(workspace.evaluation / "confusion.csv", shown.to_csv(index=False, lineterminator="\n", quoting=1))
    files.write_json(workspace.evaluation / "metrics.json", found)
    sha256 = tables.write_parquet(workspace.evaluation / "predictions.parquet", table)
    return {"metrics": found, "items": len(test), "predictions_sha256": sha256}


def evaluate(workspace: Workspace, round_id: str) -> Facts:
    """Measure the round's model and keep the predictions and metrics with the round."""
    trained = journal.read(workspace).round(round_id).facts["trained"]
    model = models.load(workspace.round(round_id) / "model.skops", sha256=str(trained["model_sha256"]))
    facts = measure(workspace, journal.params_of(workspace, round_id), model)
    for name in ("predictions.parquet", "metrics.json"):
        files.write_bytes(workspace.round(round_id) / name, (workspace.evaluation / name).read_bytes())
    return facts
