"""Items as points: near each other where the model sees little difference."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from hitl.pipeline import Classifier, Rows, halves

WIDEST = 100
"""Dimensions that words and categories are brought down to."""


def embedded(model: Classifier, tables: Sequence[pd.DataFrame]) -> list[npt.NDArray[np.float32]]:
    """The rows of each of `tables`, prepared as `pipeline.inputs` does, as points (rows, d) in one space (`points`)."""
    first, _ = halves(model)
    ends = np.cumsum([len(table) for table in tables])[:-1]
    return np.split(points(first(pd.concat(tables, ignore_index=True))), ends)


def points(rows: Rows) -> npt.NDArray[np.float32]:
    """What a model's last step sees of items, numbers scaled and words counted, as points (n, d).

    Where that is sparse, it is brought down to 100 dimensions (Halko, Martinsson & Tropp, "Finding structure with
    randomness", 2011).
    """
    if isinstance(rows, pd.DataFrame):
        rows = _scaled(rows)
    found = _narrow(sparse.csr_matrix(rows)) if sparse.issparse(rows) else rows
    return np.nan_to_num(np.asarray(found, dtype=np.float32))


def _narrow(points: sparse.csr_matrix) -> npt.NDArray[np.float64]:
    most = min(WIDEST, *(size - 1 for size in points.shape))
    if most < 1 or points.shape[1] <= WIDEST:
        return np.asarray(points.toarray())
    return np.asarray(TruncatedSVD(most, random_state=0, n_iter=2).fit_transform(points))


def _scaled(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The numbers of a table, each column by its own spread: for a model that has no steps before it."""
    numbers = table.select_dtypes("number").to_numpy(dtype=np.float64)
    if not numbers.shape[1]:
        return np.zeros((len(table), 1))
    filled = np.where(np.isnan(numbers), np.nanmean(numbers, axis=0, where=np.isfinite(numbers)), numbers)
    spread = filled.std(axis=0)
    return np.asarray((filled - filled.mean(axis=0)) / np.where(spread > 0, spread, 1))
