"""Whether the pack's own values came back as they went out: an answer to an edited item is no answer to ours."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from unicodedata import normalize

from hitl.contract import MODEL_CLASS, MODEL_CONFIDENCE, RESERVED, forms
from hitl.delivery.exported import Exported

MAX_DIGITS = 400
TOLERANCE = 1e-12

# Tools that write line ends twice, or put an empty line between two, do so inside of cells too.
LINE_ENDS = re.compile(r"[\r\n]+")


@dataclass(frozen=True, slots=True)
class Echo:
    """The exported columns that a delivery brings back: where they stand, what they held; `names` are all of them."""

    names: frozenset[str]
    columns: Mapping[str, int]
    items: Exported

    @classmethod
    def of(cls, at: Mapping[str, int], items: Exported) -> "Echo":
        """The echo among the columns `at` (name to position): those that the items were exported with."""
        own = RESERVED - {MODEL_CLASS, MODEL_CONFIDENCE}
        names = frozenset(items.header) - own
        return cls(names, {name: n for name, n in at.items() if name in names}, items)

    def differing(self, cells: list[str], item: str) -> Iterator[tuple[str, str, str]]:
        """Each column whose text is another one: its name, what came back, what went out."""
        exported = self.items[item]
        for column, n in self.columns.items():
            value = exported.get(column, "")
            if cells[n] != value and not _same_text(cells[n], value):
                yield column, cells[n], value


def _same_text(cell: str, value: str) -> bool:
    """Equal but for the pack's apostrophe, the kind and number of line ends, or composed accents: none of it edited."""
    return _plain(cell) in map(_plain, forms(value))


def _plain(text: str) -> str:
    return normalize("NFC", LINE_ENDS.sub("\n", text))


def same_value(cell: str, value: str) -> bool:
    """Equal as numbers or booleans: whole numbers in every digit, others as far as a spreadsheet keeps them."""
    if {cell.strip().lower(), value.strip().lower()} in ({"true"}, {"false"}):
        return True
    one, other = _number(cell), _number(value)
    if one is None or other is None:
        return False
    if one == other or (one == one.to_integral_value() and other == other.to_integral_value()):
        return one == other
    return math.isclose(float(one), float(other), rel_tol=TOLERANCE)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip().removeprefix("'"))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < MAX_DIGITS else None
