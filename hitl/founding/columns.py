"""The columns of a user's table: what each is, and the same table with the types that a model wants."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hitl import firewall
from hitl.errors import DataError
from hitl.founding.kind import MISSING_NUMBERS, kind_of, numbers
from hitl.params import Kind
from hitl.pipeline import inputs
from hitl.visible import quoted

TEXT: Kind = "text"
_TRUE = frozenset({"true", "yes", "t"})


@dataclass(frozen=True, slots=True)
class Inferred:
    """The kind of each column in the table's order, and what a person should know about the choice."""

    kinds: dict[str, Kind]
    notes: tuple[str, ...]


def infer(frame: pd.DataFrame, *, text: str | None = None) -> Inferred:
    """The kinds of the columns of `frame` (str, a missing cell ""), without id and label; `text` is text by decree.

    The order of the rows does not matter. Raises DataError when no column is left to learn from.
    """
    kinds: dict[str, Kind] = {}
    notes: list[str] = []
    for name in frame.columns:
        kind, note = kind_of(name, frame[name]) if name != text else (TEXT, "")
        kinds[name] = kind
        if note:
            said = "not learned from" if kind == "ignored" else f"taken as {kind}"
            notes.append(f"column {name!r} {note}: {said}")
    if all(kind == "ignored" for kind in kinds.values()):
        listed = "; ".join(notes) or "there is none besides id and label"
        raise DataError(f"no column is left to learn from ({listed}); name one that holds text with --text")
    return Inferred(kinds, tuple(notes))


def typed(frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """The columns named in `kinds`: numeric float64 (NaN for missing), boolean "boolean", the others as they are.

    Text cells are kept as they stand, a missing one "". Columns that have their type already are taken over.
    Raises DataError naming column and row when a cell does not fit.
    """
    return pd.DataFrame({name: _converted(frame[name], kind) for name, kind in kinds.items()}, index=frame.index)


def content(frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> NDArray[np.uint64]:
    """A digest of what a model sees of each row of a typed frame, as the wall around the test set takes it."""
    return firewall.content(inputs(frame, {name: kind for name, kind in kinds.items() if kind != "ignored"}))


def _converted(column: pd.Series, kind: Kind) -> pd.Series:
    if column.dtype != "str":
        return column.astype("float64") if kind == "numeric" else column
    if kind == "numeric":
        return _floats(column)
    return _booleans(column) if kind == "boolean" else column


def _floats(column: pd.Series) -> pd.Series:
    cells = column.str.strip()
    missing = (cells == "") | cells.str.lower().isin(MISSING_NUMBERS)
    _refuse(column, ~(numbers(cells) | missing), "a plain number")
    return cells.mask(missing).astype("float64")


def _booleans(column: pd.Series) -> pd.Series:
    cells = column.str.strip().str.lower()
    known = {word: word in _TRUE for word in ("true", "false", "yes", "no", "t", "f")}
    _refuse(column, ~cells.isin([*known, ""]), "true or false")
    return cells.map(known).astype("boolean")


def _refuse(column: pd.Series, bad: pd.Series, wanted: str) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"column {column.name!r}, row {row + 2} (the header is row 1): {quoted(str(column.iloc[row]), 60)!r} "
            f"is not {wanted}; mend the cell, empty it, or make the column categorical"
        )
