"""What a round expects back: its pack, its gold, and the deliveries that stand, judged again from their bytes."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any, cast

from hitl import pack
from hitl.contract import SKIP
from hitl.delivery.expectation import Expectation
from hitl.delivery.judge import judge
from hitl.delivery.judgement import Judgement
from hitl.errors import MomentError
from hitl.layout import Workspace, round_number
from hitl.params import Params
from hitl.state import Phase, RoundState, State
from tasks import journal
from tasks.edges import intake


def asked(state: State) -> RoundState:
    """The round that a delivery of now answers: the newest whose pack went out."""
    found = next((one for one in reversed(state.rounds) if one.done("exported")), None)
    if found is None:
        raise MomentError("no pack ever went out, so nothing can come back: run hitl open")
    return found


def standing(workspace: Workspace, state: State, name: str) -> Iterator[Judgement]:
    """The deliveries of a round that stand, judged again from their bytes, in order of arrival."""
    wanted = replace(expectation(workspace, state, name, journal.params(workspace)), closed=False)
    for facts in state.round(name).deliveries:
        path = workspace.deliveries / f"{facts['delivery']}.csv"
        copy = intake.kept(path, cast(str, facts["delivery"]))
        wanted = replace(wanted, received_at=datetime.fromisoformat(cast(str, facts["received_at"])))
        manifest = intake.read_manifest(path)
        judged = judge(copy, wanted, file=cast(str, facts["file"]), manifest=manifest)
        wanted = after(wanted, judged)
        yield judged


def answers(judged: Judgement) -> dict[tuple[str, str], str]:
    """What a delivery adds to the answers taken, by item and annotator; a skip is the skip word."""
    return {(one.item_id, one.annotator_id): SKIP if one.label is None else one.label for one in judged.annotations}


def expectation(workspace: Workspace, state: State, name: str, params: Params) -> Expectation:
    """What a delivery for round `name` may hold, by its pack, params and ledger; nothing taken yet."""
    others = [one for one in state.rounds if one.done("exported") and one.id != name]
    manifest = _manifest(workspace, name)
    return replace(
        promised(manifest, _items(workspace, name), journal.now()),
        annotators=params.delivery.annotators,
        known=frozenset(),
        other_rounds={item: one.id for one in others for item in _items(workspace, one.id)},
        gold=gold(workspace, name),
        retired=_retired(workspace, [one.id for one in others if round_number(one.id) < round_number(name)], manifest),
        bad_row_share=params.delivery.bad_row_share,
        closed=state.round(name).phase in (Phase.CLOSING, Phase.CLOSED),
    )


def promised(manifest: Mapping[str, Any], items: Mapping[str, Mapping[str, str]], at: datetime) -> Expectation:
    """What a pack says of the deliveries it asks for."""
    return Expectation(
        round=manifest["round"],
        classes=tuple(manifest["classes"]),
        items=items,
        batch=manifest["batch_id"],
        known=None,
        annotators=tuple(manifest["annotators"]),
        overlap=manifest["overlap"]["items"],
        default_overlap=manifest["overlap"]["default"],
        exported_at=datetime.fromisoformat(manifest["exported_at"]),
        received_at=at,
        guideline_sha256=manifest["instructions_sha256"],
        bad_row_share=manifest["bad_row_share"],
    )


def after(wanted: Expectation, judged: Judgement) -> Expectation:
    """What is expected once a delivery was taken."""
    new = answers(judged)
    origin = {**wanted.origin, **dict.fromkeys(new, judged.sha256)}
    return replace(wanted, taken={**wanted.taken, **new}, origin=origin, known={*(wanted.known or ()), judged.sha256})


def now(workspace: Workspace, state: State, at: datetime) -> Expectation:
    """What the open round expects now, after the deliveries that stand."""
    current = asked(state)
    wanted = expectation(workspace, state, current.id, journal.params(workspace))
    wanted = reduce(after, standing(workspace, state, current.id), wanted)
    return replace(wanted, received_at=at, known=state.taken)


def _retired(workspace: Workspace, earlier: Sequence[str], manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes that packs of earlier rounds had, and this one has not."""
    before = {word for name in earlier for word in _manifest(workspace, name)["classes"]}
    return tuple(sorted(before - set(manifest["classes"])))


def _manifest(workspace: Workspace, name: str) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads((workspace.pack(name) / "MANIFEST.json").read_text(encoding="utf-8")))


def _items(workspace: Workspace, name: str) -> dict[str, dict[str, str]]:
    return pack.exported_items((workspace.pack(name) / "batch.csv").read_bytes())


def gold(workspace: Workspace, name: str) -> dict[str, str]:
    """The known answers of the gold items hidden in the pack of round `name`."""
    with (workspace.round(name) / "gold.csv").open(newline="", encoding="utf-8") as file:
        return {row["item_id"]: row["label"] for row in csv.DictReader(file, strict=True)}
