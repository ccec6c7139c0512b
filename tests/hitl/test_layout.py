from pathlib import Path

import pytest

from hitl.errors import MomentError
from hitl.layout import Workspace, round_id, round_number


@pytest.mark.parametrize("number", [0, 1, 9_999, 10_000])
def test_a_round_has_one_name(number: int) -> None:
    assert round_number(round_id(number)) == number


@pytest.mark.parametrize(
    "name", ["r1", "r00001", "R0001", "r\u0660\u0660\u0660\u0661", "r0001 ", "r0001\n", "../r0001", "", "last"]
)
def test_what_is_not_a_rounds_name_is_refused(name: str) -> None:
    with pytest.raises(MomentError, match="is not a round"):
        round_number(name)


def test_a_rounds_files_lie_in_its_folder() -> None:
    workspace = Workspace(Path("cats"))
    assert workspace.name == "cats"
    assert workspace.pack("r0003") == Path("cats/data/rounds/r0003/pack")
