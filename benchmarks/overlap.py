"""What adaptive overlap saves: an item without consensus goes to one more annotator, the others do not.

    python benchmarks/overlap.py [--set NAME] [--seeds N] [--annotations N] [--write]

Rounds are played as the product plays them (its strategy, shortlist, consensus and, for who is asked again, its
expected gain) on items whose labels are known, from 2 right labels a class. A made-up crowd of PEOPLE answers: each is
right at a rate of their own, items differ in how hard they are, so that people err on the same ones, and half of the
errors on an item are the same class. Every setting pays as many annotations a round. `accuracy` is the share of the
labels won that are right, `a label` the annotations paid for one, `to settle` the items that are left for an
adjudicator; `model` is the quality on the test set when all annotations are paid. Sets that are not there are skipped.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from label_efficiency import SHARED, bundled, known_of
from page import put
from threadpoolctl import threadpool_limits

from hitl import expected_gain, rehearsal, resolve
from hitl.params import Params
from hitl.rehearsal import Fitted, Known, Loop, Places
from tasks.edges import parallel, source

SETS = ("digits", "adult")
PEOPLE, RIGHT = 12, (0.6, 0.95)
"""How many there are, and how often the least and the most able of them is right on an item of usual difficulty."""
SPREAD = 1.5
"""How many items are hard: the shape of the gamma distribution of the rates of error; fewer make it more."""
ROUNDS = 15
BESIDE = "3"
"""The setting that the others are compared with."""


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """`overlap` annotators an item at once, at most `most`; those asked again go `first`, or by expected gain."""

    name: str
    overlap: int
    most: int
    first: bool = False


SETTINGS = (
    Setting("1", 1, 1),
    Setting("2", 2, 2),
    Setting("3", 3, 3),
    Setting("2 to 3", 2, 3),
    Setting("2 to 5", 2, 5),
    Setting("2 to 5, first", 2, 5, first=True),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One run: a setting, a seed, and the annotations to pay."""

    setting: Setting
    seed: int
    annotations: int


@dataclass(frozen=True, slots=True)
class Won:
    """After each round: the annotations paid, the labels won, how many of them are right, and the model's quality.

    `unsettled` are the items that have no label in the end.
    """

    paid: tuple[int, ...]
    labels: tuple[int, ...]
    right: tuple[int, ...]
    quality: tuple[float, ...]
    unsettled: int

    @property
    def accuracy(self) -> float:
        return self.right[-1] / max(self.labels[-1], 1)

    @property
    def price(self) -> float:
        """Annotations a label."""
        return self.paid[-1] / max(self.labels[-1], 1)


class Crowd:
    """People who answer: as able, and on items as hard, as the seed makes them."""

    def __init__(self, known: Known, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 3])
        self.known, self.classes = known, known.params.data.classes
        self.error = 1 - self.rng.uniform(*RIGHT, size=PEOPLE)
        self.hard = self.rng.gamma(SPREAD, 1 / SPREAD, size=len(known.ids))
        self.decoy = self.rng.integers(1, len(self.classes), size=len(known.ids))

    def answer(self, places: Places, count: int, before: pd.DataFrame) -> pd.DataFrame:
        """The answers of `count` people to each of these items, none of whom answered it before."""
        rows = []
        told = {item: set(part) for item, part in before.groupby("item_id")["person"]}
        for place in places:
            item = self.known.ids[place]
            free = [one for one in range(PEOPLE) if one not in told.get(item, ())]
            people = self.rng.choice(free, size=count, replace=False)
            rows += [(item, int(person), f"p{person}", self._said(place, person)) for person in people]
        return pd.DataFrame(rows, columns=["item_id", "person", "annotator_id", "label"])

    def _said(self, place: int, person: int) -> str:
        right = self.classes.index(self.known.labels[place])
        if self.rng.random() >= min(self.error[person] * self.hard[place], 0.9):
            return str(self.known.labels[place])
        step = self.decoy[place] if self.rng.random() < 0.5 else self.rng.integers(1, len(self.classes))
        return str(self.classes[(right + step) % len(self.classes)])


def played(known: Known, asked: Asked) -> Won:
    """The run of one setting and seed; in a process of its own."""
    with threadpool_limits(1):
        return _played(known, asked.setting, asked.seed, asked.annotations)


def _played(known: Known, setting: Setting, seed: int, annotations: int) -> Won:
    initial, pool, test = rehearsal.divided(known, seed)
    seats = max(1, annotations // ROUNDS // setting.overlap)
    params = _batched(known.params, seats, seed)
    first, crowd = np.sort(initial), Crowd(known, seed)
    loop = Loop(known, params, first, known.labels[first], pool, 0)
    said = pd.DataFrame({"item_id": [], "person": [], "annotator_id": [], "label": []}).astype({"person": int})
    labels = pd.DataFrame(columns=list(resolve.LABEL_COLUMNS))
    curve: list[tuple[int, int, int, float]] = []
    while True:
        model = rehearsal.fitted(known, params, loop.labels)
        won = labels.dropna(subset="label")
        places = _places(known, won["item_id"])
        right = int((won["label"].to_numpy() == known.labels[places]).sum())
        curve.append((len(said), len(won), right, rehearsal.quality(known, model, test, "accuracy")))
        left = annotations - len(said)
        if left < setting.overlap or not len(loop.pool):
            paid, many, correct, quality = zip(*curve, strict=True)
            return Won(paid, many, correct, quality, int(labels["label"].isna().sum()))
        loop.number += 1
        size = min(seats, left // setting.overlap)
        again = _again(loop, model, labels, said, setting, size=size, accuracy=curve[-1][-1])
        loop.params = _batched(params, size - len(again), seed)
        new = rehearsal.batch(loop, model) if len(again) < size else np.array([], dtype=np.intp)
        answers = [crowd.answer(new, setting.overlap, said), crowd.answer(again, 1, said)]
        said = pd.concat([said, *answers], ignore_index=True)
        labels = _resolved(params, labels, said, answers[0], set(known.ids[again]))
        loop.pool = np.setdiff1d(loop.pool, new)
        won = labels.dropna(subset="label")
        places = np.concatenate([first, _places(known, won["item_id"])])
        given = np.concatenate([known.labels[first], won["label"].to_numpy(dtype=object)])
        order = np.argsort(places, kind="stable")
        loop.labeled, loop.given = places[order], given[order]


def _batched(params: Params, size: int, seed: int) -> Params:
    """The params with batches of this size."""
    return params.model_copy(update={"query": params.query.model_copy(update={"batch": size, "seed": seed})})


def _resolved(
    params: Params, labels: pd.DataFrame, said: pd.DataFrame, new: pd.DataFrame, again: set[str]
) -> pd.DataFrame:
    """The labels after a round: of new items by its answers, of those asked again by all answers to them."""
    parts = [labels[~labels["item_id"].isin(list(again))], _labels(params, new)]
    if again:
        parts.append(_labels(params, said[said["item_id"].isin(list(again))]))
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _labels(params: Params, said: pd.DataFrame) -> pd.DataFrame:
    return resolve.resolve(said, params.resolve, gold={}, classes=params.data.classes).labels


def _again(
    loop: Loop,
    model: Fitted,
    labels: pd.DataFrame,
    said: pd.DataFrame,
    setting: Setting,
    *,
    size: int,
    accuracy: float,
) -> Places:
    """The places of the items that are asked about again, as `select` finds them."""
    known, classes = loop.known, loop.params.data.classes
    answers = said["item_id"].value_counts()
    open_ = labels[labels["label"].isna()]
    open_ = open_[open_["item_id"].map(answers) < setting.most].sort_values("item_id")
    if not len(open_):
        return np.array([], dtype=np.intp)
    waiting = _places(known, open_["item_id"])
    if setting.first:
        return waiting[:size]
    agreed = resolve.agreement(said)
    weights = expected_gain.weights(
        annotator=None if agreed is None else expected_gain.able(agreed, len(classes)),
        model=accuracy,
        commonest=float(pd.Series(loop.given).value_counts(normalize=True).max()),
    )
    best = pd.Index(classes).get_indexer(pd.Index(open_["best"]))
    again = expected_gain.gain(
        model.says(waiting, classes)[np.arange(len(waiting)), best],
        open_["confidence"].to_numpy(dtype=float),
        open_["item_id"].map(answers).to_numpy(dtype=np.int64),
        weights=weights,
        classes=len(classes),
    )
    new = expected_gain.gain(
        model.says(loop.pool, classes).max(axis=1),
        np.zeros(len(loop.pool)),
        np.zeros(len(loop.pool), dtype=np.int64),
        weights=weights,
        classes=len(classes),
        cost=float(setting.overlap),
    )
    return waiting[expected_gain.worth_more(again, new, size)]


def _places(known: Known, items: pd.Series) -> npt.NDArray[np.intp]:
    return np.asarray(pd.Index(known.ids).get_indexer(pd.Index(items)), dtype=np.intp)


def tables(asked: argparse.Namespace) -> Iterator[tuple[str, pd.DataFrame | str, str]]:
    """The name, the cells (or why there are none) and the column of labels of every set."""
    for name in asked.set or SETS:
        if name not in SHARED:
            yield name, bundled(name), "label"
            continue
        path = next(iter(sorted(Path(asked.shared).glob(f"*/{name}/data.csv.gz"))), None)
        yield name, "it is not in " + str(asked.shared) if path is None else source.read(path), SHARED[name]


def rows(name: str, runs: dict[Setting, list[Won]]) -> list[dict[str, Any]]:
    """A row for each setting of a set: medians of the seeds."""

    def middle(values: Iterator[float] | list[float]) -> float:
        return float(statistics.median(values))

    return [
        {
            "set": name,
            "overlap": setting.name,
            "seeds": len(found),
            "annotations": round(middle([one.paid[-1] for one in found])),
            "labels": round(middle([one.labels[-1] for one in found])),
            "accuracy": f"{middle([one.accuracy for one in found]):.3f}",
            "a label": f"{middle([one.price for one in found]):.2f}",
            "to settle": round(middle([one.unsettled for one in found])),
            "model": f"{middle([one.quality[-1] for one in found]):.3f}",
        }
        for setting, found in runs.items()
    ]


def saved(name: str, runs: dict[Setting, list[Won]]) -> list[dict[str, Any]]:
    """A row for each adaptive setting: what it needs for what BESIDE has won in the end, seed by seed; medians."""
    beside = next(found for setting, found in runs.items() if setting.name == BESIDE)
    return [
        {
            "set": name,
            "overlap": setting.name,
            f"as many right labels as {BESIDE}": _told([_needed(one, one.right, to.right[-1]) for one, to in pairs]),
            f"as good a model as {BESIDE}": _told([_needed(one, one.quality, to.quality[-1]) for one, to in pairs]),
            f"of the annotations of {BESIDE}": round(statistics.median(to.paid[-1] for _, to in pairs)),
            "accuracy, points": f"{100 * statistics.median(one.accuracy - to.accuracy for one, to in pairs):+.1f}",
            "model, points": f"{100 * statistics.median(one.quality[-1] - to.quality[-1] for one, to in pairs):+.1f}",
        }
        for setting, found in runs.items()
        if setting.name != BESIDE
        for pairs in [list(zip(found, beside, strict=True))]
    ]


def _needed(one: Won, curve: Sequence[float], wanted: float) -> float:
    """The annotations paid when a curve first reached what is wanted; infinite where it never did."""
    return next((float(paid) for paid, value in zip(one.paid, curve, strict=True) if value >= wanted), inf)


def _told(needed: Sequence[float]) -> int | str:
    found = statistics.median(needed)
    return round(found) if isfinite(found) else "never"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", action="append", help="only these")
    parser.add_argument("--shared", default="../shared/data", help="where the shared data sets are")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--rows", type=int, default=2_000, help="items of a set, its test set included")
    parser.add_argument("--annotations", type=int, default=900)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    asked = parser.parse_args()
    found: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    for name, frame, label in tables(asked):
        if isinstance(frame, str):
            print(f"{name} is skipped: {frame}", file=sys.stderr)
            continue
        known = known_of(frame, label, asked.rows)
        jobs = [Asked(one, seed, asked.annotations) for one in SETTINGS for seed in range(asked.seeds)]
        done = dict(parallel.each(played, known, jobs, processes=asked.processes))
        runs: dict[Setting, list[Won]] = {one: [] for one in SETTINGS}
        for at, job in enumerate(jobs):
            runs[job.setting].append(done[at])
        found += rows(name, runs)
        beside += saved(name, runs)
        for told in (found, beside):
            print(pd.DataFrame(told).to_string(index=False), file=sys.stderr, flush=True)
        if asked.write:
            put("overlap", found, beside)


if __name__ == "__main__":
    main()
