import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hitl import agreement

TOLD = {"draws": 300, "confidence": 0.95}


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


# Krippendorff (2011), example C: four observers, twelve units, missing data; nominal alpha is 0.743.
UNITS = [
    "1 1 . 1", "2 2 3 2", "3 3 3 3", "3 3 3 3", "2 2 2 2", "1 2 3 4", "4 4 4 4", "1 1 2 1", "2 2 2 2", ". 5 5 5",
    ". . 1 1", ". 3 . .",
]  # fmt: skip
KRIPPENDORFF = np.array([[unit.split().count(str(value)) for value in range(1, 6)] for unit in UNITS])
# Fleiss (1971) as taught: fourteen raters, ten subjects, five categories; kappa is 0.210.
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]
)  # fmt: skip


def test_alpha_of_the_published_example() -> None:
    assert agreement.alpha(KRIPPENDORFF) == pytest.approx(0.743, abs=0.0005)


def test_fleiss_of_the_published_example() -> None:
    assert agreement.fleiss(FLEISS) == pytest.approx(0.210, abs=0.0005)


def test_perfect_agreement_is_one() -> None:
    votes = np.array([[3, 0], [0, 2], [4, 0]])
    assert agreement.alpha(votes) == agreement.fleiss(votes) == agreement.cohen(np.diag([4, 5])) == 1


@pytest.mark.parametrize("votes", [np.zeros((0, 2), int), np.array([[1, 0], [0, 1]]), np.array([[3, 0], [2, 0]])])
def test_nothing_can_be_said_without_two_answers_or_two_classes(votes: np.ndarray) -> None:
    assert math.isnan(agreement.alpha(votes))
    assert math.isnan(agreement.fleiss(votes))
    assert math.isnan(agreement.alpha_measured(votes, **TOLD, rng=rng()).value)
    assert math.isnan(agreement.fleiss_measured(votes, **TOLD, rng=rng()).low)


def test_cohen_of_nothing_is_no_number() -> None:
    assert math.isnan(agreement.cohen_measured(np.zeros((2, 2), int), **TOLD, rng=rng()).value)
    assert math.isnan(agreement.cohen(np.array([[5, 0], [0, 0]])))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=20))
def test_intervals_hold_their_value_and_no_more_than_one(rows: list[tuple[int, int, int]]) -> None:
    votes = np.array(rows)
    for measure, whole in ((agreement.alpha_measured, agreement.alpha), (agreement.fleiss_measured, agreement.fleiss)):
        found = measure(votes, draws=50, confidence=0.9, rng=rng())
        assert found.value == pytest.approx(whole(votes), nan_ok=True)
        assert math.isnan(found.value) or found.value <= 1 + 1e-9
        assert math.isnan(found.low) or found.low <= found.high


def test_more_items_make_intervals_narrower_and_a_seed_repeats_them() -> None:
    few, many = (agreement.alpha_measured(np.tile(KRIPPENDORFF, (n, 1)), **TOLD, rng=rng()) for n in (1, 20))
    assert many.high - many.low < (few.high - few.low) / 3
    assert few == agreement.alpha_measured(KRIPPENDORFF, **TOLD, rng=rng())
    assert few.low < 0.743 < few.high
    assert few.of == 11


def test_cohen_has_an_interval() -> None:
    found = agreement.cohen_measured(np.array([[20, 5], [10, 15]]), **TOLD, rng=rng())
    assert found.value == pytest.approx(0.4)
    assert 0.1 < found.low < 0.4 < found.high < 0.7


def test_a_difference_of_shares_has_newcombes_interval() -> None:
    # Newcombe (1998), table II, contrast (a): 56/70 - 48/80, method 10 gives 0.0524 to 0.3339.
    found = agreement.difference([True] * 48 + [False] * 32, [True] * 56 + [False] * 14, 0.95)
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)
    assert math.isnan(agreement.difference([True], [], 0.95).value)


def test_kappa_with_one_other_is_cohens() -> None:
    confusion = np.array([[20, 5], [10, 15]])
    mine, other = (np.repeat(index.ravel(), confusion.ravel()) for index in np.indices((2, 2)))
    found = agreement.cohen_with_others(mine, np.eye(2, dtype=np.int64)[other], 0.95)
    assert found.value == pytest.approx(agreement.cohen(confusion))
    drawn = agreement.cohen_measured(confusion, draws=4000, confidence=0.95, rng=rng())
    assert (found.low, found.high) == pytest.approx((drawn.low, drawn.high), abs=0.03)


def test_kappa_needs_somebody_else() -> None:
    alone = agreement.cohen_with_others(np.array([0, 1]), np.zeros((2, 2), dtype=np.int64), 0.95)
    assert math.isnan(alone.value) and alone.of == 0


def test_the_share_right_has_wilsons_interval() -> None:
    found = agreement.right(["cat"] * 10, ["cat"] * 9 + ["dog"], 0.95)
    assert (found.value, round(found.low, 3), round(found.high, 3), found.of) == (0.9, 0.596, 0.982, 10)


def test_a_page_left_open_does_not_move_the_pace() -> None:
    found = agreement.pace([9.0, 8.0, 10.0, 9.0, 40_000.0], confidence=0.95)
    assert (found.value, found.of) == (9.0, 5)
    assert math.isnan(agreement.pace([], confidence=0.95).value)


def test_the_interval_of_a_median_holds_it_as_often_as_it_says() -> None:
    times = rng().lognormal(2.0, 1.0, size=(400, 50))
    held = [found.low <= np.exp(2.0) <= found.high for found in (agreement.pace(t, confidence=0.95) for t in times)]
    assert 0.93 <= np.mean(held) <= 0.995
