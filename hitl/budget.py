"""What a batch costs, and how large a batch the budget still allows."""

from math import ceil, floor

from hitl.errors import GateError
from hitl.params import Params
from hitl.state import State


def share_of(size: int, share: float) -> int:
    """How many of `size` a share is, rounded up, so that any share above 0 is at least one.

    >>> share_of(30, 0.1), share_of(30, 0.01), share_of(30, 0.0)
    (3, 1, 0)
    """
    return min(size, ceil(round(size * share, 9)))


def random_slice(params: Params) -> int:
    """How many items of a batch are drawn at random: all of them when that is the strategy."""
    return (
        params.query.batch
        if params.query.strategy == "random"
        else share_of(params.query.batch, params.query.random_share)
    )


def gold(params: Params, items: int) -> int:
    """The gold items that params ask for in a batch of `items` items of the pool; a share is one of the whole batch.

    A share is rounded up, so that any share above 0 is at least one item.
    """
    wanted = params.export.gold
    return wanted if isinstance(wanted, int) else ceil(round(items * wanted / (1 - wanted), 9))


def annotations(params: Params, items: int, *, hidden: int | None = None, again: int = 0) -> int:
    """The annotations that a pack of `items` items of the pool asks for, its gold and overlap included.

    With `hidden`, of a pack that hides so many gold items, where that is not what params ask for. Of the items so many
    are there `again`, for one more annotator each.
    """
    total = items + (hidden if hidden is not None else gold(params, items))
    return total + share_of(total - again, params.export.overlap_share) * (params.export.overlap - 1)


def remaining(params: Params, state: State) -> int | None:
    """Annotations that the budget still allows; None when it sets no limit."""
    limits = []
    if params.budget.annotations is not None:
        limits.append(params.budget.annotations - state.annotations)
    if params.budget.money is not None and params.delivery.price > 0:
        limits.append(floor((params.budget.money - state.spent) / params.delivery.price))
    return max(0, min(limits)) if limits else None


def affordable(params: Params, state: State) -> int:
    """Items of the pool that the next batch may hold: query.batch, or fewer when the budget ends sooner.

    Raises GateError when the budget allows none.
    """
    left = remaining(params, state)
    if left is None or annotations(params, params.query.batch) <= left:
        return params.query.batch
    items = next((n for n in range(min(params.query.batch, left), 0, -1) if annotations(params, n) <= left), 0)
    if not items:
        raise GateError(
            f"the budget allows {left} more annotations, too few for a batch of one item "
            f"({annotations(params, 1)} annotations with its gold and overlap); raise budget in params.yaml"
        )
    return items
