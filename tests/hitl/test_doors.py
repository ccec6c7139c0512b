"""What each door asks, answered by the plain masks."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from hitl.doors import annotations, incoming, labeled, refusal
from hitl.errors import DataError, IntegrityError
from hitl.rules import Rule, failures

CLASSES = ("NA", "ham", "spam")


def table(**columns: object) -> pd.DataFrame:
    given: Mapping[str, object] = {"item_id": ["a", "b"], "size": [1.0, np.nan], "label": ["ham", "spam"], **columns}
    return pd.DataFrame(given)


def annotated(**columns: object) -> pd.DataFrame:
    given: Mapping[str, object] = {
        "round": "r0001",
        "item_id": ["a", "b"],
        "annotator_id": ["ann", "bob"],
        "label": ["NA", None],
        "shown_class": None,
        "seconds": [None, 86_400.0],
        "delivery": "0f" * 32,
        "superseded_by": None,
        "row": [1, 2],
        **columns,
    }
    return pd.DataFrame(given)


def failed(rules: tuple[Rule, ...], frame: pd.DataFrame) -> list[str]:
    return [f"{one.rule} {one.rows}" for one in failures(rules, frame) if not one.success]


INITIAL = incoming({"size": "numeric"}, classes=CLASSES)
ANNOTATIONS = annotations("r0001", ["a", "b"], CLASSES, annotators=["ann", "bob"], rows=2)
LABELED = labeled(CLASSES, test=["t"])


@pytest.mark.parametrize(
    ("rules", "frame"),
    [
        (INITIAL, table()),
        (ANNOTATIONS, annotated()),
        (LABELED, table()),
        (incoming({"size": "numeric"}), table(label=None)),
    ],
)
def test_a_good_table_passes_its_door(rules: tuple[Rule, ...], frame: pd.DataFrame) -> None:
    assert failed(rules, frame) == []


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"item_id": ["a", None]}, "item_id is filled (2,)"),
        ({"item_id": ["a", "a"]}, "item_id is there once (1, 2)"),
        ({"item_id": ["a", "b "]}, "item_id has no white space around it (2,)"),
        ({"item_id": ["a", "b\n"]}, "item_id has no white space around it (2,)"),
        ({"item_id": ["\u00a0a", "b"]}, "item_id has no white space around it (1,)"),
        ({"item_id": ["a", ""]}, "item_id has no white space around it (2,)"),
        ({"size": [-np.inf, np.inf]}, "size is a finite number, or missing (1, 2)"),
        ({"size": ["1", "x"]}, "size is a finite number, or missing ()"),
        ({"label": ["ham", None]}, "label is filled (2,)"),
        ({"label": ["ham", "Spam"]}, "label is a class (2,)"),
    ],
)
def test_the_incoming_door_refuses(column: dict[str, object], expected: str) -> None:
    assert failed(INITIAL, table(**column)) == [expected]


def test_the_incoming_door_refuses_an_empty_table() -> None:
    assert failed(INITIAL, table().iloc[:0]) == ["the table has at least one row ()"]


def test_the_incoming_door_refuses_a_missing_column() -> None:
    assert failed(incoming({"text": "text"}), table()) == ["text is there ()"]


def test_the_incoming_door_refuses_items_of_another_set() -> None:
    assert failed(incoming({}, classes=CLASSES, apart=["b"]), table()) == ["item_id is in no other set (2,)"]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"round": ["r0001", "r0002"]}, "round is r0001 (2,)"),
        ({"item_id": ["a", "z"]}, "item_id is an item of the batch (2,)"),
        ({"annotator_id": ["ann", "eve"]}, "annotator_id is on the roster (2,)"),
        ({"label": ["NA", "dog"]}, "label is a class, or missing for a skip (2,)"),
        ({"shown_class": ["dog", None]}, "shown_class is a class, or missing (1,)"),
        ({"seconds": [0.0, 86_400.1]}, "seconds is above 0 and at most a day, or missing (1, 2)"),
        ({"delivery": ["0f" * 32, "0F" * 32]}, "delivery is a sha256 (2,)"),
        ({"row": [0, 1]}, "row counts from 1 (1,)"),
        ({"row": [1, 1]}, "delivery + row is there once (1, 2)"),
        (
            {"item_id": "a", "annotator_id": "ann", "superseded_by": [None, "0e" * 32]},
            "item_id + annotator_id + delivery is there once (1, 2)",
        ),
        ({"superseded_by": ["later", None]}, "superseded_by is a sha256, or missing (1,)"),
        (
            {"item_id": "a", "annotator_id": "ann", "delivery": ["0f" * 32, "0e" * 32]},
            "item_id + annotator_id + superseded_by is replaced once (1, 2)",
        ),
    ],
)
def test_the_annotations_door_refuses(column: dict[str, object], expected: str) -> None:
    assert failed(ANNOTATIONS, annotated(**column)) == [expected]


def test_the_annotations_door_refuses_a_lost_row() -> None:
    assert failed(ANNOTATIONS, annotated().iloc[:1]) == ["the table has 2 rows, as accepted ()"]


def test_an_edit_in_a_later_delivery_passes_the_annotations_door() -> None:
    deliveries = {"delivery": ["0f" * 32, "1e" * 32], "superseded_by": ["1e" * 32, None]}
    edited = annotated(item_id="a", annotator_id="ann", **deliveries)
    assert failed(ANNOTATIONS, edited) == []


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"label": ["ham", "ham"]}, "label has at least two classes ()"),
        ({"item_id": ["a", "t"]}, "item_id is not a test item (2,)"),
        ({"item_id": ["a", "a"]}, "item_id is there once (1, 2)"),
    ],
)
def test_the_labeled_door_refuses(column: dict[str, object], expected: str) -> None:
    assert failed(LABELED, table(**column)) == [expected]


def test_nothing_is_refused_when_all_rules_hold() -> None:
    assert refusal("incoming", "data/initial.parquet", failures(INITIAL, table())) is None


def test_a_refusal_names_the_table_the_rule_the_item_the_value_and_the_way_out() -> None:
    error = refusal("incoming", "data/initial.parquet", failures(INITIAL, table(label=["ham", "Sp\u202eam"])))
    assert isinstance(error, DataError)
    assert str(error).splitlines() == [
        "data/initial.parquet: 1 of 7 rules do not hold",
        "  label is a class: not so for item 'b' (row 2): 'Sp⟨U+202E⟩am'; "
        "mend the label, or add the class to data.classes",
    ]


def test_a_refusal_counts_the_rows_it_does_not_name() -> None:
    many = pd.DataFrame({"item_id": [f"i{number}" for number in range(30)], "size": 1.0, "label": "Spam"})
    findings = failures(INITIAL, many)
    assert "item 'i4' (row 5): 'Spam' and 25 more;" in str(refusal("incoming", "initial", findings))
    assert (findings[-1].count, len(findings[-1].items)) == (30, 20)


def test_a_row_without_an_item_id_is_named_by_its_number() -> None:
    error = refusal("incoming", "pool", failures(INITIAL, table(item_id=["a", None])))
    assert "item_id is filled: not so for row 2;" in str(error)


def test_a_rule_that_cannot_be_asked_says_why() -> None:
    error = str(refusal("incoming", "pool", failures(INITIAL, table(size=["1", "x"]).drop(columns="label"))))
    assert "size is a finite number, or missing: it holds something that is not a number;" in error
    assert "label is filled: there is no column 'label';" in error


def test_bad_annotations_and_a_leak_are_faults_of_integrity() -> None:
    bad = refusal("annotations", "annotations", failures(ANNOTATIONS, annotated(label="dog")))
    leak = refusal("labeled", "labeled", failures(LABELED, table(item_id=["a", "t"])))
    poor = refusal("labeled", "labeled", failures(LABELED, table(label="ham")))
    assert [type(error) for error in (bad, leak, poor)] == [IntegrityError, IntegrityError, DataError]


def test_asking_writes_nothing_to_the_table() -> None:
    frame = table(label=["ham", None])
    before = frame.copy(deep=True)
    failures(INITIAL, frame)
    pd.testing.assert_frame_equal(frame, before)
