"""receipt.html: everything a receipt holds, as text and nothing else."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from hitl.delivery.judge import Bytes, Expectation, judge, refused
from hitl.delivery.receipt import LISTED, receipt
from hitl.visible import visible
from tasks.edges.receipt_page import receipt_html

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
HOSTILE = "\u202e<img src=x onerror=alert(1)><script>alert(2)</script>\x1b[31m"


class Read(HTMLParser):
    """The texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def said(*labels: str, **changes: Any) -> dict[str, Any]:
    """The receipt for a delivery with these labels, one an item."""
    items = {f"i{n}": {"text": "x"} for n in range(len(labels))}
    rows = [f'"{item}","{label}","ann"\n' for item, label in zip(items, labels, strict=True)]
    wanted = Expectation(
        round="r0003", classes=("cat", "dog"), items=items, exported_at=AT, received_at=AT, bad_row_share=1.0
    )
    judged = judge(Bytes(("item_id,label,annotator_id\n" + "".join(rows)).encode()), wanted, file="acme.csv")
    plain: dict[str, Any] = {"received_at": AT, "price": Decimal("0.125"), "currency": "USD"}
    counts = {"expected_items": len(labels), "complete_items": judged.complete}
    return receipt(judged, **(plain | counts | changes))


def test_a_vendor_reads_the_verdict_the_figures_the_money_the_rows_and_the_files_digest() -> None:
    told = said("cat", "dog", "Cat", "cat")
    text = " ".join(Read(receipt_html(told)).texts)
    figures = ("Taken in part", "3 rows were taken; 1 row is held", "0.375", "3 × 0.125 USD", "R_LABEL_CASE")
    for part in (*figures, "Write the class with the same capital", "acme.csv", "2026-11-21 09:00:00 UTC"):
        assert part in text
    assert told["delivery"] in text


def test_a_held_row_stands_under_the_number_a_spreadsheet_gives_it() -> None:
    assert '<th scope="row">4</th><td data-name="Column">label</td>' in receipt_html(said("cat", "dog", "Cat"))


def test_whatever_a_vendor_wrote_is_text_that_is_seen() -> None:
    page = receipt_html(said("cat", HOSTILE.replace('"', "")))
    assert visible(HOSTILE) in Read(page).texts
    assert not re.search("<(script|img)", page)
    assert "\u202e" not in page


def test_the_page_lists_what_the_receipt_lists_and_counts_the_rest() -> None:
    page = receipt_html(said(*["catt"] * (LISTED + 7)))
    assert page.count('<th scope="row">') == LISTED
    assert "7 more rows are in the redo file" in page


def test_a_file_refused_unread_has_a_page_too() -> None:
    judged = refused("F_EXTENSION", round_id="r0003", file="acme.xlsx")
    told = receipt(judged, received_at=AT, price=Decimal(1), currency="EUR", expected_items=3, complete_items=0)
    assert "renaming a workbook is not enough" in receipt_html(told)


def test_a_browser_may_load_nothing_and_run_nothing() -> None:
    page = receipt_html(said("cat"))
    assert re.search("default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'", page)
    assert not re.search(r"(src|href|url)\s*[=(]", page.replace("default-src 'none'; style-src '", ""))


def test_equal_receipts_give_equal_pages() -> None:
    assert receipt_html(said("cat", "Cat")) == receipt_html(said("cat", "Cat"))
