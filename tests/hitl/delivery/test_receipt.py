"""A receipt accounts for every row and every cent; the redo file comes back as a delivery."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hitl.contract import REDO
from hitl.delivery.judge import Bytes, Expectation, Judgement, judge, refused
from hitl.delivery.receipt import payable, receipt, redo_csv
from hitl.pack import batch_csv, exported_items

ITEMS = tuple(f"i{n}" for n in range(8))
WANTED = Expectation(
    round="r0003",
    classes=("cat", "dog"),
    items={item: {"text": f"=item {item}"} for item in ITEMS},
    exported_at=datetime(2026, 11, 1, tzinfo=UTC),
    received_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
)


def delivered(*labels: str) -> bytes:
    rows = [f'"{item}","=item {item}","{label}","ann",""\n' for item, label in zip(ITEMS, labels, strict=False)]
    return ('"item_id","text","label","annotator_id","comment"\n' + "".join(rows)).encode()


def said(judgement: Judgement, **changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "received_at": datetime(2026, 11, 21, 9, tzinfo=UTC),
        "price": Decimal("0.125"),
        "currency": "USD",
        "expected_items": 8,
        "complete_items": 7,
    }
    return receipt(judgement, **(plain | changes))


def redone(judgement: Judgement) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(redo_csv(judgement).decode(), newline=""), strict=True))


def test_a_receipt_says_what_became_of_every_row() -> None:
    judgement = judge(Bytes(delivered("cat", "dog", "Cat")), WANTED, file="acme.csv")

    assert json.loads(json.dumps(said(judgement))) == {
        "round": "r0003",
        "delivery": judgement.sha256,
        "file": "acme.csv",
        "received_at": "2026-11-21T09:00:00Z",
        "verdict": "quarantine",
        "reasons": ["R_LABEL_CASE"],
        "warnings": ["W_MISSING_ITEMS", "W_OPTIONAL_COLUMN_MISSING"],
        "rows": {"delivered": 3, "accepted": 2, "quarantined": 1, "duplicate": 0},
        "held": [
            {
                "row": 3,
                "column": "label",
                "value": "Cat",
                "code": "R_LABEL_CASE",
                "expected": "one of: cat, dog, or <skip>",
                "proposed": "cat",
            }
        ],
        "revised": 0,
        "held_more": 0,
        "payable": {"annotations": 2, "price": "0.125", "currency": "USD", "amount": "0.25"},
        "items": {"expected": 8, "complete": 7, "missing": 1},
    }


def test_a_file_refused_unread_has_a_receipt_too() -> None:
    told = said(refused("F_NOT_REGULAR", round_id="", file="link.csv"), round="r0003")

    assert (told["round"], told["reasons"], told["rows"]["delivered"]) == ("r0003", ["F_NOT_REGULAR"], 0)


@pytest.mark.parametrize(
    ("annotations", "price", "amount"),
    [
        (963, "0.12", "115.56"),
        (0, "0.12", "0.00"),
        (1, "0.005", "0.005"),
        (3, "0.125", "0.375"),
        (3, "0.1", "0.30"),
        (1_000_000, "1E-3", "1000.00"),
    ],
)
def test_money_is_exact_and_never_rounded(annotations: int, price: str, amount: str) -> None:
    assert payable(annotations, Decimal(price), "EUR")["amount"] == amount


def test_a_long_value_is_cut_in_the_receipt_and_whole_in_the_redo_file() -> None:
    judgement = judge(Bytes(delivered("x" * 5000)), WANTED)

    assert len(said(judgement)["held"][0]["value"]) < 300
    assert redone(judgement)[0]["label"] == "x" * 5000


def test_a_redo_file_holds_only_the_held_rows_as_they_came() -> None:
    rows = redone(judge(Bytes(delivered("cat", "dog", "Cat")), WANTED))

    assert [(row["item_id"], row["text"], row["label"], row["proposed"]) for row in rows] == [
        ("i2", "=item i2", "Cat", "cat")
    ]


def test_a_mended_redo_file_is_taken() -> None:
    first = judge(Bytes(delivered("cat", "dog", "Cat")), WANTED)
    again = judge(Bytes(redo_csv(first).replace(b'"Cat"', b'"cat"')), WANTED)

    assert [(each.item_id, each.label) for each in again.annotations] == [("i2", "cat")]


def test_an_unmended_redo_file_comes_back_with_new_columns_in_place_of_the_old() -> None:
    first = judge(Bytes(delivered("cat", "dog", "Cat")), WANTED)
    again = judge(Bytes(redo_csv(first)), WANTED)

    assert redo_csv(again) == redo_csv(first)


def test_a_row_of_another_width_still_fits_under_the_header() -> None:
    data = delivered("cat", "dog") + b"i2,=item i2,cat,ann,yes,no\ni3\n"
    rows = redone(judge(Bytes(data), WANTED))

    assert [row["comment"] for row in rows] == ["yes,no", ""]
    assert {row["code"] for row in rows} == {"R_CELL_COUNT"}


def test_a_refused_file_can_be_redone_from_its_redo_file() -> None:
    judgement = judge(Bytes(delivered(*["Cat"] * 8)), WANTED)

    assert judgement.verdict == "reject"
    assert judge(Bytes(redo_csv(judgement).replace(b'"Cat"', b'"cat"')), WANTED).accepted == 8


@given(st.lists(st.sampled_from(["cat", "dog", "Cat", "bird", "", "line\r\nend", 'a "quote"', "=1"]), max_size=8))
def test_a_redo_file_loses_no_cell(labels: list[str]) -> None:
    judgement = judge(Bytes(delivered(*(label.replace('"', '""') for label in labels))), WANTED)

    assert [row["label"] for row in redone(judgement)] == [held.cells[2] for held in judgement.held]


@given(st.text(st.sampled_from("=+-@cat; \t\uff1d"), min_size=1), st.text(st.sampled_from("=+-@cat; \t\uff1d")))
def test_nothing_that_we_add_to_a_redo_file_runs(label: str, text: str) -> None:
    batch = batch_csv([{"item_id": "i0", "text": "=1+1"}], ["text"], show_prediction=False)
    wanted = replace(WANTED, items=exported_items(batch), annotators=("ann",))
    judgement = judge(Bytes(f'item_id,label,annotator_id,text\n"i0","{label}","{label}","{text}"\n'.encode()), wanted)
    assert not [row for row in redone(judgement) for key in REDO if row[key].lstrip()[:1] in set("=+-@\uff1d")]
