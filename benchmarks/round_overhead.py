"""What a whole round costs beside the same learning steps as bare function calls, in one process and one run.

The floor does only what teaches the model: fit, predict the pool, pick by margin, take the labels, fit, predict
the test set, with the same estimator, data and batch. A round adds the pack, receipts,
doors, ledger, report, DVC, git, MLflow.
Prints a table; with --json one object. Rounds 2 to N are counted, so that imports are paid by neither side.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tasks.edges.quiet import quiet

quiet()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from flows import engine, services, start  # noqa: E402
from hitl import choose, metrics, pipeline, strategies  # noqa: E402
from hitl.layout import Workspace  # noqa: E402
from tasks import journal, simulate  # noqa: E402
from tasks.edges import tables, vendor  # noqa: E402

Timed = tuple[float, float]
"""(wall seconds, CPU seconds)"""


def timed(act: Callable[[], object]) -> Timed:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


class Floor:
    """The same learning steps with nothing around them."""

    def __init__(self, workspace: Workspace) -> None:
        self.params = journal.params(workspace)
        names = ["item_id", *self.params.features]
        self.pool = pd.concat(list(tables.stream(tables.parts(workspace.pool), names)), ignore_index=True)
        self.truth = vendor.truth(workspace.truth)
        self.test = tables.read_parquet(workspace.test)
        self.labeled = tables.read_parquet(workspace.initial)
        self.number = 0

    def turn(self) -> None:
        params, self.number = self.params, self.number + 1
        with threadpool_limits(1):
            model = self.fitted()
            ids = self.pool["item_id"].to_numpy(dtype=object)
            seen = pipeline.inputs(self.pool, params.features)
            probabilities = pipeline.aligned(model, seen, params.data.classes)
            draw = choose.draw(ids, seed=0, round_number=self.number)
            utility = strategies.utility(params.query.strategy, probabilities.T, draw, ids.__getitem__)
            picked = np.argsort(-utility, kind="stable")[: params.query.batch]
            new = self.pool.iloc[picked].assign(label=[self.truth[item] for item in ids[picked]])
            self.labeled = pd.concat([self.labeled, new], ignore_index=True)
            self.pool = self.pool.drop(index=self.pool.index[picked]).reset_index(drop=True)
            model = self.fitted()
            tested = pipeline.aligned(model, pipeline.inputs(self.test, params.features), params.data.classes)
        actual = metrics.codes(self.test["label"], params.data.classes)
        rng = np.random.default_rng(params.evaluate.seed)
        metrics.measure(actual, tested, draws=params.evaluate.bootstrap, confidence=0.95, rng=rng)

    def fitted(self) -> pipeline.Classifier:
        model = pipeline.build(self.params.model, self.params.features)
        labels = self.labeled["label"].to_numpy(dtype=object)
        model.fit(pipeline.inputs(self.labeled, self.params.features), labels)
        return model


def turn(workspace: Workspace, name: engine.EngineName) -> None:
    engine.perform("open", workspace, name)
    simulate.simulate(workspace)
    engine.perform("close", workspace, name)


def measure(name: engine.EngineName, rounds: int, folder: Path) -> dict[str, object]:
    workspace = Workspace(folder / name)
    start.from_digits(workspace)
    if name == "prefect":
        services.up(workspace, names=("prefect",))
    try:
        whole = [timed(lambda: turn(workspace, name)) for _ in range(rounds)][1:]
    finally:
        services.down(workspace)
    bare = Floor(workspace)
    floor = [timed(bare.turn) for _ in range(rounds)][1:]
    wall, cpu = (statistics.median(one[i] for one in whole) for i in (0, 1))
    floor_wall, floor_cpu = (statistics.median(one[i] for one in floor) for i in (0, 1))
    return {
        "engine": name,
        "rounds": rounds - 1,
        "round_wall_s": round(wall, 3),
        "round_cpu_s": round(cpu, 3),
        "floor_wall_s": round(floor_wall, 3),
        "floor_cpu_s": round(floor_cpu, 3),
        "ratio_wall": round(wall / floor_wall, 1),
        "ratio_cpu": round(cpu / floor_cpu, 1),
        "extra_wall_s": round(wall - floor_wall, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(name, asked.rounds + 1, Path(folder)) for name in ("direct", "prefect")]
    if asked.json:
        json.dump(found, sys.stdout)
        return
    print(pd.DataFrame(found).to_string(index=False))


if __name__ == "__main__":
    main()
