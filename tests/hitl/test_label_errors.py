import math

import numpy as np
import pytest

from hitl import label_errors
from hitl.label_errors import Doubt


def test_a_class_is_confident_above_what_its_own_items_reach() -> None:
    labels = np.array([0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6]])
    assert label_errors.thresholds(labels, probabilities) == pytest.approx([0.8, 0.6])
    assert label_errors.confident_joint(labels, probabilities).tolist() == [[1, 0], [0, 1]]


def test_an_item_confidently_of_another_class_is_in_doubt() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    assert label_errors.doubts(labels, probabilities) == (Doubt(2, 0, 1, pytest.approx(0.8)),)
    assert label_errors.confident_joint(labels, probabilities)[0, 1] == 1


def test_an_unsure_model_doubts_nothing() -> None:
    labels = np.array([0, 1, 0, 1])
    assert label_errors.doubts(labels, np.full((4, 2), 0.5)) == ()


def test_planted_errors_are_found_and_counted_most_damaging_first() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(3, size=600)
    wrong = rng.random(600) < 0.1
    labels = np.where(wrong, (true + 1) % 3, true)
    probabilities = np.eye(3)[true] * 0.6 + rng.dirichlet(np.ones(3), size=600) * 0.4
    found = label_errors.doubts(labels, probabilities)
    rows = {one.row for one in found}
    assert len(rows & set(np.flatnonzero(wrong))) > 0.85 * wrong.sum()
    assert len(rows - set(np.flatnonzero(wrong))) < 0.02 * len(labels)
    assert [one.margin for one in found] == sorted((one.margin for one in found), reverse=True)
    assert label_errors.error_rate(labels, probabilities) == pytest.approx(wrong.mean(), abs=0.03)


def test_no_labels_are_no_doubts() -> None:
    nothing, none = np.zeros(0, dtype=np.intp), np.zeros((0, 2))
    assert label_errors.doubts(nothing, none) == ()
    assert math.isnan(label_errors.error_rate(nothing, none))


def test_a_class_that_no_item_bears_is_never_held_instead() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.3, 0.1, 0.6]] * 2 + [[0.1, 0.3, 0.6]] * 2)
    assert all(one.instead != 2 for one in label_errors.doubts(labels, probabilities))
