"""Train: fit the model that params.yaml describes on the labeled set."""

from typing import cast

from threadpoolctl import threadpool_limits

from hitl import doors, pipeline
from hitl.errors import IntegrityError
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts
from hitl.params import Params
from hitl.pipeline import Classifier
from hitl.state import RoundState, State
from tasks import firewall, journal
from tasks.doors import guard
from tasks.edges import files, models, tables

PROBE = 100
"""How many items of the test set a model's identity is probed with."""


_WAY_OUT = (
    "where data.columns of params.yaml was cut down, name the columns again that tell these items apart; "
    "or else make the workspace anew with hitl init, which keeps equal items out of all sets but one"
)


def fit(workspace: Workspace, params: Params | None = None) -> Facts:
    """Fit the model on data/labeled.parquet and write data/model/; says what it was fitted on and who it is.

    `params` are by default those of now.
    """
    params = params or journal.params(workspace)
    labeled = tables.read_parquet(workspace.labeled)
    test = tables.read_parquet(workspace.test)
    asked = doors.labeled(params.data.classes, test=frozenset(test["item_id"]))
    guard("labeled", "data/labeled.parquet", labeled, asked)
    firewall.refuse(
        workspace, params, labeled, table="data/labeled.parquet", undone="nothing was trained", fix=_WAY_OUT
    )
    model = pipeline.build(params.model, params.features)
    with threadpool_limits(1):  # one thread: the same sums on any number of cores
        pipeline.fit(model, labeled, params.features)
    probe = pipeline.inputs(test.head(PROBE), params.features)
    facts: Facts = {
        "labels": len(labeled),
        "labeled_sha256": files.sha256(workspace.labeled),
        "params_sha256": params.model_sha256(),
    }
    saved = models.save(workspace.model, model, probe=probe, meta=facts, trusted=params.model.trusted_types)
    return {**facts, **saved}


def train(workspace: Workspace, round_id: str) -> Facts:
    """Fit the round's model and keep a copy of it with the round."""
    is_first = round_id == BASELINE  # it has no answers: its closing begins here
    params, kept = journal.begin_closing(workspace, round_id) if is_first else (None, {})
    facts = fit(workspace, params or journal.params_of(workspace, round_id))
    folder = workspace.round(round_id)
    files.write_bytes(folder / "model.skops", (workspace.model / "model.skops").read_bytes())
    return {**facts, **kept}


def committee(workspace: Workspace, params: Params, members: int) -> list[Classifier]:
    """The models that `pipeline.committee` makes of the labeled set."""
    labeled = tables.read_parquet(workspace.labeled).sort_values("item_id", ignore_index=True)
    with threadpool_limits(1):
        return pipeline.committee(params.model, labeled, params.features, members)


def newest(state: State) -> RoundState | None:
    """The round of the newest training in the ledger; None before any."""
    return next((one for one in reversed(state.rounds) if one.done("trained")), None)


def stale(workspace: Workspace, state: State) -> bool:
    """Whether the newest model is not the model of today's labeled set and params."""
    last = newest(state)
    today = (files.sha256(workspace.labeled), journal.params(workspace).model_sha256())
    return last is None or (last.facts["trained"]["labeled_sha256"], last.facts["trained"]["params_sha256"]) != today


def current(workspace: Workspace, state: State, params: Params) -> Classifier:
    """The newest trained model, from its round's folder.

    Raises IntegrityError when the file is not the ledger's, or holds a type that `params` do not trust.
    """
    last = newest(state)
    if last is None:
        raise IntegrityError("the ledger speaks of no model yet: run hitl open")
    sha256 = cast(str, last.facts["trained"]["model_sha256"])
    path = workspace.round(last.id) / "model.skops"
    return models.load(path, sha256=sha256, trusted=params.model.trusted_types)
