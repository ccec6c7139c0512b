"""What a command brought about, as plain values from the state."""

from collections.abc import Mapping
from typing import cast

from hitl import due, money, overlap
from hitl.layout import round_id, round_number
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import RoundState, State


def opened(state: State, name: str, params: Params) -> Facts:
    """What the round's pack asks for; `stop` is why there were labels enough without it, None where there were not."""
    facts = state.round(name).facts
    exported, selected = facts["exported"], facts["selected"]
    asked = {key: exported[key] for key in ("items", "annotations", "deadline", "price", "currency")}
    hidden = {"gold_left": selected.get("gold_left"), "tells": exported.get("tells", [])}
    stop = due.enough(params, state.until(round_id(round_number(name) - 1)))
    return {
        "round": name,
        "reasons": selected["reasons"],
        **asked,
        "scored": facts["scored"]["rows"],
        **hidden,
        "stop": stop.facts() if stop else None,
    }


def closed(state: State, name: str, params: Params) -> Facts:
    """What the round taught: labels, the metric that decides with its interval, and the gate's verdict."""
    one, metric = state.round(name), params.evaluate.metric
    resolved, judged = one.facts["resolved"], one.facts["judged"]
    metrics = cast(dict[str, float], one.facts["evaluated"]["metrics"])
    answers = cast(Mapping[str, int], resolved.get("answers", {}))
    return {
        "round": name,
        "resolved": resolved["resolved"],
        "unresolved": resolved["unresolved"],
        "another": sum(count < overlap.most(params) for count in answers.values()),
        "gold": resolved["gold"],
        "agreement": resolved["agreement"],
        "pool_accuracy": resolved["pool_accuracy"],
        "labels": one.facts["trained"]["labels"],
        "metric": metric,
        "value": metrics[metric],
        "low": metrics[f"{metric}_low"],
        "high": metrics[f"{metric}_high"],
        "verdict": judged["verdict"],
        "champion": judged["champion"],
        "note": judged["note"],
        "annotations": one.accepted,
        "amount": money.spelled(one.spent),
        "currency": params.delivery.currency,
    }


def undone(state: State, facts: Facts) -> Facts:
    """What an undo changed, by its facts: each rebuilt round before and after, and the champion.

    `before` and `after` are None where the round is not rebuilt yet, or was not evaluated.
    """
    rebuilt = [_rebuilt(state.round(name)) for name in cast(list[str], facts["rounds"])]
    return {**facts, "rebuilt": rebuilt, "champion_before": facts["champion"], "champion": state.champion}


def _rebuilt(one: RoundState) -> Facts:
    before = one.earlier[-1]
    metric = str(before["judged"]["metric"])
    values = (_value(facts, metric) for facts in (before, one.facts))
    return {"round": one.id, "metric": metric, **dict(zip(("before", "after"), values, strict=True))}


def _value(facts: Mapping[str, Facts], metric: str) -> object:
    return cast(Mapping[str, object], facts.get("evaluated", {}).get("metrics", {})).get(metric)
