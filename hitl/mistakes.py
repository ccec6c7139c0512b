"""Which answers are known to be wrong, how that is known, and which of them teach their annotator most."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

COLUMNS = ("round", "item_id", "annotator_id", "label", "counts")
"""What is looked at of the answers that stand; `counts` says whether one is not held."""
SURE = 0.9
"""A label of a crowd is taken for the truth from this confidence on, and where BACKERS others gave it."""
BACKERS = 2
MOST = 5
ALIKE = 2
"""Of one kind of mistake no more are shown while there are others."""
Known = Literal["gold", "adjudicated", "consensus"]
_SURER: tuple[Known, ...] = ("gold", "adjudicated", "consensus")


@dataclass(frozen=True, slots=True)
class Mistake:
    """An answer `said` to an item that is `truth`, and how that is `known`.

    Of a crowd, `backers` of the `others` who answered the item gave the truth.
    """

    round: str
    item_id: str
    said: str
    truth: str
    known: Known
    backers: int
    others: int


def mistakes(
    answers: pd.DataFrame, *, gold: Mapping[str, str], decided: Mapping[str, str | None], labels: pd.DataFrame
) -> pd.DataFrame:
    """Every answer that is known to be wrong: annotator_id, the fields of `Mistake`, and confidence; sorted.

    `answers` has COLUMNS. `gold` has the known answers and `decided` those of adjudicators (None: nobody can tell, so
    nobody is wrong); gold counts first, then a decision, then what a crowd is SURE of. `labels` has round, item_id,
    label, confidence, from.
    """
    given = answers[answers["label"].notna()].drop_duplicates(["round", "item_id", "annotator_id", "label"])
    counted = given[given["counts"]]
    sizes = counted.groupby(["round", "item_id"]).size().rename("all").reset_index()
    backed = counted.groupby(["round", "item_id", "label"]).size().rename("backers").reset_index()
    sure = labels[(labels["from"] == "human") & labels["label"].notna() & (labels["confidence"] >= SURE)]
    crowd = sure[["round", "item_id", "label", "confidence"]].rename(columns={"label": "crowd"})
    backed = backed.rename(columns={"label": "crowd"})
    crowd = crowd.merge(backed, on=["round", "item_id", "crowd"]).merge(sizes, on=["round", "item_id"])
    found = given.rename(columns={"label": "said"}).merge(crowd, on=["round", "item_id"], how="left")
    is_gold, is_decided = found["item_id"].isin(list(gold)), found["item_id"].isin(list(decided))
    told = found["crowd"].where(found["backers"] >= BACKERS).astype(object)
    told = told.where(~is_decided, found["item_id"].map(decided).astype(object))
    told = told.where(~is_gold, found["item_id"].map(gold).astype(object))
    known = pd.Series("consensus", found.index).mask(is_decided, "adjudicated").mask(is_gold, "gold")
    found = found.assign(truth=told, known=known, others=found["all"].fillna(1).astype(int) - 1)
    found = found.assign(backers=found["backers"].fillna(0).astype(int), confidence=found["confidence"].fillna(0.0))
    found = found[found["truth"].notna() & (found["truth"] != found["said"])]
    names = ["annotator_id", "round", "item_id", "said", "truth", "known", "backers", "others", "confidence"]
    return found[names].sort_values(names[:4], ignore_index=True)


def instructive(own: pd.DataFrame, most: int = MOST) -> list[Mistake]:
    """The `most` instructive of one annotator's `mistakes`: the surest, of the kind made most often, the newest.

    A kind is what was taken for what. No more than ALIKE of one kind come before other kinds.
    """
    kind = ["truth", "said"]
    ranked = own.assign(
        surer=own["known"].map(_SURER.index),
        often=-own.groupby(kind)["item_id"].transform("size"),
        doubt=-own["confidence"],
        number=-own["round"].str[1:].astype(int),
    ).sort_values(["surer", "often", "truth", "said", "doubt", "number", "item_id"], ignore_index=True)
    again = ranked.groupby(kind).cumcount() >= ALIKE
    chosen = pd.concat([ranked[~again], ranked[again]]).head(most)
    fields = list(Mistake.__dataclass_fields__)
    return [Mistake(*row) for row in chosen[fields].itertuples(index=False, name=None)]
