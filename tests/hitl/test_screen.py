import json
from datetime import timedelta

import pytest

from hitl import screen
from hitl.awaited import Awaited
from hitl.state import fold
from tests.factories import MONDAY, Told, a_round, baseline, delivery, events, params, told

EXPORTED = [*baseline(), *a_round(1, until="exported")]
SOON, LATE = MONDAY + timedelta(days=2), MONDAY + timedelta(days=9)


def shown(tale: list[Told], *, at=SOON, **sections: dict[str, object]) -> dict[str, object]:  # noqa: ANN001
    return screen.view(fold(events(*tale)), params(**sections), name="cats", at=at)


@pytest.mark.parametrize(
    ("tale", "at", "said"),
    [
        ([told("created", "r0000")], SOON, "run hitl open: the baseline is trained first"),
        (baseline(), SOON, "run hitl open to send the next batch"),
        ([*baseline(), *a_round(1, until="scored")], SOON, "r0001 was cut short while opening: run hitl open"),
        (EXPORTED, SOON, "nothing for you to do until Mon 09 Nov 09:00 UTC, or until labels arrive: hitl ingest FILE"),
        (EXPORTED, LATE, "the deadline of r0001 is over and no answer is in: remind the vendor"),
        ([*EXPORTED, ("delivered", "r0001", delivery())], SOON, "every answer of r0001 is in: run hitl close"),
        ([*EXPORTED, ("delivered", "r0001", delivery())], LATE, "every answer of r0001 is in: run hitl close"),
        (
            [*baseline(), *a_round(1, delivery(), until="resolved")],
            SOON,
            "r0001 was cut short while closing: run hitl close",
        ),
        ([*baseline(), *a_round(1, delivery())], SOON, "run hitl open to send the next batch"),
    ],
)
def test_the_screen_ends_in_what_to_do_next(tale: list[Told], at: object, said: str) -> None:
    found = shown(tale, at=at)
    assert found["next"] == said
    assert screen.text(found).endswith(f"next      {said}")


def test_the_view_is_json() -> None:
    found = shown([*baseline(), *a_round(1, delivery()), *a_round(2, until="exported")])
    assert json.loads(json.dumps(found)) == found


def test_an_open_round_tells_whom_it_waits_for_since_when_and_for_how_much() -> None:
    found = shown([*EXPORTED, ("delivered", "r0001", delivery(accepted=20))])
    assert found["awaiting"] == {
        "whom": "the vendor",
        "since": "2026-11-02T09:09:00Z",
        "deadline": "2026-11-09T09:00:00Z",
        "overdue": False,
        "days_left": 5.0,
        "expected": 32,
        "accepted": 20,
        "missing": 12,
        "annotators": None,
        "silent": None,
        "items_missing": None,
        "missing_items": None,
    }
    assert "12 of 32 answers from the vendor" in screen.text(found)
    assert found["spent"] == {"annotations": 20, "amount": "1.00", "currency": "EUR"}


def test_nothing_is_awaited_between_rounds() -> None:
    assert shown(baseline())["awaiting"] is None


def test_the_champion_is_told_with_its_value() -> None:
    kept = {"verdict": "kept", "champion": "r0000", "challenger": "r0001"}
    found = shown([*baseline(), *a_round(1, delivery(), judged=kept)])
    assert found["champion"] == {"round": "r0000", "model_id": "model0", "value": 0.8, "since": "2026-11-02T09:03:00Z"}
    assert "the model of r0000, accuracy 0.8000" in screen.text(found)


def test_a_workspace_without_a_model_is_shown_too() -> None:
    found = shown([told("created", "r0000")])
    assert found["champion"] is None
    assert "none yet" in screen.text(found)


def test_the_budget_that_is_left_is_told() -> None:
    tale = [*baseline(), *a_round(1, delivery())]
    assert "8 annotations left" in screen.text(shown(tale, budget={"annotations": 40}))
    assert "no limit" in screen.text(shown(tale))


def test_every_round_has_its_line() -> None:
    text = screen.text(shown([*baseline(), *a_round(1, delivery()), *a_round(2, until="exported")]))
    lines = [line.split() for line in text.splitlines() if line.startswith("r00")]
    assert lines == [
        ["r0000", "closed", "-", "30", "0.8000", "0.7500-0.9000", "first"],
        ["r0001", "closed", "32/32", "60", "0.8100", "0.7500-0.9000", "promoted"],
        ["r0002", "awaiting", "0/32", "90", "-"],
    ]


@pytest.mark.parametrize(
    ("minimum_share", "at", "said"),
    [
        (0.5, SOON, "nothing for you to do until Mon 09 Nov 09:00 UTC; then hitl advance closes r0001 with 20 of 32 "),
        (0.5, LATE, "the deadline of r0001 is over: hitl advance closes r0001 with 20 of 32 answers and sends again"),
        (0.9, SOON, "nothing for you to do until Mon 09 Nov 09:00 UTC, or until labels arrive: hitl ingest FILE"),
        (
            0.9,
            LATE,
            "the deadline of r0001 is over with 20 of 32 answers, fewer than delivery.minimum_share asks for (90%): "
            "remind the vendor, or hitl close --partial",
        ),
    ],
)
def test_the_next_thing_to_do_says_what_happens_at_the_deadline(minimum_share: float, at: object, said: str) -> None:
    tale = [*EXPORTED, ("delivered", "r0001", delivery(accepted=20))]
    found = shown(tale, at=at, delivery={"minimum_share": minimum_share})
    assert str(found["next"]).startswith(said)
    assert ("(over)" in screen.text(found)) == (at is LATE)


def test_the_screen_says_what_is_missing_and_from_whom() -> None:
    awaited = Awaited({"ann": 20, "bob": 0, "cy": 0}, tuple(f"item-{number}" for number in range(7)))
    tale = [*EXPORTED, ("delivered", "r0001", delivery(accepted=20))]
    found = screen.view(fold(events(*tale)), params(), name="cats", at=SOON, awaited=awaited)
    lines = [line.strip() for line in screen.text(found).splitlines()]
    assert "answers of ann 20; nothing yet from bob, cy" in lines
    assert "7 items lack answers: item-0, item-1, item-2, item-3, item-4 and 2 more" in lines
    assert found["awaiting"]["missing_items"] == list(awaited.missing)  # type: ignore[index]
    assert found["awaiting"]["silent"] == ["bob", "cy"]  # type: ignore[index]
    assert json.loads(json.dumps(found)) == found


def test_strangers_names_cannot_paint_the_screen() -> None:
    awaited = Awaited({"\x1b[2Jann": 1}, ("\u202eitem",))
    text = screen.text(screen.view(fold(events(*EXPORTED)), params(), name="cats", at=SOON, awaited=awaited))
    assert "\x1b" not in text and "\u202e" not in text


def test_the_vendor_is_called_as_the_pack_called_it() -> None:
    tale = [*baseline(), *a_round(1, until="exported", exported={"vendor": "Acme\x1b[2J"})]
    found = shown(tale, at=LATE, export={"vendor": "Another"})
    assert str(found["awaiting"]["whom"]).startswith("Acme")  # type: ignore[index]
    assert "remind Acme" in str(found["next"]) and "\x1b" not in screen.text(found)


def test_money_is_shown_to_the_last_digit() -> None:
    found = shown(
        [
            *EXPORTED[:-1],
            ("exported", "r0001", {**EXPORTED[-1][2], "price": "0.125"}),
            ("delivered", "r0001", delivery(accepted=15)),
        ]
    )
    assert found["spent"]["amount"] == "1.875"


def test_labels_in_doubt_are_counted_with_what_waits_to_be_settled() -> None:
    found = shown([*baseline(), *a_round(1, delivery(), resolved={"unresolved": [], "doubted": 2})])
    assert found["doubted"] == 2
    assert "\nto settle the model contradicts 2 labels: hitl adjudicate" in screen.text(found)
