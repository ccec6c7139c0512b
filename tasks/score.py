"""Score the pool: one pass over its files that keeps only the candidates for the batch."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from hitl import choose, firewall, strategies
from hitl.budget import random_slice
from hitl.errors import DataError
from hitl.firewall import Wall
from hitl.layout import Workspace, round_number
from hitl.ledger import Facts
from hitl.params import Params
from hitl.pipeline import Classifier, aligned, inputs
from tasks import journal, reissue, train
from tasks.edges import tables
from tasks.firewall import wall

TOLD_EVERY = 5.0
"""Seconds between two lines about the progress."""
log = logging.getLogger("hitl")


def score(workspace: Workspace, round_id: str) -> Facts:
    """Write the round's candidates.parquet (choose.CANDIDATE_COLUMNS); says how many eligible items were scored.

    Items that equal one of the test set in content are not eligible, and `barred_test_content` counts them.
    """
    params, state = journal.params_of(workspace, round_id), journal.read(workspace)
    answered = reissue.answered(workspace, state)
    gate = _Gate(firewall.of_ids(answered), wall(workspace, params))
    with threadpool_limits(1):
        candidates, rows = choose.best(
            _scored(workspace, params, train.current(workspace, state), gate, round_number(round_id)),
            useful=params.query.batch,
            random=random_slice(params),
            again=reissue.waiting(workspace, state),
        )
    if not rows:
        raise DataError(
            "the pool is empty: every item in data/pool has been asked about; there is nothing left to open"
        )
    sha256 = tables.write_parquet(workspace.round(round_id) / "candidates.parquet", candidates)
    if gate.barred:
        log.info("%s items of the pool equal a test item in content: they are never sent out", f"{gate.barred:,}")
    return {"rows": rows, "barred_test_content": gate.barred, "candidates_sha256": sha256}


@dataclass(slots=True)
class _Gate:
    """Lets through the items that may be picked: `out` are the ids that may not, and `barred` counts the copies."""

    out: pd.Index
    test: Wall
    barred: int = 0

    def eligible(self, items: pd.DataFrame) -> tuple[npt.NDArray[np.object_], pd.DataFrame]:
        """The ids of the eligible items, and what a model sees of them."""
        ids = items["item_id"].to_numpy(dtype=object)
        free = firewall.places(ids, self.out) < 0
        ids, seen = ids[free], inputs(items[free], self.test.features)
        copies = firewall.copied(seen, self.test)
        if not copies.any():
            return ids, seen
        self.barred += int(copies.sum())
        return ids[~copies], seen[~copies]


def _scored(
    workspace: Workspace, params: Params, model: Classifier, gate: _Gate, number: int
) -> Iterator[pd.DataFrame]:
    """The eligible items of each chunk of the pool, with their probabilities, utilities and draws."""
    for items in _progressing(workspace, ["item_id", *params.features]):
        ids, seen = gate.eligible(items)
        if len(ids):
            yield _frame(ids, aligned(model, seen, params.data.classes), params, number)


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
