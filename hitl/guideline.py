"""The guideline as data: whether answers shifted when it changed, which labels that makes doubtful, what people ask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

LEVEL = 0.01
"""Answers are said to have shifted at a `p` of at most this: where nothing shifted, in at most one change of 100."""
DRAWS = 1999
ANSWERS = ("round", "item_id", "annotator_id", "label", "comment", "guideline", "kind")
"""What is looked at of the answers that stand: `guideline` is the sha256 of the one they were given under."""
_DECIMALS = 6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moved:
    """How often items of a kind were given a class before the change and after it (shares of `items` each)."""

    kind: str
    label: str
    before: float
    after: float
    items: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A label of before the change, whose class items of its kind are given less often since."""

    round: str
    item_id: str
    kind: str
    label: str
    fell: float


@dataclass(frozen=True, slots=True)
class Change:
    """What became of answers when the guideline `before` gave way to `after` (sha256).

    `p` is that of the test over all kinds of items, None where no kind was asked about under both. `moved` has the
    classes of the kinds that shifted, `doubtful` the older labels that are less likely now, most first.
    """

    before: str
    after: str
    rounds: tuple[tuple[str, ...], tuple[str, ...]]
    p: float | None
    moved: tuple[Moved, ...] = ()
    doubtful: tuple[Doubtful, ...] = ()

    @property
    def is_real(self) -> bool:
        return self.p is not None and self.p <= LEVEL


@dataclass(frozen=True, slots=True)
class Question:
    """What annotators remarked about an item: (annotator_id, comment), those that begin with `?` first."""

    item_id: str
    round: str
    comments: tuple[tuple[str, str], ...]

    @property
    def asks(self) -> bool:
        return any(is_question(comment) for _, comment in self.comments)


def is_question(comment: str) -> bool:
    """Whether a comment asks something of whoever writes the guideline: it begins with a question mark."""
    return comment.lstrip().startswith(("?", "？", "¿"))  # noqa: RUF001 - as people type it elsewhere


def change(answers: pd.DataFrame, labels: pd.DataFrame, *, seed: int) -> Change | None:
    """How answers shifted at the last change of the guideline; None where it never changed.

    `answers` has ANSWERS, `labels` round, item_id, label. `kind` says what items are compared with each other: what the
    model took them for when they went out, say. An item counts once, by the shares of its answers. The test permutes
    items between before and after within their kind (chi-square of the shares, summed over kinds): so it needs nothing
    of how classes are spread over kinds, and its error rate is LEVEL exactly. It cannot tell a guideline from whatever
    else changed at the same time, such as the people. Kinds are told where they shift at LEVEL over their number.
    """
    versions = answers.drop_duplicates("round").sort_values("round")
    names, shas = versions["round"].tolist(), versions["guideline"].tolist()
    later = _run(shas, len(shas))
    if not names or not later.start:
        return None
    earlier = _run(shas, later.start)
    rounds = tuple(names[earlier]), tuple(names[later])
    given = answers[answers["label"].notna() & answers["round"].isin([*rounds[0], *rounds[1]])]
    classes, shares = _shares(given)
    late = shares.index.get_level_values("round").isin(rounds[1])
    kinds = shares.index.get_level_values("kind").to_numpy(dtype=object)
    rng, seen, drawn, moved = np.random.default_rng(seed), 0.0, np.zeros(DRAWS), dict[str, tuple[float, list[Moved]]]()
    for kind in sorted(set(kinds.tolist())):
        own = kinds == kind
        if 0 < late[own].sum() < own.sum():
            one, chance = _chi_square(shares.to_numpy()[own], late[own], rng)
            seen, drawn = seen + one, drawn + chance
            moved[kind] = _p(one, chance), _moved(kind, classes, shares.to_numpy()[own], late[own])
    p = _p(seen, drawn) if moved else None
    told = tuple(one for own_p, found in moved.values() if own_p <= LEVEL / len(moved) for one in found)
    told = told if p is not None and p <= LEVEL else ()
    return Change(shas[earlier.start], shas[later.start], rounds, p, told, _doubtful(told, given, labels, rounds[0]))


def questions(answers: pd.DataFrame) -> list[Question]:
    """The comments under the newest guideline, an entry an item: questions first, those about many comments first."""
    if not len(answers):
        return []
    newest = answers.sort_values("round")["guideline"].iloc[-1]
    told = answers[(answers["guideline"] == newest) & answers["comment"].fillna("").str.strip().ne("")]
    found = []
    for (name, item_id), own in told.groupby(["round", "item_id"], sort=True):
        said = sorted(
            zip(own["annotator_id"].tolist(), own["comment"].str.strip().tolist(), strict=True),
            key=lambda one: (not is_question(one[1]), one),
        )
        found.append(Question(str(item_id), str(name), tuple(said)))
    return sorted(found, key=lambda one: (not one.asks, -len(one.comments), one.item_id, one.round))


def _run(values: Sequence[str], stop: int) -> slice:
    """The last places before `stop` that all have the same value."""
    start = stop
    while start and values[start - 1] == values[stop - 1]:
        start -= 1
    return slice(start, stop)


def _shares(given: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """The classes, and for each item of a round (kind, round, item_id) the share of its answers that each has."""
    counted = pd.crosstab([given["kind"], given["round"], given["item_id"]], given["label"])
    return [str(name) for name in counted.columns], counted.div(counted.sum(axis=1), axis=0)


def _chi_square(shares: Floats, late: npt.NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, Floats]:
    """Pearson's chi-square of the items' shares (items, classes) before and after, and of DRAWS permutations."""
    alike, times = np.unique(np.round(shares, _DECIMALS), axis=0, return_counts=True)
    total, of, after = times @ alike, len(shares), int(late.sum())
    drawn = rng.multivariate_hypergeometric(times, after, size=DRAWS, method="marginals") @ alike
    seen = np.round(shares, _DECIMALS)[late].sum(axis=0)
    values = _distance(np.vstack([seen, drawn]), total, of, after)
    return float(values[0]), values[1:]


def _distance(after_sums: Floats, total: Floats, of: int, after: int) -> Floats:
    gap = after_sums / after - (total - after_sums) / (of - after)
    pooled = np.where(total > 0, total / of, 1.0)
    found: Floats = np.round(after * (of - after) / of * (gap**2 / pooled).sum(axis=1), _DECIMALS)
    return found


def _p(seen: float, drawn: Floats) -> float:
    # A permutation that differs in its last bits alone is as far away.
    return float((1 + (drawn >= seen - 10**-_DECIMALS).sum()) / (1 + len(drawn)))


def _moved(kind: str, classes: Sequence[str], shares: Floats, late: npt.NDArray[np.bool_]) -> list[Moved]:
    before, after = shares[~late].mean(axis=0), shares[late].mean(axis=0)
    items = int((~late).sum()), int(late.sum())
    return [
        Moved(kind, name, round(float(one), _DECIMALS), round(float(two), _DECIMALS), items)
        for name, one, two in zip(classes, before, after, strict=True)
        if round(float(one - two), _DECIMALS)
    ]


def _doubtful(
    moved: Sequence[Moved], given: pd.DataFrame, labels: pd.DataFrame, rounds: Sequence[str]
) -> tuple[Doubtful, ...]:
    fell = {(one.kind, one.label): one.before - one.after for one in moved if one.after < one.before}
    kinds = given[given["round"].isin(list(rounds))][["round", "item_id", "kind"]].drop_duplicates()
    found = [
        Doubtful(str(name), str(item), str(kind), str(label), round(fell[kind, label], _DECIMALS))
        for name, item, kind, label in kinds.merge(labels.dropna(), on=["round", "item_id"])[
            ["round", "item_id", "kind", "label"]
        ].itertuples(index=False)
        if (kind, label) in fell
    ]
    return tuple(sorted(found, key=lambda one: (-one.fell, one.round, one.item_id)))
