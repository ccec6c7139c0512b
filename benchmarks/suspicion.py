"""How often suspicion finds who was planted in a crowd, and how often it is wrong about honest people.

    python benchmarks/suspicion.py ../shared/data/crowd [--seeds 200]

A crowd of 30 answers items of 5 classes, three answers an item, with the model's prediction shown on all but a blind
share, and gold among them. Honest people differ in skill, in what they confuse, and in pace; one item in ten misleads
half of the people into the same wrong class. Planted in it: two of whom one copies from the other, two who follow the
shown prediction, two who tire, one who always gives the same answer, one who answers without reading. The public tables
have real people, of whom nobody knows who is honest: what is flagged there is told, and not judged.
Results replace the part of benchmarks/README.md between the markers.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from hitl.suspicion import LEVEL, findings

HERE = Path(__file__).parent
CLASSES, PEOPLE = 5, 30
ANSWERS = (150, 400)
PLANTED = {"copies": 2, "follows the hint": 2, "tires": 2, "constant": 1, "does not read": 1}
FINDS = {"copies": "copying", "follows the hint": "follows_hint", "constant": "constant", "does not read": "unread"}


def crowd(seed: int, *, people: int, each: int, planted: bool) -> tuple[pd.DataFrame, dict[str, str], dict[str, str]]:
    """Annotations, the known classes of gold items, and what everybody is, by annotator_id."""
    rng = np.random.default_rng(seed)
    items = people * each // 3
    true = rng.choice(CLASSES, items, p=rng.dirichlet(np.full(CLASSES, 3)))
    trap = (true + rng.integers(1, CLASSES, items)) % CLASSES
    pull = np.where(rng.random(items) < 0.1, 0.5, 0.0)  # one item in ten misleads half of the people alike
    model = np.where(rng.random(items) < 0.7, true, rng.integers(0, CLASSES, items))
    blind = rng.random(items) < 0.15
    kinds = [name for name, count in PLANTED.items() for _ in range(count)] if planted else []
    kinds += ["honest"] * (people - len(kinds))
    able = rng.beta(12, 2, people)
    bias = np.stack([rng.dirichlet(np.full(CLASSES, 0.7), CLASSES) for _ in range(people)])
    who = [rng.choice(people, 3, replace=False) for _ in range(items)]
    if planted:  # people who sit side by side work on the same items
        for one in rng.choice(items, each, replace=False):
            who[one] = np.array([0, 1, rng.integers(2, people)])
    seen, rows, first = Counter[int](), [], {}
    for item in range(items):
        for person in sorted(who[item]):
            kind, place = kinds[person], seen[person] / each
            seen[person] += 1
            skill = able[person] * (1 - 0.5 * max(0.0, place - 0.4) if kind == "tires" else 1)
            said = true[item] if rng.random() < skill else rng.choice(CLASSES, p=bias[person][true[item]])
            said = trap[item] if rng.random() < pull[item] else said
            seconds = rng.lognormal(1.5, 0.6)
            if kind == "copies" and person == 1 and (item, 0) in first and rng.random() < 0.9:
                said = first[item, 0]
            if kind == "follows the hint" and not blind[item] and rng.random() < 0.9:
                said = model[item]
            if kind == "constant":
                said = int(np.bincount(true).argmax()) if rng.random() < 0.97 else said
            if kind == "does not read":
                said, seconds = rng.integers(0, CLASSES), rng.uniform(0.1, 0.3)
            first[item, person] = said
            shown = None if blind[item] else str(model[item])
            rows.append(("r0001", f"i{item}", f"p{person}", str(said), seconds, shown, str(model[item])))
    names = ["round", "item_id", "annotator_id", "label", "seconds", "shown_class", "model_class"]
    known = {f"i{item}": str(true[item]) for item in np.flatnonzero(rng.random(items) < 0.05)}
    return pd.DataFrame(rows, columns=names), known, {f"p{n}": kind for n, kind in enumerate(kinds)}


def tried(seeds: int, *, people: int, each: int, planted: bool) -> dict[str, dict[str, float]]:
    """By what people are: how many there were, how often each kind of finding named them, and how often any did."""
    found: dict[str, Counter[str]] = {}
    for seed in range(seeds):
        frame, known, kinds = crowd(seed, people=people, each=each, planted=planted)
        named: dict[str, set[str]] = {}
        for one in findings(frame, known=known):
            for who in one.annotators:
                named.setdefault(who, set()).add(one.kind)
        for who, kind in kinds.items():
            counts = found.setdefault(kind, Counter())
            counts.update(["people", *named.get(who, ())], any=int(who in named))
        anybody = any(kinds[who] == "honest" for who in named)
        found.setdefault("honest", Counter()).update(crowds=1, wronged=int(anybody))
    return {kind: dict(counts) for kind, counts in found.items()}


def real(folder: Path) -> list[str]:
    """A row for each public table: its annotators, and how many of them each kind of finding names."""
    rows = []
    for path in sorted(folder.glob("*/annotations*.csv.gz")):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)[["item_id", "annotator_id", "label"]]
        frame = frame.assign(round="r0001", seconds=np.nan, shown_class=None, model_class=None)
        found = findings(frame, known={})
        named = {who for one in found for who in one.annotators}
        kinds = Counter(one.kind for one in found)
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none"
        rows.append(
            f"| {path.parent.name} | {frame['annotator_id'].nunique():,} | {len(frame):,} | {len(named):,} | {told} |"
        )
    return rows


def rows_of(seeds: int, each: int) -> list[str]:
    """A row for each sort of people, in crowds with planted ones."""
    found = tried(seeds, people=PEOPLE, each=each, planted=True)
    rows = []
    for kind in (*PLANTED, "honest"):
        one = found[kind]
        share = f"{one.get(FINDS[kind], 0) / one['people']:.1%}" if kind in FINDS else ""
        rows.append(f"| {kind} | {each} | {one['people']:,} | {share} | {one.get('any', 0) / one['people']:.2%} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("crowds", type=Path)
    parser.add_argument("--seeds", type=int, default=200)
    asked = parser.parse_args()
    heads = "| who | answers each | people | found for what they do | flagged for anything |\n|---|---|---|---|---|"
    lines = [row for each in ANSWERS for row in rows_of(asked.seeds, each)]
    honest = tried(asked.seeds, people=PEOPLE, each=ANSWERS[0], planted=False)["honest"]
    share = honest["any"] / honest["people"]
    lines.append(f"| honest, nobody planted | {ANSWERS[0]} | {honest['people']:,} | | {share:.2%} |")
    crowds = "| table | annotators | answers | flagged | findings |\n|---|---|---|---|---|"
    written = "\n".join([heads, *lines, "", crowds, *real(asked.crowds)])
    said = f"{asked.seeds} seeds; level {LEVEL:.0%} over all tests of a crowd.\n\n{written}"
    path = HERE / "README.md"
    before, rest = path.read_text(encoding="utf-8").split("<!-- suspicion -->\n")
    after = rest.split("<!-- /suspicion -->")[1]
    path.write_text(f"{before}<!-- suspicion -->\n{said}\n<!-- /suspicion -->{after}", encoding="utf-8")
    print(said)


if __name__ == "__main__":
    main()
