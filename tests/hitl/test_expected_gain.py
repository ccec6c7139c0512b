import numpy as np
import pytest
from hypothesis import given, strategies as st

from hitl import expected_gain
from hitl.expected_gain import Weights, gain, worth_more

EVEN = Weights(annotator=1.0, model=1.0)


def one(model: float, crowd: float = 0.0, answers: int = 0, *, cost: float = 1.0, weights: Weights = EVEN) -> float:
    found = gain(np.array([model]), np.array([crowd]), np.array([answers]), weights=weights, classes=2, cost=cost)
    return float(found[0])


def test_the_gain_is_what_active_lab_leaves_in_doubt() -> None:
    # A new item: the model's word and a guess weigh alike. An answered one: two answers besides.
    assert one(0.9) == pytest.approx(1 - (0.9 + 0.5) / 2)
    assert one(0.9, 0.5, 2) == pytest.approx(1 - (0.9 + 2 * 0.5 + 0.5) / 4)


def test_an_item_that_is_answered_often_or_surely_brings_less() -> None:
    assert one(0.6, 0.9, 1) > one(0.6, 0.9, 2) > one(0.6, 0.9, 5)
    assert one(0.6, 0.5, 2) > one(0.6, 0.9, 2)
    assert one(0.1, 0.5, 2) > one(0.9, 0.5, 2)


def test_an_item_that_asks_for_more_annotations_brings_less_for_each() -> None:
    assert one(0.6, cost=2.0) == pytest.approx(one(0.6) / 2)


def test_who_is_better_than_the_commonest_class_weighs() -> None:
    found = expected_gain.weights(annotator=0.9, model=0.75, commonest=0.5)
    assert (found.annotator, found.model) == (pytest.approx(0.8), pytest.approx(0.5))
    assert expected_gain.weights(annotator=None, model=0.75, commonest=0.5).annotator == pytest.approx(0.5)
    hopeless = expected_gain.weights(annotator=0.1, model=0.2, commonest=1.0)
    assert 0 < hopeless.annotator == hopeless.model < 1e-3


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), max_size=6), st.lists(st.sampled_from([0.1, 0.2, 0.3]), max_size=6))
def test_no_item_that_loses_its_seat_brings_more_than_one_that_has_it(again: list[float], new: list[float]) -> None:
    for size in range(len(again) + len(new) + 2):
        places = worth_more(np.array(again), np.array(new), size).tolist()
        others = sorted(new, reverse=True)
        picked = min(len(others), max(0, size - len(places)))
        kept = [again[place] for place in places] + others[:picked]
        lost = [each for place, each in enumerate(again) if place not in places] + others[picked:]
        assert len(kept) == min(size, len(again) + len(new))
        assert not kept or not lost or min(kept) >= max(lost)
