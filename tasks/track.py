"""Track: tell MLflow of a closed round. The files and the ledger are the truth; what MLflow shows is made of them."""

import os
import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import hitl.params
from hitl import projection
from hitl.layout import Workspace
from hitl.ledger import Event, Facts
from hitl.params import Params
from hitl.state import State, fold
from tasks import journal
from tasks.edges import git, history, outbox
from tasks.edges.quiet import quiet

if TYPE_CHECKING:
    from tasks.edges.tracking import Place


def pending(workspace: Workspace, state: State) -> list[str]:
    """The closed rounds that the tracking server of now has not been told of, in order."""
    closed = () if state.rebuilding else state.closed
    return [one.id for one in closed if outbox.sent(workspace, one.version) is None]


def track(workspace: Workspace, round_id: str, *, flow_run: str | None = None) -> Facts:
    """Have one finished run of the closed round on the tracking server; says where it is. It is sent once.

    `flow_run` is the id of the Prefect flow run, when there is one. Raises outbox.Unreachable when the server cannot be
    told within seconds: the round stands, and `pending` still names it.
    """
    here = Workspace(workspace.root.resolve())
    version = journal.read(here).round(round_id).version
    found = outbox.sent(here, version)
    if found is None:
        found = _send(here, round_id, flow_run or os.environ.get("PREFECT__FLOW_RUN_ID", ""))
        outbox.mark(here, version, found)
    return found


def repoint(workspace: Workspace) -> None:
    """Have the alias of the champion follow a rollback; nothing is done where that is so already.

    Raises outbox.Unreachable as `track` does.
    """
    here = Workspace(workspace.root.resolve())
    events = journal.events(here)
    moves = [event for event in events if event.event in ("judged", "rolled_back", "undone")]
    if not moves or moves[-1].event != "rolled_back" or outbox.sent(here, "champion") == {"by": moves[-1].hash}:
        return
    uri = outbox.reach(here)

    from tasks.edges import tracking

    tracking.point(
        _place(here, uri, events), projection.workspace_id(events), partial(projection.aliases, fold(events))
    )
    outbox.mark(here, "champion", {"by": moves[-1].hash})


def _send(here: Workspace, round_id: str, flow_run: str) -> Facts:
    quiet()
    outbox.forget_lost(here)
    events = journal.events(here)
    params, state = _params(here, round_id), fold(events)
    run = projection.run_of(events, round_id, params)
    uri = outbox.reach(here)

    from tasks import exhibits  # these import MLflow, which takes seconds
    from tasks.edges import tracking

    run = projection.tagged(run, {**_version(here, round_id), "hitl.prefect_flow_run": flow_run})
    contents = exhibits.of_round(here, state, round_id, params)
    return tracking.send(_place(here, uri, events), run, contents)


def _place(here: Workspace, uri: str, events: Sequence[Event]) -> "Place":
    from tasks.edges.tracking import Place

    name, short = re.sub(r"[^\w.-]+", "-", here.name), projection.workspace_id(events)[:8]
    over_http = uri.startswith(("http://", "https://", "databricks"))
    artifacts = None if over_http else here.local / "mlartifacts"
    return Place(uri=uri, experiment=f"{name}-{short}", artifacts=artifacts, model=f"hitl-{name}")


def _version(here: Workspace, round_id: str) -> dict[str, str]:
    """The git commit of the round's version, by the name MLflow's pages look for and by ours."""
    found = git.tagged(here.root, journal.read(here).round(round_id).version)
    return {"hitl.git_commit": found[0], "mlflow.source.git.commit": found[0]} if found else {}


def _params(here: Workspace, round_id: str) -> Params:
    """The parameters of the round's version; those of now where there is no git."""
    text = history.text(here.root, round_id, here.params)
    return hitl.params.parse(text) if text is not None else journal.params(here)
