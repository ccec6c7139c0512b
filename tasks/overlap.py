"""Overlap: what earlier rounds said of items that are asked about again, and what one more answer to each is worth."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import cast

import numpy as np
import pandas as pd

from hitl import expected_gain, overlap as deciding
from hitl.expected_gain import Weights
from hitl.layout import Workspace, round_number
from hitl.params import Params
from hitl.shortage import UNNAMED
from hitl.state import RoundState, State, Unsettled
from tasks.annotations import standing
from tasks.edges import tables

_NAMES = ["item_id", "annotator_id", "label"]


def before(state: State, round_id: str) -> list[RoundState]:
    """The rounds before this one whose annotations passed their door."""
    return [one for one in state.rounds[: round_number(round_id)] if one.done("validated")]


def annotated(workspace: Workspace, rounds: Sequence[RoundState]) -> frozenset[str]:
    """The items that somebody answered in these rounds."""
    found = (tables.read_parquet(workspace.round(one.id) / "annotations.parquet", ["item_id"]) for one in rounds)
    return frozenset().union(*(one["item_id"] for one in found))


def history(workspace: Workspace, state: State, round_id: str, items: Collection[str]) -> pd.DataFrame:
    """The answers to these items that stand in the rounds up to this one: item_id, annotator_id, label, round, vendor.

    Of two of one annotator of a vendor to one item the later stands.
    """
    rounds = [*before(state, round_id), state.round(round_id)]
    parts = [standing(workspace, one.id, _NAMES).assign(round=one.id, vendor=_vendor(one)) for one in rounds]
    parts = [one[one["item_id"].isin(list(items))] for one in parts]
    keys = ["item_id", "annotator_id", "vendor"]
    return pd.concat(parts, ignore_index=True).drop_duplicates(keys, keep="last", ignore_index=True)


def answered(
    workspace: Workspace, params: Params, state: State, round_id: str, items: Collection[str]
) -> dict[str, list[str]]:
    """Who of the vendor answered any of these items in an earlier round, by item: the pack asks for somebody else."""
    found: dict[str, dict[str, str]] = {}
    for one in before(state, round_id) if items else ():
        told = tables.read_parquet(workspace.round(one.id) / "annotations.parquet", ["item_id", "annotator_id"])
        told = told[told["item_id"].isin(list(items))]
        for item, who in zip(told["item_id"], told["annotator_id"], strict=True):
            found.setdefault(str(item), {})[str(who)] = _vendor(one)
    return deciding.barred(found, params.export.vendor)


def weighed(
    workspace: Workspace, params: Params, state: State, candidates: pd.DataFrame, waiting: Mapping[str, Unsettled]
) -> pd.DataFrame:
    """The candidates with `gain`: what an annotation of each is expected to bring (`hitl.expected_gain.gain`)."""
    classes = list(params.data.classes)
    said = np.stack(candidates["probabilities"].tolist())
    told = candidates[["item_id"]].merge(_labels(workspace, waiting), on="item_id", how="left")
    place = told["best"].map({name: number for number, name in enumerate(classes)}).to_numpy(dtype=float)
    known = ~np.isnan(place)
    rows = np.arange(len(said))
    model = np.where(known, said[rows, np.nan_to_num(place).astype(np.intp)], said.max(axis=1))
    is_new = ~candidates["item_id"].isin(list(waiting)).to_numpy()
    found = expected_gain.gain(
        model,
        told["confidence"].fillna(0.0).to_numpy(dtype=float),
        told["answers"].fillna(0).to_numpy(dtype=np.int64),
        weights=_weights(workspace, params, state),
        classes=len(classes),
        cost=np.where(is_new, deciding.cost(params), 1.0),
    )
    return candidates.assign(gain=found)


def _labels(workspace: Workspace, waiting: Mapping[str, Unsettled]) -> pd.DataFrame:
    """Of each item that waits: what its crowd finds likeliest, how sure that is, and by how many answers but skips."""
    names = ["item_id", "best", "confidence", "votes"]
    rounds = sorted({one.round for one in waiting.values()})
    parts = [tables.read_parquet(workspace.round(name) / "labels.parquet", names).assign(round=name) for name in rounds]
    found = pd.concat(parts, ignore_index=True)
    last = {item: one.round for item, one in waiting.items()}
    found = found[found["item_id"].map(last) == found["round"]]
    answers = [sum(json.loads(one).values()) for one in found["votes"]]
    return found.assign(answers=answers)[["item_id", "best", "confidence", "answers"]]


def _weights(workspace: Workspace, params: Params, state: State) -> Weights:
    """The weights of annotators, by gold or else by how far they agree, and of the newest model, by the test set."""
    resolved = [one.facts["resolved"] for one in state.rounds if one.done("resolved")]
    gold = [cast(Mapping[str, int], one["gold"]) for one in resolved]
    seen, right = (sum(one[name] for one in gold) for name in ("answered", "correct"))
    agreed = [cast(float, one["agreement"]) for one in resolved if one["agreement"] is not None]
    annotator = None
    if seen:
        annotator = (right + 1) / (seen + 2)
    elif agreed:
        annotator = expected_gain.able(agreed[-1], len(params.data.classes))
    measured = next(one.facts["evaluated"] for one in reversed(state.rounds) if one.done("evaluated"))
    labels = tables.read_parquet(workspace.labeled, ["label"])["label"]
    return expected_gain.weights(
        annotator=annotator,
        model=cast(Mapping[str, float], measured["metrics"])["accuracy"],
        commonest=float(labels.value_counts(normalize=True).max()),
    )


def _vendor(one: RoundState) -> str:
    return str(one.facts["exported"].get("vendor", UNNAMED))
