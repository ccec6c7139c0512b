"""When, for repair: an undo and all that is rebuilt after it, what an undo would change, and a rollback."""

from typing import cast

from flows.engine import direct
from flows.rounds import publish, rebuild
from hitl import outcome
from hitl.errors import MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.withdrawal import Kind
from tasks import journal
from tasks.edges.lock import locked


def undo(workspace: Workspace, kind: Kind, of: str, *, reason: str) -> Facts:
    """Withdraw a delivery, an annotator's answers or a round, and rebuild what followed from them.

    Said again it completes a rebuilding that was cut short, and changes nothing else. Raises MomentError when nothing
    of it stands, or a round is half way through opening or closing.
    """
    from tasks import version

    with locked(workspace, "undo"):
        version.ready(workspace)
        journal.read_anew(workspace)
        rebuild(workspace, direct)
        publish(workspace, direct)
        facts = withdrawn(workspace, kind, of, reason)
        publish(workspace, direct)
        return outcome.undone(journal.read(workspace), facts)


def preview(workspace: Workspace, kind: Kind, of: str, *, reason: str) -> Facts:
    """What `undo` would change, found by doing it to a copy; `labels` counts those that would change, by round."""
    from tasks import undo as undoing
    from tasks.edges.scratch import scratch

    with locked(workspace, "undo --dry-run"), scratch(workspace) as copy:
        rebuild(copy, direct)
        facts = withdrawn(copy, kind, of, reason)
        void = cast(list[str], facts["rounds"])
        labels = {name: undoing.labels_changed(workspace, copy, name) for name in void}
        return {**outcome.undone(journal.read(copy), facts), "labels": labels}


def rollback(workspace: Workspace, *, reason: str) -> Facts:
    """Make the champion before the present one champion again; raises MomentError when there is none.

    Said again with the same reason before another round closes, it completes what was cut short and goes no further.
    """
    from tasks import undo as undoing, version

    with locked(workspace, "rollback"):
        version.ready(workspace)
        done = undoing.rolled_back(journal.read(workspace), reason)
        name, facts = done or undoing.rollback(workspace, reason)
        if done is None:
            journal.append(workspace, "rolled_back", name, facts)
        publish(workspace, direct)
        return {"round": name, **facts}


def withdrawn(workspace: Workspace, kind: Kind, of: str, reason: str) -> Facts:
    """The facts of the undo, now or before, with all rebuilt; raises MomentError when nothing of it stands or stood."""
    from tasks import undo as undoing

    state = journal.read(workspace)
    of = undoing.named(state, kind, of)
    found = undoing.decide(workspace, kind, of, reason)
    if found is not None:
        name, facts = found
        journal.append(workspace, "undone", name, facts)
    told = undoing.undone_before(journal.read(workspace), kind, of)
    if told is None:
        raise MomentError(f"nothing of {kind} {of} stands, so there is nothing to undo: hitl status, hitl report")
    rebuild(workspace, direct)
    return told
