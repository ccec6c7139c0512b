"""Whether the first row of a delivery is the header that was agreed: exact names, each once."""

from collections.abc import Sequence

from hitl.contract import REQUIRED
from hitl.delivery.reasons import Reason

MAX_COLUMNS = 2_000


def header_reasons(header: Sequence[str], required: Sequence[str] = REQUIRED) -> tuple[Reason, ...]:
    """What is wrong with `header`, all of it; nothing when a file that needs the `required` columns may begin so."""
    if len(header) > MAX_COLUMNS:
        return (Reason.F_TOO_MANY_COLUMNS,)
    absent = [name for name in required if name not in header]
    if len(absent) == len(required):
        return _no_header(",".join(header), required)
    faults = {
        Reason.F_COLUMN_MISSING: bool(absent),
        Reason.F_COLUMN_DUPLICATE: len(set(header)) < len(header),
        Reason.F_COLUMN_BLANK: not all(map(str.strip, header)),
    }
    return tuple(reason for reason, found in faults.items() if found)


def _no_header(line: str, required: Sequence[str]) -> tuple[Reason, ...]:
    foreign = any(set(required) <= {cell.strip('"') for cell in line.split(mark)} for mark in ";\t|")
    return (Reason.F_DELIMITER if foreign else Reason.F_HEADER_MISSING,)
