"""Our answer to a vendor: the receipt, in which every delivered row has one outcome, and the file of rows to redo."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from hitl.contract import REDO
from hitl.delivery.judgement import Held, Judgement
from hitl.ledger import stamp

_CENT = Decimal("0.01")


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
    """The receipt as JSON-ready values; amounts are strings with two decimals, for no float can hold money.

    `round` names the round of a file that was refused unread, which its judgement does not know.
    """
    return {
        "round": judgement.round or round,
        "delivery": judgement.sha256,
        "file": judgement.file,
        "received_at": stamp(received_at),
        "verdict": judgement.verdict,
        "reasons": [str(reason) for reason in judgement.reasons],
        "warnings": [str(warning) for warning in judgement.warnings],
        "rows": _rows(judgement),
        "held": [_held(held) for held in judgement.held],
        "payable": payable(judgement.accepted, price, currency),
        "items": {
            "expected": expected_items,
            "complete": complete_items,
            "missing": expected_items - complete_items,
        },
    }


def payable(annotations: int, price: Decimal, currency: str) -> dict[str, object]:
    """What `annotations` accepted annotations cost, rounded once, half a cent up.

    >>> payable(963, Decimal("0.12"), "USD")["amount"]
    '115.56'
    """
    amount = (annotations * price).quantize(_CENT, rounding=ROUND_HALF_UP)
    return {"annotations": annotations, "price": f"{price:f}", "currency": currency, "amount": f"{amount:f}"}


def redo_csv(judgement: Judgement) -> bytes:
    """The held rows as a CSV that can be sent back once mended: the cells as they came, then code, expected, proposed.

    The columns of an earlier redo file give way to the new ones. UTF-8, LF, every field quoted.
    """
    kept = [n for n, name in enumerate(judgement.header) if name not in REDO]
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([*(judgement.header[n] for n in kept), *REDO])
    for held in judgement.held:
        cells = _fitted(held.cells, len(judgement.header))
        writer.writerow([*(cells[n] for n in kept), held.code, held.expected, held.proposed])
    return text.getvalue().encode()


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
    return {name: getattr(held, name) for name in names}
