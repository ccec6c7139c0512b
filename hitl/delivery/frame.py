"""From bytes to rows of cells: strict UTF-8 and strict CSV, or a reason why not. Knows nothing of items or classes.

Nothing is guessed here: one encoding, one delimiter, exact column names. The bytes are walked through as a stream, so
that memory does not grow with the number of rows.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TextIO

from hitl.contract import ANNOTATOR_ID, COMMENT, OPTIONAL, REQUIRED
from hitl.delivery.header import header_reasons
from hitl.delivery.reasons import Reason
from hitl.delivery.signature import BOM, Look, leaves_quote_open, look, unreadable
from hitl.delivery.source import Source, Translated

# The csv module's own limit as Python ships it; checked here too, because any library may raise that global.
MAX_FIELD = 131_072
TOGETHER = 256
"""Rows that are read at once: more gain nothing, and may be large."""
_MARK = BOM.decode()


@dataclass(frozen=True, slots=True)
class Frame:
    """A delivery's bytes seen as a table; `reasons` is empty when its rows can be read.

    `rows` counts the data rows that are not blank, `filled` names the columns with at least one cell that is not;
    `last_row` is the number of the last row, blank or not. Rows of the annotators in `without` are passed over, as if
    they stood not in the file; `passed` counts them.
    """

    source: Source
    seen: Look
    header: tuple[str, ...] = ()
    rows: int = 0
    last_row: int = 0
    filled: frozenset[str] = frozenset()
    reasons: tuple[Reason, ...] = ()
    warnings: frozenset[Reason] = frozenset()
    without: frozenset[str] = frozenset()
    passed: int = 0

    @property
    def is_translated(self) -> bool:
        """Whether the rows were made of a tool's export: then what is optional may be empty in any of them."""
        return isinstance(self.source, Translated)

    @property
    def terminated(self) -> bool:
        """Whether the last row has its line end: one without it may have been cut."""
        return self.seen.terminated

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Each data row that is not blank: its number from 1 (blank rows counted, as a spreadsheet does), its cells."""
        if not self.rows:
            return
        with _text(self.source, self.seen) as text:
            rows = csv.reader(text, strict=True)
            next(cells for cells in rows if not is_blank(cells))
            numbered = enumerate(rows, start=1)
            if self.without or Reason.W_BLANK_LINES in self.warnings:
                others = self._others
                yield from ((number, cells) for number, cells in numbered if not is_blank(cells) and others(cells))
            else:
                yield from numbered

    def _others(self, cells: list[str]) -> bool:
        return not _is_by(cells, self.header, self.without)


def survey(
    source: Source,
    *,
    row_limit: int,
    without: frozenset[str] = frozenset(),
    required: Sequence[str] = REQUIRED,
) -> Frame:
    """The frame of `source` but for the rows of annotators in `without`; reading stops at row `row_limit` + 1.

    `required` are the columns that its header must have.
    """
    seen, walk = look(source), _Walk(row_limit, without, required)
    reason = unreadable(seen)
    if reason is not None:
        return Frame(source, seen, reasons=(reason,))
    try:
        with _text(source, seen) as text:
            walk.over(text, plain_ends=seen.regular)
    except csv.Error as error:
        return Frame(source, seen, header=walk.header, reasons=(_broken(source, seen, str(error)),))
    except _Stop as stop:
        return Frame(source, seen, header=walk.header, reasons=stop.reasons)
    reason = _measured_reason(seen, walk)
    if reason is not None:
        return Frame(source, seen, header=walk.header, reasons=(reason,))
    return Frame(
        source,
        seen,
        walk.header,
        walk.rows,
        walk.records,
        walk.filled(),
        warnings=_warnings(seen, walk),
        without=without,
        passed=walk.passed,
    )


def is_blank(cells: list[str]) -> bool:
    """Whether a row carries nothing: no cells, or only spaces in them."""
    return not any(map(str.strip, cells))


def _is_by(cells: list[str], header: tuple[str, ...], annotators: frozenset[str]) -> bool:
    """Whether a row is by one of these annotators."""
    if not annotators:
        return False
    place = header.index(ANNOTATOR_ID)
    return place < len(cells) and cells[place].strip(" ") in annotators


class _Stop(Exception):
    """Ends a survey early."""

    def __init__(self, *reasons: Reason) -> None:
        self.reasons = reasons


class _Lines:
    """The lines of a text; remembers how the last one ended, which the csv module does not tell."""

    def __init__(self, text: Iterable[str]) -> None:
        self._text, self.ending = text, ""

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self.ending = "\r\n" if line.endswith("\r\n") else line[-1]
            yield line


def _text(source: Source, seen: Look) -> TextIO:
    """The source as text, without its byte order mark; to be closed by the caller."""
    file = source.open()
    file.seek(len(BOM) if seen.marked else 0)
    # newline="" splits at CR, LF and CRLF and at nothing else; str.splitlines would split inside cells.
    return io.TextIOWrapper(file, encoding="utf-8", errors="strict", newline="")


@dataclass(slots=True)
class _Walk:
    """What is learned from one pass over the rows."""

    row_limit: int
    without: frozenset[str] = frozenset()
    required: Sequence[str] = REQUIRED
    header: tuple[str, ...] = ()
    rows: int = 0
    records: int = 0
    odd: int = 0
    last: int = 0
    blanks: int = 0
    passed: int = 0
    endings: set[str] = field(default_factory=set)
    unfilled: list[int] = field(default_factory=list)

    def over(self, text: Iterable[str], *, plain_ends: bool) -> None:
        """All rows of a text; with `plain_ends` they all end alike, and nobody need look."""
        lines = _Lines(text)
        rows = csv.reader(text if plain_ends else iter(lines), strict=True)
        for cells in rows:
            self.step(cells, lines.ending)
            if plain_ends and self.header:
                break
        together: list[list[str]] = []
        while plain_ends:
            together.clear()
            try:
                together.extend(islice(rows, TOGETHER))
            finally:  # rows before a broken one count
                self._step_together(together)
            if not together:
                return

    def _step_together(self, rows: Sequence[list[str]]) -> None:
        width = len(self.header)
        many = rows and not self.without and set(map(len, rows)) == {width}
        if not many or not self._are_plain(columns := list(zip(*rows, strict=True))):
            for cells in rows:
                self.step(cells, "")
            return
        self.records, self.rows, self.last = self.records + len(rows), self.rows + len(rows), width
        self.unfilled = [index for index in self.unfilled if not any(map(str.strip, columns[index]))]

    def _are_plain(self, columns: Sequence[Sequence[str]]) -> bool:
        """Whether no row of these is blank, too much, or a header with a mark, and no cell is too long."""
        first = columns[0]
        return (
            self.rows + len(first) <= self.row_limit
            and all(map(str.strip, first))
            and max(first) < _MARK
            and max(max(map(len, column)) for column in columns) <= MAX_FIELD
        )

    def step(self, cells: list[str], ending: str) -> None:
        self.endings.add(ending)
        self.records += bool(self.header)
        if is_blank(cells):
            self.blanks += 1
        elif not self.header:
            self._start(cells)
        elif _is_by(cells, self.header, self.without):
            self.passed += 1
        else:
            self._count(cells)

    def _start(self, cells: list[str]) -> None:
        self.header, self.unfilled = tuple(cells), list(range(len(cells)))
        reasons = header_reasons(cells, self.required)
        if reasons:
            raise _Stop(*reasons)

    def _count(self, cells: list[str]) -> None:
        self.rows, self.last = self.rows + 1, len(cells)
        if self.rows > self.row_limit:
            raise _Stop(Reason.F_TOO_MANY_ROWS)
        if max(map(len, cells)) > MAX_FIELD:
            raise _Stop(Reason.F_FIELD_TOO_LARGE)
        if cells[0].startswith(_MARK) and (cells[0][1:], *cells[1:]) == self.header:
            raise _Stop(Reason.F_HEADER_REPEATED)
        if len(cells) != len(self.header):
            self.odd += 1
        else:
            self.unfilled = [index for index in self.unfilled if not cells[index].strip()]

    def filled(self) -> frozenset[str]:
        return frozenset(self.header) - {self.header[index] for index in self.unfilled}


def _broken(source: Source, seen: Look, message: str) -> Reason:
    """What a csv.Error means."""
    if leaves_quote_open(source):
        return Reason.F_QUOTING if seen.terminated else Reason.F_TRUNCATED
    return Reason.F_FIELD_TOO_LARGE if "field limit" in message else Reason.F_QUOTING


def _measured_reason(seen: Look, walk: _Walk) -> Reason | None:
    if not walk.rows:
        return Reason.F_NO_ROWS
    if walk.last < len(walk.header) and not seen.terminated:
        return Reason.F_TRUNCATED
    if walk.odd * 2 > walk.rows:
        return Reason.F_HEADER_WIDTH
    return None


def _warnings(seen: Look, walk: _Walk) -> frozenset[Reason]:
    given = [name for name in walk.header if name in (*REQUIRED, *OPTIONAL)]
    used = walk.filled() | ({COMMENT} & set(walk.header))
    warnings = {
        Reason.W_BOM: seen.marked,
        Reason.W_EOL: "\r" in walk.endings or {"\r\n", "\n"} <= walk.endings,
        Reason.W_BLANK_LINES: walk.blanks > 0,
        Reason.W_COLUMN_ORDER: given != [name for name in (*REQUIRED, *OPTIONAL) if name in given],
        Reason.W_OPTIONAL_COLUMN_MISSING: not used.issuperset(OPTIONAL),
    }
    return frozenset(warning for warning, seen in warnings.items() if seen)
