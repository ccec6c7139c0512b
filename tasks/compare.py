"""Compare: what randomly chosen items would have taught the same model, in a workspace that knows the truth."""

import csv
import io
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from hitl import choose, metrics, pipeline, resolve as resolving
from hitl.layout import Workspace
from hitl.params import Params
from tasks import journal
from tasks.edges import files, tables, vendor
from tasks.edges.pool import parts


def compare(
    workspace: Workspace, *, rounds: int, seeds: int = 5, annotators: int = 3, noise: float = 0.05
) -> pd.DataFrame:
    """Learn from `rounds` batches of random items, once for each seed, under the same params, vendor and test set.

    Returns and writes (data/comparison.csv) a row for each seed and round: seed, `asked` (new items so far), `labels`
    (the size of the labeled set), and the metric that decides under its own name.
    """
    params = journal.params(workspace)
    pool = pd.concat(list(tables.stream(parts(workspace), ["item_id", *params.features])), ignore_index=True)
    measure, truth = _measure(workspace, params), vendor.truth(workspace.truth)
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, params.query.seed])
        labeled = tables.read_parquet(workspace.initial)
        order = pool["item_id"].to_numpy(dtype=object)[rng.permutation(len(pool))]
        for number in range(1, rounds + 1):
            asked = order[(number - 1) * params.query.batch : number * params.query.batch]
            won = _asked(truth, params, list(asked), annotators, noise, rng)
            labeled = pd.concat([labeled, pool.merge(won, on="item_id")], ignore_index=True)
            rows.append((seed, number * params.query.batch, len(labeled), measure(labeled)))
    found = pd.DataFrame(rows, columns=["seed", "asked", "labels", params.evaluate.metric])
    files.write_text(workspace.comparison, found.to_csv(index=False, lineterminator="\n"))
    return found


def means(workspace: Workspace) -> list[dict[str, float]]:
    """What `compare` found, by items asked: labels and value as means over the seeds; empty when it never ran."""
    path, metric = workspace.comparison, journal.params(workspace).evaluate.metric
    if not path.is_file():
        return []
    sums: dict[int, list[tuple[float, float]]] = {}
    for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))):
        sums.setdefault(int(row["asked"]), []).append((float(row["labels"]), float(row[metric])))
    return [
        {
            "asked": asked,
            "labels": sum(labels for labels, _ in found) / len(found),
            "value": sum(value for _, value in found) / len(found),
            "low": min(value for _, value in found),
            "high": max(value for _, value in found),
            "seeds": len(found),
        }
        for asked, found in sorted(sums.items())
    ]


def _asked(
    truth: Mapping[str, str], params: Params, ids: list[str], annotators: int, noise: float, rng: np.random.Generator
) -> pd.DataFrame:
    """The labels that the simulated vendor's answers lead to, for random items, overlapped like a batch."""
    places = np.arange(len(ids), dtype=np.float64)
    wanted = choose.overlap(ids, places, annotators=params.export.overlap, share=params.export.overlap_share)
    said = vendor.answer(truth, wanted, params.data.classes, annotators=annotators, noise=noise, rng=rng)
    annotations = pd.DataFrame(said, columns=["item_id", "label", "annotator_id", "seconds"])
    labels = resolving.resolve(annotations, params.resolve, gold={}, classes=params.data.classes).labels
    return labels.loc[labels["label"].notna(), ["item_id", "label"]]


def _measure(workspace: Workspace, params: Params) -> Callable[[pd.DataFrame], float]:
    test = tables.read_parquet(workspace.test)
    actual = metrics.codes(test["label"], params.data.classes)
    seen = pipeline.inputs(test, params.features)

    def measure(labeled: pd.DataFrame) -> float:
        model = pipeline.build(params.model, params.features)
        with threadpool_limits(1):
            pipeline.fit(model, labeled, params.features)
            predicted = pipeline.aligned(model, seen, params.data.classes).argmax(axis=1)
        matrix = metrics.confusion(actual, predicted, len(params.data.classes))
        return float(metrics.METRICS[params.evaluate.metric](matrix))

    return measure
