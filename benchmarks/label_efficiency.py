"""How many labels the default strategy needs, beside random choice and the best of scikit-activeml and small-text.

    python benchmarks/label_efficiency.py [--set NAME] [--file PATH:COLUMN] [--seeds N] [--keep FILE] [--write]

Each data set is played as `hitl rehearse` does it: the same loop, model, splits and seeds for everybody, from 2 items
a class. `labels` are those at which 99 % of full-data quality is reached and held for two rounds: the median of the
seeds, initial items included. `area` is the mean quality up to where random choice got there, in points above it, the
mean of the seeds. Sets that are not there are skipped, and said to be. Peers run where they can be imported:

    uv run --no-sync --with scikit-activeml --with small-text python benchmarks/label_efficiency.py --peers

They pick by the probabilities of the same model and the same points. FILE keeps the runs, so that a second call does
only what is missing; peers that it has runs of are in the table without being asked for.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf, isfinite
from pathlib import Path
from typing import Any, cast

import label_efficiency_peers as peers
import pandas as pd
from page import put
from sklearn import datasets
from threadpoolctl import threadpool_limits

from hitl import rehearsal
from hitl.founding.first_params import NO_OVERRIDES, first_params
from hitl.founding.items import items_of
from hitl.params import StrategyName
from hitl.rehearsal import BEST, HOLDS, YARDSTICK, Known, Run, Setting
from hitl.rehearsal_result import end
from tasks.edges import parallel, source
from tasks.rehearse import default_batch

BUNDLED = ("breast_cancer", "digits")
SHARED = {
    "german_credit": "class_label",
    "insurance_fraud": "fraud_reported",
    "mammography": "label",
    "adult": "income",
    "sms_spam": "label",
    "trec6": "label",
    "customer_reviews": "label",
    "banking77": "label",
}
LEFT_OUT = ("split", "fine_label")
"""Columns that tell the answer, or where the publisher put an item."""
OURS: tuple[StrategyName, ...] = ("diverse", "margin")
SEEDS, SEEDS_OF_PEERS = 8, 4
COSTLY_FOR_PEERS = {"sms_spam": 2, "trec6": 2, "customer_reviews": 2, "banking77": 2}
"""Texts, which peers take long for, are played by them with so many seeds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One run of a set: by a strategy of ours or a peer's, to where random choice ended (0: this is that run)."""

    name: str
    seed: int
    batch: int
    end: int = 0
    full: float = 0.0


def tables(asked: argparse.Namespace) -> Iterator[tuple[str, pd.DataFrame | str, str]]:
    """The name, the cells (or why there are none) and the column of labels of every set."""
    for one in asked.file:
        path, _, label = one.rpartition(":")
        yield Path(path).stem, source.read(Path(path)), label
    if asked.file:
        return
    for name in BUNDLED:
        if not asked.set or name in asked.set:
            yield name, bundled(name), "label"
    for name, label in SHARED.items():
        if not asked.set or name in asked.set:
            path = next(iter(sorted(Path(asked.shared).glob(f"*/{name}/data.csv.gz"))), None)
            yield name, "it is not in " + str(asked.shared) if path is None else source.read(path), label


def bundled(name: str) -> pd.DataFrame:
    found = getattr(datasets, f"load_{name}")()
    columns = [f"x{at}" for at in range(found.data.shape[1])]
    return pd.DataFrame(found.data.astype(str), columns=columns).assign(label=found.target.astype(str))


def known_of(frame: pd.DataFrame, label: str, rows: int) -> Known:
    frame = frame.drop(columns=[name for name in LEFT_OUT if name in frame and name != label])
    items = items_of(frame, label=label)
    return rehearsal.known_of(items, first_params(items, seed=0, overrides=NO_OVERRIDES)[0], most=rows)[0]


def played(known: Known, asked: Asked) -> Run:
    """A run of ours, or of a peer; in a process of its own."""
    with threadpool_limits(1):
        full = asked.full if asked.end else rehearsal.full_quality(known, asked.seed)
        peer = peers.PICKS.get(asked.name)
        setting = Setting(cast(StrategyName, "margin" if peer else asked.name), asked.batch)
        run = rehearsal.play(known, setting, asked.seed, full=full, until=asked.end, pick=peer and peer())
    return replace(run, setting=Setting(cast(StrategyName, asked.name), asked.batch))


def runs_of(known: Known, seeds_of: Mapping[str, int], processes: int, kept: dict[str, Run]) -> dict[str, list[Run]]:
    """The runs of everybody, by name and then by seed; those that are `kept` are not done again, new ones join them."""
    batch, seeds = default_batch(known), max(seeds_of.values())

    def done(asked: Sequence[Asked]) -> None:
        missing = [one for one in asked if f"{one.name} {one.seed}" not in kept]
        for at, run in parallel.each(played, known, missing, processes=processes):
            kept[f"{missing[at].name} {missing[at].seed}"] = run

    done([Asked(YARDSTICK, seed, batch) for seed in range(seeds)])
    beside = [kept[f"{YARDSTICK} {seed}"] for seed in range(seeds)]
    done(
        [
            Asked(name, seed, batch, end(beside[seed]), beside[seed].full)
            for name, count in seeds_of.items()
            for seed in range(count)
        ]
    )
    everybody = {YARDSTICK: seeds, **seeds_of}
    return {name: [kept[f"{name} {seed}"] for seed in range(count)] for name, count in everybody.items()}


def compared(name: str, known: Known, runs: dict[str, list[Run]]) -> dict[str, Any]:
    """A row of the table."""
    random = runs[YARDSTICK]
    _, pool, test = rehearsal.divided(known, 0)
    found: dict[str, Any] = {
        "set": name,
        "pool": len(pool),
        "test": len(test),
        "batch": random[0].setting.batch,
        "metric": known.params.evaluate.metric,
        "full": round(statistics.median(one.full for one in random), 3),
        "seeds": len(random),
        "random": told(labels(random)),
        "random, mean curve": by_mean_curve(random),
    }
    for one in OURS:
        found |= {
            one: told(labels(runs[one])),
            f"{one} worst": told(max(map(number, runs[one]))),
            f"{one} / random": ratio(runs[one], random),
            f"{one} / random, mean curve": round(by_mean_curve(runs[one]) / by_mean_curve(random), 2),
            f"{one} area": area(runs[one], random),
        }
    there = [one for one in runs if one in peers.PICKS]
    if there:
        few = len(runs[there[0]])
        best = min(there, key=lambda one: (labels(runs[one]), -area(runs[one], random[:few])))
        found |= {
            "best peer": best,
            "its seeds": few,
            "peer": told(labels(runs[best])),
            "peer / random": ratio(runs[best], random[:few]),
            "peer area": area(runs[best], random[:few]),
            "diverse, its seeds": told(labels(runs["diverse"][:few])),
            "diverse area, its seeds": area(runs["diverse"][:few], random[:few]),
        }
    return found


def labels(runs: Sequence[Run]) -> float:
    return statistics.median(map(number, runs))


def number(run: Run) -> float:
    found = run.needed(BEST)
    return inf if found is None else found


def ratio(runs: Sequence[Run], random: Sequence[Run]) -> float:
    return round(labels(runs) / labels(random), 2)


def area(runs: Sequence[Run], random: Sequence[Run]) -> float:
    pairs = zip(runs, random, strict=True)
    return round(100 * statistics.mean(one.area(end(beside)) - beside.area(end(beside)) for one, beside in pairs), 2)


def by_mean_curve(runs: Sequence[Run]) -> int:
    """The labels at which the mean of the seeds, each in shares of its full-data quality, is at 99 % and stays there.

    One seed's count hangs on a few test items; the mean of the curves much less. A run that ended stays where it was.
    """
    grid = max((one.labels for one in runs), key=len)
    curves = [[one / run.full for one in run.quality] for run in runs]
    there = [statistics.mean(curve[min(at, len(curve) - 1)] for curve in curves) >= BEST for at in range(len(grid))]
    return next((labels for at, labels in enumerate(grid) if all(there[at : at + HOLDS])), grid[-1])


def told(count: float) -> int | str:
    return round(count) if isfinite(count) else "never"


def verdicts(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was asked for, and what was measured, over all sets."""
    default = OURS[0]

    def verdict(name: str, column: str, of: Callable[[Iterable[float]], float], goal: float) -> dict[str, Any]:
        found = {one: of([row[f"{one} {column}"] for row in rows]) for one in OURS}
        holds = found[default] >= goal if of is min else found[default] <= goal
        return {
            "": name,
            "sets": len(rows),
            "measured": f"{found[default]:.2f}",
            "asked for": f"{'>=' if of is min else '<='} {goal}",
            "holds": "yes" if holds else "no",
            "margin alone": f"{found[OURS[1]]:.2f}",
        }

    seeds, curve = "/ random", "/ random, mean curve"
    return [
        verdict("labels of default / labels of random, mean curve, median of the sets", curve, statistics.median, 0.5),
        verdict("the same, worst set", curve, max, 1.0),
        verdict("the same by the median of the seeds, median of the sets", seeds, statistics.median, 0.5),
        verdict("the same, worst set", seeds, max, 1.0),
        verdict("area above random, worst set, points", "area", min, -1.0),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", action="append", choices=[*BUNDLED, *SHARED], help="only these")
    parser.add_argument("--file", action="append", default=[], metavar="PATH:COLUMN", help="tables of your own instead")
    parser.add_argument("--shared", default="../shared/data", help="where the shared data sets are")
    parser.add_argument("--seeds", type=int, help=f"by default {SEEDS}; peers have fewer")
    parser.add_argument("--rows", type=int, default=2_000, help="items of a set, its test set included")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--peers", action="store_true", help="scikit-activeml and small-text too")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep the runs here, and do only what is missing")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    asked = parser.parse_args()
    kept: dict[str, dict[str, Run]] = read(asked.keep)
    rows: list[dict[str, Any]] = []
    for name, frame, label in tables(asked):
        if isinstance(frame, str):
            print(f"{name} is skipped: {frame}", file=sys.stderr)
            continue
        known = known_of(frame, label, asked.rows)
        seeds, there = asked.seeds or SEEDS, kept.setdefault(name, {})
        few = min(seeds, COSTLY_FOR_PEERS.get(name, SEEDS_OF_PEERS))
        rivals = [one for one in peers.PICKS if asked.peers or f"{one} {few - 1}" in there]
        runs = runs_of(known, dict.fromkeys(OURS, seeds) | dict.fromkeys(rivals, few), asked.processes, there)
        rows.append(compared(name, known, runs))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        if asked.keep:
            write(asked.keep, kept)
    found = verdicts(rows)
    if asked.write:
        put("label_efficiency others" if asked.file else "label_efficiency", rows, found)
    if asked.json:
        json.dump({"sets": rows, "verdicts": found}, sys.stdout)
        return
    print(pd.DataFrame(rows).T.to_string(), pd.DataFrame(found).to_string(index=False), sep="\n\n")


def read(path: Path | None) -> dict[str, dict[str, Run]]:
    if path is None or not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {name: {key: run_of(one) for key, one in runs.items()} for name, runs in found.items()}


def run_of(found: dict[str, Any]) -> Run:
    curve = {name: tuple(found[name]) for name in ("labels", "annotations", "quality")}
    return Run(Setting(**found["setting"]), found["seed"], full=found["full"], **curve)


def write(path: Path, kept: dict[str, dict[str, Run]]) -> None:
    found = {name: {key: asdict(run) for key, run in runs.items()} for name, runs in kept.items()}
    path.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
