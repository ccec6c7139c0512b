"""An audit's receipt as a page that people read offline. Whatever a value holds, it is printed as text."""

from collections.abc import Mapping
from typing import Any

from hitl.report.spelled import many, percent
from tasks.edges.page import style, style_hash, template


def audit_html(receipt: Mapping[str, Any]) -> bytes:
    """The page of the receipt of an audit, UTF-8. Equal receipts give equal pages."""
    page = template("audit.html.j2").render(
        receipt=receipt,
        when=receipt["closed_at"].replace("T", " ").replace("Z", " UTC"),
        percent=percent,
        many=many,
        style=style(),
        style_hash=style_hash(),
    )
    return page.encode()
