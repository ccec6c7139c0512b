"""A receipt in words: what became of the file, and what to do now."""

from typing import Any

import pytest

from hitl.delivery.reasons import Reason
from hitl.delivery.telling import listed, meaning, steps, tiles, verdict


def receipt(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "verdict": "quarantine",
        "reasons": ["R_LABEL_CASE"],
        "rows": {"delivered": 1200, "accepted": 1100, "quarantined": 1, "duplicate": 99},
        "revised": 0,
        "held": [{"row": 3, "code": "R_LABEL_CASE"}],
        "payable": {"annotations": 1100, "price": "0.125", "currency": "USD", "amount": "137.50"},
        "items": {"expected": 1300, "complete": 1100, "missing": 200},
    }
    return plain | changes


def rejected(*reasons: Reason) -> dict[str, Any]:
    rows = {"delivered": 0, "accepted": 0, "quarantined": 0, "duplicate": 0}
    return receipt(verdict="reject", reasons=[*reasons], rows=rows, held=[])


def test_a_verdict_is_told_with_its_figures() -> None:
    assert verdict(receipt()).sentence == "1,100 rows were taken; 1 row is held until mended."
    assert [tile.value for tile in tiles(receipt())] == ["1,200", "1,100", "1", "99", "137.50", "1,100"]


@pytest.mark.parametrize(
    ("said", "mood"),
    [
        (receipt(verdict="accept", reasons=[]), "good"),
        (receipt(), "fair"),
        (rejected(Reason.F_ENCODING), "bad"),
        (rejected(Reason.F_DUPLICATE_DELIVERY), "good"),
    ],
)
def test_each_outcome_has_its_mood(said: dict[str, Any], mood: str) -> None:
    assert verdict(said).mood == mood


def test_rows_that_revise_are_told_apart() -> None:
    assert tiles(receipt(revised=7))[1].note == "7 of them replace an earlier answer, paid before"


def test_held_rows_are_mended_in_the_redo_file_and_a_refused_file_is_sent_again() -> None:
    assert steps(receipt())[0].startswith("Open the redo file")
    assert steps(rejected(Reason.F_ENCODING))[0].startswith("Mend the file")


@pytest.mark.parametrize("reason", [Reason.F_DUPLICATE_DELIVERY, Reason.F_ROUND_CLOSED])
def test_nobody_is_asked_to_mend_what_cannot_be_mended(reason: Reason) -> None:
    assert not any("Mend" in step for step in steps(rejected(reason)))


def test_nothing_is_left_to_do_when_all_is_taken_and_complete() -> None:
    whole = receipt(verdict="accept", reasons=[], items={"expected": 1, "complete": 1, "missing": 0})
    assert steps(whole) == ("Nothing.",)


def test_rows_refused_only_with_their_file_are_not_listed() -> None:
    both = [{"row": 1, "code": "F_QUOTING"}, {"row": 2, "code": "R_ID_EMPTY"}]
    assert listed(receipt(held=both)) == both[1:]


def test_a_meaning_is_a_sentence_and_an_unknown_code_stays_a_code() -> None:
    assert meaning("R_ID_EMPTY") == "The row names no item"
    assert meaning("F_COLUMN_MISSING").startswith("item_id, label")
    assert meaning("R_OF_LATER") == "R_OF_LATER"
