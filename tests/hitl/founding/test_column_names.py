import pytest

from hitl.errors import DataError
from hitl.founding.column_names import found, renamed, tidied


def test_white_space_around_a_name_is_forgiven() -> None:
    assert tidied([" label", "text "]) == ("label", "text")
    assert found("label ", ("label", "text"), "label") == "label"


def test_names_that_become_equal_are_refused() -> None:
    with pytest.raises(DataError, match="'a' stands there twice"):
        tidied(["a", " a"])


def test_a_missing_column_is_named_with_the_closest_and_all_there_are() -> None:
    with pytest.raises(
        DataError, match=r"no column 'Labl' for the label; did you mean 'label'.*columns are: id, label, x"
    ):
        found("Labl", ("id", "label", "x"), "label")


def test_a_feature_with_a_name_of_ours_is_called_otherwise() -> None:
    assert renamed(["x", "Label", "comment", "item_comment"]) == {"Label": "item_Label", "comment": "item_comment_"}
