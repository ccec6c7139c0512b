import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from hitl import resolve
from hitl.consensus.names import MethodName
from hitl.params import Resolve

SKIP = None


def annotations(**said: str | list[str | None] | None) -> pd.DataFrame:
    """A row an answer; each item by its name, its answers in a list or alone."""
    rows = [
        (item_id, f"ann{number}", label)
        for item_id, answers in said.items()
        for number, label in enumerate(answers if isinstance(answers, list) else [answers])
    ]
    return pd.DataFrame(rows, columns=["item_id", "annotator_id", "label"], dtype=object)


def labels(
    table: pd.DataFrame, *, agreement: float = 0.5, gold: dict[str, str] | None = None, method: MethodName = "majority"
) -> pd.DataFrame:
    return resolve.resolve(table, Resolve(method=method, agreement=agreement), gold=gold or {}).labels


def resolved(table: pd.DataFrame, *, agreement: float = 0.5, gold: dict[str, str] | None = None) -> dict[str, object]:
    found = labels(table, agreement=agreement, gold=gold)
    return {
        str(item_id): None if pd.isna(label) else label
        for item_id, label in zip(found["item_id"], found["label"], strict=True)
    }


def test_one_answer_is_a_label() -> None:
    assert resolved(annotations(a="cat", b="dog")) == {"a": "cat", "b": "dog"}


def test_the_majority_wins() -> None:
    assert resolved(annotations(a=["cat", "dog", "cat"])) == {"a": "cat"}


@pytest.mark.parametrize("answers", [["cat", "dog"], ["cat", "dog", "fox"], ["cat", "cat", "dog", "dog"]])
def test_a_tie_goes_to_adjudication(answers: list[str | None]) -> None:
    assert resolved(annotations(a=answers)) == {"a": None}


def test_a_weak_majority_goes_to_adjudication() -> None:
    table = annotations(a=["cat", "cat", "dog", "fox"], b=["cat", "cat", "cat", "dog"])
    assert resolved(table) == {"a": None, "b": "cat"}
    assert resolved(table, agreement=0.75) == {"a": None, "b": None}


def test_skips_do_not_vote() -> None:
    assert resolved(annotations(a=["cat", SKIP, SKIP])) == {"a": "cat"}


def test_an_item_that_everybody_skipped_goes_to_adjudication() -> None:
    found = labels(annotations(a=[SKIP, SKIP]))
    assert found["label"].isna().all()
    assert found["confidence"].tolist() == [0.0]
    assert found["votes"].tolist() == ["{}"]


def test_gold_keeps_its_known_answer_whatever_people_say() -> None:
    found = labels(annotations(a=["dog", "dog"], b="dog"), gold={"a": "cat"})
    assert found["label"].tolist() == ["cat", "dog"]
    assert found["from"].tolist() == ["gold", "human"]


@pytest.mark.parametrize("name", ["NA", "None", "", "1E5", "null"])
def test_an_awkward_class_is_a_class(name: str) -> None:
    assert resolved(annotations(a=[name, name, "dog"])) == {"a": name}


def test_votes_and_confidence_are_kept() -> None:
    found = labels(annotations(a=["écru", "dog", "écru", SKIP]))
    assert json.loads(found["votes"][0]) == {"dog": 1, "écru": 2}
    assert 0.6 < found["confidence"][0] < 1
    assert tuple(found.columns) == resolve.LABEL_COLUMNS


def test_no_annotations_are_no_labels() -> None:
    found = labels(annotations())
    assert len(found) == 0
    assert tuple(found.columns) == resolve.LABEL_COLUMNS


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(["cat", "dog", None])), max_size=15), st.randoms())
def test_the_order_of_answers_does_not_matter(answers: list[tuple[str, str | None]], shuffle: st.DataObject) -> None:
    named = [(item, f"ann{number}", label) for number, (item, label) in enumerate(answers)]
    table = pd.DataFrame(named, columns=["item_id", "annotator_id", "label"], dtype=object)
    before = table.copy()
    mixed = list(named)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    assert resolved(table) == resolved(pd.DataFrame(mixed, columns=["item_id", "annotator_id", "label"], dtype=object))
    pd.testing.assert_frame_equal(table, before)


def test_agreement_is_the_share_of_equal_pairs() -> None:
    # Of a, one pair of three is equal; of b, all; c was answered once, and d's skip is no answer.
    table = annotations(a=["cat", "cat", "dog"], b=["cat", "cat"], c="cat", d=["cat", SKIP])
    assert resolve.agreement(table) == pytest.approx(np.mean([1 / 3, 1.0]))


def test_agreement_is_not_known_where_nobody_answered_twice() -> None:
    assert resolve.agreement(annotations(a="cat", b=SKIP)) is None
    assert resolve.agreement(annotations()) is None


def test_a_decision_outranks_the_crowd_and_adds_an_item_of_an_earlier_round() -> None:
    before = labels(annotations(z=["cat", "dog"]))
    found = resolve.overruled(
        labels(annotations(a="cat", b="dog")), {"a": "dog", "b": None, "y": "cat", "z": "dog"}, before, new={"y", "z"}
    ).set_index("item_id")
    assert found["label"].tolist() == ["dog", None, "cat", "dog"]
    assert set(found["from"]) == {"adjudicated"}
    assert json.loads(found.loc["z", "votes"]) == {"cat": 1, "dog": 1}
    assert (found.loc["y", "votes"], found.loc["y", "confidence"]) == ("{}", 0.0)


@pytest.mark.parametrize("decided", [{"z": "dog"}, {"z": None}, {}])
def test_decisions_count_where_nobody_answered(decided: dict[str, str | None]) -> None:
    empty = labels(annotations())
    found = resolve.overruled(empty, decided, empty, new=set(decided))
    assert found[["item_id", "label"]].to_numpy().tolist() == [[item, label] for item, label in decided.items()]
    assert (found["method"] == "adjudication").all()
