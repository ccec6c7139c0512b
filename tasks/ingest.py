"""Ingest: take deliveries, answer each with a receipt, keep every byte."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any, cast

from hitl import pack
from hitl.contract import SKIP
from hitl.delivery import judge as judging, receipt
from hitl.delivery.expectation import Expectation
from hitl.delivery.judgement import Judgement
from hitl.delivery.reasons import Reason
from hitl.errors import DeliveryError, MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import Phase, RoundState, State
from tasks import journal
from tasks.edges import files, git, intake


@dataclass(frozen=True, slots=True)
class Answer:
    """Our answer to one delivery: the receipt, where it lies, and the redo file when rows are held."""

    receipt: Facts
    receipt_path: Path | None
    redo_path: Path | None


def ingest(workspace: Workspace, path: Path) -> Answer:
    """Take the delivery at `path` for the open round.

    Its bytes, receipt and redo file are kept in data/deliveries under its sha256 before the ledger speaks of them.
    Bytes that were answered before change nothing. Raises MomentError when no round was ever exported.
    """
    git.require_branch(workspace.root)
    state = journal.read(workspace)
    wanted = _asked(workspace, state, journal.now())
    judged, data, manifest = _judged(path, wanted)
    said = _receipt(journal.params(workspace), wanted, judged)
    if data is None or Reason.F_DUPLICATE_DELIVERY in judged.reasons:
        return Answer(said, None, None)
    if judged.verdict == "reject" and judged.sha256 in state.refused:
        return Answer(said, None, None)  # rejected again: the ledger knows
    folder, name = workspace.deliveries, judged.sha256
    files.write_bytes(folder / f"{name}.csv", data)
    if manifest is not None:
        files.write_bytes(folder / f"{name}.csv{intake.MANIFEST_SUFFIX}", manifest)
    facts = {
        key: said[key]
        for key in ("delivery", "file", "received_at", "verdict", "reasons", "warnings", "rows", "payable")
    }
    facts["receipt_sha256"] = files.write_json(folder / f"{name}.receipt.json", said)
    if judged.held:
        facts["redo_sha256"] = files.write_bytes(folder / f"{name}.redo.csv", receipt.redo_csv(judged))
    event = "refused" if judged.verdict == "reject" else "delivered"
    journal.append(workspace, event, asked(state).id, facts)
    return Answer(said, folder / f"{name}.receipt.json", folder / f"{name}.redo.csv" if judged.held else None)


def check(workspace: Workspace, path: Path) -> Facts:
    """The receipt that `ingest` would give; changes nothing."""
    wanted = _asked(workspace, journal.read(workspace), journal.now())
    return _receipt(journal.params(workspace), wanted, _judged(path, wanted)[0])


def check_with_pack(path: Path, folder: Path) -> Facts:
    """The receipt for a delivery as far as the pack in `folder` alone can tell; needs no workspace.

    It does not know gold answers, earlier deliveries, or the price. Raises DeliveryError when the folder is no pack.
    """
    try:
        manifest = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
        items = pack.exported_items((folder / "batch.csv").read_bytes())
    except (OSError, ValueError, KeyError) as error:
        raise DeliveryError(f"{folder} is not a pack with MANIFEST.json and batch.csv ({error})") from error
    wanted = _promised(manifest, items, journal.now())
    judged = _judged(path, wanted)[0]
    return receipt.receipt(
        judged,
        received_at=wanted.received_at,
        price=Decimal(0),
        currency="",
        expected_items=len(items),
        complete_items=judging.complete_items(wanted, judged.annotations),
    )


def inbox(workspace: Workspace) -> list[str]:
    """Take every new file in data/inbox, oldest name first; returns what was done, in words."""
    if not workspace.inbox.is_dir():
        return []
    state, said = journal.read(workspace), []
    for path in sorted(workspace.inbox.glob("*.csv")):
        if files.sha256(path) not in state.taken | state.refused:
            answer = ingest(workspace, path).receipt
            rows = cast(dict[str, int], answer["rows"])
            said.append(f"{path.name}: {answer['verdict']}, {rows['accepted']} of {rows['delivered']} rows accepted")
    return said


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
        files.must_be(path, cast(str, facts["delivery"]))
        wanted = replace(wanted, received_at=datetime.fromisoformat(cast(str, facts["received_at"])))
        manifest = intake.read_manifest(path)
        judged = judging.judge(path.read_bytes(), wanted, file=cast(str, facts["file"]), manifest=manifest)
        wanted = _after(wanted, judged)
        yield judged


def answers(judged: Judgement) -> dict[tuple[str, str], str]:
    """What a delivery adds to the answers taken, by item and annotator; a skip is the skip word."""
    return {(one.item_id, one.annotator_id): SKIP if one.label is None else one.label for one in judged.annotations}


def expectation(workspace: Workspace, state: State, name: str, params: Params) -> Expectation:
    """What a delivery for round `name` may hold, by its pack, params and ledger; nothing taken yet."""
    others = [one for one in state.rounds if one.done("exported") and one.id != name]
    manifest = json.loads((workspace.pack(name) / "MANIFEST.json").read_text(encoding="utf-8"))
    return replace(
        _promised(manifest, _items(workspace, name), journal.now()),
        annotators=params.delivery.annotators,
        other_rounds={item: one.id for one in others for item in _items(workspace, one.id)},
        gold=gold(workspace, name),
        bad_row_share=params.delivery.bad_row_share,
        closed=state.round(name).phase in (Phase.CLOSING, Phase.CLOSED),
    )


def _promised(manifest: Mapping[str, Any], items: Mapping[str, Mapping[str, str]], at: datetime) -> Expectation:
    """What a pack says of the deliveries it asks for."""
    return Expectation(
        round=manifest["round"],
        classes=tuple(manifest["classes"]),
        items=items,
        batch=manifest["batch_id"],
        annotators=tuple(manifest["annotators"]),
        overlap=manifest["overlap"]["items"],
        default_overlap=manifest["overlap"]["default"],
        exported_at=datetime.fromisoformat(manifest["exported_at"]),
        received_at=at,
        guideline_sha256=manifest["instructions_sha256"],
        bad_row_share=manifest["bad_row_share"],
    )


def _after(wanted: Expectation, judged: Judgement) -> Expectation:
    """What is expected once a delivery was taken."""
    new = answers(judged)
    origin = {**wanted.origin, **dict.fromkeys(new, judged.sha256)}
    return replace(wanted, taken={**wanted.taken, **new}, origin=origin, known=wanted.known | {judged.sha256})


def _asked(workspace: Workspace, state: State, at: datetime) -> Expectation:
    """What the open round expects now, after the deliveries that stand."""
    current = asked(state)
    wanted = expectation(workspace, state, current.id, journal.params(workspace))
    wanted = reduce(_after, standing(workspace, state, current.id), wanted)
    return replace(wanted, received_at=at, known=state.taken)


def _judged(path: Path, wanted: Expectation) -> tuple[Judgement, bytes | None, bytes | None]:
    """The judgement of the delivery at `path`, its bytes and its manifest's (None: not taken in, none there)."""
    read = intake.read(path, round_id=wanted.round)
    if isinstance(read, Judgement):
        return read, None, None
    manifest = intake.read_manifest(path)
    return judging.judge(read, wanted, file=intake.shown(path.name), manifest=manifest), read, manifest


def _receipt(params: Params, wanted: Expectation, judged: Judgement) -> Facts:
    return receipt.receipt(
        judged,
        received_at=wanted.received_at,
        price=params.delivery.price,
        currency=params.delivery.currency,
        expected_items=len(wanted.items),
        complete_items=judging.complete_items(wanted, judged.annotations),
    )


def _items(workspace: Workspace, name: str) -> dict[str, dict[str, str]]:
    return pack.exported_items((workspace.pack(name) / "batch.csv").read_bytes())


def gold(workspace: Workspace, name: str) -> dict[str, str]:
    """The known answers of the gold items hidden in the pack of round `name`."""
    with (workspace.round(name) / "gold.csv").open(newline="", encoding="utf-8") as file:
        return {row["item_id"]: row["label"] for row in csv.DictReader(file, strict=True)}
