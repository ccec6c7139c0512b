from decimal import Decimal

import pytest

from hitl.report.spelled import between, difference, many, moment, money, opening, part, signed, words


@pytest.mark.parametrize(
    ("amount", "said"),
    [("0", "0.00 EUR"), ("6.6", "6.60 EUR"), ("1234.50", "1,234.50 EUR"), ("0.125", "0.125 EUR"), ("-2", "-2.00 EUR")],
)
def test_money_has_two_decimals_and_loses_none(amount: str, said: str) -> None:
    assert money(Decimal(amount), "EUR") == said


def test_a_difference_that_rounds_to_nothing_has_no_sign() -> None:
    assert [signed(value, 1) for value in (-0.01, 0.01, -1.0, 1.0)] == ["0.0", "0.0", "−1.0", "+1.0"]


def test_accuracy_is_in_percent_and_f1_is_not() -> None:
    assert between("accuracy", 0.746, 0.821) == "74.6 to 82.1 %"
    assert between("macro_f1", 0.746, 0.821) == "0.746 to 0.821"
    assert difference("accuracy", 0.021) == "+2.1"
    assert difference("macro_f1", 0.021) == "+0.021"


def test_a_metric_can_open_a_sentence() -> None:
    assert [opening(words(name)) for name in ("macro_f1", "balanced_accuracy")] == ["Macro F1", "Balanced accuracy"]


def test_a_part_of_nothing_is_a_dash() -> None:
    assert part(0, 0) == "–"
    assert part(12, 27) == "12 of 27 (44 %)"


def test_one_is_singular() -> None:
    assert [many(count, "class", "classes") for count in (0, 1, 2)] == ["0 classes", "1 class", "2 classes"]


def test_a_moment_is_spelled_out_and_anything_else_left_alone() -> None:
    assert moment("2026-11-21T09:00:00Z") == "21 November 2026, 09:00 UTC"
    assert moment("2026-12-31T23:30:00-05:00") == "1 January 2027, 04:30 UTC"
    assert moment("soon") == "soon"
