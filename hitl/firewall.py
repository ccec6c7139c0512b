"""The wall around the test set: one of its items is known again by its id, and under any id by what a model sees of it.

Two spellings of one id are one id, and two spellings of one content one content: what people do not see, and files do
not keep, is put aside. Capital letters are kept: there are ids and codes that differ in nothing else.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl.params import Kind
from hitl.pipeline import inputs

# Marks without a width: spaces of none, joiners, byte order marks, soft hyphens, the direction of writing.
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")
_FACTOR, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
_SLOT_BITS = 16
_ENOUGH = 1_000
"""When fewer than one row in so many is left, looking at them whole is cheaper than at another column."""


@dataclass(frozen=True, slots=True)
class Wall:
    """A test set as other tables are compared with it: by `ids`, and by `contents` over the columns of `features`."""

    ids: pd.Index
    contents: pd.Index
    features: Mapping[str, Kind]
    numbers: Mapping[str, npt.NDArray[np.uint64]]
    """The distinct cells of each numeric column as sorted bits, the columns that tell most items apart first."""


def wall(test: pd.DataFrame, features: Mapping[str, Kind]) -> Wall:
    """The wall around `test` (item_id and the columns of `features`)."""
    seen = inputs(test, features)
    numbers = {str(name): np.unique(_bits(seen[name].to_numpy())) for name in seen if seen[name].dtype != object}
    telling = dict(sorted(numbers.items(), key=lambda named: -len(named[1])))
    return Wall(of_ids(test["item_id"]), pd.Index(content(seen)).unique(), features, telling)


def of_ids(item_ids: Iterable[object]) -> pd.Index:
    """An index in which `places` finds these ids again, in whatever spelling."""
    return pd.Index(_plain(np.array(list(item_ids), dtype=object)), dtype=object).unique()


def places(item_ids: npt.NDArray[np.object_], among: pd.Index) -> npt.NDArray[np.intp]:
    """Where each of these ids stands in `among`, which `of_ids` made; -1 for nowhere (n,)."""
    # Without its type pandas would look at every id to find it out.
    return np.asarray(among.get_indexer(pd.Index(_plain(item_ids), dtype=object)))


def content(seen: pd.DataFrame) -> npt.NDArray[np.uint64]:
    """A digest of each row of what a model sees (n,), as `pipeline.inputs` prepares it, in any order of columns.

    Equal whenever every cell is, however it is spelled: 1 and 1.0, 0 and -0, words but for white space, Unicode's
    composition and marks that have no width; a missing word is an empty one.
    """
    digest = np.zeros(len(seen), dtype=np.uint64)
    for name in sorted(seen.columns):
        digest ^= _bits(seen[name].to_numpy())
        digest *= _FACTOR
        digest ^= digest >> _HALF
    return digest


def copied(seen: pd.DataFrame, test: Wall) -> npt.NDArray[np.bool_]:
    """Which of these rows, as `pipeline.inputs` prepares them, hold what an item of the test set holds (n,)."""
    return np.asarray(test.contents.get_indexer(pd.Index(content(seen))) >= 0)


def suspects(columns: Mapping[str, npt.NDArray[Any]], rows: int, test: Wall) -> npt.NDArray[np.intp]:
    """The places of the rows that may hold what a test item holds: all others certainly do not.

    `columns` are those of the items as a file keeps them, `rows` long. Columns of numbers are asked one by one, each
    only of the rows that are left; so most rows are cleared by a look at one cell.
    """
    left = np.arange(rows)
    for name, known in test.numbers.items():
        if name not in columns or columns[name].dtype.kind not in "fiub" or len(left) * _ENOUGH < rows:
            continue
        bits = _bits(columns[name][left] if len(left) < rows else columns[name])
        near = np.flatnonzero(_table(known)[_slot(bits)])
        left = left[near[np.isin(bits[near], known)]]
    return left


def leaks(frame: pd.DataFrame, test: Wall) -> tuple[str, ...]:
    """The ids of the rows that are of the test set, by id or by content; sorted.

    >>> test = wall(pd.DataFrame({"item_id": ["t1"], "size": [2.0]}), {"size": "numeric"})
    >>> leaks(pd.DataFrame({"item_id": ["t1", "p1", "p2"], "size": [1, 2, 3]}), test)
    ('p1', 't1')
    """
    named = places(frame["item_id"].to_numpy(dtype=object), test.ids) >= 0
    found = named | copied(inputs(frame, test.features), test)
    return tuple(sorted(map(str, frame.loc[found, "item_id"])))


def _table(known: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    table = np.zeros(1 << _SLOT_BITS, dtype=np.bool_)
    table[_slot(known)] = True
    return table


def _slot(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    return ((bits * _FACTOR) >> np.uint64(64 - _SLOT_BITS)).astype(np.intp)


def _bits(cells: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    if cells.dtype == object:
        return np.asarray(pd.util.hash_array(_plain(cells), categorize=False), dtype=np.uint64)
    numbers = np.asarray(cells, dtype=np.float64) + 0.0  # of the two zeros one
    numbers[np.isnan(numbers)] = np.nan  # of the many NaNs one
    return numbers.view(np.uint64)


def _plain(cells: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Each cell as text, without what is put aside."""
    try:
        # One look at all of them together: nearly always there is nothing to put aside.
        if _is_plain("|".join(cells)):
            return cells
    except TypeError:  # some are no text
        return _each_plain(cells)
    places, spellings = pd.factorize(cells)
    return _each_plain(spellings)[places]


def _each_plain(cells: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    return np.fromiter(map(_plain_text, cells), dtype=object, count=len(cells))


def _is_plain(joined: str) -> bool:
    return (
        joined.isascii()
        and joined.isprintable()
        and not any(gap in joined for gap in ("  ", "| ", " |"))
        and joined == joined.strip()
    )


def _plain_text(cell: object) -> str:
    text = cell if isinstance(cell, str) else _spelled(cell)
    if text.isascii():
        return " ".join(text.split())
    return " ".join(unicodedata.normalize("NFC", _UNSEEN.sub("", text)).split())


def _spelled(cell: object) -> str:
    """A cell that a file kept as a number, as the words of a table spell it: 5.0 is 5."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
