"""Pull: take what annotators have finished at a labeling tool, through the same door as a file that somebody brings."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from hitl import pull as decide
from hitl.delivery.intake_rules import MANIFEST_SUFFIX
from hitl.delivery.reasons import Reason
from hitl.errors import HitlError, MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.state import RoundState
from tasks import expected, journal, push, receipts
from tasks.edges import doccano, files, label_studio
from tasks.ingest import Answer


def pull(workspace: Workspace, tool: str | None = None) -> list[Answer]:
    """Take the answers to the open round from every tool it was pushed to, or from `tool` alone; our answer to each.

    Nothing where nobody has finished anything. Raises MomentError when the round was pushed nowhere, and what a server
    says.
    """
    current = push.awaiting(workspace)
    found = [one for one in current.places if tool in (None, one["tool"])]
    if not found:
        raise MomentError(f"{current.id} was pushed to no {tool or 'tool'}: run hitl push first")
    taken = [_taken(workspace, current.id, one) for one in found]
    return [one for one in taken if one is not None]


def due(workspace: Workspace, current: RoundState) -> list[str]:
    """What `hitl advance` does: pull where the open round was pushed. A server out of reach makes answers wait."""
    return [_said(workspace, current.id, one) for one in current.places]


def is_old(answer: Answer) -> bool:
    """Whether a pull brought nothing that was not taken before."""
    return answer.receipt["reasons"] == [Reason.F_DUPLICATE_DELIVERY]


def _said(workspace: Workspace, name: str, place: Facts) -> str:
    try:
        answer = _taken(workspace, name, place)
    except HitlError as why:
        return f"answers wait at the tool: {why}"
    if answer is None:
        return f"{place['tool']}: nobody has finished anything yet"
    if is_old(answer):
        return f"{place['tool']}: nothing new since the last pull"
    rows, verdict = cast(Mapping[str, int], answer.receipt["rows"]), answer.receipt["verdict"]
    return f"{answer.receipt['file']}: {verdict}, {rows['accepted']} of {rows['delivered']} rows accepted"


def _taken(workspace: Workspace, name: str, place: Facts) -> Answer | None:
    tool, url, project = str(place["tool"]), str(place["url"]), cast(int, place["project"])
    suffix, made = MADE[tool]
    batch_id = expected.manifest(workspace, name)["batch_id"]
    source = decide.source(tool, url, project)
    taken = expected.now(workspace, journal.read(workspace), journal.now()).sources
    before = [sha256 for sha256, of in taken.items() if of == source]
    exported = push.TOOLS[tool](url).export(project)
    data = _latest(lambda mark: made(exported, batch_id, mark), before)
    if not data:
        return None
    path = files.private_folder(workspace.local / "pulled") / f"{tool}-{name}{suffix}"
    manifest = {"batch_id": batch_id, "source": source}
    try:
        files.write_bytes(path, data, mode=files.PRIVATE)
        files.write_json(path.with_name(path.name + MANIFEST_SUFFIX), manifest, mode=files.PRIVATE)
        return receipts.ingested(workspace, path)
    finally:
        files.emptied(workspace.local / "pulled")


def _latest(made: Callable[[str], bytes], before: Sequence[str]) -> bytes:
    """The bytes that tell how things stand, where those `before` (sha256) were told in this order.

    An answer may be changed and changed back, and then nothing but the mark of what came before tells the newest bytes
    from older ones. Where nothing changed since the last, they are its bytes once more.
    """
    last, earlier = [*reversed(before), "", ""][:2]
    again = made(earlier)
    return again if hashlib.sha256(again).hexdigest() == last else made(last)


def _snapshot(data: bytes, batch_id: str, mark: str) -> bytes:  # noqa: ARG001 - it tells when each answer was changed
    return decide.snapshot(data, batch_id)


def _confirmed(data: bytes, batch_id: str, mark: str) -> bytes:
    """The rows of a batch in doccano's zip, as another that holds the mark; b"" where there are none."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        rows = {name: _lines(packed.read(name)) for name in packed.namelist()}
    kept = decide.confirmed(rows, batch_id)
    return doccano.packed(kept, mark) if kept else b""


def _lines(data: bytes) -> Sequence[Mapping[str, Any]]:
    return [json.loads(line) for line in data.decode().splitlines() if line.strip()]


MADE: Mapping[str, tuple[str, Callable[[bytes, str, str], bytes]]] = {
    label_studio.NAME: (".json", _snapshot),
    doccano.NAME: (".zip", _confirmed),
}
"""How the file is called, and what is made of a tool's export: the answers to one batch, in one order."""
