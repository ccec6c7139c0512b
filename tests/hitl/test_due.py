from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hitl import due, prospect
from hitl.due import why_not_close
from hitl.params import Delivery, Params
from hitl.state import Phase, RoundState, fold
from tests import factories
from tests.hitl.test_prospect import VALUES, history

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


def rule(stop: dict[str, object], **sections: Any) -> str | None:
    found = due.why_not_open(factories.params(stop=stop, **sections), history())
    return found.rule if found else None


def test_without_rules_there_is_always_more_to_ask() -> None:
    assert rule({}) is None


def test_a_target_is_reached_by_the_lower_bound_and_not_by_the_value() -> None:
    low = history().round("r0005").facts["evaluated"]["metrics"]["accuracy_low"]  # type: ignore[index]
    assert low < VALUES[-1] - 0.01
    assert rule({"target": VALUES[-1] - 0.01}) is None
    assert rule({"target": low}) == "target"


def test_the_target_is_for_the_champion_and_not_for_a_model_that_was_not_promoted() -> None:
    kept = factories.told("judged", "r0002", verdict="kept", champion="r0001")
    metrics = {"metrics": {"accuracy": 0.99, "accuracy_low": 0.98, "accuracy_high": 1.0}}
    told = [*factories.baseline(), *factories.a_round(1), *factories.a_round(2, evaluated=metrics, judged=kept[2])]
    state = fold(factories.events(*told))
    assert state.champion == "r0001"
    assert due.why_not_open(factories.params(stop={"target": 0.9}), state) is None
    assert due.why_not_open(factories.params(stop={"target": 0.75}), state)


@pytest.mark.parametrize(
    ("gain", "confidence", "found"),
    [(0.5, 0.9, "plateau"), (0.02, 0.9, "plateau"), (0.002, 0.9, None)],
)
def test_a_plateau_is_told_when_it_is_as_sure_as_was_asked(gain: float, confidence: float, found: str | None) -> None:
    assert rule({"gain": gain, "confidence": confidence}) == found


def test_no_plateau_is_told_of_too_few_models() -> None:
    asked = factories.params(stop={"gain": 0.9})
    assert due.why_not_open(asked, history(VALUES[:3])) is None
    assert due.why_not_open(asked, history(VALUES[:4]))


@pytest.mark.parametrize("section", [{"annotations": 0}, {"annotations": 160}])
def test_a_budget_that_is_used_up_comes_before_any_rule_that_a_person_may_overrule(section: dict[str, int]) -> None:
    found = due.why_not_open(factories.params(stop={"gain": 0.9, "target": 0.1}, budget=section), history())
    assert found
    assert (found.rule, found.figures) == ("budget", {"budget_left": 0})
    assert str(found).endswith("; raise budget in params.yaml")


def test_what_is_said_names_the_rule_its_figures_and_how_to_go_on() -> None:
    found = due.enough(factories.params(stop={"gain": 0.02}), history())
    assert found
    said = f"{found.figures['rise']:.4f}, and with {found.figures['chance']:.1%} probability"
    for part in (said, "30 more labels in r0006", "lower stop.gain in params.yaml", "or run hitl open"):
        assert part in str(found)
    assert found.facts() == {
        "rule": "plateau",
        "why": found.why,
        "way_on": found.way_on,
        "figures": dict(found.figures),
    }


def test_a_pool_that_is_used_up_goes_on_with_what_came_since() -> None:
    state, asked = history(), factories.params()
    there = prospect.pool_rows(state)
    answered = there - prospect.pool_left(state)
    used_up = due.impossible(asked, state, answered)
    assert used_up
    assert used_up.rule == "pool"
    assert "put more items there" in str(used_up)
    assert due.impossible(asked, state, answered + 1) is None
    assert prospect.size(asked, state, answered + 1) == 1
