"""Guideline: what became of answers when it changed, and what annotators ask, out of the rounds' tables."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import RoundState, State

if TYPE_CHECKING:  # only a type here, and `hitl status` should not pay for it
    import pandas as pd

FACT = "guideline_json_sha256"


def written(workspace: Workspace, state: State, params: Params, until: str) -> str:
    """Write the round's guideline.json: the newest change of the guideline, and the questions; its sha256.

    Labels of now are compared, so this comes after the labels of the round `until` are written.
    """
    import pandas as pd

    from hitl import guideline
    from tasks.edges import files

    rounds = [one for one in state.until(until).rounds if one.done("validated")]
    told = pd.concat([_answers(workspace, one) for one in rounds], ignore_index=True)
    labels = pd.concat([_labels(workspace, one.id) for one in rounds], ignore_index=True)
    change = guideline.change(told, labels, seed=params.evaluate.seed)
    asked = [{**asdict(one), "asks": one.asks, "count": len(one.comments)} for one in guideline.questions(told)]
    facts = {
        "round": until,
        "guideline": sha256(rounds[-1]),
        "change": None if change is None else {**asdict(change), "is_real": change.is_real},
        "questions": asked,
    }
    return files.write_json(_path(workspace, until), facts)


def newest(workspace: Workspace, state: State) -> Facts | None:
    """What the newest round that closed says of the guideline; None where none does, or the file is gone."""
    done = [one.id for one in state.rounds if FACT in one.facts.get("resolved", {})]
    return of_round(workspace, done[-1]) if done else None


def of_round(workspace: Workspace, round_id: str) -> Facts | None:
    """What a round's guideline.json says; None where it is gone."""
    try:
        return cast(Facts, json.loads(_path(workspace, round_id).read_bytes()))
    except (OSError, ValueError):
        return None  # a clone without the data


def sha256(one: RoundState) -> str:
    """The digest of the guideline that the round's pack went out with."""
    return cast(dict[str, str], one.facts["exported"]["files"])["guideline.md"]


def _answers(workspace: Workspace, one: RoundState) -> "pd.DataFrame":
    """The answers of a round that stand, each with what the model took its item for when that went out."""
    from tasks import annotations, expected
    from tasks.edges import tables

    folder, gold = workspace.round(one.id), expected.gold(workspace, one.id)
    names = ["round", "item_id", "annotator_id", "label", "comment"]
    found = annotations.standing(workspace, one.id, names)
    batch = tables.read_parquet(folder / "batch.parquet", ["item_id", "reason", "model_class"])
    drawn = batch["reason"].map(lambda reason: reason if reason in ("gold", "random") else "chosen")
    taken = batch["item_id"].map(gold).astype(object)
    taken = taken.where(taken.notna(), batch["model_class"].astype(object))
    kind = dict(zip(batch["item_id"], drawn + ", " + taken, strict=True))
    return found.assign(kind=found["item_id"].map(kind).astype(object), guideline=sha256(one))


def _labels(workspace: Workspace, name: str) -> "pd.DataFrame":
    from tasks.edges import tables

    labels = tables.read_parquet(workspace.round(name) / "labels.parquet", ["item_id", "label", "from"])
    return labels.loc[labels["from"] != "gold", ["item_id", "label"]].assign(round=name)


def _path(workspace: Workspace, round_id: str) -> Path:
    return workspace.round(round_id) / "guideline.json"
