"""A receipt in words, for the people who sent the file: what became of it, the figures, and what to do now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hitl.delivery.reasons import Reason

Told = Mapping[str, Any]
"""A receipt, as `hitl.delivery.receipt` makes it."""
_SETTLED = frozenset({Reason.F_DUPLICATE_DELIVERY, Reason.F_ROUND_CLOSED})
"""Nothing can be mended about these."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict in words; `mood` is good, fair or bad."""

    mood: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure, its name and what to know about it."""

    name: str
    value: str
    note: str


def verdict(receipt: Told) -> Verdict:
    """What became of the delivery."""
    rows = receipt["rows"]
    taken = f"{_counted(rows['accepted'], 'row was', 'rows were')} taken"
    if Reason.F_DUPLICATE_DELIVERY in receipt["reasons"]:
        return Verdict("good", "Received before", "Exactly this file was answered before; nothing was counted twice.")
    if receipt["verdict"] == "reject":
        return Verdict("bad", "Refused", "Nothing in this file was taken.")
    if receipt["verdict"] == "quarantine":
        held = _counted(rows["quarantined"], "row is", "rows are")
        return Verdict("fair", "Taken in part", f"{taken}; {held} held until mended.")
    return Verdict("good", "Taken", f"{taken}; none is held.")


def tiles(receipt: Told) -> tuple[Tile, ...]:
    """The figures: rows in = taken + held + repeated, what is paid, and how far the round is."""
    rows, items, payable = receipt["rows"], receipt["items"], receipt["payable"]
    revised = receipt.get("revised", 0)
    taken = f"{_number(revised)} of them replace an earlier answer, paid before" if revised else "new answers"
    return (
        Tile("Rows in the file", _number(rows["delivered"]), "taken + held + repeated"),
        Tile("Taken", _number(rows["accepted"]), taken),
        Tile("Held", _number(rows["quarantined"]), "not paid until mended"),
        Tile("Repeated", _number(rows["duplicate"]), "paid once"),
        Tile("Payable", payable["amount"], f"{payable['currency']} for {_number(payable['annotations'])} annotations"),
        Tile("Items complete", _number(items["complete"]), f"of {_number(items['expected'])}"),
    )


def steps(receipt: Told) -> tuple[str, ...]:
    """What the vendor does now, first things first."""
    found = [*_mending(receipt), *_waiting(receipt)]
    return tuple(found) or ("Nothing.",)


def listed(receipt: Told) -> list[Mapping[str, Any]]:
    """The held rows that a reader is shown: those with a fault of their own, not those refused with their file."""
    return [held for held in receipt["held"] if str(held["code"]).startswith("R_")]


def meaning(code: str) -> str:
    """What a code means, as the beginning of a sentence; the code itself when we no longer know it."""
    text = next((reason.meaning for reason in Reason if reason == code), code)
    return text if "_" in text.split(" ")[0] else text[:1].upper() + text[1:]


def _mending(receipt: Told) -> Iterator[str]:
    held = receipt["rows"]["quarantined"]
    if receipt["verdict"] == "quarantine":
        yield f"Open the redo file that came with this receipt: it holds the {_counted(held, 'row', 'rows')} to mend."
        yield "Mend them there, check the file with check.html from the pack, and send it like any other file."
    elif receipt["verdict"] == "reject" and not _SETTLED & set(receipt["reasons"]):
        yield "Mend the file as said below, check it with check.html from the pack, and send it again whole."


def _waiting(receipt: Told) -> Iterator[str]:
    missing = receipt["items"]["missing"]
    if missing and Reason.F_ROUND_CLOSED not in receipt["reasons"]:
        yield f"{_counted(missing, 'item still waits', 'items still wait')} for answers."


def _number(count: int) -> str:
    return f"{count:,}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{_number(count)} {one if count == 1 else many}"
