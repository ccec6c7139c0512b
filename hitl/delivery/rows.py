"""The rows of one delivery, each judged alone: many at once, column by column, where they need no second look.

What does not equal a cell known to be sound goes to the RowReader, which knows every exception and names every fault.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice

from hitl.contract import ANNOTATOR_ID, ITEM_ID, LABEL, LABELED_AT, SECONDS, SUPERSEDES
from hitl.delivery.answers import Reading, RowReader
from hitl.delivery.claims import ANSWER, REVISING, Claims
from hitl.delivery.frame import TOGETHER
from hitl.delivery.reasons import Code
from hitl.delivery.taken import Taken

REMEMBERED, LONGEST = 1 << 14, 64
"""Cells of a column that are remembered, and their length."""

Record = tuple[int, list[str]]


class Outcome(IntEnum):
    """What became of a row. All but NEW and SAME are held."""

    FAULT = 0
    NEW = 1
    SAME = 2
    TORN = 3
    CHANGED = 4
    CROWDED = 5
    SUSPECT = 6


@dataclass(slots=True)
class Rows:
    """Where the rows of one delivery stand, one after another, blank ones left out.

    `items` (their places, -1 if unknown), `people` and `answers` are numbers. `reasons` counts the faults that rows
    have of their own, `idle` those that nobody has begun, `at_odds` the sound rows that say two things of an item, or
    are by more annotators than were asked, in this delivery alone.
    """

    reader: RowReader
    taken: Taken
    claims: Claims
    items: "array[int]" = field(default_factory=lambda: array("i"))
    people: "array[int]" = field(default_factory=lambda: array("I"))
    answers: "array[int]" = field(default_factory=lambda: array("I"))
    outcomes: bytearray = field(default_factory=bytearray)
    reasons: Counter[Code] = field(default_factory=Counter)
    idle: int = 0
    at_odds: int = 0

    def add(self, item: int, annotator: int, answer: int, outcome: Outcome = Outcome.NEW, marks: int = 0) -> None:
        """Take down one row."""
        if annotator and self.keeps and outcome == Outcome.NEW:
            annotator = self._another(item, annotator, answer)
        if annotator:
            self.claims.add(item, annotator, answer, marks)
        self.items.append(item)
        self.people.append(annotator)
        self.answers.append(answer)
        self.outcomes.append(outcome)

    def extend(self, items: Sequence[int], people: Sequence[int], answers: Sequence[int]) -> None:
        """Take down many rows, all of them NEW."""
        if self.keeps:
            for row in zip(items, people, answers, strict=True):
                self.add(*row)
            return
        for claim in zip(items, people, answers, strict=True):
            self.claims.add(*claim)
        self.items.extend(items)
        self.people.extend(people)
        self.answers.extend(answers)
        self.outcomes.extend(bytes((Outcome.NEW,)) * len(items))

    @property
    def keeps(self) -> bool:
        """Whether several answers of one annotator to one item all count."""
        return self.reader.expectation.reading.repeat == "keep"

    def _another(self, item: int, annotator: int, answer: int) -> int:
        """The annotator under whom an answer counts: for the second one to an item, `NAME #2`."""
        said, turn, found = self.claims.said, 1, annotator
        name = list(self.taken.people)[annotator - 1] if self.claims.find(item, annotator) >= 0 else ""
        while (slot := self.claims.find(item, found)) >= 0 and said[slot] and said[slot] & ANSWER != answer:
            turn += 1
            found = self.taken.people[f"{name} #{turn}"]
        return found

    @property
    def held(self) -> int:
        return len(self.outcomes) - self.count(Outcome.NEW) - self.count(Outcome.SAME)

    def count(self, outcome: Outcome) -> int:
        return self.outcomes.count(outcome)


def read(reader: RowReader, taken: Taken) -> Rows:
    """Every row of the reader's frame: NEW, or held for a FAULT of its own."""
    rows = Rows(
        reader, taken, Claims(taken.pairs.starts, taken.touched, last=reader.expectation.reading.repeat == "last")
    )
    records, glance = reader.frame.records(), _Glance(reader, taken)
    while together := list(islice(records, TOGETHER)):
        items, people, answers, plain = glance.over(together)
        if all(plain) and all(answers) and all(people) and min(items) >= 0:
            rows.extend(items, people, answers)
            continue
        for (row, cells), item, annotator, answer, is_plain in zip(
            together, items, people, answers, plain, strict=True
        ):
            if is_plain and answer and annotator and item >= 0:
                rows.add(item, annotator, answer)
            else:
                _add(rows, reader.read(row, cells))
    return rows


def _add(rows: Rows, reading: Reading) -> None:
    taken, fault = rows.taken, reading.fault
    outcome = Outcome.FAULT if fault else Outcome.NEW
    if fault:
        rows.reasons[fault.reason] += 1
        rows.idle += reading.idle
    if reading.key is None:
        rows.add(-1, 0, 0, outcome)
        return
    item, annotator = taken.exported.place(reading.key[0]), taken.people[reading.key[1]]
    named = reading.supersedes
    is_origin = bool(named) and (taken.origin(item, annotator) or named).startswith(named)
    rows.add(item, annotator, taken.answers[reading.answer], outcome, REVISING * is_origin)


class _Known(dict[str, int]):
    """What the cells of a column are worth, worked out once for each that is short; 0: its row wants a second look."""

    def __init__(self, worth: Callable[[str], int]) -> None:
        self._worth = worth

    def __missing__(self, cell: str) -> int:
        found = self._worth(cell)
        if len(cell) <= LONGEST:
            if len(self) == REMEMBERED:
                self.clear()
            self[cell] = found
        return found


class _Glance:
    """Tells which rows are plain: every cell is sound as it stands, and nothing about it need be said."""

    def __init__(self, reader: RowReader, taken: Taken) -> None:
        self._width, self._index, self._place = len(reader.header), taken.exported.index, -1
        self._item, self._label, self._annotator = (reader.at[name] for name in (ITEM_ID, LABEL, ANNOTATOR_ID))
        self._answers = _Known(lambda cell: taken.answers[cell] if reader.is_plain_answer(cell) else 0)
        self._people = _Known(lambda cell: taken.people[cell] if reader.is_plain_annotator(cell) else 0)
        special = {LABELED_AT: reader.is_plain_time, SECONDS: reader.is_plain_effort, SUPERSEDES: _is_empty}
        known = {name: _Known(worth) for name, worth in special.items()}
        text = _Known(reader.is_plain_text)
        others = {name: n for name, n in reader.own.items() if name not in (ITEM_ID, LABEL, ANNOTATOR_ID)}
        self._others = [(n, known.get(name, text)) for name, n in others.items()]
        self._echo = list(reader.echo.columns.values())
        self._prints = taken.exported.prints(tuple(reader.echo.columns)) if self._echo else array("q")
        self._again = {taken.exported.place(item) for item in reader.expectation.answered}
        self._cut = 0 if reader.is_whole else reader.frame.last_row

    def over(self, together: Sequence[Record]) -> tuple[Sequence[int], ...]:
        """For each row the numbers of item, annotator and answer, and whether the rest of it is plain."""
        blank = [""] * self._width
        columns = list(zip(*(cells if len(cells) == self._width else blank for _, cells in together), strict=True))
        items = list(self._index.walk(map(hash, columns[self._item]), self._place))
        self._place = items[-1]
        if self._again:
            items = [-1 if item in self._again else item for item in items]
        people = list(map(self._people.__getitem__, columns[self._annotator]))
        answers = list(map(self._answers.__getitem__, columns[self._label]))
        if together[-1][0] == self._cut:
            answers[-1] = 0
        plain: list[Iterator[int]] = [map(known.__getitem__, columns[n]) for n, known in self._others]
        if self._echo:
            plain.append(self._echoed(columns, items))
        return items, people, answers, list(map(all, zip(*plain, strict=True))) if plain else [1] * len(items)

    def _echoed(self, columns: Sequence[Sequence[str]], items: Sequence[int]) -> Iterator[bool]:
        prints = self._prints
        came = map(hash, zip(*(columns[n] for n in self._echo), strict=True))
        return (one == prints[item] for one, item in zip(came, items, strict=True))


def _is_empty(cell: str) -> bool:
    return not cell
