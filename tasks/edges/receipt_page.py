"""receipt.html: a receipt as a page that a vendor can read, offline. Whatever a value holds, it is printed as text."""

from collections.abc import Mapping
from typing import Any

from hitl.delivery import telling
from hitl.delivery.advice import advice
from tasks.edges.page import style, style_hash, template


def receipt_html(receipt: Mapping[str, Any]) -> str:
    """The page of a receipt, with every held row that the receipt lists. Equal receipts give equal pages."""
    held = telling.listed(receipt)
    return template("receipt.html.j2").render(
        receipt=receipt,
        when=receipt["received_at"].replace("T", " ").replace("Z", " UTC"),
        said=telling.verdict(receipt),
        tiles=telling.tiles(receipt),
        steps=telling.steps(receipt),
        meaning=telling.meaning,
        advice=advice,
        held=held,
        unseen=receipt["rows"]["quarantined"] - len(held),
        style=style(),
        style_hash=style_hash(),
    )
