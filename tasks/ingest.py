"""Ingest: take deliveries, answer each with a receipt, keep every byte."""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from hitl import pack
from hitl.delivery import intake_rules, judge as judging, receipt
from hitl.delivery.expectation import Expectation
from hitl.delivery.judgement import Judgement
from hitl.delivery.reasons import Reason
from hitl.errors import DeliveryError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params
from tasks import expected, journal
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
    wanted = expected.now(workspace, state, journal.now())
    judged, data, manifest = _judged(path, wanted)
    said = _receipt(journal.params(workspace), wanted, judged)
    if data is None or Reason.F_DUPLICATE_DELIVERY in judged.reasons:
        return Answer(said, None, None)
    if judged.verdict == "reject" and judged.sha256 in state.refused:
        return Answer(said, None, None)  # rejected again: the ledger knows
    folder, name = workspace.deliveries, judged.sha256
    files.write_bytes(folder / f"{name}.csv", data)
    if manifest is not None:
        files.write_bytes(folder / f"{name}.csv{intake_rules.MANIFEST_SUFFIX}", manifest)
    facts = {
        key: said[key]
        for key in ("delivery", "file", "received_at", "verdict", "reasons", "warnings", "rows", "payable")
    }
    facts["receipt_sha256"] = files.write_json(folder / f"{name}.receipt.json", said)
    if judged.held:
        facts["redo_sha256"] = files.write_bytes(folder / f"{name}.redo.csv", receipt.redo_csv(judged))
    event = "refused" if judged.verdict == "reject" else "delivered"
    journal.append(workspace, event, expected.asked(state).id, facts)
    return Answer(said, folder / f"{name}.receipt.json", folder / f"{name}.redo.csv" if judged.held else None)


def check(workspace: Workspace, path: Path) -> Facts:
    """The receipt that `ingest` would give; changes nothing."""
    wanted = expected.now(workspace, journal.read(workspace), journal.now())
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
    wanted = expected.promised(manifest, items, journal.now())
    judged = _judged(path, wanted)[0]
    return receipt.receipt(
        judged,
        received_at=wanted.received_at,
        price=Decimal(0),
        currency="",
        expected_items=len(items),
        complete_items=judging.complete_items(wanted, judged.annotations),
    )


def _judged(path: Path, wanted: Expectation) -> tuple[Judgement, bytes | None, bytes | None]:
    """The judgement of the delivery at `path`, its bytes and its manifest's (None: not taken in, none there)."""
    read = intake.read(path, round_id=wanted.round)
    if isinstance(read, Judgement):
        return read, None, None
    manifest = intake.read_manifest(path)
    return judging.judge(read, wanted, file=intake_rules.shown(path.name), manifest=manifest), read, manifest


def _receipt(params: Params, wanted: Expectation, judged: Judgement) -> Facts:
    return receipt.receipt(
        judged,
        received_at=wanted.received_at,
        price=params.delivery.price,
        currency=params.delivery.currency,
        expected_items=len(wanted.items),
        complete_items=judging.complete_items(wanted, judged.annotations),
    )
