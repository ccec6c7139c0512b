"""The pool's files as a round finds them: how many items they hold, and those that came since the last opening."""

from hitl.layout import Workspace, round_number
from hitl.ledger import Facts
from tasks import journal
from tasks.edges import pool, tables


def rows(workspace: Workspace) -> int:
    """The items in the pool's files, answered or not, from their footers alone."""
    return tables.row_count(pool.parts(workspace))


def found(workspace: Workspace, round_id: str) -> Facts:
    """What the opening of the round says of the pool: `pool_rows`, and `files` with the sha256 of each that is new."""
    return {"pool_rows": rows(workspace)} | ({"files": new} if (new := _new(workspace, round_id)) else {})


def _new(workspace: Workspace, round_id: str) -> dict[str, str]:
    """The digests of the files that no event names before the round."""
    before = journal.read(workspace).rounds[: round_number(round_id)]
    said = [one.facts.get(event, {}).get("files", {}) for one in before for event in ("created", "opened")]
    known, folder = set[str]().union(*said), workspace.pool.relative_to(workspace.root).as_posix()  # type: ignore[arg-type]
    names = [f"{folder}/{name}" for name in pool.listed(workspace)]
    return {name: pool.digest(workspace, name) for name in names if name not in known}
