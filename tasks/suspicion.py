"""Suspicion: gather all that was answered up to a round, and what was shown, and have it tested."""

from collections.abc import Iterator
from typing import cast

import pandas as pd

from hitl import suspicion
from hitl.layout import Workspace, round_number
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import RoundState, State
from hitl.suspicion import COLUMNS, Finding
from tasks import annotations, expected, journal
from tasks.edges import tables


def findings(workspace: Workspace, state: State, round_id: str) -> tuple[Finding, ...]:
    """What is suspicious in the answers of all rounds up to this one, whose annotations passed their door."""
    rounds = [one for one in state.until(round_id).rounds if one.done("validated")]
    frames, known, words, views = [], dict[str, str](), dict[str, int](), []
    for one in rounds:
        params = journal.params_of(workspace, one.id)
        batch = tables.read_parquet(workspace.round(one.id) / "batch.parquet")
        said = annotations.standing(workspace, one.id)
        frames.append(said.merge(batch[["item_id", "model_class"]], on="item_id", how="left")[list(COLUMNS)])
        known |= expected.gold(workspace, one.id)
        words |= _words(workspace, params, one)
        views.append(annotations.foreseen(batch, params))
    view = pd.concat(views)
    return suspicion.findings(
        pd.concat(frames, ignore_index=True),
        known=known,
        words=words,
        probabilities=view[~view.index.duplicated(keep="last")],
        level=suspicion.spent(round_number(round_id)),
    )


def excluded(state: State, one: RoundState) -> Iterator[tuple[str, str]]:
    """Whose answers the round's policy withdraws, and why: those held whom a finding names alone."""
    facts = one.facts["resolved"]
    held = cast(dict[str, str], facts["held"])
    for who in suspicion.excludable(cast(list[Facts], facts["suspicion"])):
        if who in held and who not in state.cleared:
            yield who, f"resolve.policy exclude: {held[who]}"


def _words(workspace: Workspace, params: Params, one: RoundState) -> dict[str, int]:
    """How many words there are to read of each item: in the texts that annotators see."""
    texts = [name for name in params.export.columns if params.data.columns[name] == "text"]
    if not texts:
        return {}
    items = tables.read_parquet(workspace.round(one.id) / "items.parquet", ["item_id", *texts])
    whole = items[texts].fillna("").agg(" ".join, axis=1)
    return {item: len(text.split()) for item, text in zip(items["item_id"], whole, strict=True)}
