from datetime import UTC, datetime, timedelta

import pytest

from hitl.due import why_not_close
from hitl.params import Delivery, Params
from hitl.state import Phase, RoundState

DEADLINE = datetime(2026, 11, 28, 9, tzinfo=UTC)
BEFORE, AFTER = DEADLINE - timedelta(seconds=1), DEADLINE


def params(minimum_share: float) -> Params:
    data = {"id": "id", "label": "y", "classes": ("a", "b"), "columns": {"x": "numeric"}}
    return Params.model_validate({"data": data, "delivery": Delivery(minimum_share=minimum_share)})


def waiting(accepted: int) -> RoundState:
    exported = {"annotations": 10, "deadline": DEADLINE.isoformat()}
    rows = {"rows": {"accepted": accepted}}
    return RoundState("r0001", Phase.AWAITING, "", facts={"exported": exported}, deliveries=(rows,))


@pytest.mark.parametrize("at", [BEFORE, AFTER])
def test_a_round_with_every_answer_may_close(at: datetime) -> None:
    assert why_not_close(waiting(10), params(1.0), at) is None


def test_a_round_with_enough_answers_may_close_once_its_deadline_is_over() -> None:
    assert why_not_close(waiting(8), params(0.8), AFTER) is None
    assert "2 of 10" in (why_not_close(waiting(8), params(0.8), BEFORE) or "")


def test_a_round_with_too_few_answers_waits_on() -> None:
    assert "3 of 10" in (why_not_close(waiting(7), params(0.8), AFTER) or "")


def test_a_round_without_an_answer_never_closes() -> None:
    assert why_not_close(waiting(0), params(0.0), AFTER)
