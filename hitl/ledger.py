"""The ledger: an append-only chain of events, one JSON object a line. It knows digests, not meanings."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hitl.errors import IntegrityError

Facts = dict[str, object]
GENESIS = "0" * 64
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: who did what to which round, when, and the digests of the files it speaks of."""

    seq: int
    at: str
    actor: str
    event: str
    round: str
    facts: Facts
    prev: str
    hash: str


def canonical(value: object) -> bytes:
    """The one spelling of a JSON value that digests are taken over: sorted keys, no spaces, UTF-8."""
    return _CANONICAL.encode(value).encode()


def digest(value: object) -> str:
    """The sha256 of a JSON value's canonical spelling, as 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def extend(events: Sequence[Event], *, at: datetime, actor: str, event: str, round: str, facts: Facts) -> Event:
    """The event that comes after `events`, of which the last will do, chained to it. `at` must have a zone."""
    prev = events[-1].hash if events else GENESIS
    moment = stamp(at)
    seq = events[-1].seq + 1 if events else 0
    body: Facts = {"seq": seq, "at": moment, "actor": actor, "event": event, "round": round, "facts": facts}
    return Event(seq, moment, actor, event, round, facts, prev, _hash(prev, body))


def stamp(at: datetime) -> str:
    """A moment as we write it everywhere: RFC 3339, in UTC, to the second.

    >>> from datetime import timedelta, timezone
    >>> stamp(datetime(2026, 11, 21, 10, tzinfo=timezone(timedelta(hours=1))))
    '2026-11-21T09:00:00Z'
    """
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def line(event: Event) -> bytes:
    """The line that carries `event` in the file, its line end included."""
    return canonical(_values(event)) + b"\n"


def parse(data: bytes, *, after: Sequence[Event] = (), checked: bool = False) -> tuple[Event, ...]:
    """The events in the bytes of a ledger file, their chain checked. With `after`, the bytes that follow those events.

    A last line without its line end is an event that did not happen (a write that was cut) and is left out.
    `checked` says that these very bytes passed before: they are only read, which is several times faster.
    Raises IntegrityError naming the line when a line is not an event or does not follow from the one before.
    """
    if checked:
        return tuple(Event(**json.loads(text)) for text in complete(data).split(b"\n")[:-1])
    events: list[Event] = []
    last = after[-1] if after else None
    for number, text in enumerate(complete(data).split(b"\n")[:-1], start=last.seq + 2 if last else 1):
        event = _event(text, number)
        _check(event, last, number)
        events.append(event)
        last = event
    return tuple(events)


def complete(data: bytes) -> bytes:
    """`data` up to its last line end: the part of a ledger file that counts."""
    return data[: data.rfind(b"\n") + 1]


def head(events: Sequence[Event]) -> str:
    """The hash of the last event: what a tag, a run, or a receipt anchors."""
    return events[-1].hash if events else GENESIS


def _values(event: Event) -> Facts:
    return {name: getattr(event, name) for name in Event.__slots__}


def _hash(prev: str, body: Mapping[str, object]) -> str:
    return hashlib.sha256(prev.encode() + canonical(body)).hexdigest()


def _event(text: bytes, number: int) -> Event:
    try:
        return _as_written(text)
    except (ValueError, TypeError) as error:
        raise IntegrityError(
            f"data/ledger.jsonl, line {number}: not an event ({error}); "
            "restore the file: git checkout data/ledger.jsonl"
        ) from error


def _as_written(text: bytes) -> Event:
    event = Event(**json.loads(text))
    # The chain holds values; a file of the same values in another spelling was changed all the same.
    if line(event) != text + b"\n":
        raise ValueError("it is spelled otherwise than it was written")
    return event


def _check(event: Event, before: Event | None, number: int) -> None:
    prev = before.hash if before else GENESIS
    body = {key: value for key, value in _values(event).items() if key not in ("prev", "hash")}
    if event.prev != prev or event.seq != number - 1 or event.hash != _hash(event.prev, body):
        raise IntegrityError(
            f"data/ledger.jsonl, line {number} (event {event.event!r} of {event.round}): the chain of hashes is broken "
            "here, so this line or the one before it was changed; restore the file: git checkout data/ledger.jsonl"
        )
