from datetime import UTC, datetime

from hitl import screen
from hitl.people import SHOWN, lines
from hitl.screen import text
from hitl.state import fold
from tests.factories import baseline, events, params


def record(
    who: str | None, right: int = 0, of: int = 0, *, vendor: str = "acme", worse: bool = False
) -> dict[str, object]:
    gold = {"value": right / of if of else None, "low": 0.5, "high": 1.0, "of": of}
    still = {"change": {"value": -0.5, "low": -0.7, "high": -0.2, "of": of}, "p": 1.0, "is_real": False}
    return {
        "vendor": vendor,
        "annotator_id": who,
        "annotators": 2,
        "answers": 40,
        "gold": gold,
        "seconds": {"value": 8.6, "low": 7.0, "high": 9.0, "of": 40},
        "by_round": {**still, "is_real": worse},
        "by_position": still,
    }


def test_those_least_right_on_gold_come_first_and_those_without_last() -> None:
    said = lines([record(None), record("cem"), record("ann", 9, 10), record("bob", 5, 10, worse=True)])
    assert said == [
        "bob  40 answers, gold 50 % right (50 to 100, of 10), 9 s each, gets worse from round to round",
        "ann  40 answers, gold 90 % right (50 to 100, of 10), 9 s each",
        "cem  40 answers, no gold yet, 9 s each",
    ]


def test_several_vendors_are_told_each_and_name_their_people() -> None:
    said = lines([record(None), record("ann"), record(None, vendor="best"), record("ann", vendor="best")])
    assert [line.split("  ")[0] for line in said] == ["acme (2)", "best (2)", "ann (acme)", "ann (best)"]


def test_many_people_are_counted() -> None:
    assert lines([record(f"ann{n}") for n in range(SHOWN + 3)])[-1] == "and 3 more: hitl report"


def test_the_status_shows_them() -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    shown = screen.view(fold(events(*baseline())), params(), name="cats", at=at, annotators=[record("ann")])
    assert "\npeople    ann  40 answers, no gold yet" in text(shown)
