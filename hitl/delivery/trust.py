"""Whether the answers of one delivery to gold items can be trusted: everybody's alone, and the file's as a whole."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import overload

from hitl.contract import SKIP
from hitl.delivery import gold, slip
from hitl.delivery.expectation import Expectation
from hitl.delivery.rows import Outcome, Rows


def whole_fails(rows: Rows, expectation: Expectation) -> bool:
    """Whether the file as a whole looks like chance, or like a slip of the hand: a column moved or filled down."""
    marks, classes = list(_marks(rows, expectation)), len(expectation.classes)
    return gold.whole_fails(marks, classes, failing(rows, expectation)) or (
        len(expectation.gold) >= gold.MINIMUM and _is_slip(rows, expectation)
    )


def failing(rows: Rows, expectation: Expectation) -> frozenset[str]:
    """The annotators of this delivery whose answers to gold items fail, their earlier ones in the round included."""
    if not expectation.gold:
        return frozenset()
    names = list(rows.taken.people)
    here = {names[annotator - 1] for annotator in set(rows.people) - {0}}
    return gold.failing(_marks(rows, expectation, earlier=True), len(expectation.classes)) & here


def _marks(rows: Rows, expectation: Expectation, *, earlier: bool = False) -> Iterator[gold.Mark]:
    """The first answer of everybody to each gold item in this delivery, or else in those before."""
    people, answers = list(rows.taken.people), list(rows.taken.answers)
    for name, known in expectation.gold.items():
        item = rows.taken.exported.place(name)
        if item >= 0:
            said = dict(rows.taken.told(item)) if earlier else {}
            for annotator, answer in {**said, **dict(rows.claims.told(item))}.items():
                if answers[answer - 1] != SKIP:
                    yield gold.Mark(people[annotator - 1], answers[answer - 1], known)


@dataclass(frozen=True, slots=True)
class _Said(Sequence[slip.Answer]):
    """The item and the answer of each sound row; an item that `ids` does not name has none."""

    items: Sequence[int]
    answers: Sequence[int]
    ids: dict[int, str]
    words: list[str]

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, row: int) -> slip.Answer: ...

    @overload
    def __getitem__(self, row: slice) -> list[slip.Answer]: ...

    def __getitem__(self, row: int | slice) -> slip.Answer | list[slip.Answer]:
        if isinstance(row, slice):
            return [self[n] for n in range(*row.indices(len(self)))]
        return self.ids.get(self.items[row], ""), self.words[self.answers[row] - 1]


def _is_slip(rows: Rows, expectation: Expectation) -> bool:
    said, known = _said(rows, expectation), expectation.gold
    pack = list(said.ids.values())
    return slip.slipped(said, known, pack, len(expectation.classes)) or slip.filled_down(said, known)


def _said(rows: Rows, expectation: Expectation) -> _Said:
    """The sound rows. Where there are many, only gold items have names: no more is looked at then."""
    items, answers = (
        array("i", compress(one, map(Outcome.FAULT.__ne__, rows.outcomes))) for one in (rows.items, rows.answers)
    )
    exported = rows.taken.exported
    if len(items) > slip.LONGEST:
        ids = {exported.place(item): item for item in expectation.gold}
    else:
        named = set(items)
        ids = {place: item for place, item in enumerate(exported) if place in named}
    return _Said(items, answers, ids, list(rows.taken.answers))
