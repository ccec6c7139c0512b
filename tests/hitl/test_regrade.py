import pandas as pd

from hitl.annotators import COLUMNS, Record, records
from hitl.regrade import corrected, regraded


def graded(gold: dict[str, str]) -> tuple[Record, ...]:
    rows = [
        ("r0001", item, who, said, None, None, "d", row)
        for row, item in enumerate(("g1", "g2"))
        for who, said in (("ann", "cat"), ("bob", "dog"))
    ]
    return records(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        gold=gold,
        labels=pd.DataFrame(columns=["round", "item_id", "label"]),
        vendors={"r0001": "acme"},
        confidence=0.95,
        draws=100,
        seed=0,
    )


def test_who_lost_and_who_gained_by_a_corrected_answer_is_told() -> None:
    found = regraded(graded({"g1": "cat", "g2": "cat"}), graded({"g1": "dog", "g2": "cat"}))
    assert [(one["annotator_id"], one["before"], one["after"]) for one in found] == [
        ("ann", {"right": 2, "of": 2}, {"right": 1, "of": 2}),
        (None, {"right": 2, "of": 4}, {"right": 2, "of": 4}),
        ("bob", {"right": 0, "of": 2}, {"right": 1, "of": 2}),
    ]


def test_an_item_that_is_gold_no_more_counts_for_nobody() -> None:
    after = {"g2": "cat"}
    assert corrected({"g1": "cat", "g2": "cat"}, after) == [{"item_id": "g1", "was": "cat", "label": None}]
    found = {one["annotator_id"]: one["after"] for one in regraded(graded({"g1": "cat", "g2": "cat"}), graded(after))}
    assert found["ann"] == {"right": 1, "of": 1}


def test_nothing_corrected_changes_nothing() -> None:
    gold = {"g1": "cat", "g2": "dog"}
    assert corrected(gold, gold) == [] and regraded(graded(gold), graded(gold)) == []
