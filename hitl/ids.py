"""The ids of many items as one run of text: hashed and compared on arrays, and made into objects only where kept."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
_BLOCK = 16_384
"""Texts hashed together, so that what is worked on stays in the processor's cache."""
_LENGTH = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class ItemIds:
    """n ids, end to end in `text` as UTF-8 (uint8); the one at place i goes from `starts[i]` to `starts[i + 1]`."""

    text: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, part: slice) -> "ItemIds":
        begin, end, _ = part.indices(len(self))
        return ItemIds(self.text, self.starts[begin : end + 1])

    def at(self, places: Iterable[int]) -> npt.NDArray[np.object_]:
        """The ids at `places`, as objects."""
        some = np.asarray(places, dtype=np.intp)
        run, begins, ends = self.text.tobytes(), self.starts[some].tolist(), self.starts[some + 1].tolist()
        return np.array([run[begin:end].decode() for begin, end in zip(begins, ends, strict=True)], dtype=object)

    def one(self, place: int) -> str:
        """The id at `place`."""
        return str(self.at([place])[0])

    @property
    def plain(self) -> bool:
        """Whether every id is printable ASCII without a space: then each has one spelling (`firewall`)."""
        run = self.text[self.starts[0] : self.starts[-1]]
        return not len(run) or bool(run.min() > 0x20 and run.max() < 0x7F)


def ids_of(item_ids: Iterable[str]) -> ItemIds:
    """The same ids as one run of text.

    >>> ids_of(["b", "é"]).at([1, 0]).tolist()
    ['é', 'b']
    """
    encoded = [item_id.encode() for item_id in item_ids]
    starts = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return ItemIds(np.frombuffer(b"".join(encoded), dtype=np.uint8), starts)


def hashes(ids: ItemIds, *key: object) -> Words:
    """A hash (n,) of each id, uniform over 64 bits, fixed by the id and by what `key` spells, on any machine.

    Each 8 bytes go through the mixer of SplitMix64: Steele, Lea & Flood, "Fast splittable pseudorandom number
    generators" (OOPSLA 2014). Being a function of the id, it does not depend on files, chunks or workers.
    """
    spelled = " ".join(map(str, key)).encode()
    begin = np.frombuffer(hashlib.sha256(spelled).digest()[:8], dtype="<u8").astype(np.uint64)[0]
    found = np.empty(len(ids), dtype=np.uint64)
    for first in range(0, len(found), _BLOCK):
        found[first : first + _BLOCK] = _block(ids.text, ids.starts[first : first + _BLOCK + 1], begin)
    return found


def fractions(hashed: Words) -> npt.NDArray[np.float64]:
    """Hashes as numbers in [0, 1) (n,)."""
    return np.asarray((hashed >> np.uint64(11)).astype(np.float64) / 2.0**53)


def _block(text: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], begin: np.uint64) -> Words:
    lengths = np.diff(starts)
    if (lengths == lengths[0]).all():
        cells = text[starts[0] : starts[-1]].reshape(len(lengths), lengths[0])
        return _mixed(cells, lengths, begin)
    found, words = np.empty(len(lengths), dtype=np.uint64), (lengths + 7) // 8
    for count in np.unique(words):
        places = np.flatnonzero(words == count)
        reach = np.arange(count * 8)
        within = reach < lengths[places, None]
        cells = text[np.where(within, starts[places, None] + reach, 0)] if count else np.empty(within.shape, np.uint8)
        found[places] = _mixed(cells * within, lengths[places], begin)
    return found


def _mixed(cells: npt.NDArray[np.uint8], lengths: npt.NDArray[np.int64], begin: np.uint64) -> Words:
    """The hashes of texts (n, bytes), 0 after the end of each; the length tells these from zeros of its own."""
    padded = np.zeros((len(cells), -(-cells.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : cells.shape[1]] = cells
    hashed = _mix(lengths.astype(np.uint64) * _LENGTH ^ begin)
    for word in padded.view("<u8").T:
        hashed = _mix(hashed ^ word)
    return hashed


def _mix(word: Words) -> Words:
    word = (word ^ (word >> np.uint64(30))) * _FIRST
    word = (word ^ (word >> np.uint64(27))) * _SECOND
    return np.asarray(word ^ (word >> np.uint64(31)))
