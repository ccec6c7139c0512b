import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from hitl.firewall import content, leaks, of_ids, places, wall
from hitl.params import Kind
from hitl.pipeline import inputs

FEATURES: dict[str, Kind] = {"size": "numeric", "wet": "boolean", "town": "categorical", "note": "text"}
TEST = pd.DataFrame(
    {
        "item_id": ["été-1", "t2", "t3"],
        "size": [1.0, -0.0, np.nan],
        "wet": pd.array([True, None, False], dtype="boolean"),
        "town": ["Orléans", "", "5"],
        "note": ["déjà vu", "two words", ""],
    }
)
FRESH = [f"fresh-{number}" for number in range(3)]


def digests(frame: pd.DataFrame, features: dict[str, Kind] = FEATURES) -> list[int]:
    return [int(one) for one in content(inputs(frame, features))]


def caught(frame: pd.DataFrame) -> tuple[str, ...]:
    return leaks(frame, wall(TEST, FEATURES))


@pytest.mark.parametrize(
    "spelled",
    ["été-1", " été-1", "été-1\u00a0", "été\u200b-1", "\ufeffété-1", unicodedata.normalize("NFD", "été-1"), "t2\n"],
)
def test_an_id_of_the_test_set_is_known_in_every_spelling(spelled: str) -> None:
    other = pd.DataFrame({"item_id": [spelled], "size": [99.0], "wet": [None], "town": ["x"], "note": ["y"]})
    assert caught(other) == (spelled,)


@pytest.mark.parametrize("spelled", ["T2", "t", "t22", "t 2"])
def test_another_id_is_another_item(spelled: str) -> None:
    other = pd.DataFrame({"item_id": [spelled], "size": [99.0], "wet": [None], "town": ["x"], "note": ["y"]})
    assert caught(other) == ()


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"size": [1, 0, None]},
        {"size": pd.array([1, 0, None], dtype="Int64")},
        {"size": ["1", "0.0", "nan"]},
        {"wet": [1.0, None, 0.0]},
        {"town": ["Orle\u0301ans", None, 5]},
        {"town": ["Orléans", None, 5.0]},
        {"note": [" déjà  vu\t", "two\r\nwords", None]},
        {"note": ["de\u0301ja\u0300 vu", "two\u200b words", "\ufeff"]},
    ],
)
def test_a_copy_is_known_under_any_id_and_in_every_spelling(cells: dict[str, object]) -> None:
    copy = TEST.assign(item_id=FRESH, **cells)
    assert caught(copy) == tuple(FRESH)
    assert caught(copy[list(copy.columns)[::-1]]) == tuple(FRESH)


@pytest.mark.parametrize(
    ("column", "cell"), [("size", 1.0000001), ("wet", False), ("town", "orléans"), ("note", "déjà-vu"), ("note", "")]
)
def test_one_cell_that_differs_makes_another_item(column: str, cell: object) -> None:
    other = TEST.head(1).assign(**{column: [cell]}, item_id="fresh")
    assert caught(other) == ()


def test_columns_that_are_not_learned_from_are_not_content() -> None:
    copy = TEST.assign(item_id=FRESH, row=[1, 2, 3], label="wet")
    assert caught(copy) == tuple(FRESH)


def test_a_cell_belongs_to_its_column() -> None:
    features: dict[str, Kind] = {"a": "text", "b": "text"}
    one, other = pd.DataFrame({"a": ["x"], "b": ["y"]}), pd.DataFrame({"a": ["y"], "b": ["x"]})
    assert digests(one, features) != digests(other, features)


def test_numbers_of_few_values_keep_apart() -> None:
    """Small whole numbers differ in the highest bits alone, where a careless digest would lose them."""
    grid = np.stack(np.meshgrid(*[np.arange(17.0)] * 4), axis=-1).reshape(-1, 4)
    columns = {f"p{place}": grid[:, place] for place in range(4)}
    assert len(set(digests(pd.DataFrame(columns), dict.fromkeys(columns, "numeric")))) == 17**4


@given(st.lists(st.tuples(st.floats(), st.text(max_size=5), st.text(max_size=5)), min_size=1, max_size=5))
def test_content_is_of_the_row_alone(rows: list[tuple[float, str, str]]) -> None:
    features: dict[str, Kind] = {"size": "numeric", "town": "categorical", "note": "text"}
    frame = pd.DataFrame(rows, columns=list(features))
    alone = [digests(frame.iloc[[place]], features)[0] for place in range(len(frame))]
    assert digests(frame, features) == alone


def test_an_empty_table_leaks_nothing() -> None:
    assert caught(TEST.iloc[:0]) == ()
    assert leaks(TEST, wall(TEST.iloc[:0], FEATURES)) == ()


def test_ids_are_found_where_they_stand() -> None:
    index = of_ids(["a", "b ", "é"])
    asked = np.array(["é", "e\u0301", "b", "c"], dtype=object)
    assert places(asked, index).tolist() == [2, 2, 1, -1]
