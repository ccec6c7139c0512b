"""Annotators: their records over all rounds so far, out of the rounds' tables, and as the last closing left them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hitl import layout
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params
from hitl.shortage import UNNAMED
from hitl.state import State
from tasks import decisions, expected

if TYPE_CHECKING:  # only a type here, and `hitl status` should not pay for it
    from hitl.annotators import Record


def records(
    workspace: Workspace, state: State, params: Params, until: str, *, corrected_until: str | None = None
) -> "tuple[Record, ...]":
    """The record of each vendor and annotator by the answers that stand in the rounds up to `until`.

    Gold is as the decisions correct it that count by then, or by the closing of an earlier round `corrected_until`.
    """
    import pandas as pd

    from hitl import annotators as deciding
    from tasks import annotations
    from tasks.edges import tables

    rounds = [one for one in state.until(until).rounds if one.done("validated")]
    answers, labels = [], []
    gold: dict[str, str] = {}
    for one in rounds:
        folder = workspace.round(one.id)
        answers.append(annotations.standing(workspace, one.id, deciding.COLUMNS))
        came_to = tables.read_parquet(folder / "labels.parquet", ["item_id", "label"])
        labels.append(came_to.assign(round=one.id))
        gold |= expected.gold(workspace, one.id)
    gold = decisions.corrected(workspace, state, gold, until=corrected_until or until)
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


def written(workspace: Workspace, state: State, params: Params, round_id: str) -> str:
    """Write annotators.json: the records, and what gold that was corrected since the last closing changed; its sha256.

    Labels of now are compared, so this comes after those of the round are written.
    """
    from hitl import annotators as deciding
    from tasks.edges import files

    found = records(workspace, state, params, round_id)
    changed = _regraded(workspace, state, params, round_id, found)
    facts = {"round": round_id, "records": deciding.told(found), "regraded": changed}
    return files.write_json(_path(workspace, round_id), facts)


def _regraded(
    workspace: Workspace, state: State, params: Params, until: str, after: "tuple[Record, ...]"
) -> Facts | None:
    """The gold items that were corrected since the closing before: whom that changes, and which deliveries' verdicts.

    None where no known answer of a round so far was corrected. Receipts stay as they are: they say what was known then.
    """
    from hitl import regrade

    before = layout.round_id(layout.round_number(until) - 1)
    rounds = [one for one in state.until(until).rounds if one.done("exported")]
    known = {item: label for one in rounds for item, label in expected.gold(workspace, one.id).items()}
    was, now = (decisions.corrected(workspace, state, known, until=name) for name in (before, until))
    items = regrade.corrected(was, now)
    if not items:
        return None
    changed = {str(one["item_id"]) for one in items}
    return {
        "items": items,
        "people": regrade.regraded(records(workspace, state, params, until, corrected_until=before), after),
        "deliveries": [
            {"round": one.id, "file": file, "verdict": then, "would_be": verdict}
            for one in rounds
            if changed & expected.gold(workspace, one.id).keys()
            for (file, then), (_, verdict) in zip(
                expected.verdicts(workspace, state, one.id, was),
                expected.verdicts(workspace, state, one.id, now),
                strict=True,
            )
            if then != verdict
        ],
    }


def newest(workspace: Workspace, state: State) -> list[Facts]:
    """The records as the newest round that has some left them; empty where there are none, or the file is gone."""
    return cast(list[Facts], _newest(workspace, state).get("records", []))


def regraded(workspace: Workspace, state: State) -> Facts | None:
    """What gold that was corrected before the newest closing changed; None where none was."""
    return cast(Facts | None, _newest(workspace, state).get("regraded"))


def of_round(workspace: Workspace, round_id: str) -> list[Facts]:
    """The records as the closing of a round left them; empty where the file is gone."""
    return cast(list[Facts], _told(workspace, round_id).get("records", []))


def _newest(workspace: Workspace, state: State) -> Facts:
    done = [one.id for one in state.rounds if "annotators_sha256" in one.facts.get("resolved", {})]
    return _told(workspace, done[-1]) if done else {}


def _told(workspace: Workspace, round_id: str) -> Facts:
    try:
        return cast(Facts, json.loads(_path(workspace, round_id).read_bytes()))
    except (OSError, ValueError):
        return {}  # a clone without the data: the status tells the rest


def _path(workspace: Workspace, round_id: str) -> Path:
    return workspace.round(round_id) / "annotators.json"
