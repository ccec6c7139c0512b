"""Where the workspace stands: a fold of the ledger's events, checked by one table of moves."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, reduce
from typing import TypeVar, cast, overload

from hitl.errors import IntegrityError, MomentError
from hitl.layout import round_id, round_number
from hitl.ledger import GENESIS, Event, Facts
from hitl.withdrawal import Arrived, Counts, Kind, counts


class Phase(StrEnum):
    """How far a round has come."""

    OPENING = "opening"
    AWAITING = "awaiting"
    CLOSING = "closing"
    CLOSED = "closed"
    REBUILDING = "rebuilding"


@dataclass(frozen=True, slots=True)
class Move:
    """An event's meaning: the phases it may come in (none: it begins a round), and the phase it leads to."""

    allowed: tuple[Phase, ...]
    leads_to: Phase | None
    says: str


MOVES: Mapping[str, Move] = {
    "created": Move((), Phase.CLOSING, "the workspace was made; its baseline round begins"),
    "opened": Move((), Phase.OPENING, "a round began"),
    "reopened": Move(
        (Phase.OPENING,), None, "params or the pool changed before the pack went out: the round begins again"
    ),
    "trained": Move((Phase.OPENING, Phase.CLOSING), None, "a model was fitted on the labeled set"),
    "scored": Move((Phase.OPENING,), None, "the pool was scored"),
    "selected": Move((Phase.OPENING,), None, "the batch was chosen"),
    "exported": Move((Phase.OPENING,), Phase.AWAITING, "the pack went out"),
    "pushed": Move((Phase.AWAITING,), None, "the pack's items are in a labeling tool"),
    "delivered": Move((Phase.AWAITING,), None, "a delivery was taken, whole or in part"),
    "refused": Move(
        (Phase.OPENING, Phase.AWAITING, Phase.CLOSING, Phase.CLOSED, Phase.REBUILDING),
        None,
        "a delivery was rejected whole",
    ),
    "validated": Move((Phase.AWAITING, Phase.REBUILDING), Phase.CLOSING, "the annotations passed their door"),
    "resolved": Move((Phase.CLOSING,), None, "annotations became labels"),
    "evaluated": Move((Phase.CLOSING,), None, "the challenger was measured on the test set"),
    "judged": Move((Phase.CLOSING,), None, "the gate compared challenger and champion"),
    "reported": Move((Phase.CLOSING,), None, "the round's report was written"),
    "closed": Move((Phase.CLOSING,), Phase.CLOSED, "the round is complete"),
    "audit_drawn": Move((Phase.AWAITING, Phase.CLOSED), None, "items of a lot were drawn for an auditor"),
    "audited": Move((Phase.AWAITING, Phase.CLOSED), None, "an auditor accepted a lot, or sent it back"),
    "undone": Move(
        (Phase.AWAITING, Phase.CLOSED), None, "rows were withdrawn: closed rounds from this one on are rebuilt"
    ),
    "adjudicated": Move((Phase.OPENING, Phase.AWAITING, Phase.CLOSED), None, "decisions of an adjudicator were taken"),
    "rolled_back": Move((Phase.CLOSED,), None, "the champion before the present one is champion again"),
}

BUSY: Mapping[str, tuple[Phase, ...]] = {
    "undone": (Phase.OPENING, Phase.CLOSING, Phase.REBUILDING),
    "adjudicated": (Phase.CLOSING, Phase.REBUILDING),
    "rolled_back": (Phase.CLOSING, Phase.REBUILDING),
}
"""Events that may not come while any round is in one of these phases."""
_OPENING = ("opened", "scored", "selected", "exported", "pushed")
"""What stays of a round that is rebuilt: its pack went out, and nothing takes that back."""
_NOTED = ("audit_drawn", "audited")
"""What was looked at and said, and changes nothing of where a round stands: read it in the ledger."""


_T = TypeVar("_T")


class Later(Sequence[_T]):
    """So many records in order, which are read when one of them is asked for; of deliveries, `counts` are their sums.

    To whoever looks it is the tuple of them.
    """

    def __init__(self, length: int, read: Callable[[], Iterable[_T]], counts: Counts = (0, 0)) -> None:
        self.length, self.read, self.counts = length, read, counts

    @cached_property
    def all(self) -> tuple[_T, ...]:
        return tuple(self.read())

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[_T]:
        return iter(self.all if self.length else ())

    @overload
    def __getitem__(self, place: int) -> _T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[_T, ...]: ...
    def __getitem__(self, place: int | slice) -> _T | tuple[_T, ...]:
        return self.all[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple | Later) and len(self) == len(other) and self.all == tuple(other)

    __hash__ = None  # type: ignore[assignment] # facts have none either

    def __repr__(self) -> str:
        return repr(self.all)


@dataclass(frozen=True, slots=True)
class RoundState:
    """One round: its phase, the facts of each step done, and the deliveries in order of arrival.

    `rejudged` has what stands of the deliveries since an undo concerned them, `earlier` the facts of each closing that
    an undo made void, and `rollbacks` the facts of those that came while it was the newest judged.
    """

    id: str
    phase: Phase
    began_at: str
    facts: Mapping[str, Facts] = field(default_factory=dict)
    at: Mapping[str, str] = field(default_factory=dict)
    deliveries: Sequence[Facts] = ()
    refused: Sequence[Facts] = ()
    arrivals: Sequence[Arrived] = ()
    rejudged: Mapping[str, Counts] | None = None
    earlier: tuple[Mapping[str, Facts], ...] = ()
    rollbacks: tuple[Facts, ...] = ()

    def done(self, event: str) -> bool:
        return event in self.facts

    @property
    def version(self) -> str:
        """What the round's version is called: its name, and after an undo how often it was rebuilt."""
        return f"{self.id}.{len(self.earlier)}" if self.earlier else self.id

    @property
    def standing(self) -> Mapping[str, Counts]:
        """The deliveries (sha256) that stand, and what of each."""
        if self.rejudged is not None:
            return self.rejudged
        return {cast(str, delivery["delivery"]): counts(delivery) for delivery in self.deliveries}

    @property
    def is_touched(self) -> bool:
        """Whether anything that came was withdrawn."""
        return any(one.withdrawn or one.without for one in self.arrivals)

    @property
    def admitted(self) -> int:
        """Annotations accepted so far, those that a later delivery replaced included."""
        return sum(accepted for accepted, _ in self._counts())

    @property
    def accepted(self) -> int:
        """Annotations that stand: an answer that replaced an earlier one counts once."""
        return sum(accepted - revised for accepted, revised in self._counts())

    def _counts(self) -> Iterable[Counts]:
        if self.rejudged is not None:
            return self.rejudged.values()
        return [self.deliveries.counts] if isinstance(self.deliveries, Later) else map(counts, self.deliveries)

    @property
    def places(self) -> list[Facts]:
        """The labeling tools that the round was pushed to: tool, url, project and items of each."""
        return cast(list[Facts], self.facts.get("pushed", {}).get("places", []))

    def less(self, kind: Kind, of: str) -> "RoundState":
        """The round with a withdrawal marked on what came; what then stands is not known yet."""
        return replace(self, arrivals=tuple(one.less(kind, of, self.id) for one in self.arrivals))

    @property
    def expected(self) -> int:
        """Annotations that the pack asked for; 0 before it went out."""
        return cast(int, self.facts.get("exported", {}).get("annotations", 0))

    @property
    def spent(self) -> Decimal:
        """Money owed for the annotations that stand, at the price of the pack."""
        return self.accepted * Decimal(cast(str, self.facts.get("exported", {}).get("price", "0")))


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An item without a label: the last `round` that resolved it, and by how many `answers`; None: not told then."""

    round: str
    answers: int | None


@dataclass(frozen=True, slots=True)
class State:
    """Everything the ledger says about now.

    `undone` has the facts of every undo, and its time; `adjudicated` those of every file of decisions.
    """

    rounds: tuple[RoundState, ...] = ()
    head: str = GENESIS
    last_at: str = ""
    undone: tuple[Facts, ...] = ()
    adjudicated: tuple[Facts, ...] = ()

    def decisions(self, *, until: str | None = None) -> list[Facts]:
        """The files of decisions that stand, in order of arrival; those that count by the closing of round `until`."""
        withdrawn = {one["of"] for one in self.undone if one["kind"] == "decision"}
        stand = [one for one in self.adjudicated if one["decision"] not in withdrawn]
        return [
            one for one in stand if until is None or round_number(cast(str, one["counts_from"])) <= round_number(until)
        ]

    def decided_items(self, *, until: str | None = None) -> frozenset[str]:
        """The items that an adjudicator settled, likewise."""
        return frozenset(item for one in self.decisions(until=until) for item in cast(list[str], one["items"]))

    @property
    def unlabeled(self) -> dict[str, Unsettled]:
        """The items of closed rounds to which no crowd gave a label, whatever adjudicators decided."""
        found: dict[str, Unsettled] = {}
        for one in self.rounds:
            facts = one.facts.get("resolved", {})
            answers = cast(Mapping[str, int], facts.get("answers", {}))
            for item in cast(list[str], facts.get("pooled", [])):
                found.pop(item, None)
            for item in cast(list[str], facts.get("unresolved", [])):
                found[item] = Unsettled(one.id, answers.get(item))
        return found

    @property
    def unsettled(self) -> dict[str, Unsettled]:
        """Those of them without a decision: they wait for an adjudicator, or for another annotator."""
        decided = self.decided_items()
        return {item: one for item, one in self.unlabeled.items() if item not in decided}

    @property
    def counts_from(self) -> str:
        """The first round whose closing has not begun: what an adjudicator decides now counts from then on."""
        current = self.rounds[-1]
        return current.id if current.phase in (Phase.OPENING, Phase.AWAITING) else self.next_round

    @property
    def champion(self) -> str | None:
        """The round whose model is in use; None before any was judged."""
        return next(reversed(self.champions()), None)

    def champions(self, *, before: str | None = None) -> list[str]:
        """The rounds whose models led to the present champion, each in use until the next; a rollback takes off one.

        With `before`, as it was when that round was to be judged.
        """
        line: list[str] = []
        for one in self.rounds[: None if before is None else round_number(before)]:
            champion = cast(str | None, one.facts.get("judged", {}).get("champion"))
            line += [champion] if champion and line[-1:] != [champion] else []
            line = line[: max(1, len(line) - len(one.rollbacks))] if champion else line
        return line

    @property
    def rebuilding(self) -> tuple[RoundState, ...]:
        """The closed rounds that an undo made void and that are not closed again, in order."""
        return tuple(one for one in self.rounds if one.earlier and one.phase in (Phase.REBUILDING, Phase.CLOSING))

    def until(self, name: str) -> "State":
        """The state as if no round had come after `name`."""
        return replace(self, rounds=self.rounds[: round_number(name) + 1])

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
        """The sha256 of every delivery that was taken, whole or in part, also of what was withdrawn since."""
        return frozenset(cast(str, one["delivery"]) for r in self.rounds for one in r.deliveries)

    @property
    def cleared(self) -> frozenset[str]:
        """The annotators of whom a person said that their answers count, whatever is suspicious about them."""
        return frozenset(cast(str, one["of"]) for one in self.undone if one["kind"] == "exclusion")

    @property
    def withdrawn(self) -> frozenset[str]:
        """The sha256 of every delivery that was withdrawn."""
        return frozenset(one.sha256 for r in self.rounds for one in r.arrivals if one.withdrawn)

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
        return _why_not_yet(state, event, name)
    return f"{name} is {phase}, and {event!r} comes only when a round is {' or '.join(move.allowed)}"


def _why_not_yet(state: State, event: str, name: str) -> str | None:
    """Another round that must be done with first: rounds are closed in order, also when they are rebuilt."""
    others: list[RoundState] = []
    if event in BUSY:
        others = [one for one in state.rounds if one.phase in BUSY[event]]
    if event == "validated":
        others = [one for one in state.rounds[: round_number(name)] if one.phase is not Phase.CLOSED]
    if not others:
        return None
    first = others[0]
    command = "hitl open" if first.phase is Phase.OPENING else "hitl close"
    return f"{first.id} is {first.phase}: run {command} to complete it first"


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
    if event.event == "undone":
        undone = (*state.undone, {**event.facts, "at": event.at, "round": event.round})
        rounds = _withdrawn(state, event.facts)
        return replace(state, rounds=rounds, head=event.hash, last_at=event.at, undone=undone)
    if event.event == "adjudicated":
        adjudicated = (*state.adjudicated, {**event.facts, "at": event.at, "actor": event.actor})
        return replace(state, head=event.hash, last_at=event.at, adjudicated=adjudicated)
    rounds = _begun(state, event) if not MOVES[event.event].allowed else _moved(state, event)
    return replace(state, rounds=rounds, head=event.hash, last_at=event.at)


def _begun(state: State, event: Event) -> tuple[RoundState, ...]:
    phase = MOVES[event.event].leads_to or Phase.OPENING
    begun = RoundState(event.round, phase, event.at, facts={event.event: event.facts}, at={event.event: event.at})
    return (*state.rounds, begun)


def _moved(state: State, event: Event) -> tuple[RoundState, ...]:
    index = round_number(event.round)
    one = state.rounds[index]
    leads_to = MOVES[event.event].leads_to
    if leads_to is not None:
        one = replace(one, phase=leads_to)
    if event.event in ("delivered", "refused"):
        one = _arrived(one, event)
    elif event.event == "rolled_back":
        one = replace(one, rollbacks=(*one.rollbacks, {**event.facts, "at": event.at}))
    elif event.event in _NOTED:
        pass
    elif event.event == "reopened":
        one = replace(one, facts={"opened": event.facts}, at={"opened": event.at})
    else:
        one = replace(one, facts={**_kept(one, event), event.event: event.facts}, at={**one.at, event.event: event.at})
    return (*state.rounds[:index], one, *state.rounds[index + 1 :])


def _arrived(one: RoundState, event: Event) -> RoundState:
    arrivals = (*one.arrivals, Arrived(event.facts))
    if event.event == "refused":
        return replace(one, arrivals=arrivals, refused=(*one.refused, event.facts))
    deliveries = (*one.deliveries, event.facts)
    if one.rejudged is None:
        return replace(one, arrivals=arrivals, deliveries=deliveries)
    rejudged = {**one.rejudged, cast(str, event.facts["delivery"]): counts(event.facts)}
    return replace(one, arrivals=arrivals, deliveries=deliveries, rejudged=rejudged)


def _withdrawn(state: State, facts: Facts) -> tuple[RoundState, ...]:
    """The rounds after an undo: what stands of each, and those that were closed and must be rebuilt."""
    kind, of = cast(Kind, facts["kind"]), cast(str, facts["of"])
    void, standing = cast(list[str], facts["rounds"]), cast(dict[str, dict[str, list[int]]], facts["standing"])
    rounds = [one.less(kind, of) for one in state.rounds]
    rounds = [replace(one, rejudged=_rejudged(standing.get(one.id), one)) for one in rounds]
    return tuple(_void(one) if one.id in void else one for one in rounds)


def _rejudged(told: Mapping[str, list[int]] | None, one: RoundState) -> Mapping[str, Counts] | None:
    return one.rejudged if told is None else {sha256: (both[0], both[1]) for sha256, both in told.items()}


def _void(one: RoundState) -> RoundState:
    kept = {name: facts for name, facts in one.facts.items() if name in _OPENING}
    done = {name: facts for name, facts in one.facts.items() if name not in _OPENING}
    at = {name: when for name, when in one.at.items() if name in kept}
    return replace(one, phase=Phase.REBUILDING, facts=kept, at=at, earlier=(*one.earlier, done))


def _kept(one: RoundState, event: Event) -> Mapping[str, Facts]:
    # A model fitted while the round was opening chose its batch; the round's own model comes after its labels.
    return {name: facts for name, facts in one.facts.items() if not (event.event == "validated" and name == "trained")}
