import pandas as pd
import pytest

from hitl.errors import DataError
from hitl.founding.item_ids import item_ids


def table(*ids: str, name: str = "key") -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(list(ids), dtype="str"), "x": pd.Series(["1"] * len(ids), dtype="str")})


def test_ids_survive_as_they_stand() -> None:
    found = item_ids(table("00012", "12", "1E5", "NA", "é", "a b"), "key")
    assert found.values.tolist() == ["00012", "12", "1E5", "NA", "é", "a b"]
    assert (found.column, found.notes) == ("key", ())


def test_ids_are_trimmed_and_composed_aloud() -> None:
    found = item_ids(table(" a ", "e\u0301", "c"), "key")
    assert found.values.tolist() == ["a", "\u00e9", "c"]
    assert found.notes == ("2 ids were trimmed or put in Unicode's composed form (NFC)",)


def test_a_column_called_id_is_found() -> None:
    assert item_ids(table("a", "b", name="id"), None).column == "id"


def test_rows_are_counted_where_no_column_can_serve_and_this_is_said() -> None:
    found = item_ids(table("a", "a", name="id"), None)
    assert found.values.tolist() == ["i000001", "i000002"]
    assert found.column is None and "row 2 'a', row 3 'a'" in found.notes[0]


def test_a_column_called_item_id_serves_or_is_refused() -> None:
    assert item_ids(table("a", "b", name="item_id"), None).column == "item_id"
    with pytest.raises(DataError, match="column 'item_id': an id that stands there twice: row 2 'a', row 3 'a'"):
        item_ids(table("a", "a", name="item_id"), None)


def test_compatible_characters_are_not_made_one() -> None:
    assert item_ids(table("x2", "x\u00b2", "\uff582"), "key").values.tolist() == ["x2", "x\u00b2", "\uff582"]


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (("a", " ", "b", ""), "no id: row 3 ' ', row 5 '' .2 rows in all"),
        (("a", "b\x07"), "a control character in the id: row 3 'b␇'"),
        (("a", "b", "a"), "an id that stands there twice: row 2 'a', row 4 'a'"),
        (("\u00e9", "x", "e\u0301"), "ids that are equal once white space"),
        (("a", "a "), "ids that are equal once white space"),
        (("a", "\u00a0a\t"), "ids that are equal once white space at the ends .*: row 2 'a', row 3 '"),
    ],
)
def test_ids_that_cannot_serve_are_refused_by_row(ids: tuple[str, ...], said: str) -> None:
    with pytest.raises(DataError, match=f"column 'key': {said}"):
        item_ids(table(*ids), "key")


def test_of_many_rows_twenty_are_shown() -> None:
    with pytest.raises(DataError, match=r"row 21 'a', \.\.\. \(30 rows in all"):
        item_ids(table(*"a" * 30), "key")


def test_ids_may_differ_by_case_alone_and_hold_line_ends() -> None:
    assert item_ids(table("ab", "AB", "a\nb"), "key").values.tolist() == ["ab", "AB", "a\nb"]
