"""Doubts: labels of the labeled set that a model which did not learn them contradicts."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from hitl import label_errors, pipeline
from hitl.errors import HitlError
from hitl.ids import fractions, hashes, ids_of
from hitl.label_errors import InDoubt
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params
from tasks.edges import files, tables

FOLDS = 5
AFFORDABLE = 20_000
"""Labels up to which a closing looks for those in doubt; beyond, `hitl adjudicate` does."""
_DECIMALS = 6
_DECIDED = "adjudicated"


def written(workspace: Workspace, params: Params, round_id: str) -> Facts:
    """Write the round's doubts.json: the labels of data/labeled.parquet that are in doubt; its sha256, and how many.

    Nothing is written, and nothing said, beyond AFFORDABLE labels or where a part of the labels teaches no model: a
    closing does not wait for that, nor end by it.
    """
    try:
        found = in_doubt(workspace, params, at_most=AFFORDABLE)
    except (HitlError, ValueError):  # an estimator may refuse a part of what it takes whole
        found = None
    if found is None:
        return {}
    told = [{**asdict(one), "sure": round(one.sure, _DECIMALS)} for one in found]
    return {"doubts_sha256": files.write_json(_path(workspace, round_id), told), "doubted": len(found)}


def of_round(workspace: Workspace, round_id: str) -> list[InDoubt]:
    """What a round's doubts.json says."""
    return [InDoubt(**one) for one in json.loads(_path(workspace, round_id).read_bytes())]


def doubted(workspace: Workspace, params: Params) -> dict[str, str]:
    """By item_id why each label in doubt is in doubt, the most damaging first."""
    return {
        one.item_id: f"in doubt: its label is {one.label}, and a model that did not learn it says {one.instead} "
        f"({one.sure:.0%})"
        for one in in_doubt(workspace, params) or ()
    }


def in_doubt(workspace: Workspace, params: Params, *, at_most: int | None = None) -> list[InDoubt] | None:
    """The labels in doubt, the most damaging first: those that the model is surest of. None beyond `at_most` labels.

    The model of params learns the labeled set without one fold after another, and says what it holds the items of that
    fold for; the folds are drawn by item_id. How many labels are wrong, and which, is `label_errors.doubts`'s to say.
    What a person decided is not doubted, nor anything where a fold leaves the model a single class to learn.
    """
    labeled = tables.read_parquet(workspace.labeled).sort_values("item_id", ignore_index=True)
    if at_most is not None and len(labeled) > at_most:
        return None
    classes = list(params.data.classes)
    ids = ids_of(labeled["item_id"].tolist())
    fold = np.floor(FOLDS * fractions(hashes(ids, "fold", params.model.seed)))
    inputs = pipeline.inputs(labeled, params.features)
    probabilities = np.zeros((len(labeled), len(classes)))
    with threadpool_limits(1):
        for number in np.unique(fold):
            rest = labeled[fold != number]
            if rest["label"].nunique() < 2:
                return []
            model = pipeline.build(params.model, params.features)
            pipeline.fit(model, rest, params.features)
            probabilities[fold == number] = pipeline.aligned(model, inputs[fold == number], classes)
    place = {name: number for number, name in enumerate(classes)}
    codes = np.array([place[name] for name in labeled["label"]], dtype=np.intp)
    return [
        InDoubt(
            str(labeled["item_id"][one.row]),
            classes[one.label],
            classes[one.instead],
            float(probabilities[one.row, one.instead]),
        )
        for one in label_errors.doubts(codes, probabilities)
        if labeled["from"][one.row] != _DECIDED
    ]


def _path(workspace: Workspace, round_id: str) -> Path:
    return workspace.round(round_id) / "doubts.json"
