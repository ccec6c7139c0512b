"""A file of decisions: what is taken of it, what is held and why, and that every row has one outcome."""

import csv
import io

import pytest
from hypothesis import given, strategies as st

from hitl.adjudication import CONTEXT, Asked, Decided, Decision, heading, judge, named, opened, paper
from hitl.contract import SKIP
from hitl.delivery.exported import Exported
from hitl.delivery.source import Bytes

HEADER = "item_id,note,label,adjudicator,reason,comment\n"
IDS = ("i1", "i2", "i3", "i4")


def asked(**changed: object) -> Asked:
    """Four items; the crowd says cat of i1, the model dog of i2, and nobody anything of the others."""
    usual: dict[str, object] = {
        "classes": ("cat", "dog"),
        "reasons": ("plain mistake", "other"),
        "ids": Exported.of({item: {} for item in IDS}),
        "shown": {item: {"note": f"note {item}"} for item in IDS},
        "said": {"i1": {"the crowd": "cat"}, "i2": {"the model": "dog"}},
        "stands": {},
    }
    return Asked(**{**usual, **changed})  # type: ignore[arg-type]


def judged(text: str, **changed: object) -> Decided:
    return judge(opened(Bytes(text.encode()), items=4), asked(**changed), file="decided.csv")


def codes(text: str) -> list[str]:
    return [one.code for one in judged(HEADER + text).held]


def test_a_decision_that_nobody_contradicts_needs_no_reason() -> None:
    found = judged(HEADER + "i1,note i1,cat,eve,,\ni3,note i3,<skip>,eve,,too dark\n")
    assert found.decisions == (
        Decision("i1", "cat", "eve", "", "", 1),
        Decision("i3", None, "eve", "", "too dark", 2),
    )
    assert (found.verdict, found.warnings, found.overridden) == ("accept", (), {})


@pytest.mark.parametrize("row", ["i1,note i1,dog,eve,,", "i2,note i2,cat,eve,,", f"i1,note i1,{SKIP},eve,,"])
def test_an_override_says_why(row: str) -> None:
    assert codes(f"{row}\n") == ["R_REASON_EMPTY"]
    assert codes(f"{row[:-1]}plain mistake,\n") == []


def test_the_reason_is_one_of_those_that_params_define_and_other_asks_for_words() -> None:
    assert codes("i1,note i1,dog,eve,i felt like it,\n") == ["R_REASON_UNKNOWN"]
    assert codes("i1,note i1,dog,eve,other,\n") == ["R_COMMENT_EMPTY"]
    assert codes("i1,note i1,dog,eve,other,a husky\n") == []


def test_a_near_reason_and_a_near_class_are_proposed_and_not_guessed() -> None:
    held = judged(HEADER + "i1,note i1,dog,eve,Plain Mistake,\ni3,note i3,Cat,eve,,\n").held
    assert [(one.code, one.proposed) for one in held] == [
        ("R_REASON_UNKNOWN", "plain mistake"),
        ("R_LABEL_CASE", "cat"),
    ]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("i9,note,cat,eve,,", "R_ID_UNKNOWN"),
        (",note,cat,eve,,", "R_ID_EMPTY"),
        ("i3,note i3,bird,eve,,", "R_LABEL_UNKNOWN"),
        ("i3,note i3,,eve,plain mistake,", "R_LABEL_EMPTY"),
        ("i3,note i3,cat, ,,", "R_ADJUDICATOR_EMPTY"),
        ("i3,note i4,cat,eve,,", "R_ECHO_CHANGED"),
        ("i3,note i3,cat,eve", "R_CELL_COUNT"),
        ("i3,note i3,cat,eve,,\x01", "R_CONTROL_CHARS"),
    ],
)
def test_a_row_that_is_not_sound_is_held_and_named(row: str, code: str) -> None:
    found = judged(f"{HEADER}i4,note i4,dog,eve,,\n{row}\n")
    assert [(one.row, one.code) for one in found.held] == [(2, code)]
    assert found.verdict == "quarantine"
    assert code in found.redo().decode()


def test_two_ways_to_decide_one_item_are_both_held_and_the_same_way_twice_is_a_duplicate() -> None:
    assert codes("i3,note i3,cat,eve,,\ni3,note i3,dog,eve,,\n") == ["R_DECIDED_TWICE"] * 2
    found = judged(HEADER + "i3,note i3,cat,eve,,\ni3,note i3,cat,eve,,\n")
    assert (found.accepted, found.repeated) == (1, 1)


def test_what_stands_already_is_a_duplicate() -> None:
    stands = {"i3": Decision("i3", "cat", "eve", "", "", 7)}
    found = judged(HEADER + "i3,note i3,cat,eve,,\n", stands=stands, said={"i3": {"an earlier decision": "cat"}})
    assert (found.accepted, found.repeated, found.verdict) == (0, 1, "accept")


def test_a_file_without_the_columns_is_rejected_whole() -> None:
    found = judged("item_id,label,annotator_id\ni1,cat,eve\n")
    assert (found.verdict, found.reasons) == ("reject", ("F_COLUMN_MISSING",))


def test_the_file_that_goes_out_comes_back_undecided_and_cannot_run_in_a_spreadsheet() -> None:
    told = dict.fromkeys(CONTEXT, "")
    rows = [
        {"item_id": "i1", "item:reason": "=1+1", **told, "why": "@x"},
        {"item_id": "i2", "item:reason": "b", **told},
    ]
    data = paper(rows, ["reason"])
    cells = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    assert (heading("reason"), cells[0][1]) == ("reason (item)", "reason (item)")
    assert not [one for row in cells for one in row if one[:1] in "=@" and one]
    frame = opened(Bytes(data), items=2)
    ids = Exported.of({"i1": {}, "i2": {}})
    assert named(frame, ids) == {"i1", "i2"}
    found = judge(
        frame, asked(ids=ids, shown={"i1": {"reason (item)": "=1+1"}, "i2": {"reason (item)": "b"}}), file="x"
    )
    assert found.rows == {"delivered": 2, "accepted": 0, "quarantined": 0, "duplicate": 0, "undecided": 2}
    assert (found.verdict, found.reasons) == ("reject", ("F_NOTHING_DECIDED",))


CELLS = st.sampled_from(["", "i1", "i2", "i3", "i9", "cat", "dog", "eve", SKIP, "plain mistake", "note i1", "note i3"])


@given(st.lists(st.lists(CELLS, min_size=5, max_size=6), max_size=8))
def test_every_row_has_one_outcome(rows: list[list[str]]) -> None:
    found = judged(HEADER + "".join(",".join(row) + "\n" for row in rows))
    filled = [row for row in rows if any(row)]
    assert (found.verdict == "reject" and not found.rows["delivered"]) or found.rows["delivered"] == len(filled)
