"""From annotations to labels. What is tied, unsure, or was said by nobody is never guessed: it goes to adjudication."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl.consensus import methods
from hitl.consensus.calibration import Bin, reliability, temperature, tempered
from hitl.consensus.crowd import UNKNOWN, Codes, Crowd, Floats, crowd_of
from hitl.consensus.names import ConsensusName
from hitl.params import Resolve

LABEL_COLUMNS = ("item_id", "label", "best", "method", "votes", "confidence", "from")
_DECIMALS = 6
"""Confidences are told to this many decimals: the last bits of a logarithm depend on the processor."""
_FOLDS = 5


@dataclass(frozen=True)
class Resolution:
    """What annotations came to: the `labels` (LABEL_COLUMNS), how, and how sure one may be.

    Confidences were tempered by `temperature` to fit gold, or as experience has it without gold. `reliability` compares
    the confidence of each gold item, tempered by the other gold items alone, with whether the crowd was right.
    """

    labels: pd.DataFrame
    method: ConsensusName
    reason: str
    temperature: float
    reliability: tuple[Bin, ...]
    crowd: Crowd

    @property
    def unresolved(self) -> pd.DataFrame:
        """The labels that are missing: what goes to adjudication."""
        return self.labels[self.labels["label"].isna()]


def resolve(
    annotations: pd.DataFrame,
    rule: Resolve,
    *,
    gold: Mapping[str, str],
    classes: Collection[str] = (),
    probabilities: pd.DataFrame | None = None,
) -> Resolution:
    """A label for every annotated item that has one, sorted by item_id, whatever the order of the annotations.

    `best` is the class that the method finds likeliest, and `confidence` its probability; `label` is `best` unless it
    is tied, less sure than `rule.confidence`, answered by nobody, or, by majority, has no more than `rule.agreement`
    of the answers. Skips (a missing label) do not vote. A gold item keeps its known answer (`from` gold) and teaches
    who is able; the rest are `from` human. `votes` is a JSON object of class -> count.
    `probabilities` has a row an item_id (its index) and a column a class, by a model that has not seen the answers.
    """
    named = {item: label for item, label in gold.items() if item in set(annotations["item_id"])}
    crowd = crowd_of(annotations, {*classes, *named.values()})
    known = crowd.known(named)
    model = None if probabilities is None else _aligned(probabilities, crowd)
    free = methods.resolve(crowd, rule.method, np.full(len(known), UNKNOWN), model)
    heat = temperature(free.posterior, known, methods.DOUBT[free.method])
    final = free.posterior if (known == UNKNOWN).all() else methods.informed(free, crowd, known)
    # Of a gold item we tell what the crowd made of it, without the answer that we know.
    posterior = np.where((known == UNKNOWN)[:, None], final, free.posterior)
    sure = np.round(tempered(posterior, heat), _DECIMALS)
    return Resolution(
        labels=_labels(crowd, sure, known, rule, free.method),
        method=free.method,
        reason=free.reason,
        temperature=heat,
        reliability=_held_out(free.posterior, known, methods.DOUBT[free.method]),
        crowd=crowd,
    )


def _labels(crowd: Crowd, sure: Floats, known: Codes, rule: Resolve, method: ConsensusName) -> pd.DataFrame:
    names = np.array([*crowd.classes, None], dtype=object)
    best, tied = _best(crowd, sure)
    rows = np.arange(len(best))
    answered = crowd.votes.sum(axis=1) > 0
    confidence, share = (one[rows, best] if crowd.classes else np.zeros(len(best)) for one in (sure, crowd.shares))
    backed = share > (rule.agreement if method == "majority" else 0.0)
    stands = answered & ~tied & backed & (confidence >= rule.confidence)
    label = np.where(known != UNKNOWN, known, np.where(stands, best, UNKNOWN))
    return pd.DataFrame(
        {
            "item_id": crowd.items,
            "label": names[label],
            "best": names[np.where(answered, best, UNKNOWN)],
            "method": method,
            "votes": _votes(crowd),
            "confidence": np.where(answered, confidence, 0.0),
            "from": np.where(known != UNKNOWN, "gold", "human"),
        },
        columns=list(LABEL_COLUMNS),
    )


def _best(crowd: Crowd, sure: Floats) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """The likeliest class of each item, and whether another is as likely: then the one more often answered."""
    if not len(crowd.classes):
        return np.zeros(len(crowd.items), dtype=np.intp), np.zeros(len(crowd.items), dtype=bool)
    top = sure.max(axis=1, keepdims=True)
    even = sure == top
    usual = crowd.votes.sum(axis=0) / (crowd.votes.sum() + 1)
    return np.where(even, crowd.votes + usual, -1.0).argmax(axis=1), even.sum(axis=1) > 1


def _votes(crowd: Crowd) -> list[str]:
    """The votes of each item as JSON; what many items have alike is spelled once."""
    told = [json.dumps(name, ensure_ascii=False) for name in crowd.classes]
    each, wide = crowd.votes.tobytes(), crowd.votes.itemsize * max(len(told), 1)
    alike = [each[start : start + wide] for start in range(0, len(crowd.items) * wide, wide)]
    spelled = {}
    for key, row in {key: number for number, key in enumerate(alike)}.items():
        said = [f"{name}: {count}" for name, count in zip(told, crowd.votes[row], strict=True) if count]
        spelled[key] = f"{{{', '.join(said)}}}"
    return [spelled[key] for key in alike]


def overruled(
    labels: pd.DataFrame, decided: Mapping[str, str | None], before: pd.DataFrame, *, new: Collection[str]
) -> pd.DataFrame:
    """The labels with the decisions of adjudicators in place of what a crowd made of an item (`from` adjudicated).

    `decided` has the class of each item, None where nobody can tell. Of the items that are not among the labels those
    in `new` are added, with what `before` (labels of earlier rounds, the last one counts) says of their votes.
    """
    others = sorted(set(new) & decided.keys() - set(labels["item_id"]))
    blank = pd.DataFrame({"item_id": others, "votes": "{}", "confidence": 0.0}).reindex(columns=list(LABEL_COLUMNS))
    known = before[before["item_id"].isin(others)].drop_duplicates("item_id", keep="last")
    added = [known, blank[~blank["item_id"].isin(known["item_id"])]]
    found = pd.concat([part for part in (labels, *added) if len(part)] or [labels])
    texts = [name for name in LABEL_COLUMNS if name != "confidence"]
    ours = found["item_id"].isin(list(decided))
    found[texts] = found[texts].astype(object)
    found.loc[ours, "label"] = found.loc[ours, "item_id"].map(decided)
    found.loc[ours, ["method", "from"]] = ["adjudication", "adjudicated"]
    found[texts] = found[texts].where(found[texts].notna(), None)
    return found.sort_values("item_id", ignore_index=True)


def _held_out(posterior: Floats, known: Codes, doubt: float) -> tuple[Bin, ...]:
    rows = np.flatnonzero(known != UNKNOWN)
    fold = np.arange(len(rows)) % _FOLDS
    sure = np.zeros((len(rows), posterior.shape[1]))
    for one in range(_FOLDS):
        heat = temperature(posterior[rows[fold != one]], known[rows[fold != one]], doubt)
        sure[fold == one] = tempered(posterior[rows[fold == one]], heat)
    best = sure.argmax(axis=1) if sure.size else np.zeros(len(rows), dtype=np.intp)
    return reliability(sure[np.arange(len(rows)), best], best == known[rows]) if len(rows) else ()


def _aligned(probabilities: pd.DataFrame, crowd: Crowd) -> Floats:
    """The model's probabilities (items, classes), even where it says nothing of an item."""
    found = probabilities.reindex(index=list(crowd.items), columns=list(crowd.classes)).to_numpy(dtype=float)
    even = np.full(crowd.size, 1 / max(len(crowd.classes), 1))
    return np.where(np.isnan(found).all(axis=1, keepdims=True), even, np.nan_to_num(found))


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


def _pairs_equal(answers: pd.Series) -> float | None:
    n = len(answers)
    if n < 2:
        return None
    counts = answers.value_counts().to_numpy()
    return float((counts * (counts - 1)).sum() / (n * (n - 1)))
