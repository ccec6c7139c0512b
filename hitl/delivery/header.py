"""Whether the first row of a delivery is the header that was agreed: exact names, each once."""

from collections.abc import Sequence

from hitl.contract import REQUIRED
from hitl.delivery.reasons import Reason

MAX_COLUMNS = 2_000


def header_reasons(header: Sequence[str]) -> tuple[Reason, ...]:
    """What is wrong with `header`, all of it; nothing when a delivery may begin so."""
    if len(header) > MAX_COLUMNS:
        return (Reason.F_TOO_MANY_COLUMNS,)
    absent = [name for name in REQUIRED if name not in header]
    if len(absent) == len(REQUIRED):
        return _no_header(",".join(header))
    faults = {
        Reason.F_COLUMN_MISSING: bool(absent),
        Reason.F_COLUMN_DUPLICATE: len(set(header)) < len(header),
        Reason.F_COLUMN_BLANK: not all(map(str.strip, header)),
    }
    return tuple(reason for reason, found in faults.items() if found)


def _no_header(line: str) -> tuple[Reason, ...]:
    foreign = any(set(REQUIRED) <= {cell.strip('"') for cell in line.split(mark)} for mark in ";\t|")
    return (Reason.F_DELIMITER if foreign else Reason.F_HEADER_MISSING,)
