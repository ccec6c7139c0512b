import numpy as np
import pytest

from hitl import gate
from hitl.metrics import Codes

ACTUAL: Codes = np.arange(200) % 2


def wrong_in(count: int, *, start: int = 0) -> Codes:
    """Predictions that are wrong for `count` items from `start` on."""
    found = ACTUAL.copy()
    found[start : start + count] = 1 - found[start : start + count]
    return found


def judged(champion: Codes, challenger: Codes, *, margin: float = 0.0, seed: int = 0) -> gate.Judgement:
    return gate.judge(
        ACTUAL,
        champion,
        challenger,
        2,
        metric="accuracy",
        margin=margin,
        draws=400,
        confidence=0.95,
        rng=np.random.default_rng(seed),
    )


def test_the_first_model_is_compared_with_nothing() -> None:
    assert gate.first("accuracy").verdict == "first"


def test_a_challenger_that_is_proven_better_is_promoted() -> None:
    found = judged(wrong_in(40), wrong_in(10))
    assert found.verdict == "promoted"
    assert found.gain == pytest.approx(0.15)
    assert 0 < found.low < found.gain < found.high


def test_a_challenger_that_is_better_by_luck_is_not() -> None:
    found = judged(wrong_in(40), wrong_in(39, start=1))
    assert found.gain > 0
    assert found.verdict == "kept"


def test_a_worse_challenger_is_not_promoted() -> None:
    assert judged(wrong_in(10), wrong_in(40)).verdict == "kept"


def test_the_same_predictions_gain_nothing_at_all() -> None:
    found = judged(wrong_in(10), wrong_in(10))
    assert (found.verdict, found.gain, found.low, found.high) == ("kept", 0.0, 0.0, 0.0)


def test_the_gain_must_be_above_the_margin_with_its_lower_bound() -> None:
    found = judged(wrong_in(40), wrong_in(10))
    assert judged(wrong_in(40), wrong_in(10), margin=found.low).verdict == "kept"
    assert judged(wrong_in(40), wrong_in(10), margin=found.low - 0.001).verdict == "promoted"


def test_a_margin_below_nothing_lets_an_equal_challenger_pass() -> None:
    assert judged(wrong_in(10), wrong_in(10), margin=-0.01).verdict == "promoted"


def test_the_comparison_is_paired() -> None:
    # Wrong on the same items but five: far narrower than two intervals side by side.
    found = judged(wrong_in(100), wrong_in(95))
    assert found.verdict == "promoted"


def test_the_note_tells_the_numbers() -> None:
    found = judged(wrong_in(40), wrong_in(10))
    assert f"{found.gain:+.4f}" in found.note
    assert "95% interval" in found.note
    assert found.note.startswith("promoted: accuracy changed by")
    assert judged(wrong_in(10), wrong_in(40)).note.startswith("kept the champion: ")


def test_the_same_seed_gives_the_same_judgement() -> None:
    assert judged(wrong_in(40), wrong_in(30), seed=3) == judged(wrong_in(40), wrong_in(30), seed=3)
