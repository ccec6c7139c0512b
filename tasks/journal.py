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
from hitl.layout import Workspace
from hitl.ledger import Event, Facts
from hitl.params import Params, parse
from hitl.state import Phase, RoundState, State
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


def left_by(workspace: Workspace, event: str, round_id: str) -> State:
    """The state that the newest `event` of the round left, whatever others have done since."""
    past = _read(workspace).events
    last = max(one.seq for one in past if (one.event, one.round) == (event, round_id))
    return state.fold(past[: last + 1])


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
    """The parameters that a step of round `name` goes by: those its opening began with, or its closing.

    So all that is done to a round, in one go or in several, then or in a rebuilding, follows from the same. Between the
    two, while the pack is out, they are those of now. Raises ParamsError when they are not what the round began with,
    IntegrityError when a kept file is not.
    """
    one = read(workspace).round(name)
    closing, opening = _closing_sha256(workspace, one), one.facts.get("opened", {}).get("opened_params_sha256")
    if closing is not None:
        return _kept(workspace, workspace.round_params(name), closing)
    if one.phase is Phase.OPENING and opening is not None:
        return _kept(workspace, workspace.opened_params(name), cast(str, opening))
    return unchanged(workspace, one) if one.done("opened") else params(workspace)


def begin_opening(workspace: Workspace, name: str) -> Facts:
    """Keep the params.yaml of now as the one that round `name` opens with; the facts of its beginning."""
    data = workspace.params.read_bytes()
    found = _text(data)
    kept = files.write_bytes(workspace.opened_params(name), data)
    return {"params_sha256": found.sha256(), "strategy": found.query.strategy, "opened_params_sha256": kept}


def begin_closing(workspace: Workspace, name: str) -> tuple[Params, Facts]:
    """Keep the params.yaml of now as the one that round `name` closes with; its parameters, and its digest as a fact.

    What may change while a round is open (promote, say) counts as it is by then. A round that is rebuilt has its own.
    """
    before, path = params_of(workspace, name), workspace.round_params(name)
    if _closing_sha256(workspace, read(workspace).round(name)) is None:
        data = workspace.params.read_bytes()
        if _text(data) != before:
            raise ParamsError("params.yaml changed while it was read: run the same command again")
        files.write_bytes(path, data)
    return before, {"params_file_sha256": files.sha256(path)}


def _closing_sha256(workspace: Workspace, one: RoundState) -> str | None:
    """The digest of the params.yaml that the round's closing, this one or the last one, began with."""
    name = workspace.round_params(one.id).relative_to(workspace.root).as_posix()
    for facts in (one.facts, *reversed(one.earlier)):
        for event in ("validated", "trained"):  # the baseline asks nobody: it begins with its training
            if found := facts.get(event, {}).get("params_file_sha256"):
                return cast(str, found)
        if found := cast(Mapping[str, str], facts.get("closed", {}).get("files", {})).get(name):
            return found
    return None


def _kept(workspace: Workspace, path: Path, sha256: str) -> Params:
    files.must_be(path, sha256)
    return _parsed(workspace, path)


def _parsed(workspace: Workspace, path: Path) -> Params:
    try:
        return _text(path.read_bytes())
    except FileNotFoundError:
        raise MomentError(f"{workspace.root} has no params.yaml: it is not a workspace (hitl init makes one)") from None


def _text(data: bytes) -> Params:
    try:
        return parse(data.decode())
    except UnicodeDecodeError as error:
        raise ParamsError(f"params.yaml: not UTF-8: {error}") from error


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
