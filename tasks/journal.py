"""The workspace's ledger and params on disk: read the state, append an event."""

import getpass
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import cast

from hitl import layout, ledger, snapshot, state, withdrawal
from hitl.errors import MomentError, ParamsError
from hitl.layout import Workspace
from hitl.ledger import Event, Facts
from hitl.params import Params, parse
from hitl.snapshot import Places
from hitl.state import Phase, RoundState, State
from tasks.edges import files


def now() -> datetime:
    """This moment, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class _Read:
    """A ledger file as it was read last: its bytes, and what they mean; `events` only if somebody wanted them."""

    data: bytes = b""
    state: State = field(default_factory=State)
    last: tuple[Event, ...] = ()
    places: Places = field(default_factory=dict)
    events: tuple[Event, ...] | None = ()


LONG = 1000
"""Events whose check and fold are worth remembering for the next process."""
_FOLD = (state, snapshot, ledger, withdrawal, layout)
"""The code that makes a state of a ledger. Of other code than this nothing is taken over."""
_last: dict[Path, _Read] = {}
# A round reads its ledger dozens of times. Bytes that were checked before are not checked again, only compared.


def events(workspace: Workspace) -> tuple[Event, ...]:
    """The ledger's events, their chain checked; none where no ledger is."""
    found = _read(workspace)
    if found.events is not None:
        return found.events
    past = ledger.parse(found.data, checked=True)
    _last[workspace.ledger] = replace(found, events=past)
    return past


def read(workspace: Workspace) -> State:
    """The state of the workspace; raises MomentError where there is none."""
    found = _read(workspace).state
    if not found.rounds:
        raise MomentError(
            f"{workspace.root} is not a workspace: make one with hitl init or hitl demo, or change into one"
        )
    return found


def head(workspace: Workspace) -> str:
    """The hash of the ledger's last event."""
    read(workspace)
    return _read(workspace).last[-1].hash


def read_anew(workspace: Workspace) -> State:
    """The state by the ledger alone: every line is checked and folded again, whatever was remembered of them."""
    _last.pop(workspace.ledger, None)
    _read(workspace, remembered=False)
    return read(workspace)


def left_by(workspace: Workspace, event: str, round_id: str) -> State:
    """The state that the newest `event` of the round left, whatever others have done since."""
    found = _read(workspace)
    if [(one.event, one.round) for one in found.last] == [(event, round_id)]:
        return found.state
    past = events(workspace)
    last = max(one.seq for one in past if (one.event, one.round) == (event, round_id))
    return state.fold(past[: last + 1])


def append(workspace: Workspace, event: str, round_id: str, facts: Facts) -> Event:
    """Append one event, fsynced; raises MomentError when it may not happen now."""
    before = _read(workspace)
    refusal = state.may(before.state, event, round_id)
    if refusal:
        raise MomentError(refusal)
    at = max([now(), *(datetime.fromisoformat(one.at) for one in before.last)])
    new = ledger.extend(before.last, at=at, actor=actor(), event=event, round=round_id, facts=facts)
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
    """The parameters, which must be those that the open round began with; raises ParamsError when they are not.

    They are compared as this version reads both: a key that an older one did not know has its default in both.
    """
    found, began = params(workspace), str(round_.facts["opened"]["params_sha256"])
    if found.sha256() not in (began, _began(workspace, round_)):
        raise ParamsError(
            f"params.yaml changed since {round_.id} began (with {began[:12]}, "
            f"now {found.sha256()[:12]}); put the old values back (git diff params.yaml), "
            "and change them after the round closes"
        )
    return found


def _began(workspace: Workspace, round_: RoundState) -> str | None:
    """The digest, as of this version, of the params that were kept when the round began; None where none were."""
    kept, path = round_.facts["opened"].get("opened_params_sha256"), workspace.opened_params(round_.id)
    if kept is None or not path.is_file() or files.sha256(path) != kept:
        return None  # of a kept file that is not the ledger's others speak; it just settles nothing
    return _parsed(workspace, path).sha256()


def _read(workspace: Workspace, *, remembered: bool = True) -> _Read:
    try:
        data = ledger.complete(workspace.ledger.read_bytes())
    except FileNotFoundError:
        return _Read()
    before = _last.get(workspace.ledger, _Read())
    if not data.startswith(before.data):
        before = _Read()
    if not before.data and remembered:
        before = _remembered(workspace, data)
    found = _last[workspace.ledger] = _further(before, data)
    if len(data) > len(before.data) and found.last[0].seq - _seq(before) > LONG:
        _remember(workspace, found)
    return found


def _further(before: _Read, data: bytes) -> _Read:
    """What `data` means, of which the first part was read before."""
    lines = data[len(before.data) :]
    new = ledger.parse(lines, after=before.last)
    past = None if before.events is None else (*before.events, *new)
    places = snapshot.placed(new, lines, start=len(before.data), since=before.places) if new else before.places
    return _Read(data, state.fold(new, since=before.state), (new or before.last)[-1:], places, past)


def _seq(found: _Read) -> int:
    return found.last[0].seq if found.last else -1


def _remembered(workspace: Workspace, data: bytes) -> _Read:
    """What the first part of the ledger means, where a process read these very bytes before; else nothing."""
    try:
        head, _, body = _card(workspace).read_bytes().partition(b"\n")
        known = json.loads(head)
        part = data[: known["bytes"]]
        if known != _head(part, body):
            return _Read()
        found, places = snapshot.loads(body, part)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return _Read()
    return _Read(part, found, ledger.parse(part[part.rfind(b"\n", 0, -1) + 1 :], checked=True), places, None)


def _remember(workspace: Workspace, found: _Read) -> None:
    """Leave word for the next process which bytes were checked, and what they mean; it can do without."""
    body = snapshot.dumps(found.state, found.places)
    with suppress(OSError):
        head = ledger.canonical(_head(found.data, body))
        files.write_bytes(_card(workspace), head + b"\n" + body)


def _head(data: bytes, body: bytes) -> Facts:
    """What must be as it was for a state to be taken over: the ledger's bytes, the state's own, and our code."""
    return {
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "state_sha256": hashlib.sha256(body).hexdigest(),
        "code_sha256": _code_sha256(),
    }


@cache
def _code_sha256() -> str:
    return ledger.digest([hashlib.sha256(Path(str(one.__file__)).read_bytes()).hexdigest() for one in _FOLD])


def _card(workspace: Workspace) -> Path:
    return workspace.local / "state.json"


def actor() -> str:
    """Who runs this program, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
