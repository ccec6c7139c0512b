import numpy as np
import pandas as pd
import pytest

from hitl.guideline import ANSWERS, LEVEL, Change, change, questions

ASKED = ("cat", None, "cat")
OLD, NEW = "a" * 64, "b" * 64


def told(rows: list[tuple[str, str, str | None, str]], guideline: dict[str, str]) -> pd.DataFrame:
    """Answers of one annotator: (round, item, label, kind)."""
    frame = pd.DataFrame(rows, columns=["round", "item_id", "label", "kind"])
    frame = frame.assign(annotator_id="ann", comment=None, guideline=frame["round"].map(guideline))
    return frame[list(ANSWERS)]


def rounds(after: str, *, kinds: tuple[str, ...] = ("cat", "dog")) -> pd.DataFrame:
    """30 items of each kind before and after: of the first kind, all cats before and `after` since."""
    rows: list[tuple[str, str, str | None, str]] = []
    for name in ("r0001", "r0002"):
        for n in range(30):
            rows.append((name, f"{name}c{n}", "cat" if name == "r0001" else after, kinds[0]))
            rows.append((name, f"{name}d{n}", "dog" if n % 3 else "cat", kinds[-1]))
    return told(rows, {"r0001": OLD, "r0002": NEW})


def labels(answers: pd.DataFrame) -> pd.DataFrame:
    return answers[["round", "item_id", "label"]]


def found(answers: pd.DataFrame) -> Change | None:
    return change(answers, labels(answers), seed=0)


def test_a_shift_is_found_where_it_is_and_older_labels_of_that_kind_become_doubtful() -> None:
    one = found(rounds("dog"))
    assert one is not None and one.is_real and one.p == pytest.approx(1 / 2000)
    assert {(moved.kind, moved.label, moved.before, moved.after) for moved in one.moved} == {
        ("cat", "cat", 1.0, 0.0),
        ("cat", "dog", 0.0, 1.0),
    }
    assert {(label.round, label.kind, label.label) for label in one.doubtful} == {("r0001", "cat", "cat")}
    assert len(one.doubtful) == 30


def test_nothing_is_doubtful_where_answers_are_as_before() -> None:
    one = found(rounds("cat"))
    assert one is not None and not one.is_real and (one.moved, one.doubtful) == ((), ())


def test_other_items_are_no_shift() -> None:
    """All cats before and all dogs after, as the model had them: nobody answers otherwise."""
    rows = [("r0001", f"a{n}", "cat", "cat") for n in range(30)] + [("r0002", f"b{n}", "dog", "dog") for n in range(30)]
    one = found(told([*rows], {"r0001": OLD, "r0002": NEW}))
    assert one is not None and one.p is None and not one.is_real


def test_the_same_guideline_all_along_is_no_change_and_a_run_is_what_is_compared() -> None:
    whole = rounds("dog")
    assert found(whole.assign(guideline=OLD)) is None
    third = told([("r0003", "x", "dog", "cat")], {"r0003": NEW})
    one = found(pd.concat([whole, third], ignore_index=True))
    assert one is not None and one.rounds == (("r0001",), ("r0002", "r0003"))


def test_where_nothing_shifted_it_is_said_to_at_most_as_often_as_the_level_says() -> None:
    rng, flagged = np.random.default_rng(1), 0
    for _ in range(60):
        rows = [
            (f"r000{1 + n % 2}", f"i{n}", str(rng.choice(["cat", "dog"], p=p)), kind)
            for kind, p in (("cat", [0.8, 0.2]), ("dog", [0.3, 0.7]))
            for n in range(40)
        ]
        one = found(told([*rows], {"r0001": OLD, "r0002": NEW}))
        flagged += one is not None and one.is_real
    assert flagged <= 60 * LEVEL + 3 * np.sqrt(60 * LEVEL)


def test_only_skips_tell_of_no_shift() -> None:
    one = change(rounds("dog").assign(label=None), labels(rounds("dog")), seed=0)
    assert one is not None and one.p is None


def test_questions_come_first_and_remarks_under_an_older_guideline_do_not_come() -> None:
    rows = [
        ("r0001", "old", "cat", "k"),
        *(("r0002", item, said, "k") for item, said in zip("aab", ASKED, strict=True)),
    ]
    frame = told(rows, {"r0001": OLD, "r0002": NEW})
    frame = frame.assign(comment=["? old", "looks odd", "blurred", " ? is a fox a dog"], annotator_id=list("abca"))
    asked = questions(frame)
    assert [(one.item_id, one.asks, one.comments) for one in asked] == [
        ("b", True, (("a", "? is a fox a dog"),)),
        ("a", False, (("b", "looks odd"), ("c", "blurred"))),
    ]
    assert questions(frame.iloc[:0]) == []
