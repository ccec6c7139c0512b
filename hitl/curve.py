"""The learning curve: what each round's challenger reached with the labels it had."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from hitl.state import RoundState, State


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A model measured on the test set: its round ("" for a comparison), its labels, its metric with interval.

    `learner` is the digest of the params that it was fitted with: models of another learner lie on another curve.
    """

    round: str
    labels: int
    value: float
    low: float | None = None
    high: float | None = None
    promoted: bool = True
    learner: str = ""


def learning_curve(state: State, metric: str) -> tuple[CurvePoint, ...]:
    """The points of every round that was evaluated, in the order of the rounds."""
    return tuple(_point(one, metric) for one in state.rounds if one.done("evaluated") and one.done("trained"))


def _point(one: RoundState, metric: str) -> CurvePoint:
    metrics = cast(Mapping[str, float | None], one.facts["evaluated"]["metrics"])
    verdict = one.facts.get("judged", {}).get("verdict")
    return CurvePoint(
        round=one.id,
        labels=cast(int, one.facts["trained"]["labels"]),
        value=cast(float, metrics[metric]),
        low=metrics.get(f"{metric}_low"),
        high=metrics.get(f"{metric}_high"),
        promoted=verdict in ("first", "promoted"),
        learner=cast(str, one.facts["trained"].get("params_sha256", "")),
    )
