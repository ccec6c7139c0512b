"""Who answered what, in twelve bytes an annotation: items, annotators and answers are numbers here."""

from array import array
from collections.abc import Iterator, Sequence

TORN, REVISING, TAKEN = 1 << 31, 1 << 30, 1 << 29
"""Marks of a pair beside its answer: two answers were given; it says which it replaces; one of its rows is taken."""
ANSWER = TAKEN - 1


class Numbers(dict[str, int]):
    """A number for each name, from 1, in the order they are first asked for."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self) + 1
        return self[name]


class Pairs:
    """A slot for each pair of item and annotator, to look up what is kept of it elsewhere.

    `starts` says where the slots of each item begin, as many as annotators were asked (and where the last ones end).
    Pairs beyond those get slots behind all others.
    """

    def __init__(self, starts: Sequence[int]) -> None:
        self.starts = starts
        self._who = array("I", bytes(4 * starts[-1]))
        self._beyond: dict[int, dict[int, int]] = {}

    def __len__(self) -> int:
        return len(self._who)

    def slot(self, item: int, annotator: int) -> int:
        """The slot of a pair; a free one where it is new."""
        who = self._who
        for slot in range(self.starts[item], self.starts[item + 1]):
            if not who[slot]:
                who[slot] = annotator
                return slot
            if who[slot] == annotator:
                return slot
        beyond = self._beyond.setdefault(item, {})
        if annotator not in beyond:
            beyond[annotator] = len(who)
            who.append(annotator)
        return beyond[annotator]

    def find(self, item: int, annotator: int) -> int:
        """The slot of a pair, -1 where it has none."""
        return next((slot for who, slot in self.people(item) if who == annotator), -1)

    def people(self, item: int) -> Iterator[tuple[int, int]]:
        """The annotators of an item, each with the slot of the pair."""
        for slot in range(self.starts[item], self.starts[item + 1]):
            if not self._who[slot]:
                return
            yield self._who[slot], slot
        yield from self._beyond.get(item, {}).items()

    def is_crowded(self, item: int) -> bool:
        """Whether an item has pairs beyond those asked for."""
        return item in self._beyond


class Claims(Pairs):
    """What one delivery says: for each pair its first answer, or with `last` its last one, with marks.

    `contested` tells for each item whether rows of it must be compared, with each other or with what is `touched`.
    """

    def __init__(self, starts: Sequence[int], touched: bytearray, *, last: bool = False) -> None:
        super().__init__(starts)
        self._last = last
        self.said = array("I", bytes(4 * starts[-1]))
        self.contested = bytearray(touched) + b"\0"  # one more, for rows whose item is -1

    def add(self, item: int, annotator: int, answer: int, marks: int = 0) -> None:
        """Take down what one row says."""
        slot = self.slot(item, annotator)
        if slot < len(self.said) and not self.said[slot]:
            self.said[slot] = answer | marks
        else:
            self._contest(item, slot, answer, marks)

    def told(self, item: int) -> Iterator[tuple[int, int]]:
        """The annotators of an item and their first answers."""
        return ((who, self.said[slot] & ANSWER) for who, slot in self.people(item))

    def _contest(self, item: int, slot: int, answer: int, marks: int) -> None:
        self.contested[item] = True
        if slot == len(self.said):
            self.said.append(answer | marks)
        elif self.said[slot] & ANSWER == answer:
            self.said[slot] |= marks
        elif self._last:
            self.said[slot] = answer | marks
        else:
            self.said[slot] |= marks | TORN
