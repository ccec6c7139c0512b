"""The verdict in a sentence, and the numbers a reader asks for first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from hitl.curve import learning_curve
from hitl.ledger import Facts
from hitl.params import Evaluate
from hitl.report.sections.sources import Sources, champion_before
from hitl.report.spelled import (
    between,
    difference,
    many,
    measured,
    money,
    opening,
    percent,
    unit,
    words,
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A number with its name, and the words that qualify it."""

    name: str
    value: str
    note: str


def verdict(sources: Sources) -> str:
    """What became of the round's challenger, in one sentence."""
    judged = sources.facts("judged")
    if not judged:
        return f"{sources.round_id} has no verdict yet."
    if judged["verdict"] == "first":
        return f"{judged['challenger']} is the first model, so it is the champion."
    found = _found(judged, sources.params.evaluate)
    if judged["verdict"] == "promoted":
        before = champion_before(sources.state, sources.round_id)
        return f"{judged['challenger']} is the new champion: it gains {found.removeprefix('+')} over {before}."
    return f"{judged['champion']} stays champion: {judged['challenger']} is not proven better, its gain is {found}."


def tiles(sources: Sources) -> tuple[Tile, ...]:
    """Labels, the metric, what was paid, and the estimate on the pool, as far as they are known."""
    return (*_model(sources), *_paid(sources), *_pool(sources))


def _found(judged: Facts, evaluate: Evaluate) -> str:
    gain, low, high = (cast(float, judged[name]) for name in ("gain", "low", "high"))
    interval = f"{difference(evaluate.metric, low)} to {difference(evaluate.metric, high)}"
    sure = percent(evaluate.confidence, 0)
    return f"{difference(evaluate.metric, gain)} {unit(evaluate.metric)} ({sure} interval {interval})"


def _model(sources: Sources) -> tuple[Tile, ...]:
    points = [one for one in learning_curve(sources.state, sources.metric) if one.round == sources.round_id]
    if not points:
        return ()
    metric, point = sources.metric, points[0]
    items = f" on {many(len(sources.after), 'test item')}" if sources.after else ""
    return (
        Tile("Labels it learned from", f"{point.labels:,}", "initial set and all rounds so far"),
        Tile(
            f"{opening(words(metric))} of {point.round}",
            measured(metric, point.value),
            f"{between(metric, point.low, point.high)}{items}",
        ),
    )


def _paid(sources: Sources) -> tuple[Tile, ...]:
    if not sources.round.done("exported"):
        return ()
    amount = money(sources.round.spent, sources.params.delivery.currency)
    return (Tile("This round cost", amount, many(sources.round.accepted, "annotation")),)


def _pool(sources: Sources) -> tuple[Tile, ...]:
    pool = cast(Mapping[str, float | None], sources.facts("resolved").get("pool_accuracy", {}))
    estimate, low, high = pool.get("estimate"), pool.get("low"), pool.get("high")
    if estimate is None:
        return ()
    note = f"{between('accuracy', low, high)}, from {many(int(pool['items'] or 0), 'item')} drawn at random"
    return (Tile("Accuracy on the pool", percent(estimate), note),)
