"""What a page is made of: sections of words, figures and tables, all plain values a template prints."""

from dataclasses import dataclass
from typing import Literal

from hitl.report.svg import Svg


@dataclass(frozen=True, slots=True)
class Picture:
    """An item as an image: a data URI, and what it says to who cannot see it."""

    uri: str
    alt: str


@dataclass(frozen=True, slots=True)
class Heat:
    """A count on a ground whose strength is `share` (0 to 1); `right` counts are on the diagonal."""

    text: str
    share: float
    right: bool


@dataclass(frozen=True, slots=True)
class Badge:
    """A word that carries a judgement."""

    text: str
    tone: Literal["good", "bad", "fair", "quiet"]


Cell = str | Svg | Picture | Heat | Badge


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, and how its cells are set."""

    name: str
    kind: Literal["text", "number", "code", "content", "heat"] = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under their columns; the first cell of a row names it. `folded` tables open on demand.

    Cells of a `cards` table stand below each other on a phone; other tables scroll sideways.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    folded: bool = False
    cards: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with the words below it."""

    drawing: Svg
    caption: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under its own heading. `beside` puts its tables next to each other where there is room."""

    name: str
    title: str
    words: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    beside: bool = False


def columns(*names: str, number: tuple[str, ...] = (), code: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """Columns by name, of which those in `number` and `code` are set so."""
    return tuple(Column(name, "number" if name in number else "code" if name in code else "text") for name in names)


def limited(rows: list[tuple[Cell, ...]], limit: int, noun: str) -> tuple[tuple[tuple[Cell, ...], ...], str]:
    """The first `limit` rows, and a note that says so when there are more."""
    note = f"The first {limit:,} of {len(rows):,} {noun} are shown." if len(rows) > limit else ""
    return tuple(rows[:limit]), note
