"""Receipts: our answers to deliveries, put where the vendor finds them. No name in the outbox is a stranger's."""

import json
import logging
from pathlib import Path

from hitl import inbox as names
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks.edges import files, inbox as folders
from tasks.edges.inbox import Folder, Unreachable
from tasks.ingest import Answer, ingest

log = logging.getLogger("hitl")
RECEIPT = ".receipt.json"
PAPERS = (".redo.csv", ".receipt.html", RECEIPT)
"""The papers of an answer; the receipt is the last to appear, and stands for all of them."""


def ingested(workspace: Workspace, path: Path, *, accept_loss: bool = False) -> Answer:
    """Ingest the file at `path`, and put the answer into the outbox; says it when that is out of reach."""
    answer = ingest(workspace, path, accept_loss=accept_loss)
    try:
        hand_out(workspace, folders.outbox(workspace), answer.receipt)
    except Unreachable as why:
        log.warning("the outbox is out of reach (%s): the receipt is in %s", why, answer.receipt_path or "no file")
    return answer


def hand_out(workspace: Workspace, outbox: Folder, receipt: Facts, look: str = "") -> None:
    """Put the papers of a receipt into the outbox, once for each file name and its bytes.

    What the ledger speaks of goes out as it lies in data/deliveries; a file that was refused unread is known by its
    `look`. Raises Unreachable.
    """
    begins = names.stem(str(receipt["file"]), str(receipt["delivery"]) or look)
    stored = _stored(workspace, receipt)
    if not stored and outbox.read(begins + RECEIPT) is not None:
        return
    papers = stored or _written(receipt)
    for end, data in papers.items():
        if outbox.read(begins + end) != data:
            outbox.write(begins + end, data)


def is_out(outbox: Folder, file: str, sha256: str) -> bool:
    """Whether the answer to a file of that name and digest (or look, where it was refused unread) is in the outbox."""
    return outbox.read(names.stem(file, sha256) + RECEIPT) is not None


def _stored(workspace: Workspace, receipt: Facts) -> dict[str, bytes]:
    """The papers that data/deliveries holds of this very delivery; none where its bytes came under another name."""
    paths = {end: workspace.deliveries / f"{receipt['delivery']}{end}" for end in PAPERS}
    if not receipt["delivery"] or not paths[RECEIPT].is_file():
        return {}
    found = {end: path.read_bytes() for end, path in paths.items() if path.is_file()}
    return found if json.loads(found[RECEIPT])["file"] == receipt["file"] else {}


def _written(receipt: Facts) -> dict[str, bytes]:
    from tasks.edges.receipt_page import receipt_html  # hitl ingest answers without waiting for jinja2

    return {".receipt.html": receipt_html(receipt).encode(), RECEIPT: files.as_json(receipt)}
