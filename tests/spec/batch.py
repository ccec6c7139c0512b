"""The made-up batch of the contract: twelve messages to a shop, sorted by what they are about.

`sound` is a whole and faultless answer to it; the other functions change something.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from tests.spec.rule import Sent

CLASSES = ("billing", "delivery", "other")
ANNOTATORS = ("ann", "zoé")
COLUMNS = {"subject": "text", "amount": "numeric"}
HEADER = ("item_id", *COLUMNS, "label", "annotator_id", "labeled_at", "seconds", "comment")

BATCH = (
    ("T01", "Card charged twice", "49.9", "billing"),
    ("T02", "Parcel is late", "12.5", "delivery"),
    ("T03", "Where is my parcel?", "8", "delivery"),
    ("T04", "Refund did not arrive", "120", "billing"),
    ("T05", "Wrong address on the parcel", "15", "delivery"),
    ("T06", "Invoice without VAT number", "75.25", "billing"),
    ("T07", "Nobody rang, yet a card was left", "30", "delivery"),
    ("T08", "+1 for the blue one", "0", "other"),
    ("T09", "Thanks!", "0", "other"),
    ("T10", "Two invoices", "18", "billing"),
    ("T11", "Lost, or “lost”?", "60", "delivery"),
    ("T12", "Do you answer on Sundays?", "0", "other"),
)
"""Id, two columns that the vendor sees, and the right answer."""

GOLD = {item: label for item, _, _, label in BATCH if item not in ("T03", "T09", "T12")}
"""The items whose answer we know."""

TWICE = "T12"
"""The item that two annotators are asked for."""

ANSWERED = {"T09": ("ann",)}
"""Who answered an item in a round before: it asks for somebody else."""

EARLIER = tuple((item.replace("T", "S"), *others) for item, *others in BATCH)
"""The batch of the round before."""

SOON = "2025-03-10T12:02:00Z"
"""Two minutes after the delivery, whenever that is."""

DOTS = "..."

Row = dict[str, str]


def rows() -> list[Row]:
    """A faultless answer: ann does the first six, zoé the others, and both the last."""
    people = [(row, "ann" if row[0] <= "T06" else "zoé") for row in BATCH] + [(BATCH[-1], "ann")]
    return [
        {
            "item_id": item,
            "subject": subject if subject[0] != "+" else f"'{subject}",
            "amount": amount,
            "label": label,
            "annotator_id": who,
            "labeled_at": f"2025-03-10T09:{minute:02d}:00Z",
            "seconds": f"{8 + minute % 5}.5",
            "comment": "",
        }
        for minute, ((item, subject, amount, label), who) in enumerate(people, start=10)
    ]


def text(lines: Iterable[Sequence[str]], *, ending: str = "\n", delimiter: str = ",") -> str:
    """Rows of cells as CSV, as a spreadsheet writes it."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator=ending, delimiter=delimiter).writerows(lines)
    return written.getvalue()


def written(
    some: Iterable[Row], header: Sequence[str] = HEADER, *, show: Iterable[int] = (), ending: str = "\n"
) -> Sent:
    """A file of these rows, of which a reader sees the header and the rows numbered in `show` (none: all of them)."""
    lines = [[row[name] for name in header] for row in some]
    seen = text([header, *lines]) if not show else _shortened(header, lines, sorted(show))
    return Sent(text([header, *lines], ending=ending).encode(), seen)


def sound() -> Sent:
    """A faultless answer, which the first rule shows."""
    return written(rows()).seen_as("(the file of rule 1.1)")


def changed(*, show: Iterable[int] = (), **items: Row) -> Sent:
    """A faultless answer but for the cells given, by item and column."""
    some = [{**row, **items.get(row["item_id"], {})} for row in rows()]
    places = [n for n, row in enumerate(rows(), start=1) if row["item_id"] in items]
    return written(some, show=(*places, *show))


def row(**cells: str) -> Sent:
    """A faultless answer but for these cells of the third row."""
    return changed(T03=cells)


def whole(lines: str, *, show: str = "") -> Sent:
    """A file of exactly this text."""
    return Sent(lines.encode(), show or lines)


def headed(old: str, new: str) -> Sent:
    """A faultless answer with another text in its header."""
    plain = written(rows(), show=(1, 2))
    return Sent(plain.data.replace(old.encode(), new.encode(), 1), plain.shown.replace(old, new, 1))


def _shortened(header: Sequence[str], lines: Sequence[Sequence[str]], show: Sequence[int]) -> str:
    """The header and some rows, with dots where rows are left out."""
    parts, last = text([header]), 0
    for number in show:
        parts += (f"{DOTS}\n" if number > last + 1 else "") + text([lines[number - 1]])
        last = number
    return parts + (f"{DOTS}\n" if last < len(lines) else "")
