"""Plan: what the next round would send and cost. Changes nothing."""

from dataclasses import asdict
from typing import cast

from hitl import budget
from hitl.curve import learning_curve
from hitl.delivery.receipt import payable
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.state import State
from tasks import gold as hiding, journal


def plan(workspace: Workspace) -> Facts:
    """What the next round would be: items, annotations, price, budget left, and the learning curve so far.

    Raises GateError when the budget allows no batch.
    """
    params, state = journal.params(workspace), journal.read(workspace)
    left, gold = pool_left(state), hiding.chosen(workspace, params, state, state.next_round)
    items = min(budget.affordable(params, state), left)
    again = min(items, unanswered(state))
    asked = budget.annotations(params, items, gold=len(gold.chosen)) if items else 0
    return {
        "round": state.next_round,
        "strategy": params.query.strategy,
        "items": items,
        "reissued": again,
        "random": min(items - again, budget.random_slice(params)),
        "gold": len(gold.chosen) if items else 0,
        "gold_wanted": params.export.gold if items else 0,
        "gold_there": gold.left + len(gold.chosen),
        "vendor": params.export.vendor,
        **payable(asked, params.delivery.price, params.delivery.currency),
        "spent": {"annotations": state.annotations, "amount": str(state.spent)},
        "budget_left": budget.remaining(params, state),
        "pool_left": left,
        "metric": params.evaluate.metric,
        "curve": [asdict(point) for point in learning_curve(state, params.evaluate.metric)],
    }


def pool_left(state: State) -> int:
    """Items of the pool that nobody has answered, by the ledger alone."""
    created = cast(dict[str, int], state.rounds[0].facts["created"]["counts"])
    return created["pool"] - sum(
        cast(int, one.facts["validated"]["answered"]) for one in state.rounds if one.done("validated")
    )


def unanswered(state: State) -> int:
    """Items that went out and that nobody answered, by the ledger alone: the next batch sends them again."""
    closed = [one for one in state.rounds if one.done("validated")]
    return cast(int, closed[-1].facts["validated"].get("unanswered", 0)) if closed else 0
