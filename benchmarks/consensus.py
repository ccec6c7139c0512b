"""How often consensus is right on public crowd tables, and what a million annotations cost, beside the peers.

    python benchmarks/consensus.py accuracy ../shared/data/crowd [--draws 1]
    python benchmarks/consensus.py speed

Every table is taken whole and thinned to 2, 3 and 5 annotations an item. Accuracy counts the best class of every item,
also of those that go to adjudication; a tie of majority counts by its share of right classes. Peers (crowd-kit's
DawidSkene, GLAD and MACE, cleanlab's CROWDLAB) run through `uv run --with`, apart from the project. CROWDLAB and
our with_model get the same probabilities: out of fold, by TF-IDF and logistic regression learned from majority labels,
where items have text. Results replace the part of benchmarks/README.md between the markers of each command.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from consensus_peers import memory, peak_forgotten
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from hitl import resolve
from hitl.consensus.crowd import crowd_of
from hitl.consensus.names import MethodName
from hitl.params import Resolve

HERE = Path(__file__).parent
PEERS = ("DawidSkene", "MACE", "CROWDLAB", "GLAD")
OURS: tuple[MethodName, ...] = ("auto", "majority", "weighted", "dawid_skene")
TURNS = 5
PATIENCE = 60
"""CPU seconds that a peer may take on a table: GLAD needs many minutes for some. It has no accuracy there."""
THINNED = (None, 5, 3, 2)
TEXT = ("text", "hypothesis", "left", "right")


def crowds(folder: Path, draws: int) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """The name, annotations and items of every table, whole and thinned."""
    for path in sorted(folder.glob("*/annotations*.csv.gz")):
        items = _read(path.parent / "items.csv.gz")
        said = _read(path)[["item_id", "annotator_id", "label"]]
        said = said.drop_duplicates(["item_id", "annotator_id"], keep="last")
        end = path.name.removeprefix("annotations").removesuffix(".csv.gz")
        most = int(said.groupby("item_id").size().max())
        for wanted in THINNED:
            if wanted is not None and wanted >= most:
                continue
            for draw in range(1 if wanted is None else draws):
                name = f"{path.parent.name}{end}-{wanted or 'full'}-{draw}"
                yield name, said if wanted is None else _thinned(said, wanted, name), items


def accuracy(folder: Path, draws: int, peers: tuple[str, ...]) -> str:
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        space, tables = Path(scratch), list(crowds(folder, draws))
        for name, said, items in tables:
            said.to_csv(space / f"{name}.said.csv", index=False)
            model = _model(said, items)
            if model is not None:
                model.to_csv(space / f"{name}.model.csv")
        _peers(space, peers, PATIENCE)
        for name, said, items in tables:
            rows.append({"table": name.rsplit("-", 1)[0], **_right(space, name, said, items, peers)})
    return _told(pd.DataFrame(rows).groupby("table", sort=False).mean())


def speed(annotations: int = 1_000_000) -> str:
    """CPU seconds (ours: the median of TURNS) and memory of a million annotations, five classes; beside crowd-kit's."""
    said, true = _made_up(annotations)
    with tempfile.TemporaryDirectory() as scratch:
        space = Path(scratch)
        said.to_csv(space / "million.said.csv", index=False)
        before = peak_forgotten()
        taken = []
        for _ in range(TURNS):
            start = time.process_time()
            found = resolve.resolve(said, Resolve(method="dawid_skene"), gold={})
            taken.append(time.process_time() - start)
        cpu = median(taken)
        grown = memory("VmHWM") - before
        (peer,) = _peers(space, ("DawidSkene",), 3600)
        theirs = _read(space / "million.DawidSkene.csv")
    ours = _share(found.labels["item_id"], found.labels["best"], true)
    rows = [
        "| | CPU s | memory MB | accuracy |", "|---|---|---|---|",
        f"| hitl, table in, labels out | {cpu:.2f} | {grown:.0f} | {ours:.3f} |",
        f"| crowd-kit DawidSkene | {peer['cpu_s']:.2f} | {peer['grown_mb']:.0f} "
        f"| {_share(theirs['item_id'], theirs['label'], true):.3f} |",
        f"| ratio | {peer['cpu_s'] / cpu:.1f} x | {peer['grown_mb'] / max(grown, 1):.1f} x | |",
    ]  # fmt: skip
    return "\n".join(rows)


def _peers(space: Path, peers: tuple[str, ...], patience: int) -> list[dict[str, float]]:
    command = ["uv", "run", "--no-project", "--with", "crowd-kit", "--with", "cleanlab", "python"]
    done = subprocess.run(
        [*command, str(HERE / "consensus_peers.py"), str(space), ",".join(peers), str(patience)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _right(space: Path, name: str, said: pd.DataFrame, items: pd.DataFrame, peers: tuple[str, ...]) -> dict[str, float]:
    true = dict(zip(items["item_id"], items["true_label"], strict=True))
    found = {"ties shared": _majority(said, true)}
    for method in OURS:
        labels = resolve.resolve(said, Resolve(method=method), gold={}).labels
        found[f"hitl {method}"] = _share(labels["item_id"], labels["best"], true)
    view = space / f"{name}.model.csv"
    if view.is_file():
        model = pd.read_csv(view, dtype={"item_id": str}).set_index("item_id")
        labels = resolve.resolve(said, Resolve(method="with_model"), gold={}, probabilities=model).labels
        found["hitl with_model"] = _share(labels["item_id"], labels["best"], true)
    for peer in peers:
        if (space / f"{name}.{peer}.csv").is_file():
            labels = _read(space / f"{name}.{peer}.csv")
            found[peer] = _share(labels["item_id"], labels["label"], true)
    return found


def _majority(said: pd.DataFrame, true: dict[str, str]) -> float:
    crowd = crowd_of(said)
    known = crowd.known(true)
    top = crowd.votes == crowd.votes.max(axis=1, keepdims=True)
    won = top[np.arange(len(known)), known] / top.sum(axis=1)
    return float(won[known >= 0].sum() / sum(name in true for name in crowd.items))


def _share(items: pd.Series, labels: pd.Series, true: dict[str, str]) -> float:
    return float(np.mean([label == true[item] for item, label in zip(items, labels, strict=True) if item in true]))


def _model(said: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame | None:
    """Out-of-fold probabilities of a plain text model learned from majority labels; None without text."""
    columns = [name for name in TEXT if name in items]
    labels = resolve.resolve(said, Resolve(method="majority"), gold={}).labels
    known = items[items["item_id"].isin(labels["item_id"])].set_index("item_id")
    if not columns:
        return None
    best = labels.set_index("item_id")["best"].reindex(known.index)
    often = best[best.map(best.value_counts()) >= 5]
    texts = known.loc[often.index, columns].agg(" ".join, axis=1)
    model = make_pipeline(TfidfVectorizer(min_df=2, ngram_range=(1, 2)), LogisticRegression(max_iter=1000))
    seen = cross_val_predict(model, texts, often, cv=5, method="predict_proba")
    classes = sorted(said["label"].unique())
    found = pd.DataFrame(seen, index=often.index, columns=sorted(often.unique())).reindex(
        columns=classes, fill_value=0.0
    )
    return found.reindex(known.index).fillna(1 / len(classes))


def _made_up(annotations: int) -> tuple[pd.DataFrame, dict[str, str]]:
    """Four annotations an item, five uneven classes, 2,000 annotators of uneven zeal, a quarter of them guessing."""
    rng = np.random.default_rng(0)
    items, people, classes = annotations // 4, 2000, 5
    zeal = 1 / np.arange(1, people + 1)
    actual = rng.choice(classes, items, p=[0.4, 0.25, 0.15, 0.12, 0.08])
    able = np.where(rng.random(people) < 0.25, 0.2, rng.beta(8, 2, people))
    item = np.repeat(np.arange(items), 4)
    who = rng.choice(people, len(item), p=zeal / zeal.sum())
    said = np.where(rng.random(len(item)) < able[who], actual[item], rng.integers(0, classes, len(item)))
    names = [np.char.add(letter, codes.astype(str)) for letter, codes in (("i", item), ("w", who), ("c", said))]
    table = pd.DataFrame(dict(zip(("item_id", "annotator_id", "label"), names, strict=True)))
    table = table.drop_duplicates(["item_id", "annotator_id"], keep="last", ignore_index=True)
    return table, {f"i{place}": f"c{one}" for place, one in enumerate(actual)}


def _thinned(said: pd.DataFrame, wanted: int, name: str) -> pd.DataFrame:
    mixed = said.sample(frac=1, random_state=zlib.crc32(name.encode()) % 2**31)
    return mixed.groupby("item_id").head(wanted).sort_values(["item_id", "annotator_id"], ignore_index=True)


def _told(found: pd.DataFrame) -> str:
    means = found.mean().rename("mean of those that ran")
    floor = found[["ties shared", "DawidSkene"]].max(axis=1)
    worst = found.sub(floor, axis=0).min().rename("worst against the better of majority and DawidSkene")
    ours = found.notna().apply(lambda ran: found.loc[ran, "hitl auto"].mean()).rename("hitl auto on the same tables")
    whole = pd.concat([found, means.to_frame().T, ours.to_frame().T, worst.to_frame().T])
    head = f"| table | {' | '.join(whole.columns)} |"
    rows = [
        f"| {name} | {' | '.join('' if np.isnan(one) else f'{one:.3f}' for one in row)} |"
        for name, row in zip(whole.index, whole.to_numpy(), strict=True)
    ]
    return "\n".join([head, "|---" * (len(whole.columns) + 1) + "|", *rows])


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _written(part: str, text: str) -> None:
    """Put `text` between the markers of `part` in benchmarks/README.md."""
    page = HERE / "README.md"
    start, end = f"<!-- consensus {part} -->", f"<!-- end of consensus {part} -->"
    old = page.read_text(encoding="utf-8")
    head, tail = old.split(start)[0], old.split(end)[1]
    page.write_text(f"{head}{start}\n{text}\n{end}{tail}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["accuracy", "speed"])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("../shared/data/crowd"))
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--peers", default=",".join(PEERS))
    asked = parser.parse_args()
    peers = tuple(asked.peers.split(","))
    text = accuracy(asked.folder, asked.draws, peers) if asked.part == "accuracy" else speed()
    _written(asked.part, text)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
