"""From annotations to labels. A tie or a weak majority is never guessed: it goes to adjudication."""

import json
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pandas as pd

LABEL_COLUMNS = ("item_id", "label", "method", "votes", "confidence", "from")


def majority(votes: Mapping[str, int], *, agreement: float) -> tuple[str | None, float]:
    """The class with more than `agreement` of the votes, alone at the top, and its share; None when there is none.

    >>> majority({"cat": 2, "dog": 1}, agreement=0.5)
    ('cat', 0.6666666666666666)
    >>> majority({"cat": 1, "dog": 1}, agreement=0.5)
    (None, 0.5)
    """
    total = sum(votes.values())
    if not total:
        return None, 0.0
    most = max(votes.values())
    winners = [name for name, count in votes.items() if count == most]
    share = most / total
    return (winners[0] if len(winners) == 1 and share > agreement else None), share


METHODS: Mapping[Literal["majority"], Callable[..., tuple[str | None, float]]] = {"majority": majority}


def labels(
    annotations: pd.DataFrame, *, method: Literal["majority"], agreement: float, gold: Mapping[str, str]
) -> pd.DataFrame:
    """One row an annotated item, sorted by item_id: LABEL_COLUMNS, `label` missing where nothing won.

    Skips (a missing label) do not vote. A gold item keeps its known answer (`from` gold); the rest are `from` human.
    `votes` is a JSON object of class -> count; `confidence` is the winner's share of the votes.
    """
    rows = []
    for item_id, group in annotations.groupby("item_id", sort=True):
        votes = _votes(group["label"])
        label, share = METHODS[method](votes, agreement=agreement)
        known = gold.get(str(item_id))
        source = "human" if known is None else "gold"
        rows.append(
            (item_id, label if known is None else known, method, json.dumps(votes, ensure_ascii=False), share, source)
        )
    return pd.DataFrame(rows, columns=list(LABEL_COLUMNS)).astype({"confidence": float})


def standing(annotations: pd.DataFrame) -> pd.DataFrame:
    """The annotations that no later delivery replaced; the others are history."""
    return annotations[annotations["superseded_by"].isna()].reset_index(drop=True)


def agreement(annotations: pd.DataFrame) -> float | None:
    """The mean over items with two answers or more of the share of pairs of answers that are equal; None without any.

    This is the observed agreement of Fleiss, "Measuring nominal scale agreement among many raters" (1971).
    """
    shares = [_pairs_equal(group) for _, group in annotations.dropna(subset="label").groupby("item_id")["label"]]
    known = [share for share in shares if share is not None]
    return float(np.mean(known)) if known else None


def _votes(answers: pd.Series) -> dict[str, int]:
    counts = answers.dropna().value_counts()
    return {str(name): int(counts[name]) for name in sorted(counts.index)}


def _pairs_equal(answers: pd.Series) -> float | None:
    n = len(answers)
    if n < 2:
        return None
    counts = answers.value_counts().to_numpy()
    return float((counts * (counts - 1)).sum() / (n * (n - 1)))
