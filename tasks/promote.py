"""Promote: let the gate compare the round's challenger with the champion."""

from dataclasses import asdict

import numpy as np

from hitl import gate, metrics
from hitl.errors import IntegrityError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params
from tasks import journal
from tasks.edges import tables


def promote(workspace: Workspace, round_id: str) -> Facts:
    """The gate's verdict on the model of `round_id`; names the champion that follows from it."""
    params, state = journal.params_of(workspace, round_id), journal.read(workspace)
    if state.champion is None:
        verdict = gate.first(params.evaluate.metric)
    else:
        verdict = _compare(workspace, params, state.champion, round_id)
    champion = state.champion if verdict.verdict == "kept" else round_id
    return {**asdict(verdict), "champion": champion, "challenger": round_id, "previous": state.champion}


def _compare(workspace: Workspace, params: Params, champion: str, challenger: str) -> gate.Judgement:
    before = tables.read_parquet(workspace.round(champion) / "predictions.parquet")
    after = tables.read_parquet(workspace.round(challenger) / "predictions.parquet")
    if list(before["item_id"]) != list(after["item_id"]):
        raise IntegrityError(f"{champion} and {challenger} were measured on different test items; run hitl verify")
    classes = params.data.classes
    return gate.judge(
        metrics.codes(after["label"], classes),
        metrics.codes(before["predicted"], classes),
        metrics.codes(after["predicted"], classes),
        len(classes),
        metric=params.evaluate.metric,
        margin=params.promote.margin,
        draws=params.evaluate.bootstrap,
        confidence=params.evaluate.confidence,
        rng=np.random.default_rng(params.evaluate.seed),
    )
