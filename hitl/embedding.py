"""Items as points: near each other where the model sees little difference."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.pipeline import Pipeline

from hitl.pipeline import Classifier

WIDEST = 100
"""Dimensions that words and categories are brought down to."""


def embedded(model: Classifier, tables: Sequence[pd.DataFrame]) -> list[npt.NDArray[np.float32]]:
    """The rows of each of `tables`, prepared as `pipeline.inputs` does, as points (rows, d) in one space.

    They are what the model's last step sees: numbers scaled, words counted. Where that is sparse, it is brought down to
    100 dimensions (Halko, Martinsson & Tropp, "Finding structure with randomness", 2011).
    """
    whole = pd.concat(tables, ignore_index=True)
    points = model[:-1].transform(whole) if isinstance(model, Pipeline) and len(model) > 1 else _scaled(whole)
    if sparse.issparse(points):
        points = _narrow(sparse.csr_matrix(points))
    found = np.nan_to_num(np.asarray(points, dtype=np.float32))
    return np.split(found, np.cumsum([len(table) for table in tables])[:-1])


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
