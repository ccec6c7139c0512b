"""What one column of text cells is: numbers, classes, yes or no, prose, or nothing a model can learn from."""

import re
from typing import Final

import pandas as pd

from hitl.params import Kind
from hitl.visible import quoted

PAIRS: Final = (frozenset({"true", "false"}), frozenset({"yes", "no"}), frozenset({"t", "f"}))
MISSING_NUMBERS: Final = frozenset({"na", "n/a", "nan", "null", "none", "?"})
"""Words that stand for a missing number, in a column whose other cells are all numbers (compared in lower case)."""
# No leading zeros, no bare 1E5, no more digits than a float64 keeps: those are codes, and would not survive.
NUMBER: Final = r"[+-]?(?:(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-][0-2]?[0-9]{1,2})?"
_CODE: Final = r"[!-~]*[0-9@/\\_][!-~]*"
_ID_WORDS: Final = frozenset({"id", "ids", "uuid", "guid", "key", "index", "number", "no", "nr", "rownames"})
_ENOUGH_ROWS = 20
_FEW = 100
_MANY = 1000
_SPELLINGS = 6
_LOOKED_AT = 20_000


def kind_of(name: str, column: pd.Series) -> tuple[Kind, str]:
    """The kind of a str column with "" for missing cells, and a note in plain words ("" when nothing is odd)."""
    cells = column.str.strip()
    present = cells[cells != ""]
    distinct = pd.Series(present.unique(), dtype="str")
    if distinct.empty:
        return "ignored", "is empty in every row"
    if len(distinct) == 1:
        value = quoted(distinct.iloc[0], 40)
        return ("ignored", f"holds {value!r} in every row") if len(present) == len(column) else ("categorical", "")
    if len(distinct) <= _SPELLINGS and frozenset(distinct.str.lower()) in PAIRS:
        return "boolean", ""
    number = numbers(distinct)
    if number.all() or _only_missing_words(distinct[~number]):
        return _numeric(name, distinct[number], sorted(distinct[~number]), len(present))
    kind, note = _worded(distinct, len(present))
    if number.mean() >= 0.9 and kind != "text":
        odd = quoted(min(distinct[~number]), 40)
        note = f"is nearly all numbers, but {odd!r} is none; as long as it is there the column is {kind}"
    return kind, note


def numbers(cells: pd.Series) -> pd.Series:
    """Which cells are plain decimal numbers, as a bool series.

    >>> numbers(pd.Series(["12", "-0.5", "1e-05", "00012", "1E5", "1,5"], dtype="str")).tolist()
    [True, True, True, False, False, False]
    """
    return cells.str.fullmatch(NUMBER).astype("bool")


def _only_missing_words(odd: pd.Series) -> bool:
    return bool(odd.str.lower().isin(MISSING_NUMBERS).all())


def _numeric(name: str, distinct: pd.Series, words: list[str], present: int) -> tuple[Kind, str]:
    if distinct.empty or (len(distinct) == 1 and not words):
        return "categorical", ""
    if len(distinct) == present >= _ENOUGH_ROWS and distinct.str.fullmatch("[0-9]+").all():
        values = distinct.astype("int64")
        if values.max() - values.min() + 1 == present:
            return "ignored", "counts the rows"
        if _ID_WORDS & set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())):
            return "ignored", "is a number that names the row, different in each"
    return "numeric", f"has {', '.join(map(repr, words))} for missing numbers" if words else ""


def _worded(distinct: pd.Series, present: int) -> tuple[Kind, str]:
    count = len(distinct)
    if count <= min(_FEW, present / 3):
        return "categorical", ""
    # Evenly spaced values tell as much as all of them.
    distinct = distinct.iloc[:: -(-count // _LOOKED_AT)]
    words = float(distinct.str.count(r"\S+").mean())
    if words >= 3:
        return "text", ""
    codes = float(distinct.str.fullmatch(_CODE).mean())
    if count >= present / 2 and present >= _ENOUGH_ROWS:
        if codes < 0.5 and (words >= 1.5 or distinct.str.len().mean() >= 20 or count >= 0.95 * present):
            return "text", ""
        if codes >= 0.5 and count >= 0.95 * present:
            return "ignored", "is a code that names the row, different in nearly each"
    return "categorical", f"has {count:,} different values" if count > _MANY else ""
