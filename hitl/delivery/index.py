"""Where hashes stand in a long row of them: a dict of as many would take ten times the memory."""

from array import array
from collections.abc import Iterable, Iterator
from functools import cached_property


class Index:
    """The places of many hashes, counted from 0: eight bytes each, and as many again for those out of their turn.

    Python's hash of a text has 64 bits and a key that is new in every process: nobody can send a text that is taken
    for another.
    """

    def __init__(self, hashes: Iterable[int]) -> None:
        self._hashes = array("q", hashes)

    def __len__(self) -> int:
        return len(self._hashes)

    def walk(self, wanted: Iterable[int], place: int = -1) -> Iterator[int]:
        """A place of each hash, -1 where it has none. Quick where they come in our order, from `place` on."""
        hashes, last = self._hashes, len(self._hashes) - 1
        for one in wanted:
            if place < last and hashes[place + 1] == one:
                place += 1
            elif place < 0 or hashes[place] != one:
                place = next(self.places(one), -1)
            yield place

    def places(self, wanted: int) -> Iterator[int]:
        """Every place of a hash."""
        slot = wanted & self._mask
        while self._table[slot]:
            if self._hashes[self._table[slot] - 1] == wanted:
                yield self._table[slot] - 1
            slot = (slot + 1) & self._mask

    @cached_property
    def _mask(self) -> int:
        return (1 << (len(self._hashes) * 3 // 2).bit_length()) - 1

    @cached_property
    def _table(self) -> "array[int]":
        """A hash table with open addressing: in each slot a place plus one, or 0."""
        mask, table = self._mask, array("I", bytes(4 * (self._mask + 1)))
        for place, one in enumerate(self._hashes, start=1):
            slot = one & mask
            while table[slot]:
                slot = (slot + 1) & mask
            table[slot] = place
        return table
