"""Doubts: labels of the labeled set that a model which did not learn them contradicts."""

import numpy as np
from threadpoolctl import threadpool_limits

from hitl import label_errors, pipeline
from hitl.ids import fractions, hashes, ids_of
from hitl.layout import Workspace
from hitl.params import Params
from tasks.edges import tables

FOLDS = 5
_DECIDED = "adjudicated"


def doubted(workspace: Workspace, params: Params) -> dict[str, str]:
    """By item_id why each label in doubt is in doubt, the most damaging first: those that the model is surest of.

    The model of params learns the labeled set without one fold after another, and says what it holds the items of that
    fold for; the folds are drawn by item_id. How many labels are wrong, and which, is `label_errors.doubts`'s to say.
    What a person decided is not doubted, nor anything where a fold leaves the model a single class to learn.
    """
    labeled = tables.read_parquet(workspace.labeled).sort_values("item_id", ignore_index=True)
    classes = list(params.data.classes)
    ids = ids_of(labeled["item_id"].tolist())
    fold = np.floor(FOLDS * fractions(hashes(ids, "fold", params.model.seed)))
    inputs = pipeline.inputs(labeled, params.features)
    probabilities = np.zeros((len(labeled), len(classes)))
    for number in np.unique(fold):
        rest = labeled[fold != number]
        if rest["label"].nunique() < 2:
            return {}
        model = pipeline.build(params.model, params.features)
        with threadpool_limits(1):
            pipeline.fit(model, rest, params.features)
            probabilities[fold == number] = pipeline.aligned(model, inputs[fold == number], classes)
    place = {name: number for number, name in enumerate(classes)}
    codes = np.array([place[name] for name in labeled["label"]], dtype=np.intp)
    found = {}
    for one in label_errors.doubts(codes, probabilities):
        if labeled["from"][one.row] != _DECIDED:
            sure = f"{probabilities[one.row, one.instead]:.0%}"
            told = f"a model that did not learn it says {classes[one.instead]} ({sure})"
            found[str(labeled["item_id"][one.row])] = f"in doubt: its label is {classes[one.label]}, and {told}"
    return found
