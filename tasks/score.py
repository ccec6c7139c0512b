"""Score the pool: one pass over its files that keeps only the candidates for the batch."""

import logging
import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from hitl import choose, strategies
from hitl.budget import share_of
from hitl.errors import DataError
from hitl.layout import Workspace, round_number
from hitl.ledger import Facts
from hitl.params import Params
from hitl.pipeline import Classifier, aligned, inputs
from hitl.state import State
from tasks import journal, train
from tasks.edges import tables

TOLD_EVERY = 5.0
"""Seconds between two lines about the progress."""
log = logging.getLogger("hitl")


def score(workspace: Workspace, round_id: str) -> Facts:
    """Write the round's candidates.parquet (choose.CANDIDATE_COLUMNS); says how many eligible items were scored."""
    params, state = journal.params(workspace), journal.read(workspace)
    model, out = train.current(workspace, state), answered(workspace, state)
    with threadpool_limits(1):
        candidates, rows = choose.best(
            _scored(workspace, params, model, out, round_number(round_id)),
            useful=params.query.batch,
            random=random_size(params),
        )
    if not rows:
        raise DataError(
            "the pool is empty: every item in data/pool has been asked about; there is nothing left to open"
        )
    sha256 = tables.write_parquet(workspace.round(round_id) / "candidates.parquet", candidates)
    return {"rows": rows, "candidates_sha256": sha256}


def random_size(params: Params) -> int:
    """How many items of the batch are drawn at random: all of them when that is the strategy."""
    share = 1.0 if params.query.strategy == "random" else params.query.random_share
    return share_of(params.query.batch, share)


def answered(workspace: Workspace, state: State) -> frozenset[str]:
    """The items that may not be picked again: labeled, annotated in an earlier round, or in the test set."""
    ids: set[str] = set()
    for path in (workspace.labeled, workspace.test, workspace.initial):
        ids.update(tables.read_parquet(path, ["item_id"])["item_id"])
    for one in state.rounds:
        if one.done("validated"):
            ids.update(tables.read_parquet(workspace.round(one.id) / "annotations.parquet", ["item_id"])["item_id"])
    return frozenset(ids)


def _scored(
    workspace: Workspace, params: Params, model: Classifier, out: frozenset[str], number: int
) -> Iterator[pd.DataFrame]:
    """The eligible items of each chunk of the pool, with their probabilities, utilities and draws."""
    barred = pd.Index(np.array(sorted(out), dtype=object))  # its hash table is built once, not for each chunk
    for items in _progressing(workspace, ["item_id", *params.features]):
        eligible = items[barred.get_indexer(items["item_id"].to_numpy(dtype=object)) < 0]
        if len(eligible):
            probabilities = aligned(model, inputs(eligible, params.features), params.data.classes)
            ids = eligible["item_id"].to_numpy(dtype=object)
            yield _frame(ids, probabilities, params, number)


def _progressing(workspace: Workspace, columns: list[str]) -> Iterator[pd.DataFrame]:
    """The chunks of the pool; where it takes long, a line now and then says how far it is and how long yet."""
    total, seen, began = tables.row_count(workspace.pool), 0, time.monotonic()
    told = began
    for items in tables.stream(workspace.pool, columns):
        yield items
        seen, now = seen + len(items), time.monotonic()
        if now - told >= TOLD_EVERY and seen < total:
            told, rate = now, seen / (now - began)
            left = (total - seen) / rate
            log.info(
                "scored %s of %s items, %s a second, %.0f s to go", f"{seen:,}", f"{total:,}", f"{rate:,.0f}", left
            )


def _frame(
    ids: npt.NDArray[np.object_], probabilities: npt.NDArray[np.float64], params: Params, number: int
) -> pd.DataFrame:
    draw = choose.draw(ids, seed=params.query.seed, round_number=number)
    return pd.DataFrame(
        {
            "item_id": ids,
            "utility": strategies.utility(params.query.strategy, probabilities, draw, ids),
            "draw": draw,
            "model_class": np.array(params.data.classes, dtype=object)[probabilities.argmax(axis=1)],
            "model_confidence": probabilities.max(axis=1),
            "probabilities": list(probabilities),
        }
    )
