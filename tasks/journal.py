"""The workspace's ledger and params on disk: read the state, append an event."""

import getpass
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from hitl import ledger, state
from hitl.errors import MomentError, ParamsError
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Event, Facts
from hitl.params import Params, parse
from hitl.state import RoundState, State
from tasks.edges import files


def now() -> datetime:
    """This moment, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class _Read:
    """A ledger file as it was read last: its bytes, and what they mean."""

    data: bytes = b""
    events: tuple[Event, ...] = ()
    state: State = field(default_factory=State)


LONG = 1000
"""Events whose check is worth remembering for the next process."""
_last: dict[Path, _Read] = {}
# A round reads its ledger dozens of times. Bytes that were checked before are not checked again, only compared.


def events(workspace: Workspace) -> tuple[Event, ...]:
    """The ledger's events, their chain checked; none where no ledger is."""
    return _read(workspace).events


def read(workspace: Workspace) -> State:
    """The state of the workspace; raises MomentError where there is none."""
    found = _read(workspace).state
    if not found.rounds:
        raise MomentError(
            f"{workspace.root} is not a workspace: make one with hitl init or hitl demo, or change into one"
        )
    return found


def append(workspace: Workspace, event: str, round_id: str, facts: Facts) -> Event:
    """Append one event, fsynced; raises MomentError when it may not happen now."""
    before = _read(workspace)
    past = before.events
    refusal = state.may(before.state, event, round_id)
    if refusal:
        raise MomentError(refusal)
    at = max(now(), datetime.fromisoformat(past[-1].at)) if past else now()
    new = ledger.extend(past, at=at, actor=_actor(), event=event, round=round_id, facts=facts)
    files.append_line(workspace.ledger, ledger.line(new), after=len(before.data))
    return new


def params(workspace: Workspace) -> Params:
    """The parameters of the workspace; raises ParamsError listing every problem."""
    return _parsed(workspace, workspace.params)


def params_of(workspace: Workspace, name: str) -> Params:
    """The parameters of round `name`: those it closed with, and of a round that was never closed those of now.

    So a round that is rebuilt, or looked at later, is what it was. Raises ParamsError when they are not known any more.
    """
    one = read(workspace).round(name)
    closed = one.facts.get("closed") or (one.earlier[-1].get("closed") if one.earlier else None)
    if closed is None:
        return params(workspace)
    kept = workspace.round_params(name)
    sha256 = cast(Mapping[str, str], closed.get("files", {})).get(kept.relative_to(workspace.root).as_posix())
    if sha256 is not None:
        files.must_be(kept, sha256)
        return _parsed(workspace, kept)
    return params(workspace) if name == BASELINE else unchanged(workspace, one)


def _parsed(workspace: Workspace, path: Path) -> Params:
    try:
        text = path.read_text(encoding="utf-8")
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
            f"params.yaml changed since {round_.id} began (with {str(began)[:12]}, "
            f"now {found.sha256()[:12]}); put the old values back (git diff params.yaml), "
            "and change them after the round closes"
        )
    return found


def _read(workspace: Workspace) -> _Read:
    try:
        data = ledger.complete(workspace.ledger.read_bytes())
    except FileNotFoundError:
        return _Read()
    before = _last.get(workspace.ledger, _Read())
    if not data.startswith(before.data):
        before = _Read()
    if not before.data:
        before = _checked(workspace, data)
    new = ledger.parse(data[len(before.data) :], after=before.events)
    found = _Read(data, (*before.events, *new), state.fold(new, since=before.state))
    _last[workspace.ledger] = found
    if len(new) > LONG:
        _remember(workspace, data)
    return found


def _checked(workspace: Workspace, data: bytes) -> _Read:
    """What the first part of the ledger means, where a process checked these very bytes before; else nothing."""
    try:
        known = json.loads(_card(workspace).read_bytes())
        part = data[: known["bytes"]]
        if hashlib.sha256(part).hexdigest() != known["sha256"]:
            return _Read()
    except (OSError, ValueError, LookupError, TypeError):
        return _Read()
    events = ledger.parse(part, checked=True)
    return _Read(part, events, state.fold(events))


def _remember(workspace: Workspace, data: bytes) -> None:
    """Leave word for the next process which bytes passed; it can do without."""
    known = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    with suppress(OSError):
        files.write_json(_card(workspace), known)


def _card(workspace: Workspace) -> Path:
    return workspace.local / "checked.json"


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
