"""Choose the batch from a stream of scored items.

First what is re-issued, then the random slice of the others, then the most useful of the rest.
"""

import math
from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl import expected_gain, overlap as overlapping
from hitl.budget import share_of
from hitl.ids import fractions, hashes, ids_of

CANDIDATE_COLUMNS = (
    "item_id",
    "utility",
    "draw",
    "useful",
    "drawn",
    "model_class",
    "model_confidence",
    "probabilities",
)
SEEN = "seen:"
"""Begins the names of the columns after these, which hold what a model sees of an item."""
BATCH_COLUMNS = ("item_id", "utility", "reason", "rank", "selection_probability", *CANDIDATE_COLUMNS[-3:])
Pick = Callable[[pd.DataFrame, int], pd.DataFrame]
"""(candidates, size) -> at most `size` of them with a `reason`, the first picked first."""


def draw(
    item_ids: npt.NDArray[np.object_], *, seed: int, round_number: int, purpose: str = "query"
) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each item (n,), uniform over items and fixed by seed, round, purpose and item_id alone.

    Being a function of the id, it does not depend on files, chunks or workers. Draws for different purposes are
    independent, so that being drawn for one tells nothing about another.
    """
    return fractions(hashes(ids_of(item_ids), *key(seed=seed, round_number=round_number, purpose=purpose)))


def key(*, seed: int, round_number: int, purpose: str = "query") -> tuple[object, ...]:
    """Under which ids are hashed for a draw (`ids.hashes`)."""
    return purpose, seed, round_number


def unanswered(sent: Iterable[Iterable[str]], answered: Collection[str]) -> list[str]:
    """The ids that went out and were never answered: those of an earlier batch first, sorted within a batch.

    `sent` are the ids of each batch, oldest first.

    >>> unanswered([["b", "a", "c"], ["c", "d"]], {"b"})
    ['a', 'c', 'd']
    """
    waiting = dict.fromkeys(item_id for batch in sent for item_id in sorted(batch))
    return [item_id for item_id in waiting if item_id not in answered]


def most_useful(candidates: pd.DataFrame, size: int) -> pd.DataFrame:
    """The items of greatest utility; ties go by item_id."""
    ordered = candidates.sort_values(["utility", "item_id"], ascending=[False, True])
    return ordered.head(size).assign(reason="uncertain")


def batch(
    candidates: pd.DataFrame,
    *,
    size: int,
    random: int,
    seen: int,
    all_random: bool = False,
    again: Sequence[str] = (),
    another: Collection[str] = (),
    pick: Pick = most_useful,
) -> pd.DataFrame:
    """The batch of at most `size` items: those of `again`, in its order, then `random` by draw, then what is picked.

    Items that wait for `another` annotator compete with what would be picked by the column `gain` of all candidates;
    those that lose wait on.

    Returns item_id, utility, reason, rank (1 = first), selection_probability (of the random slice: its size over the
    items seen that were never sent out; missing for the others), model_class, model_confidence, probabilities; sorted
    by rank. Ties go by item_id. `seen` counts the eligible items of the pool, those of `again` and `another`
    among them.
    """
    reissued, others = _parted(candidates, again)
    waiting, fresh = _parted(others, sorted(another))
    eligible, reissued = seen - len(reissued) - len(waiting), reissued.head(size)
    size -= len(reissued)
    random = 0 if all_random else min(random, size)
    asked = _asked(waiting, fresh, size - random)
    size -= len(asked)
    drawn = fresh.sort_values(["draw", "item_id"], ignore_index=True).head(size if all_random else random)
    left = fresh[~fresh["item_id"].isin(drawn["item_id"])].reset_index(drop=True)
    parts = [
        reissued.assign(reason="reissued"),
        asked.assign(reason=overlapping.REASON),
        pick(left, size - len(drawn)),
        drawn.assign(reason="random"),
    ]
    chosen = pd.concat([part for part in parts if len(part)] or parts[-1:], ignore_index=True)
    probability = len(drawn) / eligible if eligible else math.nan
    chosen["selection_probability"] = np.where(chosen["reason"] == "random", probability, math.nan)
    chosen["rank"] = np.arange(1, len(chosen) + 1)
    return chosen[list(BATCH_COLUMNS)]


def _asked(waiting: pd.DataFrame, fresh: pd.DataFrame, size: int) -> pd.DataFrame:
    """The items of `waiting` that bring more than the new ones in whose seats they go, the greatest gain first."""
    if not len(waiting):
        return waiting
    return waiting.iloc[expected_gain.worth_more(waiting["gain"].to_numpy(), fresh["gain"].to_numpy(), size)]


def overlap(
    item_ids: Sequence[str], draws: npt.NDArray[np.float64], *, annotators: int, share: float
) -> dict[str, int]:
    """How many annotators each item gets: `annotators` for `share` of the items (of least draw), one for the rest.

    Gold items are drawn like all others, so that overlap does not tell them apart.
    """
    many = set(np.asarray(item_ids, dtype=object)[np.argsort(draws, kind="stable")[: share_of(len(item_ids), share)]])
    return {item_id: annotators if item_id in many else 1 for item_id in item_ids}


def blind(item_ids: Sequence[str], draws: npt.NDArray[np.float64], *, share: float) -> frozenset[str]:
    """The items whose prediction is not shown: `share` of them, those of least draw."""
    order = np.argsort(draws, kind="stable")
    return frozenset(np.asarray(item_ids, dtype=object)[order[: share_of(len(item_ids), share)]])


def _parted(frame: pd.DataFrame, again: Collection[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The items whose id is in `again`, in its order, and the others in theirs."""
    if not again:
        return frame.iloc[:0], frame
    place = frame["item_id"].map({item_id: number for number, item_id in enumerate(again)})
    return frame.loc[place.dropna().sort_values().index], frame[place.isna()]
