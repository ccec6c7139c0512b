import math
from collections.abc import Sequence

import pytest

from hitl import prospect
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import State, fold
from tests.factories import a_round, baseline, delivery, events, params

VALUES = (0.60, 0.70, 0.75, 0.78, 0.80, 0.815)
PARAMS = params()


def measured(value: float, labels: int, **trained: object) -> dict[str, Facts]:
    """The facts of a round whose model measured this."""
    off = 1.96 * math.sqrt(value * (1 - value) / 500)
    found = {"accuracy": value, "accuracy_low": value - off, "accuracy_high": value + off}
    return {
        "evaluated": {"metrics": found},
        "trained": {"labels": labels, "params_sha256": "p", **trained},
        "validated": {"answered": 30},
    }


def history(values: Sequence[float] = VALUES, *, labels: int = 30, until: str = "closed", **last: object) -> State:
    """A state whose rounds measured these values, each with so many more labels; `last` is of the last training."""
    told = baseline()
    told[1:3] = [(event, name, {**facts, **measured(values[0], 30)[event]}) for event, name, facts in told[1:3]]
    for number, value in enumerate(values[1:], start=1):
        is_last = number == len(values) - 1
        facts = measured(value, 30 + labels * number, **(last if is_last else {}))
        told += a_round(number, delivery(f"d{number}"), until=until if is_last else "closed", **facts)
    return fold(events(*told))


def test_the_next_round_has_the_labels_that_its_items_can_be_counted_on_for() -> None:
    assert prospect.prospect(PARAMS, history(), 30).labels == 180 + 30
    assert prospect.prospect(PARAMS, history(labels=15), 30).labels == 105 + 15
    assert prospect.prospect(PARAMS, fold(events(*baseline())), 30).labels == 30 + 30


def test_a_round_that_is_out_is_the_next_one_measured() -> None:
    coming = prospect.prospect(PARAMS, history(until="exported"), 99)
    assert (coming.round, coming.labels, len(coming.points)) == ("r0005", 180, 5)
    assert prospect.prospect(PARAMS, history(), 30).round == "r0006"


def test_what_is_expected_lies_above_the_last_model_of_a_rising_curve() -> None:
    known = prospect.prospect(PARAMS, history(), 30).expected(0.8)
    assert known
    assert known.low < VALUES[-1] < known.value < known.high
    assert 0.003 < known.rise < 0.02


@pytest.mark.parametrize(
    ("state", "items", "why"),
    [
        (fold(events(*baseline())), 30, "takes 4 measured models of one learner, and there is 1"),
        (history(VALUES[:3]), 30, "and there are 3"),
        (history(params_sha256="another"), 30, "and there is 1"),
        (history(), 0, "no more labels would come"),
        (history(labels=0), 30, "no more labels would come"),
    ],
)
def test_where_nothing_can_be_expected_that_is_said(state: State, items: int, why: str) -> None:
    coming = prospect.prospect(PARAMS, state, items)
    assert why in (coming.why_unknown() or "")
    assert coming.expected(0.8) is None


def test_the_past_is_told_as_it_was_to_be_seen_then() -> None:
    found = prospect.foretold(PARAMS, history())
    assert [one.round for one in found] == ["r0004", "r0005"]
    before = prospect.prospect(PARAMS, history(VALUES[:4]), 30)
    assert found[0].expectation == before.expected(PARAMS.evaluate.confidence)
    assert [one.is_right for one in found] == [True, True]


def test_a_jump_that_nobody_could_foresee_counts_as_wrong() -> None:
    (*_, last) = prospect.foretold(PARAMS, history((*VALUES, 0.99)))
    assert (last.round, last.value, last.is_right) == ("r0006", 0.99, False)


def test_of_a_round_that_changed_the_learner_nothing_was_claimed() -> None:
    assert [one.round for one in prospect.foretold(PARAMS, history(params_sha256="another"))] == ["r0004"]


def test_the_metric_of_now_is_told_of_all_rounds() -> None:
    other: Params = params(evaluate={"confidence": 0.8})
    narrow, wide = prospect.foretold(other, history()), prospect.foretold(PARAMS, history())
    assert narrow[0].expectation.high < wide[0].expectation.high


def test_a_state_until_a_round_is_that_before_the_next_one() -> None:
    assert history().until("r0002").rounds == history(VALUES[:3]).rounds
