"""Select the round's batch: the chosen items, and gold items hidden among them."""

import csv
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from hitl import budget, choose, overlap as overlapping, spread, strategies
from hitl.embedding import embedded
from hitl.errors import DataError
from hitl.layout import Workspace, round_number
from hitl.ledger import Facts
from hitl.params import Params
from hitl.pipeline import aligned, inputs
from hitl.shortlist import seen_of
from hitl.state import RoundState, State
from tasks import firewall, gold as hiding, journal, overlap, reissue, train
from tasks.edges import files, pool, tables


def select(workspace: Workspace, round_id: str) -> Facts:
    """Write the round's batch.parquet, items.parquet (the columns of its items) and gold.csv (the answers we know).

    Each is sorted by item_id. Says how many items were chosen, by reason, and how many gold items are left that nobody
    at the vendor may know.
    """
    params, state = journal.params_of(workspace, round_id), journal.read(workspace)
    candidates = tables.read_parquet(workspace.round(round_id) / "candidates.parquet")
    candidates, another = _contested(workspace, params, state, candidates)
    points, size = _points(workspace, params, state, candidates), budget.affordable(params, state)
    seen = cast(int, state.round(round_id).facts["scored"]["rows"])
    chosen = choose.batch(
        candidates,
        size=size,
        random=budget.random_slice(params),
        seen=seen,
        all_random=params.query.strategy == "random",
        again=reissue.waiting(workspace, state),
        another=another,
        pick=partial(_picked, points, params, np.random.default_rng([params.query.seed, round_number(round_id)])),
    )
    chosen = points.explained(chosen)
    hidden = hiding.chosen(workspace, params, state, round_id, size=budget.gold(params, len(chosen)))
    gold = hidden.rows
    found = [_items(workspace, params, set(chosen["item_id"])), gold.drop(columns="label")]
    items = pd.concat([part for part in found if len(part)], ignore_index=True).sort_values(
        "item_id", ignore_index=True
    )
    firewall.refuse(
        workspace,
        params,
        items,
        table=f"the batch of {round_id}",
        undone="nothing was selected",
        fix="run hitl verify: it names what was changed since the pool was scored",
    )
    scored_by = cast(RoundState, train.newest(state)).id
    batch = _batch(workspace, params, state, chosen, gold).assign(model_version=scored_by)
    sha256 = tables.write_parquet(workspace.round(round_id) / "batch.parquet", batch)
    items_sha256 = tables.write_parquet(workspace.round(round_id) / "items.parquet", items)
    known = gold[["item_id", "label"]].to_csv(index=False, quoting=csv.QUOTE_ALL, lineterminator="\n")
    gold_sha256 = files.write_text(workspace.round(round_id) / "gold.csv", known)
    reasons = {str(name): int(count) for name, count in batch["reason"].value_counts().sort_index().items()}
    return {
        "items": len(batch),
        "reasons": reasons,
        "batch_sha256": sha256,
        "items_sha256": items_sha256,
        "gold_sha256": gold_sha256,
        "gold_left": hidden.left,
    }


def _contested(
    workspace: Workspace, params: Params, state: State, candidates: pd.DataFrame
) -> tuple[pd.DataFrame, frozenset[str]]:
    """The candidates, and which of them wait for another annotator; with `gain` where any do.

    What was decided since the pool was scored is no candidate any more.
    """
    waiting = overlapping.waiting(params, state)
    settled = state.unlabeled.keys() - waiting.keys()
    candidates = candidates[~candidates["item_id"].isin(list(settled))].reset_index(drop=True)
    another = frozenset(candidates["item_id"]) & waiting.keys()
    if another:
        candidates = overlap.weighed(workspace, params, state, candidates, waiting)
    return candidates, frozenset(another)


@dataclass(frozen=True, slots=True)
class _Points:
    """The candidates and the labeled set as points, by the places of the rows of `ids` and of `labeled`."""

    ids: pd.Index
    candidates: npt.NDArray[np.float32]
    labeled: pd.DataFrame
    places: npt.NDArray[np.float32]

    def of(self, item_ids: pd.Series) -> npt.NDArray[np.float32]:
        return self.candidates[self.ids.get_indexer(pd.Index(item_ids))]

    def explained(self, chosen: pd.DataFrame) -> pd.DataFrame:
        """The chosen items with the labeled item that is nearest to each, and its label."""
        near = self.labeled.iloc[spread.nearest(self.of(chosen["item_id"]), self.places)]
        return chosen.assign(nearest_item=near["item_id"].to_numpy(), nearest_label=near["label"].to_numpy())


def _points(workspace: Workspace, params: Params, state: State, candidates: pd.DataFrame) -> _Points:
    labeled = tables.read_parquet(workspace.labeled).sort_values("item_id", ignore_index=True)
    seen = [pd.DataFrame(seen_of(candidates)), inputs(labeled, params.features)]
    with threadpool_limits(1):
        points = embedded(train.current(workspace, state, params), seen)
    return _Points(pd.Index(candidates["item_id"]), points[0], labeled, points[1])


def _picked(
    points: _Points, params: Params, rng: np.random.Generator, candidates: pd.DataFrame, size: int
) -> pd.DataFrame:
    """The batch that the strategy makes of the candidates, each item with its reason."""
    with threadpool_limits(1):
        return strategies.picked(
            params,
            candidates,
            size,
            features=points.of(candidates["item_id"]),
            labeled=points.places,
            labels=points.labeled["label"],
            rng=rng,
        )


def _items(workspace: Workspace, params: Params, ids: set[str]) -> pd.DataFrame:
    whole = tables.rows_of(pool.parts(workspace), sorted(ids), list(params.data.columns))
    found = whole["item_id"] if len(whole) else pd.Series(dtype=str)
    odd = [*found[found.duplicated()], *sorted(ids.difference(found))]
    if odd:
        many = "more than once" if odd[0] in ids.intersection(found) else "no more, and did when it was scored"
        raise DataError(f"{pool.where(workspace)} holds item {odd[0]!r} {many}; mend that, and run hitl open again")
    # A file that came later may keep its numbers as whole numbers, or as text.
    return whole.astype({name: "float64" for name, kind in params.features.items() if kind == "numeric"})


def _batch(
    workspace: Workspace, params: Params, state: State, chosen: pd.DataFrame, gold: pd.DataFrame
) -> pd.DataFrame:
    if not len(gold):
        return chosen.sort_values("item_id", ignore_index=True)
    probabilities = aligned(train.current(workspace, state, params), inputs(gold, params.features), params.data.classes)
    classes = pd.Series(params.data.classes, dtype=object)
    known = pd.DataFrame(
        {
            "item_id": gold["item_id"],
            "reason": "gold",
            "model_class": classes[probabilities.argmax(axis=1)].to_numpy(),
            "model_confidence": probabilities.max(axis=1),
            "probabilities": list(probabilities),
        }
    )
    known["rank"] = range(len(chosen) + 1, len(chosen) + len(known) + 1)
    return pd.concat([chosen, known], ignore_index=True).sort_values("item_id", ignore_index=True)
