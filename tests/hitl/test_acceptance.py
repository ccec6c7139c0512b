"""The risks that a plan states are counted here once more, by drawing lots, and by scipy where there is one look."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from hitl.acceptance import Plan, Stop, expected_items, interval, plan, risk, stop
from hitl.errors import ParamsError

LOTS = [(20, 0.1, 0.02), (50, 0.1, 0.03), (150, 0.05, 0.015), (400, 0.03, 0.01)]


@pytest.fixture(params=LOTS)
def one(request: pytest.FixtureRequest) -> Plan:
    lot, error, good = request.param
    return plan(lot, error=error, good=good, confidence=0.95)


def test_both_risks_hold_exactly_in_the_very_lot(one: Plan) -> None:
    assert risk(one, one.bad) <= 0.05
    assert risk(one, one.good) >= 0.95
    assert (np.diff([risk(one, errors) for errors in range(one.bad + 1)]) <= 1e-12).all()


def test_the_cut_is_no_later_than_the_plan_without_a_stop_by_more_than_a_tenth(one: Plan) -> None:
    fixed = next(
        n
        for n in range(1, one.lot + 1)
        for c in range(one.bad)
        if hypergeom.cdf(c, one.lot, one.bad, n) <= 0.05 and hypergeom.cdf(c, one.lot, one.good, n) >= 0.95
    )
    assert fixed <= one.most <= 1.1 * fixed + 1
    assert expected_items(one, one.good) <= fixed


def test_the_first_error_decides_where_no_error_is_good() -> None:
    one = plan(1000, error=0.03, good=0.0, confidence=0.95)
    assert hypergeom.cdf(0, 1000, 31, one.most) <= 0.05 < hypergeom.cdf(0, 1000, 31, one.most - 1)
    assert one.least == one.most
    assert stop(one, [False] * 10 + [True]) == Stop("sent back", 11, 1)


def test_drawn_lots_are_accepted_as_often_as_the_plan_says() -> None:
    one, rng = plan(400, error=0.03, good=0.01, confidence=0.95), np.random.default_rng(0)
    for errors in (one.good, 8, one.bad):
        lots = [rng.permutation(np.arange(one.lot) < errors).tolist() for _ in range(2000)]
        accepted = np.mean([stop(one, lot).verdict == "accepted" for lot in lots])  # type: ignore[union-attr]
        assert accepted == pytest.approx(risk(one, errors), abs=0.035)


@pytest.mark.parametrize("one", LOTS[:2], indirect=True)
def test_each_bound_of_the_interval_holds_with_the_confidence_whatever_the_lot(one: Plan) -> None:
    bounds = {found: interval(one, found) for found in _every_stop(one)}
    for errors in {0, one.good, one.bad, (one.good + one.bad) // 2, one.lot // 4, one.lot - 1, one.lot}:
        chances = _chances(one, errors)
        assert sum(chances.values()) == pytest.approx(1)
        assert sum(p for found, p in chances.items() if bounds[found][1] < errors) <= 0.05 + 1e-9
        assert sum(p for found, p in chances.items() if bounds[found][0] > errors) <= 0.05 + 1e-9


@pytest.mark.parametrize("one", LOTS[:2], indirect=True)
def test_a_lot_is_accepted_just_where_its_upper_bound_is_below_what_is_bad(one: Plan) -> None:
    for found in _every_stop(one):
        low, high = interval(one, found)
        assert found.errors <= low <= high <= one.lot - found.items + found.errors
        assert (found.verdict == "accepted") == (high < one.bad)


def test_who_saw_all_of_a_lot_knows_its_errors() -> None:
    one = plan(3, error=0.4, good=0.0, confidence=0.99)
    assert interval(one, Stop("accepted", 3, 0)) == (0, 0)


def test_more_answers_are_needed_until_a_bound_is_crossed_and_later_ones_do_not_count() -> None:
    one = plan(150, error=0.05, good=0.015, confidence=0.95)
    assert stop(one, []) is None
    assert stop(one, [False] * (one.least - 1)) is None
    assert stop(one, [False] * one.least + [True] * 50) == Stop("accepted", one.least, 0)


@pytest.mark.parametrize(("lot", "error", "good"), [(0, 0.03, 0.01), (10, 0.03, 0.03), (10, 1.0, 0.1)])
def test_what_cannot_be_told_apart_is_refused(lot: int, error: float, good: float) -> None:
    with pytest.raises(ParamsError):
        plan(lot, error=error, good=good, confidence=0.95)


def _every_stop(one: Plan) -> set[Stop]:
    ways = (_chances(one, errors) for errors in (one.good, one.bad, one.lot // 4, one.lot - 1, one.lot, 0))
    return {found for chances in ways for found in chances}


def _chances(one: Plan, errors: int) -> dict[Stop, float]:
    """The probability of each stop, item by item and without arrays."""
    going, ends = {0: 1.0}, dict[Stop, float]()
    for n in range(1, one.most + 1):
        moved = dict[int, float]()
        for e, p in going.items():
            hit = (errors - e) / (one.lot - n + 1)
            for to, chance in ((e + 1, p * hit), (e, p * (1 - hit))):
                if chance > 0:
                    moved[to] = moved.get(to, 0.0) + chance
        going = {}
        for e, p in moved.items():
            if e <= one.accept[n - 1]:
                ends[Stop("accepted", n, e)] = p
            elif e >= one.reject[n - 1]:
                ends[Stop("sent back", n, e)] = p
            else:
                going[e] = p
    return ends
