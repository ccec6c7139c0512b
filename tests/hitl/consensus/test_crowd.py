import numpy as np
import pandas as pd
from hypothesis import given, strategies as st

from hitl.consensus.crowd import UNKNOWN, crowd_of


def table(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["item_id", "annotator_id", "label"], dtype=object)


def test_votes_are_counted_by_item_and_class() -> None:
    found = crowd_of(table(("b", "x", "dog"), ("a", "x", "cat"), ("a", "y", "dog"), ("b", "y", "dog")))
    assert found.items.tolist() == ["a", "b"]
    assert found.classes == ("cat", "dog")
    assert found.votes.tolist() == [[1, 1], [0, 2]]


def test_a_skip_is_no_answer_and_keeps_the_item() -> None:
    found = crowd_of(table(("a", "x", None)))
    assert (found.items.tolist(), found.skips, len(found.item)) == (["a"], 1, 0)


def test_who_repeats_themselves_has_one_vote() -> None:
    found = crowd_of(table(("a", "x", "cat"), ("a", "x", "cat"), ("a", "y", "dog")))
    assert (found.votes.tolist(), found.repeats) == ([[1, 1]], 1)


def test_who_says_one_thing_more_often_means_that() -> None:
    found = crowd_of(table(("a", "x", "cat"), ("a", "x", "dog"), ("a", "x", "dog"), ("b", "x", "cat")))
    assert (found.votes.tolist(), found.repeats, found.contradictions) == ([[0, 1], [1, 0]], 2, 0)


def test_who_contradicts_themselves_evenly_has_no_vote() -> None:
    found = crowd_of(table(("a", "x", "cat"), ("a", "x", "dog"), ("a", "y", "dog")))
    assert (found.votes.tolist(), found.repeats, found.contradictions) == ([[0, 1]], 0, 2)


def test_a_class_of_the_contract_is_there_though_nobody_answered_it() -> None:
    found = crowd_of(table(("a", "x", "dog")), ["cat", "dog"])
    assert found.known({"a": "cat"}).tolist() == [0]
    assert found.known({"a": "fox"}).tolist() == [UNKNOWN]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from(["cat", "dog", None]))))
def test_every_row_is_an_answer_or_counted_as_none(rows: list[tuple[str, str, str | None]]) -> None:
    found = crowd_of(table(*rows))
    assert len(found.item) + found.skips + found.repeats + found.contradictions == len(rows)
    assert len(set(zip(found.item, found.annotator, strict=True))) == len(found.item)


def test_cells_hold_every_answer_once() -> None:
    found = crowd_of(table(("a", "x", "cat"), ("b", "x", "cat"), ("a", "y", "dog")))
    assert found.cells.rows.toarray().tolist() == [[1, 1], [1, 0]]
    counts = found.cells.columns @ found.shares
    assert np.isclose(found.cells.by_class(counts, 2).sum(), 3)
    assert np.isclose(found.cells.by_annotator(counts, 2), [[1.5, 0.5], [0.5, 0.5]]).all()
