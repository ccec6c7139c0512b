"""When a workspace is made: its tables and papers first, its repository, and the event that makes it real last."""

from pathlib import Path

from flows.serve import prefect_yaml
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts
from tasks import digits, init, journal, version
from tasks.edges import files
from tasks.edges.lock import locked


def from_file(workspace: Workspace, source: Path, **options: object) -> Facts:
    """Make `workspace` out of the table at `source`; the same call again changes nothing. Returns what was made."""
    with locked(workspace, "init"):
        return _begun(workspace, init.init(workspace, source, **options))  # type: ignore[arg-type]


def from_digits(workspace: Workspace) -> Facts:
    """Make `workspace` out of the handwritten digits, their pool's labels hidden; again changes nothing."""
    with locked(workspace, "demo"):
        made = init.created(workspace, digits.ORIGIN)
        if made is not None:
            return made
        draw = init.Draw(initial=digits.INITIAL, test=digits.TEST, hide=True)
        facts = init.init_frame(
            workspace,
            digits.table(),
            label=digits.LABEL,
            id=digits.ID,
            kinds=digits.KINDS,
            draw=draw,
            overrides=digits.PARAMS,
            origin=digits.ORIGIN,
        )
        return _begun(workspace, facts)


def _begun(workspace: Workspace, facts: Facts) -> Facts:
    if not workspace.ledger.is_file():
        _schedule(workspace)
        version.start(workspace)
        journal.append(workspace, "created", BASELINE, facts)
    return facts


def _schedule(workspace: Workspace) -> None:
    """Write prefect.yaml, for a pool of Prefect workers; somebody's own stays."""
    path = workspace.root / "prefect.yaml"
    if not path.exists():
        files.write_text(path, prefect_yaml(workspace.name, journal.params(workspace).schedule))
