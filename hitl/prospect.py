"""What the next round would be, what it is expected to bring, and how often that was right: functions of the state."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from hitl import budget, overlap
from hitl.curve import CurvePoint, learning_curve
from hitl.expectation import MINIMUM, Expectation, Fit, fit
from hitl.layout import round_number
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import RoundState, State

RECENT = 20
"""Rounds back that is looked how often intervals were right."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was to be expected of a round before its labels were known, and what its model measured then."""

    round: str
    expectation: Expectation
    value: float

    @property
    def is_right(self) -> bool:
        """Whether what was measured lies in the interval."""
        return self.expectation.low <= self.value <= self.expectation.high


@dataclass(frozen=True, slots=True)
class Prospect:
    """The round whose model is measured next: the labels it would have, and the curve up to now.

    `fit` is None while there are too few models of the learner in use.
    """

    round: str
    labels: int
    points: tuple[CurvePoint, ...]
    fit: Fit | None

    def why_unknown(self) -> str | None:
        """Why nothing is expected of the round; None when something is."""
        if not self.fit:
            return (
                f"nothing is expected of a next round yet: that takes {MINIMUM} measured models of one learner, "
                f"and there {'is' if len(self.points) == 1 else 'are'} {len(self.points)}"
            )
        return None if self.labels > self.points[-1].labels else "no more labels would come, so no gain is expected"

    def expected(self, confidence: float) -> Expectation | None:
        """What its model will measure; None where that is not known."""
        return None if self.why_unknown() or not self.fit else self.fit.expected(self.labels, confidence)


def pool_left(state: State, rows: int | None = None) -> int:
    """Items that nobody has answered of a pool of so many `rows`, without those known to equal a test item.

    By default the pool is as large as it was when the newest round was opened, by the ledger alone: files that came
    since are not counted.
    """
    answered = sum(cast(int, one.facts["validated"]["answered"]) for one in state.rounds if one.done("validated"))
    return max(0, (pool_rows(state) if rows is None else rows) - _barred(state) - answered)


def pool_rows(state: State) -> int:
    """Items in the pool's files, answered or not, when the newest round was opened, or else the workspace made."""
    created = cast(dict[str, int], state.rounds[0].facts["created"]["counts"])
    opened = [one.facts["opened"] for one in state.rounds if one.done("opened")]
    return cast(int, opened[-1].get("pool_rows", created["pool"])) if opened else created["pool"]


def _barred(state: State) -> int:
    scored = [one.facts["scored"] for one in state.rounds if one.done("scored")]
    return cast(int, scored[-1].get("barred_test_content", 0)) if scored else 0


def unanswered(state: State) -> int:
    """Items that went out and that nobody answered, by the ledger alone: the next batch sends them again."""
    closed = [one for one in state.rounds if one.done("validated")]
    return cast(int, closed[-1].facts["validated"].get("unanswered", 0)) if closed else 0


def askable(params: Params, state: State, rows: int | None = None) -> int:
    """Items that may be asked about: those of the pool that nobody answered, and those that wait for another answer.

    `rows` as for `pool_left`.
    """
    return pool_left(state, rows) + len(overlap.waiting(params, state))


def size(params: Params, state: State, rows: int | None = None) -> int:
    """Items of the pool that the next batch would hold; `rows` as for `pool_left`.

    Raises GateError when the budget allows none.
    """
    return min(budget.affordable(params, state), askable(params, state, rows))


def prospect(params: Params, state: State, items: int) -> Prospect:
    """What comes next: the round that is out, or else one of so many `items` of the pool.

    Labels are counted on for the items as the rounds so far gave them: some items end without one.
    """
    points = _of_one_learner(learning_curve(state, params.evaluate.metric))
    current, fitted = state.rounds[-1], fit(points, params.evaluate.confidence)
    is_out = current.done("selected") and not current.done("evaluated")
    labels = (points[-1].labels if points else 0) + round((_items(current) if is_out else items) * _yield(state.rounds))
    return Prospect(current.id if is_out else state.next_round, labels, points, fitted)


def foretold(params: Params, state: State) -> tuple[Foretold, ...]:
    """What was to be expected of the last RECENT measured rounds, each from what was known before its labels came.

    Worked out anew from the ledger, with the metric and confidence of now. Nothing was to be expected of a round that
    changed the learner, or came too early.
    """
    curve = {one.round: one for one in learning_curve(state, params.evaluate.metric)}
    measured = [one for one in state.rounds if one.id in curve and one.done("selected")]
    found = (_foretold(params, state, curve, one) for one in measured[-RECENT:])
    return tuple(one for one in found if one)


def _foretold(params: Params, state: State, curve: Mapping[str, CurvePoint], one: RoundState) -> Foretold | None:
    before = state.rounds[: round_number(one.id)]
    points = _of_one_learner([curve[earlier.id] for earlier in before if earlier.id in curve])
    fitted = fit(points, params.evaluate.confidence)
    if not fitted or curve[one.id].learner != points[-1].learner:
        return None
    more = round(_items(one) * _yield(before))
    if not more:
        return None
    return Foretold(one.id, fitted.expected(points[-1].labels + more, params.evaluate.confidence), curve[one.id].value)


def facts(params: Params, state: State, items: int) -> Facts:
    """What is expected of the next round, or why nothing is, and how often that was right, as plain values."""
    coming, past = prospect(params, state, items), foretold(params, state)
    known = coming.expected(params.evaluate.confidence)
    return {
        "expected": {"round": coming.round, **asdict(known)} if known else None,
        "unknown": coming.why_unknown(),
        "foretold": {
            "rounds": [
                {"round": one.round, "measured": one.value, "right": one.is_right, **asdict(one.expectation)}
                for one in past
            ],
            "claimed": len(past),
            "right": sum(one.is_right for one in past),
        },
    }


def _of_one_learner(points: Sequence[CurvePoint]) -> tuple[CurvePoint, ...]:
    """The points of the learner in use, each with its interval."""
    learner = points[-1].learner if points else ""
    return tuple(one for one in points if one.learner == learner and one.low is not None and one.high is not None)


def _items(one: RoundState) -> int:
    """Items of the pool in the round's batch."""
    selected = one.facts["selected"]
    return cast(int, selected["items"]) - cast(dict[str, int], selected["reasons"]).get("gold", 0)


def _yield(rounds: Sequence[RoundState]) -> float:
    """New labels an item that was asked about, over all rounds that are trained; 1 before any."""
    trained = [one for one in rounds if one.done("evaluated")]
    asked = sum(_items(one) for one in trained if one.done("selected"))
    if not asked:
        return 1.0
    first, last = (cast(int, one.facts["trained"]["labels"]) for one in (trained[0], trained[-1]))
    return max(0.0, (last - first) / asked)
