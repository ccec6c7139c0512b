"""Every code says what it means, in a line, and does what its first letter says."""

import pytest

from hitl.delivery.advice import ADVICE, advice
from hitl.delivery.reasons import Reason


@pytest.mark.parametrize("reason", Reason)
def test_a_code_is_its_name_and_carries_a_meaning(reason: Reason) -> None:
    assert reason == reason.name
    assert reason[:2] in ("F_", "R_", "W_")
    assert 10 < len(reason.meaning) < 100


@pytest.mark.parametrize("reason", Reason)
def test_a_code_says_what_to_do(reason: Reason) -> None:
    assert 5 < len(ADVICE[reason]) < 160
    assert ADVICE[reason].endswith(".")


def test_a_code_of_a_later_release_has_no_advice() -> None:
    assert advice("R_NO_SUCH_CODE") == ""
