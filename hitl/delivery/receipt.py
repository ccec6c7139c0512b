"""Our answer to a vendor: the receipt, in which every delivered row has one outcome, and the file of rows to redo."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice

from hitl import money
from hitl.contract import REDO, csv_bytes
from hitl.delivery.judgement import Held, Judgement
from hitl.ledger import stamp

LISTED = 1_000
"""Held rows that a receipt lists; the redo file has them all."""
_TOGETHER = 1_000


def receipt(
    judgement: Judgement,
    *,
    received_at: datetime,
    price: Decimal,
    currency: str,
    expected_items: int,
    complete_items: int,
    round: str = "",
) -> dict[str, object]:
    """The receipt as JSON-ready values; amounts are strings, for no float can hold money.

    A row that revises an earlier answer is accepted and not paid again.

    `round` names the round of a file that was refused unread, which its judgement does not know.
    """
    return {
        **({"note": judgement.note} if judgement.note else {}),
        **({"tool": judgement.tool} if judgement.tool else {}),
        "round": judgement.round or round,
        "delivery": judgement.sha256,
        "file": judgement.file,
        "received_at": stamp(received_at),
        "verdict": judgement.verdict,
        "reasons": [str(reason) for reason in judgement.reasons],
        "warnings": [str(warning) for warning in judgement.warnings],
        "rows": _rows(judgement),
        "revised": judgement.revised,
        "held": [_held(held) for held in islice(judgement.held, LISTED)],
        "held_more": max(0, judgement.quarantined - LISTED),
        "payable": payable(judgement.accepted - judgement.revised, price, currency),
        "items": {
            "expected": expected_items,
            "complete": complete_items,
            "missing": expected_items - complete_items,
        },
    }


def payable(annotations: int, price: Decimal, currency: str) -> dict[str, object]:
    """What `annotations` accepted annotations cost: exact, with two decimals or as many more as it takes.

    >>> payable(963, Decimal("0.12"), "USD")["amount"]
    '115.56'
    >>> payable(3, Decimal("0.125"), "USD")["amount"]
    '0.375'
    """
    return {
        "annotations": annotations,
        "price": f"{price:f}",
        "currency": currency,
        "amount": money.spelled(annotations * price),
    }


def redo_csv(judgement: Judgement) -> bytes:
    """The held rows as a CSV that can be sent back once mended: the cells as they came, then code, expected, proposed.

    The columns of an earlier redo file give way to the new ones. UTF-8, LF, every field quoted.
    """
    return b"".join(redo_parts(judgement))


def redo_parts(judgement: Judgement) -> Iterator[bytes]:
    """The bytes of `redo_csv`, some rows at a time."""
    kept = [n for n, name in enumerate(judgement.header) if name not in REDO]
    held = iter(judgement.held)
    yield csv_bytes([[*(judgement.header[n] for n in kept), *REDO]])
    while rows := [_redo(one, kept, len(judgement.header)) for one in islice(held, _TOGETHER)]:
        yield csv_bytes(rows)


def _redo(held: Held, kept: Sequence[int], width: int) -> list[str]:
    cells = _fitted(held.cells, width)
    return [*(cells[n] for n in kept), held.code, held.expected, held.proposed]


def _fitted(cells: Sequence[str], width: int) -> list[str]:
    """`cells` under a header of `width` names: missing ones empty, and surplus text kept in the last one."""
    if len(cells) <= width:
        return [*cells, *[""] * (width - len(cells))]
    return [*cells[: width - 1], ",".join(cells[width - 1 :])]


def _rows(judgement: Judgement) -> dict[str, int]:
    return {
        "delivered": judgement.delivered,
        "accepted": judgement.accepted,
        "quarantined": judgement.quarantined,
        "duplicate": judgement.duplicate,
    }


def _held(held: Held) -> dict[str, object]:
    names = ("row", "column", "value", "code", "expected", "proposed")
    place = {"place": held.place} if held.place else {}
    return {**{name: getattr(held, name) for name in names}, **place}
