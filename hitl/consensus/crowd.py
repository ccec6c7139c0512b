"""A crowd's answers as numbers: who said what of which item, one answer for each annotator and item."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

Codes = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
UNKNOWN = -1
"""The code of a class that is not known."""


@dataclass(frozen=True)
class Crowd:
    """Answers, sorted by item, annotator: `item`, `annotator`, `answer` (n,) are positions in the sorted names.

    `items` has every item of the table, also those that were only skipped. Rows that are not answers are counted:
    `skips` without an answer, `repeats` that said the same again or what their annotator said less often than another
    class, `contradictions` that cancelled each other.
    """

    items: npt.NDArray[np.object_]
    annotators: npt.NDArray[np.object_]
    classes: tuple[str, ...]
    item: Codes
    annotator: Codes
    answer: Codes
    skips: int = 0
    repeats: int = 0
    contradictions: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """The shape of everything said of items and classes: (items, classes)."""
        return len(self.items), len(self.classes)

    @cached_property
    def votes(self) -> npt.NDArray[np.int64]:
        """How often each class was answered to each item: (items, classes)."""
        items, classes = self.size
        flat = np.bincount(self.item * classes + self.answer, minlength=items * classes)
        return flat.reshape(items, classes).astype(np.int64)

    @cached_property
    def shares(self) -> Floats:
        """The votes as shares that sum to 1; even where nobody answered: (items, classes)."""
        said = self.votes.sum(axis=1, keepdims=True)
        even = np.full(self.size, 1 / max(len(self.classes), 1))
        shares: Floats = np.divide(self.votes, said, out=even, where=said > 0)
        return shares

    @cached_property
    def cells(self) -> "Cells":
        """The answers by cell: a cell is one annotator giving one class, to however many items."""
        return Cells.of(self)

    def known(self, gold: Mapping[str, str]) -> Codes:
        """The class that gold knows of each item (items,); UNKNOWN where it knows none of `classes`."""
        if not gold:
            return np.full(len(self.items), UNKNOWN, dtype=np.intp)
        position = {name: code for code, name in enumerate(self.classes)}
        return np.array([position.get(gold.get(name, ""), UNKNOWN) for name in self.items], dtype=np.intp)


@dataclass(frozen=True)
class Cells:
    """Who (`annotator`) said what (`said`), a cell each; `rows` (items, cells) is 1 where it answered the item."""

    annotator: Codes
    said: Codes
    rows: sparse.csr_array
    columns: sparse.csr_array

    @staticmethod
    def of(crowd: Crowd) -> "Cells":
        classes = max(len(crowd.classes), 1)
        flat = crowd.annotator * classes + crowd.answer
        there = np.flatnonzero(np.bincount(flat, minlength=1))
        place = np.zeros(int(flat.max(initial=0)) + 1, dtype=np.int32)
        place[there] = np.arange(len(there), dtype=np.int32)
        start = np.concatenate([[0], np.cumsum(np.bincount(crowd.item, minlength=len(crowd.items)))]).astype(np.int32)
        shape = (len(crowd.items), len(there))
        rows = sparse.csr_array((np.ones(len(flat)), place[flat], start), shape=shape)
        return Cells(there // classes, there % classes, rows, rows.T.tocsr())

    def by_annotator(self, values: Floats, annotators: int) -> Floats:
        """`values` (cells, k) added up over the cells of each annotator: (annotators, k)."""
        return _added(values, self.annotator, annotators)

    def by_class(self, values: Floats, classes: int) -> Floats:
        """`values` (cells, k) added up over the cells that said each class: (classes, k)."""
        return _added(values, self.said, classes)


def crowd_of(annotations: pd.DataFrame, classes: Collection[str] = ()) -> Crowd:
    """The crowd of a table with item_id, annotator_id, label (missing: a skip), in any order of rows.

    An annotator has one answer an item: what they said most often of it, and none where two things were said equally
    often. The classes are those that were answered, and `classes`.
    """
    items, item = _coded(annotations["item_id"])
    answered = annotations["label"].notna().to_numpy()
    annotators, annotator = _coded(annotations["annotator_id"][answered])
    names, answer = _coded(annotations["label"][answered], classes)
    # One number a row, ordered as item, annotator, answer: sorted, the order of rows is gone.
    key = np.sort((item[answered] * len(annotators) + annotator) * len(names) + answer)
    kept, contradictions = _one_each(key, len(names)) if len(key) else (key, 0)
    pair, answer = np.divmod(kept, max(len(names), 1))
    item, annotator = np.divmod(pair, max(len(annotators), 1))
    return Crowd(
        items=items,
        annotators=annotators,
        classes=tuple(names.tolist()),
        item=item,
        annotator=annotator,
        answer=answer,
        skips=len(answered) - len(key),
        repeats=len(key) - len(kept) - contradictions,
        contradictions=contradictions,
    )


def _coded(names: pd.Series, more: Collection[str] = ()) -> tuple[npt.NDArray[np.object_], Codes]:
    """The sorted names, and the position of each row's name among them."""
    code, found = pd.factorize(names.astype("str"))
    every = found.append(pd.Index(sorted(set(more).difference(found)), dtype=found.dtype)) if more else found
    order = every.argsort()
    place = np.empty(len(every), dtype=np.intp)
    place[order] = np.arange(len(every))
    return every.to_numpy(dtype=object)[order], place[code]


def _one_each(key: Codes, classes: int) -> tuple[Codes, int]:
    """Of sorted keys, one for each item and annotator; and how many rows cancelled out."""
    pair = key // classes
    if (pair[1:] != pair[:-1]).all():
        return key, 0
    said, times = np.unique(key, return_counts=True)
    order = np.lexsort((-times, said // classes))
    said, times = said[order], times[order]
    pair, first, rows = np.unique(said // classes, return_index=True, return_counts=True)
    second = times[np.minimum(first + 1, len(said) - 1)]
    even = (rows > 1) & (second == times[first])
    return said[first[~even]], int(times[np.repeat(even, rows)].sum())


def _added(values: Floats, group: Codes, groups: int) -> Floats:
    columns = [np.bincount(group, weights=column, minlength=groups) for column in values.T]
    return np.stack(columns, axis=1) if columns else np.zeros((groups, 0))
