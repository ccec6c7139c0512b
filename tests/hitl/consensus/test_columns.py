import pytest

from hitl.consensus.columns import located
from hitl.errors import DataError

ROLES = ("item_id", "annotator_id", "label")


def test_our_own_names_come_first() -> None:
    names = ["task", "item_id", "worker", "annotator_id", "label"]
    assert located(names, ROLES, {}) == {role: role for role in ROLES}


@pytest.mark.parametrize("names", [["task", "worker", "label"], ["Task ID", "WorkerId", "Answer"]])
def test_the_names_of_other_tools_are_known(names: list[str]) -> None:
    assert list(located(names, ROLES, {}).values()) == names


def test_a_column_may_be_named() -> None:
    found = located(["row", "who", "label"], ROLES, {"item_id": "row", "annotator_id": "who"})
    assert found == {"item_id": "row", "annotator_id": "who", "label": "label"}


def test_every_missing_column_is_told_with_its_option() -> None:
    with pytest.raises(DataError, match=r"item.*--item.*annotator.*--annotator.*the columns are: a, label"):
        located(["a", "label"], ROLES, {})


def test_one_column_cannot_be_two_things() -> None:
    with pytest.raises(DataError, match="'task' cannot be two things"):
        located(["task", "label"], ROLES, {"annotator_id": "task"})


def test_a_column_that_was_asked_for_must_be_there() -> None:
    with pytest.raises(DataError, match="no column 'which' for the item"):
        located(["item_id", "worker", "label"], ROLES, {"item_id": "which"})
