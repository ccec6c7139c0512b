"""Ingest: take deliveries, answer each with a receipt, keep every byte."""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

from hitl import delivery, receipt
from hitl.delivery import Expectation, Judgement
from hitl.errors import MomentError
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import Phase, RoundState, State
from tasks import journal
from tasks.edges import files, intake


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
    state, at = journal.read(workspace), journal.now()
    judged, data, manifest = _judged(workspace, state, path, at)
    if data is None or "F_DUPLICATE_DELIVERY" in judged.reasons:
        return Answer(_receipt(workspace, state, judged, at), None, None)
    folder, name = workspace.deliveries, judged.sha256
    files.write_bytes(folder / f"{name}.csv", data)
    if manifest is not None:
        files.write_bytes(folder / f"{name}.manifest.json", manifest)
    said = _receipt(workspace, state, judged, at)
    facts = {key: said[key] for key in ("delivery", "file", "received_at", "verdict", "reasons", "warnings", "rows", "payable")}
    facts["receipt_sha256"] = files.write_json(folder / f"{name}.receipt.json", said)
    if judged.held:
        facts["redo_sha256"] = files.write_bytes(folder / f"{name}.redo.csv", receipt.redo_csv(judged))
    event = "refused" if judged.verdict == "reject" else "delivered"
    journal.append(workspace, event, asked(state).id, facts)
    return Answer(said, folder / f"{name}.receipt.json", folder / f"{name}.redo.csv" if judged.held else None)


def check(workspace: Workspace, path: Path) -> Facts:
    """The receipt that `ingest` would give; changes nothing."""
    state, at = journal.read(workspace), journal.now()
    return _receipt(workspace, state, _judged(workspace, state, path, at)[0], at)


def inbox(workspace: Workspace) -> list[str]:
    """Take every new file in data/inbox, oldest name first; returns what was done, in words."""
    if not workspace.inbox.is_dir():
        return []
    known, said = journal.read(workspace).known(), []
    for path in sorted(workspace.inbox.glob("*.csv")):
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() not in known:
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
    wanted = expectation(workspace, state, name, journal.params(workspace))
    taken: dict[tuple[str, str], str] = {}
    for facts in state.round(name).deliveries:
        path = workspace.deliveries / f"{facts['delivery']}.csv"
        files.must_be(path, cast(str, facts["delivery"]))
        at = datetime.fromisoformat(cast(str, facts["received_at"]))
        now = replace(wanted, received_at=at, taken=dict(taken))
        judged = delivery.judge(path.read_bytes(), now, file=cast(str, facts["file"]), manifest=_sidecar(path))
        taken.update(answers(judged))
        yield judged


def answers(judged: Judgement) -> dict[tuple[str, str], str]:
    """What a delivery adds to the answers taken, by item and annotator; a skip is the skip word."""
    return {(one.item_id, one.annotator_id): delivery.SKIP if one.label is None else one.label for one in judged.annotations}


def expectation(workspace: Workspace, state: State, name: str, params: Params) -> Expectation:
    """What a delivery for round `name` may hold, by its pack, params and ledger; nothing taken yet."""
    exported = state.round(name).facts["exported"]
    manifest = json.loads((workspace.pack(name) / "MANIFEST.json").read_text(encoding="utf-8"))
    return Expectation(
        round=name,
        classes=params.data.classes,
        items=_items(workspace, name),
        annotators=params.delivery.annotators,
        overlap=manifest["overlap"]["items"],
        exported_at=datetime.fromisoformat(cast(str, exported["exported_at"])),
        received_at=journal.now(),
        taken={},
        known=frozenset(),
        other_rounds={item: one.id for one in state.rounds if one.done("exported") and one.id != name for item in _items(workspace, one.id)},
        gold=gold(workspace, name),
        bad_row_share=params.delivery.bad_row_share,
        closed=state.round(name).phase in (Phase.CLOSING, Phase.CLOSED),
    )


def _judged(
    workspace: Workspace, state: State, path: Path, at: datetime
) -> tuple[Judgement, bytes | None, bytes | None]:
    read = intake.read(path)
    if isinstance(read, Judgement):
        return read, None, None
    current, params = asked(state), journal.params(workspace)
    taken = {key: said for judged in standing(workspace, state, current.id) for key, said in answers(judged).items()}
    wanted = replace(expectation(workspace, state, current.id, params), received_at=at, taken=taken, known=state.known())
    manifest = _sidecar(path)
    return delivery.judge(read, wanted, file=path.name, manifest=manifest), read, manifest


def _receipt(workspace: Workspace, state: State, judged: Judgement, at: datetime) -> Facts:
    current, params = asked(state), journal.params(workspace)
    wanted = expectation(workspace, state, current.id, params)
    given = [key for one in standing(workspace, state, current.id) for key in answers(one)] + list(answers(judged))
    counts: dict[str, int] = {}
    for item_id, _ in given:
        counts[item_id] = counts.get(item_id, 0) + 1
    complete = sum(counts.get(item_id, 0) >= wanted.overlap.get(item_id, 1) for item_id in wanted.items)
    return receipt.receipt(
        judged,
        round=current.id,
        received_at=at,
        price=Decimal(params.delivery.price),
        currency=params.delivery.currency,
        expected_items=len(wanted.items),
        complete_items=complete,
    )


def _items(workspace: Workspace, name: str) -> dict[str, dict[str, str]]:
    with (workspace.pack(name) / "batch.csv").open(newline="", encoding="utf-8") as file:
        return {row["item_id"]: row for row in csv.DictReader(file, strict=True)}


def gold(workspace: Workspace, name: str) -> dict[str, str]:
    """The known answers of the gold items hidden in the pack of round `name`."""
    with (workspace.round(name) / "gold.csv").open(newline="", encoding="utf-8") as file:
        return {row["item_id"]: row["label"] for row in csv.DictReader(file, strict=True)}


def _sidecar(path: Path) -> bytes | None:
    sidecar = path.with_name(f"{path.name.removesuffix('.csv')}.manifest.json")
    return sidecar.read_bytes() if sidecar.is_file() else None
