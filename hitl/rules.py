"""What a rule about a table is, and the plain answer to it: which rows break it.

Great Expectations answers the same questions (tasks/edges/expectations.py); a differential test keeps both the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl.visible import quoted

Check = Literal["rows", "present", "filled", "unique", "among", "apart", "within", "matches", "distinct"]
SHOWN = 20
"""Failing rows that a finding names; it counts them all."""
MISSING = "(missing)"
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold of a table. Only `filled` minds a missing value: the others pass it over."""

    check: Check
    says: str
    """What must hold, as the end of a sentence that begins with the columns."""
    fix: str
    """The way out, for whoever meets the failure."""
    columns: tuple[str, ...] = ()
    values: frozenset[str] = field(default=frozenset(), repr=False)
    """`among`: the values allowed. `apart`: the values refused."""
    low: float = 0
    """`within`: the value is above it. `rows`, `distinct`: the count is at least it."""
    high: float = np.inf
    """`within`, `rows`: no more than this."""
    pattern: str = ""
    """`matches`: a regular expression that says itself where it begins and ends (`\\A`, `\\Z`)."""

    def __str__(self) -> str:
        return f"{' + '.join(self.columns) or 'the table'} {self.says}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one rule on one table."""

    rule: Rule
    success: bool
    count: int = 0
    """Failing rows; 0 when the rule is about the whole table, or could not be asked."""
    rows: tuple[int, ...] = ()
    """Numbers of the first failing rows, the table's first row being 1."""
    items: tuple[str, ...] = ()
    """Their item_ids."""
    values: tuple[str, ...] = ()
    """What stood there, made visible; the parts of several columns joined by " + "."""
    broken: str = field(default="", compare=False)
    """Why the rule could not be asked: no such column, or values that do not compare. That is a failure too."""


def failures(rules: Sequence[Rule], frame: pd.DataFrame, *, key: str = "item_id") -> tuple[Finding, ...]:
    """A finding for each of `rules` on `frame`, in their order."""
    return tuple(_finding(rule, frame, key) for rule in rules)


def found(rule: Rule, frame: pd.DataFrame, positions: npt.NDArray[np.intp], key: str) -> Finding:
    """The finding that the rows at `positions` (ascending, from 0) break `rule`."""
    first = positions[:SHOWN]
    items = frame[key].iloc[first].tolist() if key in frame.columns else []
    values = zip(*(frame[name].iloc[first].tolist() for name in rule.columns), strict=True)
    return Finding(
        rule,
        success=not len(positions),
        count=len(positions),
        rows=tuple(int(position) + 1 for position in first),
        items=tuple(_text(item) for item in items),
        values=tuple(" + ".join(_text(part) for part in parts) for parts in values),
    )


def unasked(rule: Rule, frame: pd.DataFrame, error: str = "") -> str:
    """Why `rule` could not be asked of `frame`, in our words rather than the engine's `error`; "" when it could."""
    missing = [name for name in rule.columns if name not in frame.columns]
    if missing:
        return f"there is no column {missing[0]!r}"
    return "it holds something that is not a number" if error and rule.check == "within" else error


def _finding(rule: Rule, frame: pd.DataFrame, key: str) -> Finding:
    broken = unasked(rule, frame)
    if broken:
        return Finding(rule, success=False, broken=broken)
    if rule.check == "rows":
        return Finding(rule, success=rule.low <= len(frame) <= rule.high)
    if rule.check == "distinct":
        return Finding(rule, success=frame[rule.columns[0]].nunique() >= rule.low)
    try:
        return found(rule, frame, np.flatnonzero(_breaks(rule, frame[list(rule.columns)])), key)
    except TypeError as error:
        return Finding(rule, success=False, broken=unasked(rule, frame, str(error)))


def _breaks(rule: Rule, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each row breaks `rule`; raises TypeError when its values cannot be asked."""
    if rule.check == "present":
        return np.zeros(len(frame), dtype=np.bool_)
    if rule.check == "unique":
        return np.asarray(frame.duplicated(keep=False) & ~frame.isna().all(axis=1), dtype=np.bool_)
    column = frame[rule.columns[0]]
    empty = np.asarray(column.isna(), dtype=np.bool_)
    if rule.check == "filled":
        return empty
    broken = np.zeros(len(frame), dtype=np.bool_)
    broken[~empty] = ~_holds(rule, column[~empty])
    return broken


def _holds(rule: Rule, column: pd.Series) -> npt.NDArray[np.bool_]:
    """Whether each of the values, none of them missing, keeps `rule`."""
    if column.empty:
        return np.ones(0, dtype=np.bool_)
    if rule.check == "among":
        return np.asarray(column.isin(list(rule.values)), dtype=np.bool_)
    if rule.check == "apart":
        return ~np.asarray(column.isin(list(rule.values)), dtype=np.bool_)
    if rule.check == "matches":
        return np.asarray(column.astype(str).str.contains(rule.pattern), dtype=np.bool_)
    return np.asarray((column > rule.low) & (column <= rule.high), dtype=np.bool_)


def _text(value: object) -> str:
    return MISSING if pd.isna(value) else quoted(str(value), _LONGEST)  # type: ignore[call-overload]
