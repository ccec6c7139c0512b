"""Where the workspace stands: a fold of the ledger's events, checked by one table of moves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from typing import cast

from hitl.errors import IntegrityError, MomentError
from hitl.layout import round_id, round_number
from hitl.ledger import GENESIS, Event, Facts


class Phase(StrEnum):
    """How far a round has come."""

    OPENING = "opening"
    AWAITING = "awaiting"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Move:
    """An event's meaning: the phases it may come in (none: it begins a round), and the phase it leads to."""

    allowed: tuple[Phase, ...]
    leads_to: Phase | None
    says: str


MOVES: Mapping[str, Move] = {
    "created": Move((), Phase.CLOSING, "the workspace was made; its baseline round begins"),
    "opened": Move((), Phase.OPENING, "a round began"),
    "reopened": Move((Phase.OPENING,), None, "params changed before the pack went out: the round begins again"),
    "trained": Move((Phase.OPENING, Phase.CLOSING), None, "a model was fitted on the labeled set"),
    "scored": Move((Phase.OPENING,), None, "the pool was scored"),
    "selected": Move((Phase.OPENING,), None, "the batch was chosen"),
    "exported": Move((Phase.OPENING,), Phase.AWAITING, "the pack went out"),
    "delivered": Move((Phase.AWAITING,), None, "a delivery was taken, whole or in part"),
    "refused": Move(
        (Phase.OPENING, Phase.AWAITING, Phase.CLOSING, Phase.CLOSED), None, "a delivery was rejected whole"
    ),
    "validated": Move((Phase.AWAITING,), Phase.CLOSING, "the annotations passed their door"),
    "resolved": Move((Phase.CLOSING,), None, "annotations became labels"),
    "evaluated": Move((Phase.CLOSING,), None, "the challenger was measured on the test set"),
    "judged": Move((Phase.CLOSING,), None, "the gate compared challenger and champion"),
    "reported": Move((Phase.CLOSING,), None, "the round's report was written"),
    "closed": Move((Phase.CLOSING,), Phase.CLOSED, "the round is complete"),
}


@dataclass(frozen=True, slots=True)
class RoundState:
    """One round: its phase, the facts of each step done, and the deliveries in order of arrival."""

    id: str
    phase: Phase
    began_at: str
    facts: Mapping[str, Facts] = field(default_factory=dict)
    at: Mapping[str, str] = field(default_factory=dict)
    deliveries: tuple[Facts, ...] = ()
    refused: tuple[Facts, ...] = ()

    def done(self, event: str) -> bool:
        return event in self.facts

    @property
    def admitted(self) -> int:
        """Annotations accepted so far, those that a later delivery replaced included."""
        return sum(cast(Mapping[str, int], delivery["rows"])["accepted"] for delivery in self.deliveries)

    @property
    def accepted(self) -> int:
        """Annotations that stand: an answer that replaced an earlier one counts once."""
        return self.admitted - sum(cast(int, delivery.get("revised", 0)) for delivery in self.deliveries)

    @property
    def expected(self) -> int:
        """Annotations that the pack asked for; 0 before it went out."""
        return cast(int, self.facts.get("exported", {}).get("annotations", 0))

    @property
    def spent(self) -> Decimal:
        """Money owed for the annotations that stand, at the price of the pack."""
        return self.accepted * Decimal(cast(str, self.facts.get("exported", {}).get("price", "0")))


@dataclass(frozen=True, slots=True)
class State:
    """Everything the ledger says about now. `champion` is the round whose model is in use."""

    rounds: tuple[RoundState, ...] = ()
    champion: str | None = None
    head: str = GENESIS
    last_at: str = ""

    @property
    def current(self) -> RoundState | None:
        """The newest round; None before the workspace was created."""
        return self.rounds[-1] if self.rounds else None

    @property
    def next_round(self) -> str:
        return round_id(len(self.rounds))

    @property
    def closed(self) -> tuple[RoundState, ...]:
        return tuple(one for one in self.rounds if one.phase is Phase.CLOSED)

    @property
    def annotations(self) -> int:
        """Annotations accepted over all rounds."""
        return sum(one.accepted for one in self.rounds)

    @property
    def spent(self) -> Decimal:
        return sum((one.spent for one in self.rounds), Decimal(0))

    def round(self, name: str) -> RoundState:
        """The round called `name`; raises MomentError when there is none."""
        number = round_number(name)
        if number >= len(self.rounds):
            last = self.rounds[-1].id if self.rounds else "none"
            raise MomentError(f"there is no round {name}; the newest is {last}")
        return self.rounds[number]

    @property
    def taken(self) -> frozenset[str]:
        """The sha256 of every delivery that was taken, whole or in part."""
        return frozenset(cast(str, one["delivery"]) for r in self.rounds for one in r.deliveries)

    @property
    def refused(self) -> frozenset[str]:
        """The sha256 of every delivery that was rejected whole; it may come again, and be judged anew."""
        return frozenset(cast(str, one["delivery"]) for r in self.rounds for one in r.refused)


def fold(events: Iterable[Event], *, since: State = State()) -> State:
    """The state that `events` lead to from the state `since`.

    Raises IntegrityError at an event that may not come where it stands.
    """
    return reduce(_after, events, since)


def may(state: State, event: str, name: str) -> str | None:
    """Why `event` may not happen to round `name` now; None when it may."""
    move = MOVES[event]
    if not move.allowed:
        return _why_not_begin(state, event, name)
    if round_number(name) >= len(state.rounds):
        return f"there is no round {name}"
    phase = state.rounds[round_number(name)].phase
    if phase in move.allowed:
        return None
    return f"{name} is {phase}, and {event!r} comes only when a round is {' or '.join(move.allowed)}"


def _why_not_begin(state: State, event: str, name: str) -> str | None:
    if event == "created":
        return f"the workspace was created already ({len(state.rounds)} rounds)" if state.rounds else None
    if not state.rounds:
        return "there is no workspace yet: run hitl init"
    if state.rounds[-1].phase is not Phase.CLOSED:
        return f"{state.rounds[-1].id} is still {state.rounds[-1].phase}"
    return None if name == state.next_round else f"the next round is {state.next_round}, not {name}"


def _after(state: State, event: Event) -> State:
    if event.event not in MOVES:
        raise IntegrityError(f"ledger event {event.seq} is {event.event!r}, which this version of hitl does not know")
    refusal = may(state, event.event, event.round)
    if refusal:
        raise IntegrityError(f"ledger event {event.seq} ({event.event} of {event.round}) cannot be: {refusal}")
    rounds = _begun(state, event) if not MOVES[event.event].allowed else _moved(state, event)
    champion = cast(str, event.facts["champion"]) if event.event == "judged" else state.champion
    return State(rounds=rounds, champion=champion, head=event.hash, last_at=event.at)


def _begun(state: State, event: Event) -> tuple[RoundState, ...]:
    phase = MOVES[event.event].leads_to or Phase.OPENING
    begun = RoundState(event.round, phase, event.at, facts={event.event: event.facts}, at={event.event: event.at})
    return (*state.rounds, begun)


def _moved(state: State, event: Event) -> tuple[RoundState, ...]:
    index = round_number(event.round)
    one = state.rounds[index]
    one = replace(one, phase=MOVES[event.event].leads_to or one.phase)
    if event.event == "delivered":
        one = replace(one, deliveries=(*one.deliveries, event.facts))
    elif event.event == "refused":
        one = replace(one, refused=(*one.refused, event.facts))
    elif event.event == "reopened":
        one = replace(one, facts={"opened": event.facts}, at={"opened": event.at})
    else:
        one = replace(one, facts={**_kept(one, event), event.event: event.facts}, at={**one.at, event.event: event.at})
    return (*state.rounds[:index], one, *state.rounds[index + 1 :])


def _kept(one: RoundState, event: Event) -> Mapping[str, Facts]:
    # A model fitted while the round was opening chose its batch; the round's own model comes after its labels.
    return {name: facts for name, facts in one.facts.items() if not (event.event == "validated" and name == "trained")}
