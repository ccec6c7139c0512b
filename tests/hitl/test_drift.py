import itertools

import numpy as np
import pytest

from hitl import drift
from hitl.drift import LEVEL

ONE = np.array(["cat"] * 60, dtype=object)


def told(right: list[bool], late: list[bool], kinds: list[str]) -> float:
    found = drift.drift(np.array(right), np.array(late), np.array(kinds, dtype=object), confidence=0.95)
    return found.p


def test_who_tires_drifts_and_who_does_not_is_not_accused() -> None:
    late = np.arange(60) >= 30
    tired = drift.drift(~late | (np.arange(60) % 2 == 0), late, ONE, confidence=0.95)
    steady = drift.drift(np.arange(60) % 4 > 0, late, ONE, confidence=0.95)
    assert tired.is_real and tired.change.value == -0.5 and tired.change.high < 0
    assert not steady.is_real and steady.change.low < 0 < steady.change.high


def test_harder_classes_later_make_nobody_worse() -> None:
    # Always right of cats, never of dogs; the dogs came later.
    late = np.arange(60) >= 30
    kinds = np.where(late, "dog", "cat").astype(object)
    found = drift.drift(~late, late, kinds, confidence=0.95)
    assert (found.change.value, found.p) == (-1.0, 1.0)


def test_one_class_is_fishers_exact_test() -> None:
    # Fisher's tea: of four right among eight, all four are early: one way of 70, told on both sides.
    assert told([True] * 4 + [False] * 4, [False] * 4 + [True] * 4, ["cup"] * 8) == pytest.approx(2 / 70)


def test_the_chance_over_classes_is_that_of_every_way_to_be_late() -> None:
    right, late, kinds = (
        [True, True, False, False, True, True],
        [False, True, True, False, False, False],
        list("aaaabb"),
    )
    seen = sum(one and two for one, two in zip(right, late, strict=True))
    ways = [
        sum(right[place] for place in drawn)
        for drawn in itertools.combinations(range(6), 2)
        if sum(kinds[place] == "a" for place in drawn) == 2
    ]
    low, high = (np.mean([sign * way >= sign * seen for way in ways]) for sign in (-1, 1))
    assert told(right, late, kinds) == pytest.approx(min(1.0, 2 * min(low, high)))


def test_of_the_steady_no_more_are_said_to_drift_than_the_level_says() -> None:
    rng, late = np.random.default_rng(3), np.arange(60) % 2 > 0
    kinds = np.where(np.arange(60) % 3 > 0, "cat", "dog").astype(object)
    able = np.where(kinds == "cat", 0.95, 0.6)
    flagged = [drift.drift(rng.random(60) < able, late, kinds, confidence=0.95).is_real for _ in range(1000)]
    assert np.mean(flagged) <= LEVEL + 3 * np.sqrt(LEVEL / 1000)


def test_nothing_is_said_of_one_round_or_of_no_answer() -> None:
    assert np.isnan(drift.later_half(np.array(["r1", "r1"], dtype=object))).all()
    assert drift.drift(np.array([], bool), np.array([], bool), np.array([], object), confidence=0.95).p == 1.0
