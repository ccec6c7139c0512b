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
    """The ids that are looked for, in whatever spelling: `names` as `firewall.of_ids` keeps them, and their hashes."""

    names: pd.Index
    hashed: Words
    table: npt.NDArray[np.bool_]

    def places(self, ids: ItemIds, hashed: Words) -> npt.NDArray[np.intp]:
        """Where each of `ids` stands in `names`; -1 for nowhere (n,). `hashed` are their hashes under the same key."""
        found = np.full(len(ids), -1, dtype=np.intp)
        if not len(self.names):
            return found
        maybe = self._maybe(hashed) if ids.plain else np.arange(len(ids))
        if len(maybe):
            found[maybe] = firewall.places(ids.at(maybe), self.names)
        return found

    def _maybe(self, hashed: Words) -> npt.NDArray[np.intp]:
        near = np.flatnonzero(self.table[_slots(hashed, len(self.table))])
        wanted = hashed[near]
        after = np.minimum(np.searchsorted(self.hashed, wanted), len(self.hashed) - 1)
        return np.asarray(near[self.hashed[after] == wanted])


def lookup(item_ids: Iterable[str], *key: object) -> Lookup:
    """A lookup of `item_ids`, to be asked with ids hashed under `key`. Memory grows with these ids alone."""
    names = firewall.of_ids(item_ids)
    hashed = np.sort(hashes(ids_of(names), *key))
    table = np.zeros(1 << max(16, (len(names) * _ROOM).bit_length()), dtype=np.bool_)
    table[_slots(hashed, len(table))] = True
    return Lookup(names, hashed, table)


def _slots(hashed: Words, size: int) -> npt.NDArray[np.intp]:
    return (hashed >> np.uint64(65 - size.bit_length())).astype(np.intp)
