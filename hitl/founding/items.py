"""A user's table in our terms: item_id, typed features, label. One place puts ids, classes and columns together."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hitl.errors import DataError
from hitl.founding.classes import labels_of
from hitl.founding.column_names import found, renamed, tidied
from hitl.founding.columns import Inferred, content, infer, typed
from hitl.founding.item_ids import ITEM_ID, item_ids
from hitl.params import Kind

LABEL = "label"


@dataclass(frozen=True, slots=True)
class Items:
    """`table`: item_id, the features, label ("" for none), sorted by item_id; `content`: a digest of what a model sees.

    `id` and `label` are the user's columns; `notes` what a person should know, in plain words.
    """

    table: pd.DataFrame
    content: NDArray[np.uint64]
    kinds: dict[str, Kind]
    classes: tuple[str, ...]
    id: str
    label: str
    notes: tuple[str, ...]

    @property
    def keys(self) -> pd.DataFrame:
        """item_id, label and content: what `hitl.founding.split.split` looks at."""
        return self.table[[ITEM_ID, LABEL]].assign(content=self.content)


def items_of(
    frame: pd.DataFrame,
    *,
    label: str,
    id: str | None = None,
    text: str | None = None,
    kinds: Mapping[str, Kind] | None = None,
) -> Items:
    """The items in `frame` (str columns, a missing cell ""; with `kinds`, features may have their types already).

    Column names are forgiven white space. Raises DataError when a column is not there or cannot serve.
    """
    frame = frame.set_axis(list(tidied(list(frame.columns))), axis="columns")
    label, id, text = _roles(list(frame.columns), label, id, text)
    ids = item_ids(frame.drop(columns=label), id)
    labels = labels_of(frame[label], label)
    features = frame.drop(columns=[name for name in (label, ids.column) if name is not None])
    new = renamed(list(features.columns)) if kinds is None else {}
    features = features.rename(columns=new)
    inferred = (
        infer(features, text=new.get(text, text) if text else None) if kinds is None else Inferred(dict(kinds), ())
    )
    converted = typed(features, inferred.kinds)
    table = pd.concat([ids.values.rename(ITEM_ID), converted, labels.values.rename(LABEL)], axis="columns")
    order = ids.values.argsort(kind="stable").to_numpy()
    return Items(
        table=table.iloc[order].reset_index(drop=True),
        content=content(converted, inferred.kinds)[order],
        kinds=inferred.kinds,
        classes=labels.classes,
        id=ids.column or ITEM_ID,
        label=label,
        notes=(*ids.notes, *labels.notes, *map(_renaming, new, new.values()), *inferred.notes),
    )


def _roles(names: list[str], label: str, id: str | None, text: str | None) -> tuple[str, str | None, str | None]:
    label = found(label, names, "label")
    id = found(id, names, "id") if id is not None else None
    text = found(text, names, "text") if text is not None else None
    given = [name for name in (label, id, text) if name is not None]
    if len(set(given)) < len(given):
        raise DataError(f"label, id and text must be different columns (got {', '.join(map(repr, given))})")
    return label, id, text


def _renaming(old: str, new: str) -> str:
    return f"column {old!r} is called {new!r} here, because {old.lower()!r} is a column of ours"
