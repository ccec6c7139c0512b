"""Our metrics are scikit-learn's, computed from confusion matrices so that a bootstrap is cheap."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn import metrics as theirs

from hitl import metrics

CLASSES = 4


@st.composite
def answers(draw: st.DrawFn) -> tuple[metrics.Codes, metrics.Codes]:
    """Actual and predicted classes; often some class neither occurs nor is predicted."""
    size = draw(st.integers(1, 40))
    code = st.integers(0, draw(st.integers(0, CLASSES - 1)))
    pair = [draw(st.lists(code, min_size=size, max_size=size)) for _ in range(2)]
    return np.array(pair[0], dtype=np.intp), np.array(pair[1], dtype=np.intp)


@settings(max_examples=50)
@given(answers())
def test_point_values_are_those_of_scikit_learn(pair: tuple[metrics.Codes, metrics.Codes]) -> None:
    matrix = metrics.confusion(*pair, CLASSES)
    recalls = theirs.recall_score(*pair, labels=np.unique(pair[0]), average=None, zero_division=0)
    assert matrix.tolist() == theirs.confusion_matrix(*pair, labels=range(CLASSES)).tolist()
    assert metrics.accuracy(matrix) == pytest.approx(theirs.accuracy_score(*pair))
    assert metrics.macro_f1(matrix) == pytest.approx(theirs.f1_score(*pair, average="macro", zero_division=0))
    assert metrics.balanced_accuracy(matrix) == pytest.approx(recalls.mean())


def probabilities(rows: int, *, seed: int = 0) -> metrics.Floats:
    raw = np.random.default_rng(seed).random((rows, CLASSES)) + 0.01
    return raw / raw.sum(axis=1, keepdims=True)


def measured(actual: metrics.Codes, found: metrics.Floats, *, seed: int = 0) -> dict[str, float]:
    return metrics.measure(actual, found, draws=500, confidence=0.95, rng=np.random.default_rng(seed))


def test_losses_are_those_of_scikit_learn() -> None:
    found, actual = probabilities(60), np.arange(60) % CLASSES
    values = measured(actual, found)
    assert values["log_loss"] == pytest.approx(theirs.log_loss(actual, found, labels=range(CLASSES)))
    assert values["brier"] == pytest.approx(((found - np.eye(CLASSES)[actual]) ** 2).sum() / 60)


def test_a_class_that_was_held_impossible_costs_much_but_not_everything() -> None:
    values = measured(np.array([0]), np.array([[0.0, 1.0, 0.0, 0.0]]))
    assert values["log_loss"] == pytest.approx(-np.log(1e-15))


def test_each_headline_metric_lies_in_its_interval() -> None:
    values = measured(np.arange(60) % CLASSES, probabilities(60))
    for name in metrics.METRICS:
        assert values[f"{name}_low"] <= values[name] <= values[f"{name}_high"]


def test_the_same_seed_gives_the_same_interval() -> None:
    actual, found = np.arange(60) % CLASSES, probabilities(60)
    assert measured(actual, found) == measured(actual, found)
    assert measured(actual, found) != measured(actual, found, seed=1)


def test_a_bootstrap_draws_the_same_items_for_every_prediction() -> None:
    actual = np.arange(40) % CLASSES
    one, other = metrics.resampled(actual, [actual, actual], CLASSES, draws=20, rng=np.random.default_rng(0))
    assert (one == other).all()
    assert one.sum(axis=(1, 2)).tolist() == [40] * 20


def test_codes_follow_the_order_of_the_classes() -> None:
    assert metrics.codes(["dog", "NA", "dog"], ["NA", "dog"]).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (5, 10, 0.237, 0.763)]
)
def test_a_share_has_the_interval_of_wilson(right: int, of: int, low: float, high: float) -> None:
    share, below, above = metrics.proportion(right, of, 0.95)
    assert share == right / of
    assert (round(below, 3), round(above, 3)) == (low, high)


def test_a_share_of_nothing_is_not_known() -> None:
    share, low, high = metrics.proportion(0, 0, 0.95)
    assert np.isnan(share)
    assert (low, high) == (0.0, 1.0)
