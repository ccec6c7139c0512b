"""What a diverse batch costs, beside scikit-activeml and small-text: by default 1,000 of 100,000 candidates.

The candidates are 64 numbers each with the probabilities of 10 classes; 200 items are labeled. Everything gets the same
arrays, in memory, and one thread. `cover` is the distance from the farthest candidate to its nearest picked or labeled
one (smaller is better), `gradient_cover` the same between gradient embeddings, `mean_utility` the margin utility.

python benchmarks/diversity.py [--peers PYTHON] [--candidates N] [--size K] [--limit SECONDS] [--json] [--write]

PYTHON is an interpreter that has scikit-activeml and small-text: uv run --with scikit-activeml --with small-text which
python. A peer that takes more CPU than the limit is stopped, and said to be.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from page import put
from threadpoolctl import threadpool_limits

from hitl import spread
from hitl.spread import Places, Shortlisted

PEERS = """
import json, resource, sys, time
import numpy as np
folder, name, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[4]), int(sys.argv[4])))
data = np.load(f"{folder}/candidates.npz")
X, L, P, y = (data[key] for key in ("X", "L", "P", "y"))
if name == "small-text greedy_coreset":
    from small_text.query_strategies.coresets import greedy_coreset
    began = time.process_time()
    whole = np.vstack([X, L])
    picked = greedy_coreset(whole, np.arange(len(X)), np.arange(len(X), len(whole)), size)
else:
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import Badge, CoreSet, TypiClust
    from sklearn.linear_model import LogisticRegression
    whole, labels = np.vstack([X, L]), np.concatenate([np.full(len(X), np.nan), y])
    began = time.process_time()
    if name.endswith("CoreSet"):
        picked = CoreSet(random_state=0).query(whole, labels, batch_size=size)
    elif name.endswith("TypiClust"):
        picked = TypiClust(random_state=0).query(whole, labels, batch_size=size)
    else:
        model = SklearnClassifier(LogisticRegression(max_iter=300), classes=np.arange(P.shape[1]))
        picked = Badge(random_state=0).query(whole, labels, clf=model, batch_size=size)
spent = time.process_time() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"cpu_s": spent, "peak_mb": peak, "picked": np.asarray(picked).tolist()}))
"""
NAMES = ("scikit-activeml CoreSet", "scikit-activeml Badge", "scikit-activeml TypiClust", "small-text greedy_coreset")
RIVALS = {"k_center": (NAMES[0], NAMES[3]), "badge": (NAMES[1],), "typiclust": (NAMES[2],)}


def candidates(count: int) -> tuple[Shortlisted, npt.NDArray[np.int64]]:
    """So many candidates, of a mixture of 50 clusters, and 200 labeled items with their classes."""
    rng = np.random.default_rng(0)
    centres, owner = rng.normal(0, 1.5, (50, 64)), rng.integers(0, 50, count + 200)
    points = (centres[owner] + rng.normal(size=(count + 200, 64))).astype(np.float32)
    logits = points @ rng.normal(0, 0.1, (64, 10)).astype(np.float32)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    top = np.sort(probabilities[:count], axis=1)
    utility = 1 - (top[:, -1] - top[:, -2])
    every, said = np.ones(count, dtype=np.bool_), probabilities[count:].argmax(axis=1)
    counts = np.bincount(said, minlength=10)
    return Shortlisted(points[:count], probabilities[:count], utility, every, every, points[count:], counts), said


def default(items: Shortlisted, size: int, rng: np.random.Generator) -> Places:
    """`diverse` as a round runs it: of the 5 x size most useful."""
    useful = np.sort(np.argsort(-items.utility, kind="stable")[: 5 * size])
    return spread.among(spread.diverse, items, useful, size, rng)


OURS: dict[str, spread.Spread] = {
    "k_center": spread.k_center,
    "badge": spread.badge,
    "typiclust": spread.typiclust,
    "diverse (the default)": default,
}


def judged(picked: Places, items: Shortlisted) -> dict[str, Any]:
    """How good a batch is."""
    errors = items.probabilities - np.eye(10)[items.probabilities.argmax(axis=1)]
    some = np.random.default_rng(0).choice(len(errors), min(5_000, len(errors)), replace=False)
    crossed = (errors[some] @ errors[picked].T) * (items.features[some] @ items.features[picked].T)
    norms = (errors**2).sum(axis=1) * (items.features**2).sum(axis=1)
    far = norms[some][:, None] + norms[picked] - 2 * crossed
    reached = np.vstack([items.features[picked], items.labeled])
    blocks = [items.features[start : start + 2_000] for start in range(0, len(items.features), 2_000)]
    cover = max(
        float(((block**2).sum(1)[:, None] + (reached**2).sum(1) - 2 * block @ reached.T).min(1).max())
        for block in blocks
    )
    return {
        "cover": round(cover**0.5, 3),
        "gradient_cover": round(float(np.sqrt(np.maximum(far, 0).min(axis=1).max())), 3),
        "mean_utility": round(float(items.utility[picked].mean()), 3),
        "distinct": len(set(picked.tolist())),
    }


def ours(items: Shortlisted, size: int, turns: int) -> list[dict[str, Any]]:
    found = []
    for name, act in OURS.items():
        took = []
        for _ in range(turns):
            began = time.process_time()
            with threadpool_limits(1):
                picked = act(items, size, np.random.default_rng(0))
            took.append(time.process_time() - began)
        found.append(
            {
                "who": f"hitl {name}",
                "candidates": len(items.features),
                "size": size,
                "cpu_s": round(float(np.median(took)), 2),
                **judged(picked, items),
            }
        )
    return found


def theirs(
    python: str, names: Sequence[str], items: Shortlisted, said: npt.NDArray[np.int64], size: int, limit: int
) -> list[dict[str, Any]]:
    """What each of the named peers picks and costs; one that takes more than `limit` CPU seconds is stopped."""
    found: list[dict[str, Any]] = []
    asked = {"candidates": len(items.features), "size": size}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "candidates.npz", X=items.features, L=items.labeled, P=items.probabilities, y=said)
        for name in names:
            command = [python, "-W", "ignore", "-c", PEERS, folder, name, str(size), str(limit)]
            environment = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or [f"> {limit}, stopped"])[-1]
                found.append({"who": name, **asked, "cpu_s": last[:100]})
                continue
            told = json.loads(done.stdout)
            found.append(
                {"who": name, **asked, "cpu_s": round(told["cpu_s"], 2), **judged(np.array(told["picked"]), items)}
            )
    return found


def compared(found: list[dict[str, Any]], limit: int) -> None:
    """Add to each peer how many times as long it takes as the same of ours."""
    cost = {row["who"]: row["cpu_s"] for row in found}
    for name, rivals in RIVALS.items():
        for row in found:
            if row["who"] in rivals and isinstance(row["cpu_s"], float):
                row["times_ours"] = round(row["cpu_s"] / cost[f"hitl {name}"], 1)
            elif row["who"] in rivals and str(row["cpu_s"]).endswith("stopped"):
                row["times_ours"] = f"> {limit / cost[f'hitl {name}']:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--peer", choices=NAMES, action="append", help="only these")
    parser.add_argument("--limit", type=int, default=600, help="CPU seconds a peer may take")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    asked = parser.parse_args()
    items, said = candidates(asked.candidates)
    found = ours(items, asked.size, asked.turns)
    if asked.peers:
        found += theirs(asked.peers, asked.peer or NAMES, items, said, asked.size, asked.limit)
    compared(found, asked.limit)
    if asked.write:
        put("diversity", found, by=("candidates", "size", "who"))
    if asked.json:
        json.dump({"candidates": asked.candidates, "size": asked.size, "batches": found}, sys.stdout)
        return
    print(pd.DataFrame(found).to_string(index=False))


if __name__ == "__main__":
    main()
