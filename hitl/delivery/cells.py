"""Reads single cells: a time, a duration, a text. Each is what it says, or raises the fault that holds its row."""

import re
from datetime import datetime, timedelta

from hitl.contract import COMMENT, LABELED_AT, SECONDS
from hitl.delivery.reasons import Code, Reason
from hitl.delivery.wording import expected

# What a spreadsheet can hold in one cell.
MAX_TEXT = 32_767
MAX_SECONDS = 24 * 3600
CLOCK_SKEW = timedelta(seconds=300)

# Plain ASCII on purpose: float() takes "1_0", "inf" and the digits of every script.
NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-5][0-9])?"
)
# Escape sequences reach a terminal through logs; tab and line ends are ordinary text.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class RowFault(Exception):
    """What is wrong with a row: the column, the reason, what was expected, and a certain fix if there is one."""

    def __init__(
        self, reason: Code, column: str = "", *, value: str = "", expected: str = "", proposed: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason, self.column, self.value = reason, column, value
        self.expected, self.proposed = expected or reason.meaning, proposed


def instant(cell: str, *, after: datetime, before: datetime) -> datetime:
    """The moment an RFC 3339 time names, which must lie between the two, give or take CLOCK_SKEW."""
    at = _parsed(cell)
    if at > before + CLOCK_SKEW:
        raise RowFault(Reason.R_TIME_FUTURE, LABELED_AT, value=cell, expected=expected("time_past"))
    if at < after - CLOCK_SKEW:
        raise RowFault(Reason.R_TIME_BEFORE_EXPORT, LABELED_AT, value=cell, expected=expected("time_after_export"))
    return at


def seconds(cell: str | None) -> float | None:
    """The duration in `cell`; None when the delivery gives none at all."""
    if cell is None:
        return None
    if not NUMBER.fullmatch(cell.strip(" ")):
        raise RowFault(Reason.R_SECONDS_FORMAT, SECONDS, value=cell, expected=expected("seconds"))
    if not 0 < float(cell) <= MAX_SECONDS:
        raise RowFault(
            Reason.R_SECONDS_RANGE, SECONDS, value=cell, expected=expected("seconds_range", limit=MAX_SECONDS)
        )
    return float(cell)


def check_text(cell: str, column: str) -> None:
    """Raises when `cell` is longer than a spreadsheet holds, or a comment carries control characters."""
    if len(cell) > MAX_TEXT:
        raise RowFault(Reason.R_FIELD_TOO_LONG, column, value=cell, expected=expected("text_length", limit=MAX_TEXT))
    if column == COMMENT and CONTROL.search(cell):
        raise RowFault(Reason.R_CONTROL_CHARS, column, value=cell, expected=expected("text_plain"))


def _parsed(cell: str) -> datetime:
    text = cell.strip(" ").upper()
    shape = TIME.fullmatch(text)
    if shape is None:
        raise RowFault(Reason.R_TIME_FORMAT, LABELED_AT, value=cell, expected=expected("time"))
    if shape.group(2) is None:
        raise RowFault(Reason.R_TIME_NO_ZONE, LABELED_AT, value=cell, expected=expected("time_zone"))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise RowFault(Reason.R_TIME_FORMAT, LABELED_AT, value=cell, expected=expected("time_real")) from None
