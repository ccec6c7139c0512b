"""Verify: every digest that the ledger speaks of against the files there are, offline."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.state import RoundState, State
from tasks import journal
from tasks.edges import files, git


def verify(workspace: Workspace) -> Facts:
    """Check the chain of the ledger, the digest of every file it names, and the head that each round's tag anchors.

    Returns the counts and `problems`, a sentence each; raises IntegrityError when the chain itself is broken.
    """
    events = journal.events(workspace)
    state = journal.read(workspace)
    named = dict(_named(workspace, state))
    problems = [problem for path, digest in sorted(named.items()) if (problem := _problem(workspace, path, digest))]
    problems += _anchors(workspace, {event.round: event.hash for event in events if event.event == "closed"})
    return {"events": len(events), "files": len(named), "head": state.head, "problems": problems}


def _named(workspace: Workspace, state: State) -> Iterator[tuple[Path, str]]:
    created = state.rounds[0].facts["created"]
    for name, digest in cast(dict[str, str], created["files"]).items():
        yield workspace.root / name, digest
    for one in state.rounds:
        yield from _of_round(workspace, one)
    labeled = next((one.facts["resolved"] for one in reversed(state.rounds) if one.done("resolved")), None)
    if labeled is not None:
        yield workspace.labeled, cast(str, labeled["labeled_sha256"])


def _of_round(workspace: Workspace, one: RoundState) -> Iterator[tuple[Path, str]]:
    for name, digest in cast(dict[str, str], one.facts.get("closed", {}).get("files", {})).items():
        yield workspace.root / name, digest
    for name, digest in cast(dict[str, str], one.facts.get("exported", {}).get("files", {})).items():
        yield workspace.pack(one.id) / name, digest
    for facts in (*one.deliveries, *one.refused):
        delivery = cast(str, facts["delivery"])
        yield workspace.deliveries / f"{delivery}.csv", delivery
        yield workspace.deliveries / f"{delivery}.receipt.json", cast(str, facts["receipt_sha256"])
        if "redo_sha256" in facts:
            yield workspace.deliveries / f"{delivery}.redo.csv", cast(str, facts["redo_sha256"])


def _problem(workspace: Workspace, path: Path, digest: str) -> str | None:
    shown = path.relative_to(workspace.root)
    if not path.is_file():
        return f"{shown} is missing; bring it back: dvc checkout"
    found = files.sha256(path)
    return None if found == digest else f"{shown} was changed: sha256 {found[:12]}, the ledger says {digest[:12]}"


def _anchors(workspace: Workspace, heads: dict[str, str]) -> Iterator[str]:
    for name, message in git.tags(workspace.root).items():
        if name in heads and heads[name] not in message:
            yield f"git tag {name} anchors another ledger than data/ledger.jsonl: one of them was rewritten"
