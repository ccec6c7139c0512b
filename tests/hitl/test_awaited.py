from datetime import UTC, datetime
from typing import Any

from hitl.awaited import UNKNOWN, Awaited, awaited, lines
from hitl.delivery.expectation import Expectation

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def wanted(*taken: tuple[str, str], **settings: Any) -> Expectation:
    """What a round of items a, b and c expects once the answers `taken` (item, annotator) are in."""
    return Expectation(
        round="r0001",
        classes=("cat", "dog"),
        items={name: {} for name in "cab"},
        exported_at=MONDAY,
        received_at=MONDAY,
        taken=dict.fromkeys(taken, "cat"),
        **settings,
    )


def test_every_item_is_missing_before_anything_came() -> None:
    found = awaited(wanted(annotators=("bob", "ann")))
    assert found.missing == ("a", "b", "c")
    assert found.answers == {"ann": 0, "bob": 0}
    assert found.facts()["silent"] == ["ann", "bob"]


def test_an_item_is_missing_until_all_its_annotators_have_answered() -> None:
    found = awaited(wanted(("a", "ann"), ("b", "ann"), ("b", "bob"), overlap={"a": 2, "b": 2}))
    assert found.missing == ("a", "c")
    assert found.answers == {"ann": 2, "bob": 1}


def test_nothing_is_said_of_a_round_that_was_not_looked_into() -> None:
    assert lines(UNKNOWN) == []


def test_nobody_is_missed_where_every_answer_is_in() -> None:
    found = awaited(wanted(("a", "ann"), ("b", "ann"), ("c", "ann"), annotators=("ann",)))
    assert lines(found.facts()) == ["answers of ann 3"]


def test_a_great_many_items_are_counted_and_the_first_of_them_named() -> None:
    found = Awaited({}, tuple(f"i{number:04d}" for number in range(2000))).facts()
    assert (found["items_missing"], len(found["missing_items"])) == (2000, 100)  # type: ignore[arg-type]
    assert lines(found) == ["2000 items lack answers: i0000, i0001, i0002, i0003, i0004 and 1995 more"]
