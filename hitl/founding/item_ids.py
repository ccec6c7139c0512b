"""The ids of a user's items: one each, none twice, none that a spreadsheet or a careless trim could merge."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hitl.errors import DataError
from hitl.visible import quoted

ITEM_ID = "item_id"
CONTROL = "[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029\ufeff]"
"""Characters that no class may hold: they are not seen, and files are broken by them."""
UNSEEN = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u2028\u2029\ufeff]"
"""Those that no id may hold. Tabs and line ends it may: it goes out as a surrogate, which holds none."""
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ItemIds:
    """An id a row in the table's order (str), the column they come from (None: counted), and what was noted."""

    values: pd.Series
    column: str | None
    notes: tuple[str, ...]


def item_ids(frame: pd.DataFrame, column: str | None) -> ItemIds:
    """The ids in `column` of `frame` (str cells), trimmed and in Unicode's composed form (NFC).

    Without `column`: those of a column called item_id, or of one called id that can serve, or else the rows counted
    from i000001. What is called id may be somebody's customers; item_id is our own word, so it serves or is refused.
    Raises DataError naming the rows when `column` cannot serve: empty ids, control characters, ids twice.
    """
    if column is None and ITEM_ID in frame.columns:
        column = ITEM_ID
    if column is not None:
        return _taken(frame[column], column)
    notes: list[str] = []
    if "id" in frame.columns:
        try:
            return _taken(frame["id"], "id")
        except DataError as error:
            notes.append(f"column 'id' cannot name the items ({error})")
    width = max(6, len(str(len(frame))))
    counted = pd.Series([f"i{number:0{width}d}" for number in range(1, len(frame) + 1)], index=frame.index, dtype="str")
    return ItemIds(counted, None, (*notes, "the items are named by counting the rows; --id COL takes a column's names"))


def tidy(cells: pd.Series) -> pd.Series:
    """`cells` without white space at the ends, and in Unicode's composed form (NFC)."""
    stripped = cells.str.strip()
    return stripped if stripped.str.isascii().all() else stripped.str.normalize("NFC")


def _taken(cells: pd.Series, name: str) -> ItemIds:
    values = tidy(cells)
    _refuse(values == "", cells, name, "no id", "give each row an id, or leave out --id and the rows are counted")
    _refuse(values.str.contains(UNSEEN), cells, name, "a control character in the id", "take it out")
    _refuse(cells.duplicated(keep=False), cells, name, "an id that stands there twice", "make ids distinct")
    _refuse(
        values.duplicated(keep=False),
        cells,
        name,
        "ids that are equal once white space at the ends and the way accents are stored are put aside",
        "make ids distinct",
    )
    changed = int((values != cells).sum())
    note = f"{changed:,} ids were trimmed or put in Unicode's composed form (NFC)"
    return ItemIds(values, name, (note,) if changed else ())


def _refuse(bad: pd.Series, cells: pd.Series, name: str, what: str, way_out: str) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        # Of equal ids, show them side by side.
        shown = sorted(rows[np.argsort(cells.iloc[rows].to_numpy(dtype=object), kind="stable")][:_SHOWN])
        listed = ", ".join(f"row {row + 2} {quoted(cells.iloc[row], 40)!r}" for row in shown)
        more = ", ..." if len(rows) > _SHOWN else ""
        raise DataError(
            f"column {name!r}: {what}: {listed}{more} ({len(rows):,} rows in all; the header is row 1); {way_out}"
        )
