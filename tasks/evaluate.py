"""Evaluate: measure the newest model on the test set."""

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from hitl import metrics
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params
from hitl.pipeline import Classifier, aligned, inputs
from tasks import journal, train
from tasks.edges import files, models, tables


def measure(workspace: Workspace, params: Params | None = None, model: Classifier | None = None) -> Facts:
    """Predict the test set with `model`; write predictions, metrics and confusion to data/evaluation.

    By default that is the newest, and `params` are those of now.
    """
    params = params or journal.params(workspace)
    model = model or _newest(workspace, params)
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
    path, params = workspace.round(round_id) / "model.skops", journal.params_of(workspace, round_id)
    model = models.load(path, sha256=str(trained["model_sha256"]), trusted=params.model.trusted_types)
    facts = measure(workspace, params, model)
    for name in ("predictions.parquet", "metrics.json"):
        files.write_bytes(workspace.round(round_id) / name, (workspace.evaluation / name).read_bytes())
    return facts


def _newest(workspace: Workspace, params: Params) -> Classifier:
    """The model of today's labeled set and params: the ledger's where it knows one, else what data/model has."""
    state = journal.read(workspace)
    if not train.stale(workspace, state):
        return train.current(workspace, state, params)
    return models.own(workspace.model, trusted=params.model.trusted_types)
