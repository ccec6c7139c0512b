"""The answers that a round has taken so far, in little memory: what the next delivery is held against."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from hitl.delivery.claims import Numbers, Pairs
from hitl.delivery.expectation import Expectation
from hitl.delivery.exported import Exported

Key = tuple[str, str]
"""An item and an annotator."""


class Taken(Mapping[Key, str]):
    """The standing answer for each pair of item and annotator, and the delivery it came from.

    `people`, `answers` and `deliveries` number the names. `touched` tells for each item whether anybody answered it;
    so many items are `answered` by anybody, and `complete`.
    """

    def __init__(self, exported: Exported, starts: Sequence[int]) -> None:
        self.exported = exported
        self.pairs = Pairs(starts)
        self.people, self.answers, self.deliveries = Numbers(), Numbers(), Numbers()
        self.touched = bytearray(len(exported))
        self.answered = self.complete = 0
        self._said, self._from = (array("I", bytes(4 * starts[-1])) for _ in range(2))
        self._count = 0

    @classmethod
    def of(cls, expectation: Expectation) -> "Taken":
        """What the expectation says was taken, in this form."""
        if isinstance(expectation.taken, Taken):
            return expectation.taken
        items = Exported.of(expectation.items)
        taken = cls(items, _starts(items, expectation))
        for key, answer in expectation.taken.items():
            taken.add(key, answer, expectation.origin.get(key, ""))
        return taken

    def add(self, key: Key, answer: str, delivery: str = "") -> None:
        """Take an answer, in place of an earlier one of the pair; of an item that never went out there is none."""
        item, annotator = self.exported.place(key[0]), self.people[key[1]]
        if item < 0:
            return
        slot = self.pairs.slot(item, annotator)
        for kept in (self._said, self._from):
            kept.extend([0] * (slot + 1 - len(kept)))
        if not self._said[slot]:
            self._count += 1
            self.answered += not self.touched[item]
            self.complete += slot == self.pairs.starts[item + 1] - 1
        self.touched[item] = True
        self._said[slot], self._from[slot] = self.answers[answer], self.deliveries[delivery]

    def said(self, item: int, annotator: int) -> int:
        """The number of the pair's answer; 0 where it has none."""
        slot = self.pairs.find(item, annotator)
        return 0 if slot < 0 else self._said[slot]

    def told(self, item: int) -> Iterator[tuple[int, int]]:
        """The annotators of an item and their answers."""
        return ((who, self._said[slot]) for who, slot in self.pairs.people(item))

    def asked(self, item: int) -> int:
        """How many annotators an item was meant for."""
        return self.pairs.starts[item + 1] - self.pairs.starts[item]

    def origin(self, item: int, annotator: int) -> str:
        """The delivery that gave the pair's answer, "" where that is not known."""
        slot = self.pairs.find(item, annotator)
        return "" if slot < 0 else list(self.deliveries)[self._from[slot] - 1]

    def __getitem__(self, key: Key) -> str:
        item = self.exported.place(key[0])
        said = self.said(item, self.people.get(key[1], 0)) if item >= 0 else 0
        if not said:
            raise KeyError(key)
        return list(self.answers)[said - 1]

    def __iter__(self) -> Iterator[Key]:
        people = list(self.people)
        for place, item in enumerate(self.exported):
            yield from ((item, people[who - 1]) for who, _ in self.pairs.people(place))

    def __len__(self) -> int:
        return self._count


def _starts(items: Exported, expectation: Expectation) -> Sequence[int]:
    """Where the slots of each item begin, when it has as many as annotators were asked."""
    if not expectation.overlap:
        return range(0, expectation.default_overlap * len(items) + 1, expectation.default_overlap)
    return array("Q", accumulate(map(expectation.overlap_of, items), initial=0))
