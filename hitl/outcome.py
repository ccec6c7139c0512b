"""What a command brought about, as plain values from the state."""

from typing import cast

from hitl import money
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import State


def opened(state: State, name: str) -> Facts:
    """What the round's pack asks for."""
    facts = state.round(name).facts
    exported, selected = facts["exported"], facts["selected"]
    asked = {key: exported[key] for key in ("items", "annotations", "deadline", "price", "currency")}
    return {"round": name, "reasons": selected["reasons"], **asked, "scored": facts["scored"]["rows"]}


def closed(state: State, name: str, params: Params) -> Facts:
    """What the round taught: labels, the metric that decides with its interval, and the gate's verdict."""
    one, metric = state.round(name), params.evaluate.metric
    resolved, judged = one.facts["resolved"], one.facts["judged"]
    metrics = cast(dict[str, float], one.facts["evaluated"]["metrics"])
    return {
        "round": name,
        "resolved": resolved["resolved"],
        "unresolved": resolved["unresolved"],
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
