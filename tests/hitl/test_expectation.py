"""The interval is what it says: checked on histories whose curve is known, with seeds of their own."""

import math
import random
from statistics import NormalDist

import pytest
from scipy.special import stdtr

from hitl.curve import CurvePoint
from hitl.expectation import MINIMUM, Fit, fit, student

CONFIDENCE = 0.95
HISTORIES = 150


def point(labels: int, value: float, *, test: int = 500) -> CurvePoint:
    """A model measured on so many test items."""
    off = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(max(value * (1 - value), 1e-9) / test)
    return CurvePoint("", labels, value, value - off, value + off)


RISING = [point(30, 0.6), point(60, 0.7), point(90, 0.75), point(120, 0.78)]


def fitted(points: list[CurvePoint]) -> Fit:
    found = fit(points, CONFIDENCE)
    assert found
    return found


def history(rng: random.Random, rounds: int) -> tuple[list[CurvePoint], list[float]]:
    """What the models of so many rounds measured, and the curve that they lie around."""
    first, test, noise = rng.choice([20, 30, 60, 100]), rng.choice([200, 500, 1000]), rng.uniform(0.25, 1.0)
    more, end = rng.choice([0.3, 0.5, 1.0, 2.0]) * first, rng.uniform(0.75, 1.0)
    rate, room = rng.uniform(0.3, 1.5), rng.uniform(0.05, 0.4)
    labels = [round(first + more * number) for number in range(rounds)]
    curve = [end - room * (one / first) ** -rate for one in labels]
    measured = [min(1.0, at + noise * math.sqrt(at * (1 - at) / test) * rng.gauss()) for at in curve]
    return [point(one, at, test=test) for one, at in zip(labels, measured, strict=True)], curve


@pytest.mark.parametrize("models", [4, 6, 12])
def test_an_interval_holds_as_often_as_it_says(models: int) -> None:
    rng, under = random.Random(1), []
    for _ in range(HISTORIES):
        points, _ = history(rng, models + 1)
        under.append(fitted(points[:models]).chance_under(points[-1].labels, points[-1].value))
    assert 0.7 <= sum(0.1 <= one <= 0.9 for one in under) / HISTORIES <= 0.9
    assert 0.9 <= sum(0.025 <= one <= 0.975 for one in under) / HISTORIES <= 0.99


def test_an_interval_leaves_as_much_out_below_it_as_above() -> None:
    found = fitted(RISING)
    known = found.expected(150, 0.8)
    ends = [found.chance_under(150, value) for value in (known.low, known.value, known.high)]
    assert ends == pytest.approx([0.1, 0.5, 0.9], abs=1e-3)


def test_a_flat_curve_is_told_with_the_confidence_asked_for() -> None:
    rng, told = random.Random(2), []
    for _ in range(HISTORIES):
        points, curve = history(rng, 9)
        if fitted(points[:8]).chance_below(points[-1].labels, 0.005) >= 0.9:
            told.append(curve[-1] - curve[-2] < 0.005)
    assert len(told) >= 15
    assert sum(told) / len(told) >= 0.9


def test_few_models_and_unlike_ones_make_a_wide_interval() -> None:
    def width(*values: float) -> float:
        points = [point(30 * number + 30, value) for number, value in enumerate(values)]
        known = fitted(points).expected(30 * len(values) + 30, 0.8)
        return known.high - known.low

    smooth = [0.9 - 0.3 * (number + 1) ** -0.8 for number in range(12)]
    assert width(*smooth[:4]) > 1.3 * width(*smooth)
    assert width(0.6, 0.7, 0.62, 0.75) > 1.3 * width(*smooth[:4])


def test_nothing_is_claimed_of_three_models() -> None:
    assert len(RISING) == MINIMUM
    assert fit(RISING[:3], CONFIDENCE) is None


def test_more_labels_raise_the_curve_more_and_none_not_at_all() -> None:
    found = fitted(RISING)
    rises = [found.expected(labels, 0.8).rise for labels in (120, 150, 300, 3000)]
    assert rises == sorted(rises)
    assert rises[0] == 0
    assert 0.005 < rises[1] < 0.03
    assert found.chance_below(120, 1e-9) == pytest.approx(1)


@pytest.mark.parametrize("values", [[1.0] * 5, [0.0] * 5, [0.5] * 5, [0.9, 0.8, 0.7, 0.6, 0.5]])
def test_what_is_expected_is_a_value_that_the_metric_can_have(values: list[float]) -> None:
    known = fitted([point(10 * number + 10, value) for number, value in enumerate(values)]).expected(60, 0.95)
    assert 0 <= known.low <= known.value <= known.high <= 1
    assert known.gain == pytest.approx(known.value - values[-1])
    assert 0 <= known.rise_low <= known.rise <= known.rise_high


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 30])
def test_students_t_is_that_of_scipy(freedom: int) -> None:
    for value in (-30.0, -2.5, -0.1, 0.0, 1.0, 8.0):
        assert student(value, freedom) == pytest.approx(stdtr(freedom, value), abs=1e-12)
