"""The annotations of a round, and what the model thought of its items before anybody answered."""

from collections.abc import Sequence

import pandas as pd

from hitl import resolve
from hitl.layout import Workspace
from hitl.params import Params
from tasks.edges import tables


def standing(workspace: Workspace, round_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The round's annotations that no later delivery replaced: all columns of annotations.parquet, or these."""
    path = workspace.round(round_id) / "annotations.parquet"
    if columns is None:
        return resolve.standing(tables.read_parquet(path))
    return resolve.standing(tables.read_parquet(path, [*columns, "superseded_by"]))[list(columns)]


def foreseen(batch: pd.DataFrame, params: Params) -> pd.DataFrame:
    """The probabilities of `params.data.classes`, by item_id, that the model which chose the batch gave its items."""
    told = batch[batch["probabilities"].notna()]
    columns, index = list(params.data.classes), pd.Index(told["item_id"])
    return pd.DataFrame(told["probabilities"].tolist() or None, index=index, columns=columns)
