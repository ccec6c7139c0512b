"""Find some ids again among very many: by their hashes, and exactly where a hash is met."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl import firewall
from hitl.ids import ItemIds, Words, hashes, ids_of

_ROOM = 16
"""Places of the table for each id that is looked for: so one in 16 of the others takes a second look."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """The ids that are looked for, as `firewall.of_ids` spells them, and their hashes, sorted by these."""

    names: pd.Index
    hashed: Words
    table: npt.NDArray[np.bool_]

    def has(self, ids: ItemIds, hashed: Words) -> npt.NDArray[np.bool_]:
        """Which of `ids` are looked for, in whatever spelling (n,). `hashed` are their hashes under the same key."""
        found = np.zeros(len(ids), dtype=np.bool_)
        if not len(self.names):
            return found
        if not ids.plain:  # of another spelling, and so of another hash, may be any
            return self._spelled(ids, np.arange(len(ids)))
        near = np.flatnonzero(self.table[_slots(hashed, len(self.table))])
        after = np.minimum(np.searchsorted(self.hashed, hashed[near]), len(self.hashed) - 1)
        met = self.hashed[after] == hashed[near]
        near, after = near[met], after[met]
        same = ids.at(near) == self.names.to_numpy()[after]
        found[near[same]] = True
        other = near[~same]  # two ids of one hash
        if len(other):
            found[other] = self._spelled(ids, other)
        return found

    def _spelled(self, ids: ItemIds, places: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        return firewall.places(ids.at(places), self.names) >= 0


def lookup(item_ids: Iterable[str], *key: object) -> Lookup:
    """A lookup of `item_ids`, to be asked with ids hashed under `key`. Memory grows with these ids alone."""
    names = firewall.of_ids(item_ids)
    hashed = hashes(ids_of(names), *key)
    order = np.argsort(hashed, kind="stable")
    table = np.zeros(1 << max(16, (len(names) * _ROOM).bit_length()), dtype=np.bool_)
    table[_slots(hashed, len(table))] = True
    return Lookup(names[order], hashed[order], table)


def _slots(hashed: Words, size: int) -> npt.NDArray[np.intp]:
    return (hashed >> np.uint64(65 - size.bit_length())).astype(np.intp)
