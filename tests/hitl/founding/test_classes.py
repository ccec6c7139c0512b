import pandas as pd
import pytest

from hitl.errors import DataError
from hitl.founding.classes import labels_of


def cells(*values: str) -> pd.Series:
    return pd.Series(list(values), dtype="str")


def test_classes_called_na_and_none_survive() -> None:
    found = labels_of(cells("NA", "None", "NA", "None", "", "1E5", "1E5"), "y")
    assert found.classes == ("1E5", "NA", "None")
    assert (found.values == "").sum() == 1 and found.notes == ()


def test_labels_are_trimmed_and_composed_aloud() -> None:
    found = labels_of(cells("a ", "a", "e\u0301", "\u00e9", "  "), "y")
    assert found.classes == ("a", "é") and found.values.iloc[4] == ""
    assert found.notes[0].startswith("3 labels were trimmed")


def test_classes_that_differ_in_case_are_told() -> None:
    assert labels_of(cells("Spam", "spam", "Spam", "spam"), "y").notes == (
        "classes 'Spam', 'spam' differ in case only and stay different classes",
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("a", "a", ""), "a single class, 'a'"),
        (("", ""), "no label in any row"),
        (("a", "a", "b"), "1 of 2 classes have fewer than 2 labeled items: 'b' .1 item.; label more items"),
        (("1.5", "2.5", "3.5", "4", "4"), "looks like a measurement"),
        (("a", "a", "<skip>"), "'<skip>' is the word with which annotators skip"),
        (("a", "a", "b\nc", "b\nc"), "class 'b␊c' holds a control character"),
    ],
)
def test_labels_that_cannot_serve_are_refused(values: tuple[str, ...], said: str) -> None:
    with pytest.raises(DataError, match=f"column 'y': .*{said}"):
        labels_of(cells(*values), "y")
