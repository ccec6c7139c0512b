import pandas as pd
from hypothesis import given, strategies as st

from hitl.mistakes import ALIKE, COLUMNS, MOST, Mistake, instructive, mistakes

Row = tuple[str, str, str, str | None]


def answers(*rows: Row, held: str = "") -> pd.DataFrame:
    frame = pd.DataFrame([(*row, row[2] != held) for row in rows], columns=list(COLUMNS))
    return frame.astype({"label": object})


def labels(*rows: tuple[str, str, float]) -> pd.DataFrame:
    told = [("r0001", item, label, sure, "human") for item, label, sure in rows]
    return pd.DataFrame(told, columns=["round", "item_id", "label", "confidence", "from"])


def of_ann(found: pd.DataFrame) -> list[Mistake]:
    return instructive(found[found["annotator_id"] == "ann"])


def test_gold_comes_before_a_decision_and_a_decision_before_the_crowd() -> None:
    said = answers(
        *[("r0001", item, who, "dry" if who == "ann" else "wet") for item in "abc" for who in ("ann", "bob", "cem")]
    )
    sure = labels(("a", "wet", 1.0), ("b", "wet", 1.0), ("c", "wet", 0.95))
    found = of_ann(mistakes(said, gold={"a": "wet"}, decided={"a": "dry", "b": "wet"}, labels=sure))
    assert [(one.item_id, one.known) for one in found] == [("a", "gold"), ("b", "adjudicated"), ("c", "consensus")]
    assert (found[2].backers, found[2].others) == (2, 2)


def test_a_crowd_that_is_unsure_or_one_other_person_proves_nobody_wrong() -> None:
    said = answers(
        *[("r0001", "a", who, "dry" if who == "ann" else "wet") for who in ("ann", "bob", "cem")],
        ("r0001", "b", "ann", "dry"),
        ("r0001", "b", "bob", "wet"),
    )
    assert not of_ann(mistakes(said, gold={}, decided={}, labels=labels(("a", "wet", 0.89), ("b", "wet", 1.0))))


def test_answers_that_are_held_back_nobody() -> None:
    said = answers(
        *[("r0001", "a", who, "dry" if who == "ann" else "wet") for who in ("ann", "bob", "cem")], held="cem"
    )
    assert not of_ann(mistakes(said, gold={}, decided={}, labels=labels(("a", "wet", 1.0))))


def test_skips_and_what_nobody_can_tell_are_no_mistakes() -> None:
    said = answers(("r0001", "a", "ann", None), ("r0001", "b", "ann", "dry"))
    assert not of_ann(mistakes(said, gold={"a": "wet"}, decided={"b": None}, labels=labels()))


def test_the_kind_made_most_often_comes_first_but_does_not_crowd_out_others() -> None:
    known = {**{f"w{number}": "wet" for number in range(6)}, "f": "frozen", "g": "frozen"}
    said = answers(*[("r0001", item, "ann", "dry") for item in known])
    found = of_ann(mistakes(said, gold=known, decided={}, labels=labels()))
    assert [one.truth for one in found] == ["wet"] * ALIKE + ["frozen"] * 2 + ["wet"]
    assert len(found) == MOST


@given(st.permutations(range(12)))
def test_the_order_of_the_answers_changes_nothing(order: list[int]) -> None:
    rows: list[Row] = [
        ("r0001", item, who, "dry" if who == "ann" else "wet") for item in "abcd" for who in ("ann", "bob", "cem")
    ]
    sure = labels(*[(item, "wet", 1.0) for item in "abcd"])
    told = [
        of_ann(mistakes(answers(*given), gold={"b": "wet"}, decided={}, labels=sure))
        for given in (rows, [rows[place] for place in order])
    ]
    assert told[0] == told[1] and len(told[0]) == 4
