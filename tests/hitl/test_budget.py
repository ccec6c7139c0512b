import pytest
from hypothesis import given, strategies as st

from hitl import budget
from hitl.errors import GateError
from hitl.state import fold
from tests.factories import a_round, baseline, delivery, events, params

FRESH = fold(events(*baseline()))


def test_any_share_above_nothing_is_at_least_one() -> None:
    assert budget.share_of(30, 0.001) == 1
    assert budget.share_of(30, 0.0) == 0
    assert budget.share_of(0, 0.5) == 0


@pytest.mark.parametrize(("size", "share", "found"), [(30, 0.1, 3), (30, 0.7, 21), (1000, 0.003, 3), (7, 1.0, 7)])
def test_a_whole_share_is_not_rounded_up_by_floating_point(size: int, share: float, found: int) -> None:
    assert budget.share_of(size, share) == found


@pytest.mark.parametrize(
    ("gold", "items", "hidden"), [(4, 90, 4), (0, 90, 0), (0.0, 90, 0), (0.1, 90, 10), (0.1, 1, 1), (0.5, 7, 7)]
)
def test_gold_is_a_number_or_a_share_of_the_whole_batch(gold: float, items: int, hidden: int) -> None:
    asked = params(export={"gold": gold})
    assert budget.gold(asked, items) == hidden
    assert budget.annotations(asked, items) == items + hidden


def test_a_pack_asks_for_gold_and_overlap_too() -> None:
    asked = params(export={"gold": 2, "overlap": 3, "overlap_share": 0.25})
    assert budget.annotations(asked, 30) == 32 + 8 * 2


def test_without_a_limit_the_whole_batch_goes_out() -> None:
    assert budget.remaining(params(), FRESH) is None
    assert budget.affordable(params(), FRESH) == 30


def test_what_was_accepted_is_spent() -> None:
    state = fold(events(*baseline(), *a_round(1, delivery(accepted=32))))
    assert budget.remaining(params(budget={"annotations": 50}), state) == 18


def test_money_limits_as_annotations_do() -> None:
    assert budget.remaining(params(budget={"money": 1.0}), FRESH) == 20
    assert budget.remaining(params(budget={"money": 1.0, "annotations": 7}), FRESH) == 7
    assert budget.remaining(params(budget={"money": 1.0}, delivery={"price": 0}), FRESH) is None


def test_a_budget_that_is_overdrawn_allows_nothing() -> None:
    state = fold(events(*baseline(), *a_round(1, delivery(accepted=32))))
    assert budget.remaining(params(budget={"annotations": 10}), state) == 0


@given(
    limit=st.integers(0, 60),
    gold=st.integers(0, 5) | st.floats(0, 0.9),
    overlap=st.integers(1, 4),
    share=st.floats(0, 1),
)
def test_the_largest_batch_that_the_budget_pays_for_is_sent(
    limit: int, gold: float, overlap: int, share: float
) -> None:
    asked = params(
        budget={"annotations": limit}, export={"gold": gold, "overlap": overlap, "overlap_share": round(share, 3)}
    )
    if budget.annotations(asked, 1) > limit:
        with pytest.raises(GateError, match=f"allows {limit} more annotations"):
            budget.affordable(asked, FRESH)
        return
    size = budget.affordable(asked, FRESH)
    assert budget.annotations(asked, size) <= limit
    assert size == 30 or budget.annotations(asked, size + 1) > limit
