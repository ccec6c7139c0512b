"""Verify: the chain, every digest that the ledger speaks of, and the anchors of its head, offline."""

from pathlib import Path

from hitl.errors import IntegrityError, MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import journal
from tasks.edges import files, lock, verifier

LOOKS = 3
"""How often we look again while other commands write."""


def verify(workspace: Workspace) -> Facts:
    """Check the ledger's chain and moves, the digest of every file it names, and the heads that others remember.

    Returns what `verifier.verify` does: the counts, and `problems`. Raises MomentError when something seems wrong while
    another command is at work: what that one writes cannot be compared yet.
    """
    for _ in range(LOOKS):
        before = workspace.ledger.read_bytes()
        found = verifier.verify(workspace.root)
        found["problems"] = found["problems"] or _moves(workspace)
        if not found["problems"]:
            return found
        who = lock.holder(workspace)
        if who is None and workspace.ledger.read_bytes() == before:
            return found
    raise MomentError(f"{who or 'another command'} is at work in {workspace.root}: verify again when it is done")


def standalone(path: Path) -> Facts:
    """Write the verifier to `path`: one file, which needs Python 3.9 and nothing else."""
    return {"verifier": str(path), "sha256": files.write_bytes(path, Path(verifier.__file__).read_bytes())}


def text(found: Facts) -> str:
    """What `verify` found, in a few lines."""
    return verifier.text(found)


def _moves(workspace: Workspace) -> list[Facts]:
    """A problem when the events are chained well, and tell what cannot have happened."""
    try:
        journal.read(workspace)
    except IntegrityError as error:
        return [verifier.Problem(verifier.LEDGER, str(error), verifier.NO_COPY)._asdict()]
    return []
