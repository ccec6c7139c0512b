"""Audit: draw what an auditor looks at blindly, take the answers back, and accept the lot or send it back."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, cast

import numpy as np

from hitl import acceptance, audit as auditing, pack
from hitl.acceptance import Plan
from hitl.audit import SHORT, TOLD, Answer, Unit
from hitl.contract import COMMENT, ITEM_ID, LABEL, MODEL_CLASS, MODEL_CONFIDENCE, csv_bytes, neutral, original
from hitl.errors import DataError, MomentError
from hitl.ids import fractions, hashes, ids_of
from hitl.layout import Workspace
from hitl.ledger import Event, Facts, digest, stamp
from hitl.state import Phase, RoundState, State, may
from hitl.visible import quoted
from tasks import expected, journal, undo
from tasks.edges import files, source, tables

AUDIT = "audit"
_SHOWN = 40


class Lot(NamedTuple):
    """All that is accepted or sent back as one: the labels of a round, or the answers of a delivery to it."""

    kind: Literal["round", "delivery"]
    of: str
    round: str
    units: list[Unit]


def draw(
    workspace: Workspace, of: str | None, out: Path | None, *, error: float, good: float, confidence: float, reason: str
) -> Facts:
    """Draw from the lot `of` (a round, by default the newest with labels, or a delivery); write the auditor's file.

    The file (AUDIT, item_id, the columns that annotators saw, then empty label and comment) is in the order in which
    it is to be answered; of labels, annotators and the model it says nothing. The same lot is always drawn from alike,
    and a file of this audit at `out` stays, for somebody may have begun. Raises MomentError where there is no such lot.
    """
    state = journal.read(workspace)
    lot = _lot(workspace, state, of)
    plan = acceptance.plan(len(lot.units), error=error, good=good, confidence=confidence)
    name = _name(lot, plan)
    drawn = _drawn(workspace, lot, plan, name)
    asked: Facts = {"lot": plan.lot, "error": error, "good": good, "confidence": confidence}
    facts: Facts = {"audit": name, "kind": lot.kind, "of": lot.of, **asked, "reason": reason}
    if (known := _event(workspace, "audit_drawn", name)) is None:
        text = csv_bytes([Unit._fields, *drawn])
        facts |= {"audit_drawn_sha256": files.write_bytes(_path(workspace, lot.round, name, "drawn.csv"), text)}
        known = journal.append(workspace, "audit_drawn", lot.round, facts)
    header, *rows = _blind(workspace, lot.round, name, drawn)
    out = Path(f"audit-{name}.csv") if out is None else out
    there = _hand_out(out, name, csv_bytes([header, *rows]))
    likely = round(acceptance.expected_items(plan, plan.good))
    counts = {"rows": len(rows), "least": plan.least, "likely": likely, "most": plan.most}
    return {**known.facts, "round": lot.round, **counts, "out": str(out), "was_there": there}


def close(workspace: Workspace, path: Path, *, auditor: str | None = None) -> Facts:
    """The receipt of the audit whose answers are in the file at `path`, which is kept byte for byte.

    Raises DataError naming what is wrong with the file, MomentError when more answers are needed, when the lot is not
    any more what was drawn from, or when it was judged by other answers before.
    """
    name, answers = _answers(path)
    drawn = _event(workspace, "audit_drawn", name)
    if drawn is None:
        raise DataError(f"{path}: no audit called {quoted(name, _SHOWN)!r} was drawn here; hitl audit sample draws one")
    data = path.read_bytes()
    if known := _event(workspace, "audited", name):
        return _again(workspace, known, data)
    units, classes = _units(workspace, drawn), journal.params_of(workspace, drawn.round).data.classes
    auditing.check(str(path), answers, units, classes)
    plan = _as_drawn(workspace, drawn)
    told, who = {**drawn.facts, "round": drawn.round}, auditor or journal.actor()
    receipt = auditing.receipt(told, plan, units, answers, auditor=who, at=stamp(journal.now()))
    journal.append(workspace, "audited", drawn.round, _kept(workspace, receipt, data))
    return _with_paths(workspace, receipt)


def _lot(workspace: Workspace, state: State, of: str | None) -> Lot:
    if of is None or of.startswith("r"):
        one = _labeled(state) if of is None else state.round(of)
        if one.phase is not Phase.CLOSED or not one.done("resolved"):
            raise MomentError(f"{one.id} is {one.phase} and has no labels to audit: close it first, or name a delivery")
        lot = Lot("round", one.id, one.id, _labels(workspace, one.id))
    else:
        sha256 = undo.named(state, "delivery", of)
        name = next((one.id for one in state.rounds if sha256 in one.standing), None)
        if name is None:
            raise MomentError(f"delivery {sha256[:SHORT]} does not stand, so there is nothing of it to audit")
        lot = Lot("delivery", sha256, name, _delivered(workspace, state, name, sha256))
    if refusal := may(state, "audit_drawn", lot.round):
        raise MomentError(refusal)
    if not lot.units:
        raise MomentError(f"{lot.kind} {lot.of[:SHORT]} holds no label, so there is nothing to audit")
    return lot


def _labeled(state: State) -> RoundState:
    found = next((one for one in reversed(state.closed) if one.done("resolved")), None)
    if found is None:
        raise MomentError("no round has labels yet: they are there when r0001 closes (hitl close); or name a delivery")
    return found


def _labels(workspace: Workspace, name: str) -> list[Unit]:
    """The labels that people gave in the round; gold, whose label was known, is none of the lot."""
    found = tables.read_parquet(workspace.round(name) / "labels.parquet", ["item_id", "label", "from"])
    found, ids = found[found["label"].notna() & (found["from"] != "gold")], expected.sent_ids(workspace, name)
    return sorted(Unit(ids[item], label) for item, label in zip(found["item_id"], found["label"], strict=True))


def _delivered(workspace: Workspace, state: State, name: str, sha256: str) -> list[Unit]:
    """The answers of the delivery that no later one replaced; skips and gold are none of the lot."""
    last = {
        (one.item_id, one.annotator_id): (judged.sha256, one.label)
        for judged in expected.standing(workspace, state, name)
        for one in judged.annotations
    }
    ids = expected.sent_ids(workspace, name)
    known = {ids[item] for item in expected.gold(workspace, name)}
    return sorted(
        Unit(item, label, who)
        for (item, who), (by, label) in last.items()
        if by == sha256 and label is not None and item not in known
    )


def _name(lot: Lot, plan: Plan) -> str:
    """An audit is called by what it audits and asks: what was changed since is another lot."""
    told = [lot.kind, lot.of, [list(unit) for unit in lot.units], [plan.good, plan.bad, plan.confidence]]
    return f"{lot.round}-{digest(told)[:SHORT]}"


def _drawn(workspace: Workspace, lot: Lot, plan: Plan, name: str) -> list[Unit]:
    """The units in the order of the draw, as many as may be needed."""
    seed = journal.params_of(workspace, lot.round).query.seed
    named = ids_of(f"{len(unit.item_id)} {unit.item_id} {unit.annotator_id}" for unit in lot.units)
    order = np.argsort(fractions(hashes(named, AUDIT, seed, name)), kind="stable")
    return [lot.units[place] for place in order[: plan.most]]


def _blind(workspace: Workspace, round_id: str, name: str, drawn: Sequence[Unit]) -> list[list[str]]:
    """The auditor's file, its header first: what annotators saw of each item, and nothing that anybody said of it."""
    sent = pack.exported_items((workspace.pack(round_id) / "batch.csv").read_bytes())
    items = list(dict.fromkeys(unit.item_id for unit in drawn))
    seen = [column for column in sent[items[0]] if column not in (MODEL_CLASS, MODEL_CONFIDENCE)]
    rows = [[name, neutral(item), *(sent[item][column] for column in seen), "", ""] for item in items]
    return [[AUDIT, ITEM_ID, *seen, LABEL, COMMENT], *rows]


def _hand_out(out: Path, name: str, data: bytes) -> bool:
    """Write the auditor's file; whether one of this audit was there, which is left as it is."""
    if not out.exists():
        files.write_bytes(out, data)
        return False
    if _answers(out)[0] != name:
        raise DataError(f"{out} is there and is of another audit; give another name (--out FILE)")
    return True


def _answers(path: Path) -> tuple[str, dict[str, Answer]]:
    """The audit that the file at `path` is of, and what it says of each item."""
    frame = source.read(path)
    missing = [name for name in (AUDIT, ITEM_ID, LABEL) if name not in frame.columns]
    if missing:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; give the file that hitl audit sample wrote, filled in"
        )
    if len(audits := sorted(set(frame[AUDIT]))) > 1:
        raise DataError(f"{path}: rows of several audits ({', '.join(audits[:3])}); close one at a time")
    comments = frame[COMMENT] if COMMENT in frame.columns else [""] * len(frame)
    found: dict[str, Answer] = {}
    for row, (cell, label, comment) in enumerate(zip(frame[ITEM_ID], frame[LABEL], comments, strict=True), start=2):
        if (item := original(cell)) in found:
            raise DataError(f"{path}, row {row}: item {quoted(item, _SHOWN)!r} stands there twice; leave one row of it")
        found[item] = Answer(row, label.strip(), comment)
    return audits[0], found


def _units(workspace: Workspace, drawn: Event) -> list[Unit]:
    path = _path(workspace, drawn.round, str(drawn.facts["audit"]), "drawn.csv")
    files.must_be(path, cast(str, drawn.facts["audit_drawn_sha256"]))
    with path.open(newline="", encoding="utf-8") as file:
        return [Unit(**row) for row in csv.DictReader(file, strict=True)]


def _as_drawn(workspace: Workspace, drawn: Event) -> Plan:
    """The plan of the audit; raises MomentError when its lot is not any more what was drawn from."""
    facts = cast(dict[str, float], drawn.facts)
    lot = _lot(workspace, journal.read(workspace), str(facts["of"]))
    plan = acceptance.plan(len(lot.units), error=facts["error"], good=facts["good"], confidence=facts["confidence"])
    if _name(lot, plan) != drawn.facts["audit"]:
        raise MomentError(
            f"audit {facts['audit']} was drawn before something of {lot.kind} {lot.of[:SHORT]} was withdrawn or "
            f"revised: draw anew with hitl audit sample {lot.of[:SHORT]}"
        )
    return plan


def _kept(workspace: Workspace, receipt: Facts, data: bytes) -> Facts:
    """Keep the answers and the receipt; what the ledger says of them."""
    from tasks.edges.audit_page import audit_html  # drawing does not wait for jinja2

    papers = {"answers.csv": data, "receipt.json": files.as_json(receipt), "receipt.html": audit_html(receipt)}
    place = (workspace, str(receipt["round"]), str(receipt["audit"]))
    digests = [files.write_bytes(_path(*place, end), paper) for end, paper in papers.items()]
    named = zip(("audit_answers_sha256", "audit_receipt_sha256", "audit_html_sha256"), digests, strict=True)
    return {**{key: receipt[key] for key in TOLD}, **dict(named)}


def _again(workspace: Workspace, known: Event, data: bytes) -> Facts:
    place = (workspace, known.round, str(known.facts["audit"]))
    if _path(*place, "answers.csv").read_bytes() == data:
        return _with_paths(workspace, json.loads(_path(*place, "receipt.json").read_bytes()))
    raise MomentError(
        f"audit {known.facts['audit']} was closed at {known.at} by other answers: {known.facts['verdict']}. A lot is "
        f"judged once; its receipt is {_path(*place, 'receipt.html')}"
    )


def _with_paths(workspace: Workspace, receipt: Facts) -> Facts:
    path = _path(workspace, str(receipt["round"]), str(receipt["audit"]), "receipt.html")
    return {**receipt, "receipt": str(path)}


def _event(workspace: Workspace, event: str, name: str) -> Event | None:
    """The event of the audit called `name`; None when there is none."""
    found = (one for one in journal.events(workspace) if one.event == event and one.facts["audit"] == name)
    return next(found, None)


def _path(workspace: Workspace, round_id: str, name: str, end: str) -> Path:
    return workspace.round(round_id) / "audits" / f"{name}.{end}"
