"""From bytes to rows of cells: strict UTF-8 and strict CSV, or a reason why not. Knows nothing of items or classes.

Nothing is guessed here: one encoding, one delimiter, exact column names. The bytes are walked through as a stream, so
that memory does not grow with the number of rows.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from hitl.contract import COMMENT, OPTIONAL, REQUIRED
from hitl.delivery.header import header_reasons
from hitl.delivery.reasons import Reason
from hitl.delivery.signature import BOM, unreadable

# The csv module's own limit as Python ships it; checked here too, because any library may raise that global.
MAX_FIELD = 131_072


@dataclass(frozen=True, slots=True)
class Frame:
    """A delivery's bytes seen as a table; `reasons` is empty when its rows can be read.

    `rows` counts the data rows that are not blank, `filled` names the columns with at least one cell that is not;
    `last_row` is the number of the last row, blank or not.
    """

    data: bytes
    header: tuple[str, ...] = ()
    rows: int = 0
    last_row: int = 0
    filled: frozenset[str] = frozenset()
    reasons: tuple[Reason, ...] = ()
    warnings: frozenset[Reason] = frozenset()

    @property
    def terminated(self) -> bool:
        """Whether the last row has its line end: one without it may have been cut."""
        return self.data.endswith((b"\n", b"\r"))

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Each data row that is not blank: its number from 1 (blank rows counted, as a spreadsheet does), its cells."""
        rows = _rows(_Lines(self.data))
        next(cells for cells in rows if not is_blank(cells))
        return ((number, cells) for number, cells in enumerate(rows, start=1) if not is_blank(cells))


def survey(data: bytes, *, row_limit: int) -> Frame:
    """The frame of `data`; reading stops at the first row past `row_limit`."""
    reason = unreadable(data)
    if reason is not None:
        return Frame(data, reasons=(reason,))
    lines, walk = _Lines(data), _Walk(row_limit)
    try:
        for cells in _rows(lines):
            walk.step(cells, lines.ending)
    except UnicodeDecodeError:
        return Frame(data, reasons=(Reason.F_ENCODING,))
    except csv.Error as error:
        return Frame(data, header=walk.header, reasons=(_broken(data, str(error)),))
    except _Stop as stop:
        return Frame(data, header=walk.header, reasons=stop.reasons)
    reason = _measured_reason(data, walk)
    if reason is not None:
        return Frame(data, header=walk.header, reasons=(reason,))
    return Frame(data, walk.header, walk.rows, walk.records, walk.filled(), warnings=_warnings(data, walk))


def is_blank(cells: list[str]) -> bool:
    """Whether a row carries nothing: no cells, or only spaces in them."""
    return not any(map(str.strip, cells))


class _Stop(Exception):
    """Ends a survey early."""

    def __init__(self, *reasons: Reason) -> None:
        self.reasons = reasons


class _Lines:
    """The decoded lines of `data`; remembers how the last one ended, which the csv module does not tell."""

    def __init__(self, data: bytes) -> None:
        stream = io.BytesIO(data)
        stream.seek(len(BOM) if data.startswith(BOM) else 0)
        # newline="" splits at CR, LF and CRLF and at nothing else; str.splitlines would split inside cells.
        self._text = io.TextIOWrapper(stream, encoding="utf-8", errors="strict", newline="")
        self.ending = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self.ending = "\r\n" if line.endswith("\r\n") else line[-1]
            yield line


def _rows(lines: _Lines) -> Iterator[list[str]]:
    return csv.reader(iter(lines), strict=True)


@dataclass(slots=True)
class _Walk:
    """What is learned from one pass over the rows."""

    row_limit: int
    header: tuple[str, ...] = ()
    rows: int = 0
    records: int = 0
    odd: int = 0
    last: int = 0
    blanks: int = 0
    endings: set[str] = field(default_factory=set)
    unfilled: list[int] = field(default_factory=list)

    def step(self, cells: list[str], ending: str) -> None:
        self.endings.add(ending)
        self.records += bool(self.header)
        if is_blank(cells):
            self.blanks += 1
        elif not self.header:
            self._start(cells)
        else:
            self._count(cells)

    def _start(self, cells: list[str]) -> None:
        self.header, self.unfilled = tuple(cells), list(range(len(cells)))
        reasons = header_reasons(cells)
        if reasons:
            raise _Stop(*reasons)

    def _count(self, cells: list[str]) -> None:
        self.rows, self.last = self.rows + 1, len(cells)
        if self.rows > self.row_limit:
            raise _Stop(Reason.F_TOO_MANY_ROWS)
        if max(map(len, cells)) > MAX_FIELD:
            raise _Stop(Reason.F_FIELD_TOO_LARGE)
        if cells[0].startswith("\ufeff") and (cells[0][1:], *cells[1:]) == self.header:
            raise _Stop(Reason.F_HEADER_REPEATED)
        if len(cells) != len(self.header):
            self.odd += 1
        else:
            self.unfilled = [index for index in self.unfilled if not cells[index].strip()]

    def filled(self) -> frozenset[str]:
        return frozenset(self.header) - {self.header[index] for index in self.unfilled}


def _broken(data: bytes, message: str) -> Reason:
    """What a csv.Error means: in sound CSV quotes come in pairs, so an odd one is open to the end."""
    if data.count(b'"') % 2:
        return Reason.F_QUOTING if data.endswith((b"\n", b"\r")) else Reason.F_TRUNCATED
    return Reason.F_FIELD_TOO_LARGE if "field limit" in message else Reason.F_QUOTING


def _measured_reason(data: bytes, walk: _Walk) -> Reason | None:
    if not walk.rows:
        return Reason.F_NO_ROWS
    if walk.last < len(walk.header) and not data.endswith((b"\n", b"\r")):
        return Reason.F_TRUNCATED
    if walk.odd * 2 > walk.rows:
        return Reason.F_HEADER_WIDTH
    return None


def _warnings(data: bytes, walk: _Walk) -> frozenset[Reason]:
    given = [name for name in walk.header if name in (*REQUIRED, *OPTIONAL)]
    used = walk.filled() | ({COMMENT} & set(walk.header))
    warnings = {
        Reason.W_BOM: data.startswith(BOM),
        Reason.W_EOL: "\r" in walk.endings or {"\r\n", "\n"} <= walk.endings,
        Reason.W_BLANK_LINES: walk.blanks > 0,
        Reason.W_COLUMN_ORDER: given != [name for name in (*REQUIRED, *OPTIONAL) if name in given],
        Reason.W_OPTIONAL_COLUMN_MISSING: not used.issuperset(OPTIONAL),
    }
    return frozenset(warning for warning, seen in warnings.items() if seen)
