import numpy as np
import pandas as pd
import pytest

from hitl.errors import DataError
from hitl.founding.columns import content, infer, typed


def cells(*values: str, times: int = 1) -> pd.Series:
    return pd.Series(list(values) * times, dtype="str")


def kind(column: pd.Series, name: str = "x") -> str:
    return infer(pd.DataFrame({name: column, "other": [str(n % 7) for n in range(len(column))]})).kinds[name]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2.5", "-3", "+4", ".5", "1e-05", "2.5E+10"], "numeric"),
        (["0", "1"], "numeric"),
        (["00012", "00013", "1"], "categorical"),
        (["1E5", "2E7", "1E5"], "categorical"),
        (["1,5", "2,5"], "categorical"),
        (["1234567890123456789", "1234567890123456780"], "categorical"),
        (["true", "False", "TRUE"], "boolean"),
        (["yes", "no"], "boolean"),
        (["t", "f"], "boolean"),
        (["red", "green", "blue"], "categorical"),
        (["NA", "None", "null"], "categorical"),
        (["less than a year", "one to four years"], "categorical"),
    ],
)
def test_values_tell_the_kind(values: list[str], expected: str) -> None:
    assert kind(cells(*values, times=10)) == expected


def test_missing_words_count_as_missing_among_numbers_and_this_is_said() -> None:
    found = infer(pd.DataFrame({"age": cells("31", "NA", "?", "47", "", times=10)}))
    assert found.kinds == {"age": "numeric"}
    assert found.notes == ("column 'age' has '?', 'NA' for missing numbers: taken as numeric",)


def test_one_word_among_numbers_makes_no_number_and_is_named() -> None:
    found = infer(pd.DataFrame({"age": cells(*map(str, range(30)), "unknown", times=10)}))
    assert found.kinds == {"age": "categorical"}
    assert "'unknown'" in found.notes[0]


def test_a_number_far_down_a_long_column_is_looked_at() -> None:
    column = cells(*["5", "6"] * 50_000, "x9")
    assert kind(column) == "categorical"


def test_sentences_are_text() -> None:
    assert kind(cells(*[f"sentence number {n} says it" for n in range(40)])) == "text"


def test_words_without_spaces_are_text_when_they_differ() -> None:
    assert kind(cells(*[chr(0x4E00 + n) * 12 + chr(0x4E80 + n) for n in range(40)])) == "text"


def test_codes_that_differ_in_each_row_are_ignored_with_a_note() -> None:
    found = infer(
        pd.DataFrame({"uuid": cells(*[f"a{n:x}-{n * 7919:x}" for n in range(50)]), "x": cells("1", "2", times=25)})
    )
    assert found.kinds == {"uuid": "ignored", "x": "numeric"}
    assert "different in nearly each" in found.notes[0]


def test_row_numbers_are_ignored_but_measurements_are_not() -> None:
    found = infer(pd.DataFrame({"n": cells(*map(str, range(50))), "fnlwgt": cells(*[str(n * n) for n in range(50)])}))
    assert found.kinds == {"n": "ignored", "fnlwgt": "numeric"}


def test_a_constant_and_an_empty_column_are_ignored() -> None:
    frame = pd.DataFrame({"a": cells("x", times=9), "b": cells("", times=9), "c": cells("1", "2", "3", times=3)})
    assert infer(frame).kinds == {"a": "ignored", "b": "ignored", "c": "numeric"}


def test_a_column_is_text_by_decree() -> None:
    assert infer(pd.DataFrame({"word": cells("a", "b", times=5)}), text="word").kinds == {"word": "text"}


def test_nothing_left_to_learn_from_is_refused() -> None:
    with pytest.raises(DataError, match=r"no column is left to learn from.*--text"):
        infer(pd.DataFrame({"a": cells("x", times=9)}))


def test_the_order_of_rows_does_not_matter() -> None:
    frame = pd.DataFrame(
        {"a": cells(*map(str, range(40)), "NA", "?"), "b": cells(*[f"w{n} is a word" for n in range(42)])}
    )
    assert infer(frame) == infer(frame.iloc[::-1])


def test_typed_keeps_the_digits_and_writes_to_nothing() -> None:
    frame = pd.DataFrame(
        {"n": cells(" 0.1234567890123456789", "NA", ""), "b": cells("Yes", "no", ""), "c": cells("NA", "", "1E5")}
    )
    before = frame.copy()
    found = typed(frame, {"n": "numeric", "b": "boolean", "c": "categorical"})
    assert found["n"].iloc[0] == 0.1234567890123456789 and found["n"].isna().tolist() == [False, True, True]
    assert found["b"].dtype == "boolean" and found["b"].tolist() == [True, False, pd.NA]
    assert found["c"].tolist() == ["NA", "", "1E5"]
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(("value", "kind_"), [("1_000", "numeric"), ("inf", "numeric"), ("maybe", "boolean")])
def test_a_cell_that_does_not_fit_is_named_by_row(value: str, kind_: str) -> None:
    with pytest.raises(DataError, match=f"column 'n', row 3 .*{value!r}"):
        typed(pd.DataFrame({"n": cells("", value)}), {"n": kind_})  # type: ignore[dict-item]


def test_content_is_what_a_model_sees() -> None:
    frame = pd.DataFrame({"key": cells("a1", "b2", "c3"), "x": cells("1", "1.0", "2"), "t": cells("é", "é", "é")})
    kinds = {"key": "ignored", "x": "numeric", "t": "text"}
    found = content(typed(frame, kinds), kinds)  # type: ignore[arg-type]
    assert found.dtype == np.uint64 and found[0] == found[1] != found[2]


def test_an_empty_table_has_an_empty_content() -> None:
    assert len(content(pd.DataFrame({"x": pd.Series([], dtype="float64")}), {"x": "numeric"})) == 0
