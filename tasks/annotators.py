"""Annotators: their records over all rounds so far, out of the rounds' tables, and as the last closing left them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params
from hitl.shortage import UNNAMED
from hitl.state import State
from tasks import expected

if TYPE_CHECKING:  # only a type here, and `hitl status` should not pay for it
    from hitl.annotators import Record


def records(workspace: Workspace, state: State, params: Params, until: str) -> "tuple[Record, ...]":
    """The record of each vendor and annotator by the answers that stand in the rounds up to `until`."""
    import pandas as pd

    from hitl import annotators as deciding, resolve
    from tasks.edges import tables

    rounds = [one for one in state.rounds if one.done("validated") and one.id <= until]
    answers, labels = [], []
    gold: dict[str, str] = {}
    for one in rounds:
        folder = workspace.round(one.id)
        names = [*deciding.COLUMNS, "superseded_by"]
        answers.append(resolve.standing(tables.read_parquet(folder / "annotations.parquet", names)))
        came_to = tables.read_parquet(folder / "labels.parquet", ["item_id", "label"])
        labels.append(came_to.assign(round=one.id))
        gold |= expected.gold(workspace, one.id)
    if not rounds:
        return ()
    return deciding.records(
        pd.concat(answers, ignore_index=True),
        gold=gold,
        labels=pd.concat(labels, ignore_index=True),
        vendors={one.id: str(one.facts["exported"].get("vendor", UNNAMED)) for one in rounds},
        confidence=params.evaluate.confidence,
        draws=params.evaluate.bootstrap,
        seed=params.evaluate.seed,
    )


def written(workspace: Workspace, round_id: str, found: "tuple[Record, ...]") -> str:
    """Write the records as the round's annotators.json; its sha256."""
    from hitl import annotators as deciding
    from tasks.edges import files

    return files.write_json(_path(workspace, round_id), {"round": round_id, "records": deciding.told(found)})


def newest(workspace: Workspace, state: State) -> list[Facts]:
    """The records as the newest round that has some left them; empty where there are none, or the file is gone."""
    done = [one.id for one in state.rounds if "annotators_sha256" in one.facts.get("resolved", {})]
    try:
        found = json.loads(_path(workspace, done[-1]).read_bytes()) if done else {}
    except (OSError, ValueError):
        return []  # a clone without the data: the status tells the rest
    return cast(list[Facts], found.get("records", []))


def _path(workspace: Workspace, round_id: str) -> Path:
    return workspace.round(round_id) / "annotators.json"
