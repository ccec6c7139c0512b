"""Choose the batch from a stream of scored items: the random slice first, then the most useful of the rest."""

import hashlib
import math
from collections.abc import Iterable, Sequence

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


def best(scored: Iterable[pd.DataFrame], *, useful: int, random: int) -> tuple[pd.DataFrame, int]:
    """The `useful` items of greatest utility and the `random` of least draw, and the number of items seen.

    Takes frames with CANDIDATE_COLUMNS; holds no more than the kept items and one frame. Sorted by item_id.
    """
    kept, seen = pd.DataFrame(columns=list(CANDIDATE_COLUMNS)), 0
    for frame in scored:
        seen += len(frame)
        short = _keep(frame, useful, random)
        kept = _keep(pd.concat([kept, short], ignore_index=True), useful, random) if len(kept) else short
    return kept.sort_values("item_id", ignore_index=True), seen


def batch(candidates: pd.DataFrame, *, size: int, random: int, seen: int, all_random: bool = False) -> pd.DataFrame:
    """The batch: `random` items by draw, then the most useful of the others, up to `size`; ties go by item_id.

    Returns item_id, utility, reason, rank (1 = first), selection_probability (of the random slice: its size over the
    eligible pool; missing for the others), model_class, model_confidence, probabilities; sorted by rank.
    """
    by_draw = candidates.sort_values(["draw", "item_id"], ignore_index=True)
    drawn = by_draw.head(size if all_random else random)
    others = candidates[~candidates["item_id"].isin(drawn["item_id"])]
    useful = _by_utility(others).head(size - len(drawn))
    chosen = pd.concat(
        [useful.assign(reason="uncertain"), drawn.assign(reason="random")]
        if len(useful)
        else [drawn.assign(reason="random")],
        ignore_index=True,
    )
    probability = len(drawn) / seen if seen else math.nan
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


def _keep(frame: pd.DataFrame, useful: int, random: int) -> pd.DataFrame:
    # The random slice may take items off the top, so that many more are kept.
    top = _by_utility(frame).head(useful + random)
    drawn = frame.sort_values(["draw", "item_id"]).head(random)
    return pd.concat([top, drawn]).drop_duplicates("item_id", ignore_index=True)


def _by_utility(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(["utility", "item_id"], ascending=[False, True])
