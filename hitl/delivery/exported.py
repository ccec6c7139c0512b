"""The items of a pack as its deliveries are held against them: found by their hashes, read again when needed."""

import csv
import io
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import TextIO

from hitl.contract import ITEM_ID, csv_bytes, neutral, original
from hitl.delivery.index import Index
from hitl.delivery.source import Bytes, Opened
from hitl.delivery.vocabulary import Vocabulary

NEAR = 64
"""So many rows are quicker passed over than a file opened."""


class Exported(Mapping[str, Mapping[str, str]]):
    """Each item of a batch.csv, and its columns as they were written; the rows stay in the file.

    Reading it raises what the csv module raises, UnicodeDecodeError, ValueError without item_id, and IndexError
    where a row is short. A place counts the items from 0, in the order of the file.
    """

    def __init__(self, source: Opened) -> None:
        self._source = source
        self._prints: dict[tuple[str, ...], array[int]] = {}
        self._rows: Iterator[list[str]] = iter(())
        self._next = 0

    @classmethod
    def of(cls, items: Mapping[str, Mapping[str, str]]) -> "Exported":
        """`items` in this form."""
        if isinstance(items, Exported):
            return items
        columns = [name for name in next(iter(items.values()), {}) if name != ITEM_ID]
        rows = ([neutral(item), *(row.get(name, "") for name in columns)] for item, row in items.items())
        return cls(Bytes(csv_bytes([[ITEM_ID, *columns], *rows])))

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[str]:
        at = self.header.index(ITEM_ID)
        return (original(cells[at]) for cells in self._told())

    def __contains__(self, item: object) -> bool:
        return self.place(str(item)) >= 0

    def __getitem__(self, item: str) -> dict[str, str]:
        place = self.place(item)
        if place < 0:
            raise KeyError(item)
        return dict(zip(self.header, self._row(place), strict=True))

    @cached_property
    def header(self) -> Sequence[str]:
        with _text(self._source) as text:
            return next(csv.reader(text, strict=True))

    @cached_property
    def index(self) -> Index:
        return Index(map(hash, self))

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Finds an item by a cell that is nearly its id."""
        return Vocabulary(_Ids(self))

    def item(self, place: int) -> str:
        """The item that stands at a place."""
        return original(self._row(place)[self.header.index(ITEM_ID)])

    def place(self, item: str) -> int:
        """Where an item stands; -1 when it is none of these."""
        return next(self.index.places(hash(item)), -1)

    def prints(self, columns: tuple[str, ...]) -> "array[int]":
        """A hash of these columns for each item, by its place: whether they came back unchanged."""
        if columns not in self._prints:
            at = [self.header.index(name) for name in columns]
            self._prints[columns] = array("q", (hash(tuple([cells[n] for n in at])) for cells in self._told()))
        return self._prints[columns]

    def _told(self) -> Iterator[list[str]]:
        with _text(self._source) as text:
            yield from islice(csv.reader(text, strict=True), 1, None)

    def _row(self, place: int) -> list[str]:
        """The cells of an item; quick where they are asked for in the order of the file."""
        if not (self._next and 0 <= place - self._next < NEAR):
            self._rows, self._next = self._from(place), place
        found = list(islice(self._rows, place - self._next + 1))
        self._next = place + 1
        return found[-1]

    def _from(self, place: int) -> Iterator[list[str]]:
        with self._source.open() as file:
            file.seek(self._starts[place])
            yield from csv.reader(io.TextIOWrapper(file, "utf-8", newline=""), strict=True)

    @cached_property
    def _starts(self) -> "array[int]":
        """At which byte each row begins."""
        starts, at = array("Q"), 0

        def lines(file: Iterator[bytes]) -> Iterator[str]:
            nonlocal at
            for line in file:
                at += len(line)
                yield line.decode()

        with self._source.open() as file:
            for _ in csv.reader(lines(file), strict=True):
                starts.append(at)
        return starts


@dataclass(frozen=True, slots=True)
class _Ids(Collection[str]):
    """The ids of a pack's items, which can be asked for by their place."""

    of: Exported

    def __len__(self) -> int:
        return len(self.of)

    def __iter__(self) -> Iterator[str]:
        return iter(self.of)

    def __contains__(self, item: object) -> bool:
        return item in self.of

    def __getitem__(self, place: int) -> str:
        return self.of.item(place)


@dataclass(frozen=True, slots=True)
class Elsewhere(Mapping[str, str]):
    """The round in which an item went out, of several rounds the last; their packs are read when somebody asks."""

    rounds: Mapping[str, Exported]

    def __getitem__(self, item: str) -> str:
        for name, items in reversed(list(self.rounds.items())):
            if item in items:
                return name
        raise KeyError(item)

    def __iter__(self) -> Iterator[str]:
        return iter(set(chain.from_iterable(self.rounds.values())))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _text(source: Opened) -> TextIO:
    return io.TextIOWrapper(source.open(), "utf-8", newline="")
