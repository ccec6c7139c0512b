"""Reads one row of a delivery: an annotation, or the first thing that is wrong with it.

Every value is a string until it is proven to be something else, and nothing is put right in silence.
"""

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from hitl.contract import (
    ANNOTATOR_ID,
    COMMENT,
    ITEM_ID,
    LABEL,
    LABELED_AT,
    OPTIONAL,
    REDO,
    REQUIRED,
    SECONDS,
    SKIP,
    SUPERSEDES,
    TOOL_PLACE,
    TOOL_STATUS,
)
from hitl.delivery.cells import CONTROL, MAX_TEXT, RowFault, check_text, instant, seconds
from hitl.delivery.echo import Echo, same_value
from hitl.delivery.expectation import Expectation
from hitl.delivery.exported import Exported
from hitl.delivery.frame import Frame
from hitl.delivery.judgement import Annotation
from hitl.delivery.reasons import Reason
from hitl.delivery.vocabulary import Vocabulary
from hitl.delivery.wording import expected

SHOWN_CLASSES = 20
MIN_DIGITS = 8
"""So many digits of a sha256 tell a round's deliveries apart."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One row as read. `key` and `answer` are there once item, label and annotator are sound, a fault or not.

    `supersedes` is how the delivery begins that the row says it replaces the answer of, "" when it names none.
    `idle` is a row of the pack that nobody has begun, or that is for somebody else: it is held, but it is no mistake.
    """

    annotation: Annotation | None = None
    key: tuple[str, str] | None = None
    answer: str = ""
    fault: RowFault | None = None
    supersedes: str = ""
    idle: bool = False


@dataclass(slots=True)
class RowReader:
    """Reads the rows of `frame` against `expectation`, and collects the warnings they deserve."""

    expectation: Expectation
    items: Exported
    frame: Frame
    is_vouched: bool
    warnings: set[Reason] = field(default_factory=set)
    header: list[str] = field(init=False)
    at: dict[str, int] = field(init=False)
    own: dict[str, int] = field(init=False)
    echo: Echo = field(init=False)
    _items: Vocabulary = field(init=False)
    _labels: Vocabulary = field(init=False)
    _annotators: Vocabulary = field(init=False)

    def __post_init__(self) -> None:
        self.header, filled = list(self.frame.header), self.frame.filled
        self.at = {name: n for n, name in enumerate(self.frame.header) if name in filled or name in REQUIRED}
        self.echo = Echo.of(self.at, self.items)
        self._items = self.items.vocabulary
        self._labels = Vocabulary((*self.expectation.classes, SKIP))
        self._annotators = Vocabulary(self.expectation.annotators)
        self.own = {name: n for name, n in self.at.items() if name not in self.echo.columns}
        if (
            set(self.frame.header)
            - self.echo.names
            - {*REQUIRED, *OPTIONAL, SUPERSEDES, TOOL_STATUS, TOOL_PLACE, *REDO}
        ):
            self.warnings.add(Reason.W_EXTRA_COLUMN)

    @property
    def is_whole(self) -> bool:
        """Whether the last row is known not to be cut."""
        return self.frame.terminated or self.is_vouched

    def read(self, row: int, cells: list[str]) -> Reading:
        """The reading of data row `row`."""
        try:
            check_shape(self.frame, row, cells, texts=self.own, items=self.items, is_whole=self.is_whole)
            item = self._item(cells[self.at[ITEM_ID]])
            status = self._cell(cells, TOOL_STATUS)
            if status and not cells[self.at[LABEL]].strip():
                return Reading(fault=RowFault(Reason.R_NOT_TAKEN, TOOL_STATUS, value=status), idle=True)
            if self._is_idle(cells):
                return Reading(fault=RowFault(Reason.R_LABEL_EMPTY, LABEL, expected=self._classes()), idle=True)
            answer = self._answer(cells[self.at[LABEL]])
            annotator = self._annotator(cells[self.at[ANNOTATOR_ID]])
            if annotator in self.expectation.answered.get(item, ()):
                return Reading(fault=_answered_before(cells[self.at[ANNOTATOR_ID]]), idle=True)
        except RowFault as fault:
            return Reading(fault=fault)
        try:
            annotation = self._annotation(row, cells, item, annotator, answer)
            supersedes = self._superseded(self._cell(cells, SUPERSEDES) or "")
        except RowFault as fault:
            return Reading(key=(item, annotator), answer=answer, fault=fault)
        return Reading(annotation, (item, annotator), answer, supersedes=supersedes)

    def is_plain_answer(self, cell: str) -> bool:
        """Whether the cell is a class, or a skip, letter for letter; so is none of a row that repeats the header."""
        return cell in self._labels.words and cell != LABEL

    def is_plain_annotator(self, cell: str) -> bool:
        """Whether the cell is an annotator as it stands."""
        if self.expectation.annotators:
            return cell in self._annotators.words
        return bool(cell) and cell == cell.strip(" ") and cell.isprintable() and self.is_plain_text(cell)

    def is_plain_time(self, cell: str) -> bool:
        """Whether the cell is a time, and none that is ahead of our clock."""
        try:
            at = instant(cell, after=self.expectation.exported_at, before=self.expectation.received_at)
        except RowFault:
            return False
        return at <= self.expectation.received_at

    def is_plain_effort(self, cell: str) -> bool:
        """Whether the cell is a duration."""
        try:
            return seconds(cell) is not None
        except RowFault:
            return False

    def is_plain_text(self, cell: str) -> bool:
        """Whether the cell may stand in any column of text, and holds no rows."""
        return len(cell) <= MAX_TEXT and not CONTROL.search(cell) and "\n" not in cell and "\r" not in cell

    def _annotation(self, row: int, cells: list[str], item: str, annotator: str, answer: str) -> Annotation:
        labeled_at, effort = self._labeled_at(self._told(cells, LABELED_AT)), seconds(self._told(cells, SECONDS))
        for column, n in self.own.items():
            check_text(cells[n], column)
        self._check_echo(cells, item)
        label = None if answer == SKIP else answer
        return Annotation(item, annotator, label, labeled_at, effort, self._cell(cells, COMMENT) or None, row)

    def _cell(self, cells: list[str], column: str) -> str | None:
        """The cell of an optional column; None when the delivery does not use the column at all."""
        return cells[self.at[column]] if column in self.at else None

    def _told(self, cells: list[str], column: str) -> str | None:
        """The same; None also where a tool did not say."""
        cell = self._cell(cells, column)
        return None if self.frame.is_translated and not cell else cell

    def _is_idle(self, cells: list[str]) -> bool:
        """Whether nobody worked on the row: it has no label, and nothing else but perhaps who is to give one."""
        own = (name for name in (LABEL, *OPTIONAL) if name in self.at)
        return all(not cells[self.at[name]].strip() for name in own)

    def _item(self, cell: str) -> str:
        found = self._items.find(cell)
        if found is not None:
            return self._warned(found)
        if not cell.strip():
            raise RowFault(Reason.R_ID_EMPTY, ITEM_ID, value=cell, expected=expected("item"))
        other = self.expectation.other_rounds.get(cell.strip(" "))
        if other is not None and other != self.expectation.round:
            wanted = f"an item of {self.expectation.round}; this one belongs to {other}"
            raise RowFault(Reason.R_ID_OTHER_ROUND, ITEM_ID, value=cell, expected=wanted)
        wanted, near = expected("item_exact"), self._items.near(cell)
        raise RowFault(Reason.R_ID_UNKNOWN, ITEM_ID, value=cell, expected=wanted, proposed=near)

    def _answer(self, cell: str) -> str:
        found = self._labels.find(cell)
        if found is not None:
            return self._warned(found)
        near = self._labels.near(cell)
        proposed = near or self._labels.typo_of(cell)
        raise RowFault(self._label_reason(cell, near), LABEL, value=cell, expected=self._classes(), proposed=proposed)

    def _label_reason(self, cell: str, near: str) -> Reason:
        text = cell.strip(" ")
        if not text:
            return Reason.R_LABEL_EMPTY
        if text in self.expectation.retired:
            return Reason.R_LABEL_RETIRED
        if near and text.casefold() == near.casefold():
            return Reason.R_LABEL_CASE
        hidden = any(unicodedata.category(mark) in ("Cc", "Cf") and mark not in "\t\r\n" for mark in text)
        return Reason.R_CONTROL_CHARS if hidden else Reason.R_LABEL_UNKNOWN

    def _classes(self) -> str:
        shown = self.expectation.classes[:SHOWN_CLASSES]
        count = len(self.expectation.classes) - len(shown)
        more = expected("more_classes", count=count) if count else ""
        return expected("classes", classes=", ".join(shown), more=more, skip=SKIP)

    def _annotator(self, cell: str) -> str:
        trimmed = cell.strip(" ")
        if not trimmed:
            raise RowFault(Reason.R_ANNOTATOR_EMPTY, ANNOTATOR_ID, value=cell, expected=expected("annotator"))
        if not self.expectation.annotators:
            if any(unicodedata.category(mark) in ("Cc", "Cf") for mark in trimmed):
                raise RowFault(Reason.R_CONTROL_CHARS, ANNOTATOR_ID, value=cell)
            return self._warned((trimmed, None if trimmed == cell else Reason.W_TRIMMED))
        found = self._annotators.find(cell)
        if found is None:
            wanted, near = expected("roster"), self._annotators.near(cell)
            raise RowFault(Reason.R_ANNOTATOR_UNKNOWN, ANNOTATOR_ID, value=cell, expected=wanted, proposed=near)
        return self._warned(found)

    def _warned(self, found: tuple[str, Reason | None]) -> str:
        word, warning = found
        if warning is not None:
            self.warnings.add(warning)
        return word

    def _labeled_at(self, cell: str | None) -> str | None:
        if cell is None:
            return None
        at = instant(cell, after=self.expectation.exported_at, before=self.expectation.received_at)
        if at > self.expectation.received_at:
            self.warnings.add(Reason.W_CLOCK_SKEW)
        return cell.strip(" ")

    def _superseded(self, cell: str) -> str:
        """How the delivery begins that the row supersedes; not judged where earlier deliveries are not known."""
        named = cell.strip(" ").lower()
        if not named or self.expectation.known is None:
            return ""
        if len(named) < MIN_DIGITS or not any(sha256.startswith(named) for sha256 in self.expectation.known):
            raise RowFault(Reason.R_SUPERSEDES_UNKNOWN, SUPERSEDES, value=cell, expected=expected("delivery"))
        return named

    def _check_echo(self, cells: list[str], item: str) -> None:
        for column, value, exported in self.echo.differing(cells, item):
            if not same_value(value, exported):
                wanted = exported or expected("empty")
                raise RowFault(Reason.R_ECHO_CHANGED, column, value=value, expected=wanted, proposed=exported)
            self.warnings.add(Reason.W_ECHO_FORMAT)


def check_shape(
    frame: Frame, row: int, cells: Sequence[str], *, texts: Mapping[str, int], items: Container[str], is_whole: bool
) -> None:
    """Raise RowFault where the cells of a data row are not one whole row under the header of `frame`.

    `texts` are the columns, with their places, that may have swallowed other rows; `items` the ids by which that is
    seen. `is_whole`: the last row of the file is known not to be cut.
    """
    if len(cells) != len(frame.header):
        raise RowFault(Reason.R_CELL_COUNT, value=str(len(cells)), expected=expected("cells", count=len(frame.header)))
    if tuple(cells) == frame.header:
        raise RowFault(Reason.R_HEADER_REPEATED, expected=expected("one_header"))
    if row == frame.last_row and not is_whole:
        raise RowFault(Reason.R_UNTERMINATED_LAST_ROW, expected=expected("whole_row"))
    for column, n in texts.items():
        if ("\n" in cells[n] or "\r" in cells[n]) and column != ITEM_ID and _swallows(cells[n], items):
            raise RowFault(Reason.R_EMBEDDED_ROWS, column, value=cells[n], expected=expected("one_row_a_line"))


def _answered_before(cell: str) -> RowFault:
    return RowFault(Reason.R_ANSWERED_BEFORE, ANNOTATOR_ID, value=cell, expected=expected("another"))


def _swallows(cell: str, items: Container[str]) -> bool:
    """Whether a cell holds lines that are rows: an exported id among cells, below the first line."""
    lines = (line.split(",") for line in re.split(r"[\r\n]+", cell)[1:])
    return any(len(parts) > 1 and any(part in items for part in parts) for parts in lines)
