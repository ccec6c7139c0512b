"""What it costs to score a pool and keep the candidates, beside the floor and beside others.

The floor reads the same columns of the same Parquet files, calls predict_proba in chunks and throws the result away.
Ours is what `hitl open` does: read, look ids up, wall off test items, score, draw, keep a shortlist. Both have the same
fitted model: logistic regression bare, so that scikit-learn does as little as it can, gradient boosting as params.yaml
describes it. CPU seconds are of one process; floor and ours take turns and the median counts. Memory is what a process
of its own holds at most, beyond what it held with all libraries and the model loaded.

python benchmarks/scoring.py --rows 1000000 [--rows 10000000] [--threads 2] [--json] [--write]

Sizes take turns as well, small ones more often, so that a minute in which the machine is slow falls on all of them.

With `--peers PYTHON` (an interpreter that has modAL, scikit-activeml and pyarrow) they choose from the same pool, in
memory: each in a process of its own, ended when it holds more than `--room` MB (unless said: what is free, less 2,000).
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from page import put
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from hitl import choose, firewall, pipeline, strategies
from hitl.lookup import lookup
from hitl.params import Model, Params
from hitl.shortlist import Cells, Limits
from tasks import score
from tasks.edges import tables

WIDTH, CLASSES, BATCH, PART = 64, 10, 100, 250_000
NAMES = [f"f{at}" for at in range(WIDTH)]
MODELS = {
    "logistic_regression": lambda: LogisticRegression(max_iter=300),
    "hist_gradient_boosting": lambda: pipeline.build(
        Model(estimator="hist_gradient_boosting", options={"max_iter": 30}), dict.fromkeys(NAMES, "numeric")
    ),
}
RIVALS = ("modAL", "scikit-activeml")
STRETCHES = {"logistic_regression": (65_536, 8_192), "hist_gradient_boosting": (4_096,)}
"""Items that the floor scores at once; trees take a third longer with 65,536."""
PEERS = """
import json, sys, time
import numpy as np, pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
pool, kind, folder = sys.argv[1:4]
learned = np.load(f"{folder}/learned.npz")
began = time.process_time()
columns = [f"f{at}" for at in range(learned["X"].shape[1])]
X = np.column_stack([pq.read_table(pool, columns=[name], use_threads=False).column(0).to_numpy() for name in columns])
model = LogisticRegression(max_iter=300).fit(learned["X"], learned["y"])
fitted = time.process_time()
if kind == "modAL":
    from modAL.uncertainty import margin_sampling
    margin_sampling(model, X, n_instances=int(sys.argv[4]))
else:
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling
    y = np.full(len(X), np.nan)
    one = SklearnClassifier(model, classes=model.classes_, missing_label=np.nan).fit(learned["X"], learned["y"])
    UncertaintySampling(method="margin_sampling", missing_label=np.nan, random_state=0).query(
        X, y, clf=one, fit_clf=False, batch_size=int(sys.argv[4]))
peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"cpu_s": round(time.process_time() - began, 2), "peak_mb": round(peak)}))
"""


def learned() -> tuple[np.ndarray, np.ndarray]:
    """2,000 labeled items of 10 classes."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((2_000, WIDTH), dtype=np.float32)
    return X, (X[:, :CLASSES] + rng.standard_normal((2_000, CLASSES)) / 2).argmax(axis=1)


def write(folder: Path, rows: int, group: int) -> None:
    """A pool of so many items, at most a quarter of a million or a row group a file, and two files at least."""
    folder.mkdir(parents=True)
    part = min(max(PART, group), -(-rows // 2))
    for number, start in enumerate(range(0, rows, part)):
        rng, count = np.random.default_rng([2, number]), min(part, rows - start)
        cells = {name: rng.standard_normal(count, dtype=np.float32) for name in NAMES}
        ids = [f"item-{place:08d}" for place in range(start, start + count)]
        pq.write_table(
            pa.table({"item_id": ids, **cells}),
            folder / f"part-{number:05d}.parquet",
            row_group_size=group,
            use_dictionary=group != tables.ROW_GROUP,  # as other programs have it
        )


def scoring(kind: str) -> score.Scoring:
    """What `hitl open` scores with: 2,000 items asked about before, a test set of 500, a batch of 100."""
    X, y = learned()
    model = MODELS[kind]().fit(pd.DataFrame(X, columns=NAMES), y.astype(str).astype(object))
    data = {"id": "item_id", "label": "label", "classes": [str(name) for name in range(CLASSES)]}
    params = Params.model_validate(
        {"data": {**data, "columns": dict.fromkeys(NAMES, "numeric")}, "query": {"batch": BATCH}}
    )
    key = choose.key(seed=0, round_number=1)
    test = pd.DataFrame(X[:500], columns=NAMES).assign(item_id=[f"test-{place}" for place in range(500)])
    return score.Scoring(
        params=params,
        model=model,
        members=[model],
        number=1,
        limits=Limits(useful=5 * BATCH + BATCH // 10, drawn=strategies.POOL),
        out=lookup((f"item-{place * 37:08d}" for place in range(2_000)), *key),
        again=lookup([], *key),
        test=firewall.wall(test, params.features),
    )


def ours(paths: Sequence[Path], asked: score.Scoring, threads: int) -> Cells:
    if threads == 1:
        return score.described(score.candidates_of(paths, asked).items, asked)
    with ThreadPoolExecutor(threads) as pool:
        shares = [paths[at::threads] for at in range(threads) if paths[at::threads]]
        parts = list(pool.map(lambda share: score.candidates_of(share, asked), shares))
    return score.described(score.merge(parts, asked.limits).items, asked)


def floor(paths: Sequence[Path], asked: score.Scoring, threads: int, stretch: int) -> None:
    model = copy(asked.model)
    framed = hasattr(model, "steps")  # the model that params.yaml describes finds its columns by their names
    if not framed:
        del model.feature_names_in_  # given arrays, scikit-learn has least to do

    def read(path: Path) -> None:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=["item_id", *NAMES], use_threads=False)
                X = np.empty((table.num_rows, WIDTH), dtype=np.float32)
                for at, name in enumerate(NAMES):
                    X[:, at] = table.column(name).to_numpy()
                for start in range(0, len(X), stretch):
                    some = X[start : start + stretch]
                    model.predict_proba(pd.DataFrame(some, columns=NAMES, copy=False) if framed else some)

    if threads == 1:
        for path in paths:
            read(path)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(read, paths))


def timed(act: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


def memory(name: str, process: int | str = "self") -> float:
    """VmRSS or VmHWM of a process, MB; 0 for one that has ended."""
    return _amount(Path(f"/proc/{process}/status"), name)


def _amount(path: Path, name: str) -> float:
    """What one of the kernel's tables says, in MB; 0 where it does not say."""
    lines = path.read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)


def held(folder: Path, kind: str, threads: int) -> float:
    """The memory that ours takes beyond libraries and model, MB: of a process of its own."""
    command = [sys.executable, __file__, "--held", kind, str(folder), "--threads", str(threads)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measured(pools: Mapping[int, Path], kind: str, threads: int, turns: int, group: int) -> list[dict[str, Any]]:
    """Ours beside the floor for some pools, by their rows, and a model."""
    asked, took = scoring(kind), dict[tuple[int, str], list[tuple[float, float]]]()
    with threadpool_limits(1):
        first = tables.parts(pools[min(pools)])[:1]
        ours(first, asked, threads)  # what is imported at first use is none of a pool's cost
        floor(first, asked, threads, STRETCHES[kind][0])
        for turn in range(turns):
            for rows, folder in pools.items():
                for again in range(_often(rows)):
                    for name, act in _acts(tables.parts(folder), asked, threads, kind)[:: 1 - 2 * ((turn + again) % 2)]:
                        took.setdefault((rows, name), []).append(timed(act))
    return [
        {"rows": rows, "model": kind, "threads": threads}
        | ({"row_group": group} if group != tables.ROW_GROUP else {})
        | _row(rows, {name: each for (size, name), each in took.items() if size == rows}, held(folder, kind, threads))
        for rows, folder in pools.items()
    ]


def _often(rows: int) -> int:
    """How many turns a pool takes in each round: what is short is soon disturbed."""
    return max(1, min(7, 1_000_000 // rows))


def _acts(
    paths: Sequence[Path], asked: score.Scoring, threads: int, kind: str
) -> list[tuple[str, Callable[[], object]]]:
    floors = [
        (f"floor {stretch}", lambda rows=stretch: floor(paths, asked, threads, rows)) for stretch in STRETCHES[kind]
    ]
    return [("ours", lambda: ours(paths, asked, threads)), *floors]


def _row(rows: int, took: Mapping[str, Sequence[tuple[float, float]]], extra_mb: float) -> dict[str, Any]:
    cpu = {name: statistics.median(one for _, one in each) for name, each in took.items()}
    wall = statistics.median(one for one, _ in took["ours"])
    least = min(one for name, one in cpu.items() if name != "ours")
    return {
        "cpu_s": float(f"{cpu['ours']:.3g}"),
        "floor_cpu_s": float(f"{least:.3g}"),
        "ratio_to_floor": round(cpu["ours"] / least, 3),
        "extra_mb": round(extra_mb),
        "rows_per_second": round(rows / wall),
        "rows_per_cpu_second": round(rows / cpu["ours"]),
        "us_per_row": round(cpu["ours"] / rows * 1e6, 3),
        "turns": len(took["ours"]),
    }


def flat(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How much more a row costs at the size where it costs most than where it costs least."""
    alike: dict[tuple[tuple[str, Any], ...], list[float]] = {}
    for row in found:
        what = tuple((name, row[name]) for name in ("row_group", "model", "threads") if name in row)
        alike.setdefault(what, []).append(row["us_per_row"])
    return [
        {**dict(what), "sizes": len(each), "least": min(each), "most": max(each)}
        | {"spread_percent": round(100 * (max(each) / min(each) - 1))}
        for what, each in alike.items()
        if len(each) > 1
    ]


def peers(python: str, folder: Path, rows: int, names: Sequence[str], room: float) -> list[dict[str, Any]]:
    """What the named peers cost on the same pool, with the same logistic regression, in at most `room` MB of memory."""
    X, y = learned()
    with tempfile.TemporaryDirectory() as there:
        np.savez(Path(there) / "learned.npz", X=X, y=y)
        command = [python, "-W", "ignore", "-c", PEERS, str(folder)]
        return [{"peer": name, "rows": rows, **_peer([*command, name, there, str(BATCH)], room)} for name in names]


def _peer(command: Sequence[str], room: float) -> dict[str, Any]:
    """What a peer says of itself, or what it held at most when it was ended for want of memory."""
    most = 0.0
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as told:
        with subprocess.Popen(command, stdout=said, stderr=told) as child:
            while child.poll() is None:
                most = max(most, memory("VmHWM", child.pid))
                if most > room:
                    child.kill()
                time.sleep(0.02)
        said.seek(0)
        told.seek(0)
        error = told.read().strip()
        if child.returncode == 0:
            return dict(json.loads(said.read()))
    fits = child.returncode > 0 and "MemoryError" not in error
    return {"cpu_s": error[-200:] if fits else f"does not fit in {room:,.0f} MB", "peak_mb": round(most)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", choices=list(MODELS), action="append")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--group", type=int, default=tables.ROW_GROUP, metavar="ROWS", help="rows of a row group")
    parser.add_argument("--pools", type=Path, help="keep the pools here, and take those that are here")
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--peer", choices=RIVALS, action="append", help="only these")
    parser.add_argument("--room", type=float, metavar="MB", help="the memory that a peer may hold")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/README.md")
    parser.add_argument("--held", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.held:
        one, paths, before = scoring(asked.held[0]), tables.parts(Path(asked.held[1])), memory("VmRSS")
        with threadpool_limits(1):
            ours(paths, one, asked.threads)
        print(memory("VmHWM") - before)
        return
    found, others = [], []
    with tempfile.TemporaryDirectory() as made:
        there = (asked.pools or Path(made)) / str(asked.group)
        pools = {rows: there / str(rows) for rows in asked.rows or [1_000_000]}
        for rows, folder in pools.items():
            if not folder.is_dir():
                write(folder, rows, asked.group)
        for kind in asked.model or MODELS:
            found += measured(pools, kind, asked.threads, asked.turns, asked.group)
        for rows, folder in pools.items() if asked.peers else ():
            room = asked.room or _amount(Path("/proc/meminfo"), "MemAvailable") - 2_000
            others += peers(asked.peers, folder, rows, asked.peer or RIVALS, room)
    if asked.write:
        put("scoring", found, by=("row_group", "model", "threads", "rows"))
        put("scoring peers", others, by=("peer", "rows"))
        put("scoring flat", flat(found), by=("row_group", "model", "threads"))
    if asked.json:
        print(json.dumps({**found[0], "all": found, "flat": flat(found), "peers": others}))
        return
    print(pd.DataFrame(found).to_string(index=False))
    for more in filter(None, (flat(found), others)):
        print(pd.DataFrame(more).to_string(index=False))


if __name__ == "__main__":
    main()
