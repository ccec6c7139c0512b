"""What is said where gold runs short. Nothing heavy is needed for it."""

from typing import cast

from hitl.ledger import Facts
from hitl.visible import clipped

UNNAMED = "vendor"
"""What export.vendor of params.yaml is where nobody was named."""
_LONGEST = 60


def shortage(gold: Facts) -> str:
    """A warning where the next batch cannot hide as much gold as params ask for; "" where it can, or nobody knows.

    `gold` has `wanted`, `left` (None: not counted), `vendor`.
    """
    wanted, left = cast(int, gold["wanted"]), cast(int | None, gold["left"])
    if left is None or left >= wanted:
        return ""
    whose = "the vendor" if gold["vendor"] == UNNAMED else clipped(cast(str, gold["vendor"]), _LONGEST)
    has = "no item is" if not left else "1 item is" if left == 1 else f"{left} items are"
    return (
        f"{has} left that nobody at {whose} may know, and export.gold asks for {wanted}: none is sent twice, so send "
        "to others or ask for less"
    )
