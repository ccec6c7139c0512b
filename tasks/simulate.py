"""Simulate: the simulated vendor labels the open round's pack and delivers."""

import json

import numpy as np

from hitl.errors import DataError, MomentError
from hitl.inbox import DONE
from hitl.layout import Workspace, round_number
from hitl.state import Phase
from tasks import expected, journal, receipts
from tasks.edges import files, vendor
from tasks.ingest import Answer


def simulate(
    workspace: Workspace, *, annotators: int = 3, noise: float = 0.05, seed: int = 0, messy: bool = False
) -> list[Answer]:
    """Deliver a labeled pack into data/inbox and take it; with `messy`, first with slips, then the redo file mended.

    Returns our answers in order. The same arguments give the same bytes, so a second call is a known delivery.
    Raises MomentError when no pack is out, DataError when the workspace knows no truth.
    """
    current, rows = answered(workspace, annotators=annotators, noise=noise, seed=seed)
    if not messy:
        return [_deliver(workspace, f"{current}-simulated.csv", vendor.written(rows))]
    first = _deliver(workspace, f"{current}-messy.csv", vendor.written(vendor.messed(rows)))
    if first.redo_path is None:
        return [first]
    held = (
        sorted({one["row"] for one in json.loads(first.receipt_path.read_text())["held"]}) if first.receipt_path else []
    )
    redo = vendor.mended(first.redo_path.read_bytes(), [rows[row - 1] for row in held])
    return [first, _deliver(workspace, f"{current}-redo.csv", redo)]


def answered(
    workspace: Workspace, *, annotators: int = 3, noise: float = 0.05, seed: int = 0
) -> tuple[str, list[vendor.Row]]:
    """The open round, and its batch with the answers filled in; raises as `simulate` does."""
    state = journal.read(workspace)
    current = expected.asked(state)
    if current.phase is not Phase.AWAITING:
        raise MomentError(f"{current.id} is {current.phase}, so no pack waits for labels: run hitl open")
    if not workspace.truth.is_file():
        raise DataError(
            "data/truth.csv is missing: only a workspace made with hitl init --hide (or hitl demo) knows the answers "
            "that a simulated vendor gives; send the pack to people instead"
        )
    rng = np.random.default_rng([seed, round_number(current.id)])
    truth = {**vendor.truth(workspace.truth), **expected.gold(workspace, current.id)}
    ids = expected.sent_ids(workspace, current.id)
    truth = {ids[item]: label for item, label in truth.items() if item in ids}
    return current.id, vendor.label(workspace.pack(current.id), truth, annotators=annotators, noise=noise, rng=rng)


def _deliver(workspace: Workspace, name: str, data: bytes) -> Answer:
    # Where the inbox keeps what was answered: no later advance takes it for a new delivery.
    path = files.private_folder(workspace.inbox / DONE) / name
    files.write_bytes(path, data, mode=files.PRIVATE)
    return receipts.ingested(workspace, path)
