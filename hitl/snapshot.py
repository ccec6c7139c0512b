"""A state in few bytes, for the next process: each round's arrivals stay in the ledger, only their places are kept."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from hitl.ledger import Event, Facts
from hitl.state import Later, Phase, RoundState, State
from hitl.withdrawal import Arrived, counts

Places = Mapping[str, tuple[tuple[int, int], ...]]
"""Where in the ledger a round's arrivals stand, in order: from which byte up to which."""
_Lines = Sequence[dict[str, object]]
ARRIVALS = ("delivered", "refused")


def placed(events: Iterable[Event], lines: bytes, *, start: int = 0, since: Places | None = None) -> Places:
    """The places of the arrivals in `events`, which have these `lines` from byte `start` on, after those known."""
    found = dict(since or {})
    for event, line in zip(events, lines.splitlines(keepends=True), strict=True):
        stop = start + len(line)
        if event.event in ARRIVALS:
            before = found.get(event.round, ())
            joined = (*before[:-1], (before[-1][0], stop)) if before and before[-1][1] == start else None
            found[event.round] = joined or (*before, (start, stop))
        start = stop
    return found


def dumps(state: State, places: Places) -> bytes:
    """The state as JSON, without what the ledger says at `places`."""
    rounds = [_told(one, places.get(one.id, ())) for one in state.rounds]
    told = {"rounds": rounds, "head": state.head, "last_at": state.last_at, "undone": state.undone}
    told["adjudicated"] = state.adjudicated
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def loads(data: bytes, lines: bytes) -> tuple[State, Places]:
    """The state that `dumps` made `data` of, and the places; `lines` are the ledger's bytes of then, or more."""
    told = json.loads(data)
    places = {
        one["id"]: tuple((start, stop) for start, stop in one["places"]) for one in told["rounds"] if one["places"]
    }
    rounds = tuple(_round(one, lines) for one in told["rounds"])
    return State(rounds, told["head"], told["last_at"], tuple(told["undone"]), tuple(told["adjudicated"])), places


def _told(one: RoundState, places: tuple[tuple[int, int], ...]) -> dict[str, object]:
    taken = [counts(facts) for facts in one.deliveries]
    touched = [
        (number, arrived.withdrawn, sorted(arrived.without))
        for number, arrived in enumerate(one.arrivals)
        if arrived.withdrawn or arrived.without
    ]
    return {
        "id": one.id,
        "phase": one.phase,
        "began_at": one.began_at,
        "facts": one.facts,
        "at": one.at,
        "places": places,
        "taken": len(taken),
        "counts": (sum(accepted for accepted, _ in taken), sum(revised for _, revised in taken)),
        "refused": len(one.refused),
        "touched": touched,
        "rejudged": one.rejudged,
        "earlier": one.earlier,
        "rollbacks": one.rollbacks,
    }


def _round(told: dict[str, Any], lines: bytes) -> RoundState:
    rejudged, taken, refused = told["rejudged"], told["taken"], told["refused"]
    came = Later(taken + refused, partial(_lines, lines, told["places"]))
    return RoundState(
        told["id"],
        Phase(told["phase"]),
        told["began_at"],
        told["facts"],
        told["at"],
        Later(taken, partial(_of, came, "delivered"), (told["counts"][0], told["counts"][1])),
        Later(refused, partial(_of, came, "refused")),
        Later(taken + refused, partial(_arrivals, came, told["touched"])),
        rejudged and {sha256: (both[0], both[1]) for sha256, both in rejudged.items()},
        tuple(told["earlier"]),
        tuple(told["rollbacks"]),
    )


def _lines(lines: bytes, places: Iterable[tuple[int, int]]) -> list[dict[str, object]]:
    return [json.loads(line) for start, stop in places for line in lines[start:stop].splitlines()]


def _of(came: _Lines, event: str) -> list[Facts]:
    return [cast(Facts, line["facts"]) for line in came if line["event"] == event]


def _arrivals(came: _Lines, touched: Iterable[tuple[int, bool, list[str]]]) -> list[Arrived]:
    found = [Arrived(cast(Facts, line["facts"])) for line in came]
    for number, withdrawn, without in touched:
        found[number] = Arrived(found[number].facts, withdrawn, frozenset(without))
    return found
