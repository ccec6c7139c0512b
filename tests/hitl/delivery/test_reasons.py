"""Every code says what it means, in a line, and does what its first letter says."""

import pytest

from hitl.delivery.reasons import Reason


@pytest.mark.parametrize("reason", Reason)
def test_a_code_is_its_name_and_carries_a_meaning(reason: Reason) -> None:
    assert reason == reason.name
    assert reason[:2] in ("F_", "R_", "W_")
    assert 10 < len(reason.meaning) < 100
