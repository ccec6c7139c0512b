"""The workspace's ledger and params on disk: read the state, append an event."""

import getpass
from datetime import UTC, datetime

from hitl import ledger, state
from hitl.errors import MomentError, ParamsError
from hitl.layout import Workspace
from hitl.ledger import Event, Facts
from hitl.params import Params, parse
from hitl.state import RoundState, State
from tasks.edges import files


def now() -> datetime:
    """This moment, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def events(workspace: Workspace) -> tuple[Event, ...]:
    """The ledger's events, their chain checked; none where no ledger is."""
    try:
        return ledger.parse(workspace.ledger.read_bytes())
    except FileNotFoundError:
        return ()


def read(workspace: Workspace) -> State:
    """The state of the workspace; raises MomentError where there is none."""
    found = state.fold(events(workspace))
    if not found.rounds:
        raise MomentError(
            f"{workspace.root} is not a workspace: make one with hitl init or hitl demo, or change into one"
        )
    return found


def append(workspace: Workspace, event: str, round_id: str, facts: Facts) -> Event:
    """Append one event, fsynced; raises MomentError when it may not happen now."""
    past = events(workspace)
    refusal = state.may(state.fold(past), event, round_id)
    if refusal:
        raise MomentError(refusal)
    at = max(now(), datetime.fromisoformat(past[-1].at)) if past else now()
    new = ledger.extend(past, at=at, actor=_actor(), event=event, round=round_id, facts=facts)
    whole = len(ledger.complete(workspace.ledger.read_bytes())) if past else 0
    files.append_line(workspace.ledger, ledger.line(new), after=whole)
    return new


def params(workspace: Workspace) -> Params:
    """The parameters of the workspace; raises ParamsError listing every problem."""
    try:
        text = workspace.params.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MomentError(f"{workspace.root} has no params.yaml: it is not a workspace (hitl init makes one)") from None
    except UnicodeDecodeError as error:
        raise ParamsError(f"params.yaml: not UTF-8: {error}") from error
    return parse(text)


def unchanged(workspace: Workspace, round_: RoundState) -> Params:
    """The parameters, which must be those that the open round began with; raises ParamsError when they are not."""
    found = params(workspace)
    began = round_.facts["opened"]["params_sha256"]
    if found.sha256() != began:
        raise ParamsError(
            f"params.yaml changed while {round_.id} is open (it began with {str(began)[:12]}, "
            f"now {found.sha256()[:12]}); put the old values back (git diff params.yaml), "
            "and change them after the round closes"
        )
    return found


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
