"""Choose the batch from a stream of scored items.

First what is re-issued, then the random slice of the others, then the most useful of the rest.
"""

import hashlib
import math
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl.budget import share_of

CANDIDATE_COLUMNS = ("item_id", "utility", "draw", "model_class", "model_confidence", "probabilities")


def draw(
    item_ids: npt.NDArray[np.object_], *, seed: int, round_number: int, purpose: str = "query"
) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each item (n,), uniform over items and fixed by seed, round, purpose and item_id alone.

    Being a function of the id (SipHash, keyed by the rest), it does not depend on files, chunks or workers. Draws for
    different purposes are independent, so that being drawn for one tells nothing about another.
    """
    key = hashlib.sha256(f"{purpose} {seed} {round_number}".encode()).hexdigest()[:16]
    hashed = pd.util.hash_array(np.asarray(item_ids, dtype=object), hash_key=key, categorize=False)
    return np.asarray((hashed >> np.uint64(11)).astype(np.float64) / 2.0**53)


def unanswered(sent: Iterable[Iterable[str]], answered: Collection[str]) -> list[str]:
    """The ids that went out and were never answered: those of an earlier batch first, sorted within a batch.

    `sent` are the ids of each batch, oldest first.

    >>> unanswered([["b", "a", "c"], ["c", "d"]], {"b"})
    ['a', 'c', 'd']
    """
    waiting = dict.fromkeys(item_id for batch in sent for item_id in sorted(batch))
    return [item_id for item_id in waiting if item_id not in answered]


def best(
    scored: Iterable[pd.DataFrame], *, useful: int, random: int, again: Collection[str] = ()
) -> tuple[pd.DataFrame, int]:
    """The `useful` items of greatest utility and the `random` of least draw, and the number of items seen.

    Takes frames with CANDIDATE_COLUMNS; holds no more than the kept items and one frame. Sorted by item_id. Items whose
    id is in `again` are kept whatever their numbers, and take no other item's place.
    """
    kept, seen = pd.DataFrame(columns=list(CANDIDATE_COLUMNS)), 0
    for frame in scored:
        seen += len(frame)
        short = _keep(frame, useful, random, again)
        kept = _keep(pd.concat([kept, short], ignore_index=True), useful, random, again) if len(kept) else short
    return kept.sort_values("item_id", ignore_index=True), seen


def batch(
    candidates: pd.DataFrame,
    *,
    size: int,
    random: int,
    seen: int,
    all_random: bool = False,
    again: Sequence[str] = (),
) -> pd.DataFrame:
    """The batch of at most `size` items: those of `again`, in its order, then `random` by draw, then the most useful.

    Returns item_id, utility, reason, rank (1 = first), selection_probability (of the random slice: its size over the
    items seen that were never sent out; missing for the others), model_class, model_confidence, probabilities; sorted
    by rank. Ties go by item_id. `seen` counts the eligible items of the pool, those of `again` among them.
    """
    reissued, fresh = _parted(candidates, again)
    eligible, reissued = seen - len(reissued), reissued.head(size)
    size -= len(reissued)
    drawn = fresh.sort_values(["draw", "item_id"], ignore_index=True).head(size if all_random else min(random, size))
    useful = _by_utility(fresh[~fresh["item_id"].isin(drawn["item_id"])]).head(size - len(drawn))
    parts = {"reissued": reissued, "uncertain": useful, "random": drawn}
    named = [part.assign(reason=reason) for reason, part in parts.items() if len(part)]
    chosen = pd.concat(named or [drawn.assign(reason="random")], ignore_index=True)
    probability = len(drawn) / eligible if eligible else math.nan
    chosen["selection_probability"] = np.where(chosen["reason"] == "random", probability, math.nan)
    chosen["rank"] = np.arange(1, len(chosen) + 1)
    return chosen.drop(columns="draw")


def gold_items(gold: pd.DataFrame, used: Sequence[str], *, size: int, draws: npt.NDArray[np.float64]) -> list[str]:
    """The ids of `size` gold items: the least used first, classes in turn, within a class by draw; sorted.

    `gold` has item_id and label; `used` lists the gold ids of earlier batches, with repeats.
    """
    times = pd.Series(list(used), dtype=object).value_counts()
    table = gold[["item_id", "label"]].assign(draw=draws, times=gold["item_id"].map(times).fillna(0).to_numpy())
    table = table.sort_values(["times", "draw", "item_id"])
    table["turn"] = table.groupby(["times", "label"]).cumcount()
    return sorted(table.sort_values(["times", "turn", "draw", "item_id"])["item_id"].head(size))


def overlap(
    item_ids: Sequence[str], draws: npt.NDArray[np.float64], *, annotators: int, share: float
) -> dict[str, int]:
    """How many annotators each item gets: `annotators` for `share` of the items (of least draw), one for the rest.

    Gold items are drawn like all others, so that overlap does not tell them apart.
    """
    many = set(np.asarray(item_ids, dtype=object)[np.argsort(draws, kind="stable")[: share_of(len(item_ids), share)]])
    return {item_id: annotators if item_id in many else 1 for item_id in item_ids}


def _keep(frame: pd.DataFrame, useful: int, random: int, again: Collection[str]) -> pd.DataFrame:
    reissued, fresh = _parted(frame, again)
    # The random slice may take items off the top, so that many more are kept.
    top = _by_utility(fresh).head(useful + random)
    drawn = fresh.sort_values(["draw", "item_id"]).head(random)
    kept = pd.concat([top, drawn]).drop_duplicates("item_id", ignore_index=True)
    return pd.concat([reissued, kept], ignore_index=True) if len(reissued) else kept


def _parted(frame: pd.DataFrame, again: Collection[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The items whose id is in `again`, in its order, and the others in theirs."""
    if not again:
        return frame.iloc[:0], frame
    place = frame["item_id"].map({item_id: number for number, item_id in enumerate(again)})
    return frame.loc[place.dropna().sort_values().index], frame[place.isna()]


def _by_utility(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(["utility", "item_id"], ascending=[False, True])
