"""Verify: the chain, every digest that the ledger speaks of, and the anchors of its head, offline."""

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from hitl.errors import HitlError, IntegrityError, MomentError
from hitl.firewall import leaks
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.state import State
from tasks import firewall, journal
from tasks.edges import files, lock, pool, tables, verifier

LOOKS = 3
"""How often we look again while other commands write."""


def verify(workspace: Workspace) -> Facts:
    """Check the ledger's chain and moves, the digest of every file it names, and the heads that others remember.

    Returns what `verifier.verify` does: the counts, and `problems`. Raises MomentError when something seems wrong while
    another command is at work: what that one writes cannot be compared yet.
    """
    for _ in range(LOOKS):
        before = workspace.ledger.read_bytes()
        found = verifier.verify(workspace.root, partial(pool.digest, workspace))
        found["problems"] = [_mendable(workspace, one) for one in found["problems"]]
        found["problems"] = found["problems"] or _moves(workspace)
        found["problems"] += _leaks(workspace, {one["file"] for one in found["problems"]})
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


def _mendable(workspace: Workspace, one: Facts) -> Facts:
    """The problem as it is, or, of a pool that lies elsewhere, with where its files are to be put back."""
    inside = str(one["file"]).startswith(f"{workspace.pool.relative_to(workspace.root).as_posix()}/")
    if not inside or not pool.is_elsewhere():
        return one
    return {**one, "mend": f"put the file back where {pool.VARIABLE} says the pool is: {pool.where(workspace)}"}


def _moves(workspace: Workspace) -> list[Facts]:
    """A problem when the events are chained well, and tell what cannot have happened."""
    try:
        journal.read_anew(workspace)
    except IntegrityError as error:
        return [verifier.Problem(verifier.LEDGER, str(error), verifier.NO_COPY)._asdict()]
    return []


def _leaks(workspace: Workspace, broken: Collection[str]) -> list[Facts]:
    """A problem for each table that holds an item of the test set where none may be; those in `broken` are not read."""
    try:
        state = journal.read(workspace)
    except IntegrityError:
        return []  # of a ledger that nobody can read more was said already
    if workspace.test.relative_to(workspace.root).as_posix() in broken:
        return []  # which items are in the test set is known again when that is mended
    try:
        return list(_leaking(workspace, state, broken))
    except HitlError as error:
        unread = f"no leak of test items could be looked for: {error}"
        return [verifier.Problem("params.yaml", unread, "git diff params.yaml")._asdict()]


def _leaking(workspace: Workspace, state: State, broken: Collection[str]) -> Iterator[Facts]:
    params = journal.params(workspace)
    test = firewall.wall(workspace, params)
    batches = [workspace.round(one.id) / "items.parquet" for one in state.rounds if one.done("selected")]
    tabled = [path for path in (workspace.initial, workspace.labeled, workspace.gold, *batches) if path.exists()]
    for path, name in [(path, path.relative_to(workspace.root).as_posix()) for path in tabled]:
        if name in broken:
            continue
        if leaked := leaks(tables.read_parquet(path, ["item_id", *params.features]), test):
            yield verifier.Problem(name, firewall.told(name, leaked), "hitl init in a new folder")._asdict()
