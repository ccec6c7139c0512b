"""Plan: what the next round would send, cost and bring. Changes nothing."""

from dataclasses import asdict

from hitl import budget, due, overlap, prospect
from hitl.curve import learning_curve
from hitl.delivery.receipt import payable
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.state import Phase
from tasks import gold as hiding, journal, pool_files


def plan(workspace: Workspace) -> Facts:
    """What the next round would be: items, annotations, price, budget left, and what is expected of it.

    So many items wait for `another` annotator, and compete with the new items for the same seats; where new ones ask
    for more annotations, the price is the most that it may be. `expected` is the metric with the next labels, its
    gain over the last model (as it will be measured) and the rise of the curve (without the luck of a single model),
    each with an interval; None, and `unknown` says why, while nothing can be said. `foretold` has what was to be
    expected of the rounds so far, and whether it came so. `stop` says why `hitl advance` asks for no more labels;
    None while it does. `out` is the round that waits for annotations: those to come are not in any other figure; None
    where no round does.
    """
    params, state = journal.params(workspace), journal.read(workspace)
    rows = pool_files.rows(workspace)  # files may have come since the last round
    items = 0 if due.impossible(params, state, rows) else prospect.size(params, state, rows)
    left = prospect.pool_left(state, rows)
    wanted = budget.gold(params, items or params.query.batch)
    gold = hiding.chosen(workspace, params, state, state.next_round, size=wanted) if wanted else hiding.NONE
    again = min(items, prospect.unanswered(state))
    another = len(overlap.waiting(params, state))
    # Which of them win a seat is known when the pool is scored; beyond the new items there are, all do.
    least = max(0, items - left)
    asked = budget.annotations(params, items, hidden=len(gold.chosen), again=least) if items else 0
    stop = due.why_not_open(params, state, rows)
    out = state.rounds[-1] if state.rounds[-1].phase is Phase.AWAITING else None
    return {
        "round": state.next_round,
        "strategy": params.query.strategy,
        "items": items,
        "reissued": again,
        "another": another,
        "random": min(items - again - least, budget.random_slice(params)),
        "gold": len(gold.chosen) if items else 0,
        "gold_wanted": wanted if items else 0,
        "gold_there": gold.left + len(gold.chosen),
        "vendor": params.export.vendor,
        **payable(asked, params.delivery.price, params.delivery.currency),
        "spent": {"annotations": state.annotations, "amount": str(state.spent)},
        "budget_left": budget.remaining(params, state),
        "pool_left": left,
        "metric": params.evaluate.metric,
        "curve": [asdict(point) for point in learning_curve(state, params.evaluate.metric)],
        **prospect.facts(params, state, items),
        "stop": stop.facts() if stop else None,
        "out": {"round": out.id, "annotations": out.expected - out.accepted} if out else None,
    }
