"""Whether a round may close, for all answers or enough of them are in, and whether another one should be opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from hitl import budget, prospect
from hitl.errors import GateError
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import RoundState, State

Rule = Literal["pool", "budget", "target", "plateau"]


def why_not_close(current: RoundState, params: Params, at: datetime) -> str | None:
    """Why the exported round cannot close at `at`, and the way out; None when it can."""
    deadline = cast(str, current.facts["exported"]["deadline"])
    missing = current.expected - current.accepted
    if missing <= 0:
        return None
    if is_enough(current, params) and at >= datetime.fromisoformat(deadline):
        return None
    return (
        f"{current.id} still waits for {missing} of {current.expected} answers (deadline {deadline}); "
        "ingest the missing ones, or close without them: hitl close --partial"
    )


def is_enough(current: RoundState, params: Params) -> bool:
    """Whether so many answers are in that the round closes at its deadline without the others."""
    return current.accepted > 0 and current.accepted / current.expected >= params.delivery.minimum_share


@dataclass(frozen=True, slots=True)
class Stop:
    """Why no more labels are asked for: the rule, what it found, in words and in figures, and how to go on anyway."""

    rule: Rule
    why: str
    way_on: str
    figures: Mapping[str, float]

    def __str__(self) -> str:
        return f"{self.why}; {self.way_on}"

    def facts(self) -> Facts:
        """All of it as plain values."""
        return {"rule": self.rule, "why": self.why, "way_on": self.way_on, "figures": dict(self.figures)}


def why_not_open(params: Params, state: State, rows: int | None = None) -> Stop | None:
    """Why `advance` opens no next round; None when it does. `rows` as for `prospect.pool_left`."""
    return impossible(params, state, rows) or enough(params, state, rows)


def impossible(params: Params, state: State, rows: int | None = None) -> Stop | None:
    """Why nobody can open a next round, neither: the pool or the budget is used up."""
    if not prospect.askable(params, state, rows):
        more = "for another round put more items there, as Parquet files of the same columns"
        return Stop("pool", "the pool is empty: every item was asked about", more, {"pool_left": 0})
    try:
        budget.affordable(params, state)
    except GateError as error:
        why, _, way_on = str(error).rpartition("; ")
        return Stop("budget", why, way_on, {"budget_left": cast(int, budget.remaining(params, state))})
    return None


def enough(params: Params, state: State, rows: int | None = None) -> Stop | None:
    """Why there are labels enough, by the rules of `stop`; None while there are not."""
    return _target(params, state) or _plateau(params, state, rows)


def _target(params: Params, state: State) -> Stop | None:
    """The champion is proven to be good enough: by the lower bound of its metric, not by its luck."""
    metric, target = params.evaluate.metric, params.stop.target
    if target is None or state.champion is None:
        return None
    found = cast(Mapping[str, float], state.round(state.champion).facts["evaluated"]["metrics"])
    low = found.get(f"{metric}_low")
    if low is None or low < target:
        return None
    why = (
        f"the target is reached: {metric} of the champion, the model of {state.champion}, is {found[metric]:.4f} and, "
        f"with {params.evaluate.confidence:.0%} confidence, at least {low:.4f}, and stop.target is {target:g}"
    )
    figures = {"target": target, "value": found[metric], "low": low, "confidence": params.evaluate.confidence}
    return Stop("target", why, _way_on("raise stop.target", "no target"), figures)


def _plateau(params: Params, state: State, rows: int | None) -> Stop | None:
    """The curve is flat: the next round is too unlikely to bring as much as is asked of a round.

    A rule on the expected progress, as in Vlachos, "A stopping criterion for active learning" (Computer Speech &
    Language 2008), but on the test set and with the doubt of the fit: of the curve, not of one model's luck.
    """
    least, confidence = params.stop.gain, params.stop.confidence
    if least is None:
        return None
    coming = prospect.prospect(params, state, prospect.size(params, state, rows))
    if not coming.fit or coming.why_unknown():
        return None
    chance, metric = coming.fit.chance_below(coming.labels, least), params.evaluate.metric
    if chance < confidence:
        return None
    rise = coming.fit.expected(coming.labels, confidence).rise
    why = (
        f"the curve is flat: {coming.labels - coming.points[-1].labels} more labels in {coming.round} are expected to "
        f"raise {metric} by {rise:.4f}, and with {chance:.1%} probability by less than stop.gain ({least:g}), where "
        f"stop.confidence asks for {confidence:.0%}"
    )
    figures = {"gain": least, "rise": rise, "chance": chance, "confidence": confidence, "labels": coming.labels}
    return Stop("plateau", why, _way_on("lower stop.gain", "never for this"), figures)


def _way_on(change: str, without: str) -> str:
    return f"for more labels all the same, {change} in params.yaml (null: {without}), or run hitl open"
