"""Ingest: take deliveries, answer each with a receipt, keep every byte."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

from hitl.delivery import intake_rules, receipt
from hitl.delivery.expectation import Expectation
from hitl.delivery.judgement import Judgement, refused
from hitl.delivery.reasons import Reason
from hitl.delivery.taken import Taken
from hitl.errors import DeliveryError
from hitl.formats import door
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.state import State
from tasks import expected, journal
from tasks.edges import files, git, intake
from tasks.edges.intake import Copy

_TOLD = ("delivery", "file", "received_at", "verdict", "reasons", "warnings", "rows", "revised", "payable")


@dataclass(frozen=True, slots=True)
class Answer:
    """Our answer to one delivery: the receipt, where it lies, and the redo file when rows are held."""

    receipt: Facts
    receipt_path: Path | None
    redo_path: Path | None


def ingest(workspace: Workspace, path: Path, *, accept_loss: bool = False) -> Answer:
    """Take the delivery at `path` for the open round.

    Its bytes, receipt and redo file are kept in data/deliveries under its sha256 before the ledger speaks of them.
    Bytes that were answered before change nothing.
    `accept_loss` takes a tool's export that drops what another one has.
    Raises MomentError when no round was ever exported.
    """
    git.require_branch(workspace.root)
    state = journal.read(workspace)
    wanted = expected.now(workspace, state, journal.now())
    wanted = expected.accepting_loss(wanted) if accept_loss else wanted
    price, currency = _agreed(state)
    with judging(path, wanted, folder=workspace.local / "arriving") as (judged, copy, manifest):
        said = _receipt(wanted, judged, price, currency)
        if copy is None or Reason.F_DUPLICATE_DELIVERY in judged.reasons:
            return Answer(said, None, None)
        if judged.verdict == "reject" and judged.sha256 in state.refused:
            return Answer(said, None, None)  # rejected again: the ledger knows
        files.private_folder(workspace.deliveries)
        facts = _kept(workspace.deliveries, judged, said, copy, manifest)
        facts |= {"accept_loss": True} if accept_loss and judged.tool else {}
    event = "refused" if judged.verdict == "reject" else "delivered"
    journal.append(workspace, event, expected.asked(state).id, facts)
    name = workspace.deliveries / judged.sha256
    redo = name.with_suffix(".redo.csv") if "redo_sha256" in facts else None
    return Answer(said, name.with_suffix(".receipt.json"), redo)


def refuse(workspace: Workspace, name: str, reason: Reason) -> Facts:
    """The receipt of a file called `name` that is refused unread."""
    state = journal.read(workspace)
    wanted = expected.now(workspace, state, journal.now())
    judged = refused(reason, round_id=wanted.round, file=intake_rules.shown(name))
    return _receipt(wanted, _unread(judged, wanted), *_agreed(state))


def check(workspace: Workspace, path: Path, *, accept_loss: bool = False) -> Facts:
    """The receipt that `ingest` would give; changes nothing."""
    state = journal.read(workspace)
    wanted = expected.now(workspace, state, journal.now())
    wanted = expected.accepting_loss(wanted) if accept_loss else wanted
    with judging(path, wanted) as (judged, _, _):
        return _receipt(wanted, judged, *_agreed(state))


def check_with_pack(path: Path, folder: Path, *, accept_loss: bool = False) -> Facts:
    """The receipt for a delivery as far as the pack in `folder` alone can tell; needs no workspace.

    It does not know gold answers, earlier deliveries, or the price. Raises DeliveryError when the folder is no pack.
    """
    wanted = asked_by(folder, journal.now())
    wanted = expected.accepting_loss(wanted) if accept_loss else wanted
    with judging(path, wanted) as (judged, _, _):
        return _receipt(wanted, judged, Decimal(0), "")


def asked_by(folder: Path, at: datetime) -> Expectation:
    """What the pack in `folder` asks of a delivery that comes at this moment; raises DeliveryError when it is none."""
    try:
        manifest = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
        items = intake.exported(folder / "batch.csv")
        len(items)
    except (OSError, ValueError, LookupError, csv.Error) as error:
        raise DeliveryError(f"{folder} is not a pack with MANIFEST.json and batch.csv ({error})") from error
    return expected.promised(manifest, items, at)


def _agreed(state: State) -> tuple[Decimal, str]:
    """The price of an annotation and its currency, as they were when the pack went out."""
    exported = expected.asked(state).facts["exported"]
    return Decimal(cast(str, exported["price"])), cast(str, exported["currency"])


@contextmanager
def judging(
    path: Path, wanted: Expectation, *, folder: Path | None = None
) -> Iterator[tuple[Judgement, Copy | None, bytes | None]]:
    """The judgement of the delivery at `path`, our copy of it and its manifest (None: not taken in, none there)."""
    limit, exports, file = wanted.size_limit, wanted.reading.format != door.CSV, intake_rules.shown(path.name)
    with intake.taken(path, folder=folder, round_id=wanted.round, limit=limit, exports=exports) as copy:
        if isinstance(copy, Judgement):
            yield _unread(copy, wanted), None, None
            return
        manifest = intake.read_manifest(path)
        judged = expected.judged(copy, wanted, file=file, manifest=manifest)
        fault = intake_rules.name_fault(path.name)
        if fault and not judged.tool and Reason.F_EXPORT not in judged.reasons:  # no tool's, so the name counts
            yield _unread(refused(fault, round_id=wanted.round, file=file), wanted), None, None
        else:
            yield judged, copy, manifest


def _unread(judged: Judgement, wanted: Expectation) -> Judgement:
    """A file that was refused unread leaves as many items complete as there were."""
    return replace(judged, complete=Taken.of(wanted).complete)


def _kept(folder: Path, judged: Judgement, said: Facts, copy: Copy, manifest: bytes | None) -> Facts:
    """Keep the delivery, its receipt and its redo file in `folder`; what the ledger says of them."""
    from tasks.edges.receipt_page import receipt_html  # hitl check answers without waiting for jinja2

    name = judged.sha256
    copy.keep(folder / f"{name}.csv")
    facts = {key: said[key] for key in _TOLD} | ({"tool": said["tool"]} if "tool" in said else {})
    if manifest is not None:
        beside = folder / f"{name}.csv{intake_rules.MANIFEST_SUFFIX}"
        facts["manifest_sha256"] = files.write_bytes(beside, manifest, mode=files.PRIVATE)
    facts["receipt_sha256"] = files.write_json(folder / f"{name}.receipt.json", said, mode=files.PRIVATE)
    page = receipt_html(said).encode()
    facts["receipt_html_sha256"] = files.write_bytes(folder / f"{name}.receipt.html", page, mode=files.PRIVATE)
    if judged.quarantined:
        redo = receipt.redo_parts(judged)
        facts["redo_sha256"] = files.write_parts(folder / f"{name}.redo.csv", redo, mode=files.PRIVATE)
    return facts


def _receipt(wanted: Expectation, judged: Judgement, price: Decimal, currency: str) -> Facts:
    return receipt.receipt(
        judged,
        received_at=wanted.received_at,
        price=price,
        currency=currency,
        expected_items=len(wanted.items),
        complete_items=judged.complete,
    )
