"""The tables that workspaces of the corpus are made of: each awkward in a way of its own, none larger than it must be.

A base is chosen by seed and suite, so that four runs see four of them.
"""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from handback.corpus_files import SHARED
from sklearn.datasets import load_breast_cancer

ROWS = 560
"""What two rounds, a test set and gold need, and no more: the corpus makes a file of 600 KB a row."""

COMMENTS = ("", "", "", "clear", "hard, maybe two topics")


@dataclass(frozen=True, slots=True)
class Base:
    """A table and how its rounds go out. `bare` deliveries bring back only the answer columns, not the pack's own."""

    name: str
    table: Callable[[np.random.Generator], pd.DataFrame]
    batch: int = 200
    gold: int = 24
    overlap: int = 1
    bare: bool = False
    comments: tuple[str, ...] = COMMENTS
    params: dict[str, object] = field(default_factory=dict)


def reviews(rng: np.random.Generator) -> pd.DataFrame:
    """Four classes of made-up messages, some with quotes, commas and line ends, ids of the safe kind."""
    words = {
        "billing": ["invoice", "card", "charged", "refund"],
        "complaint": ["late", "broken", "rude", "never again"],
        "praise": ["thanks", "great", "quick", "kind"],
        "spam": ["win", "prize", "click", "free money"],
    }
    shapes = ["{}", 'they said "{}", twice', "first line: {}\nsecond line, with a comma", "{}; and so on"]
    labels = rng.choice(list(words), ROWS)
    said = [" ".join(rng.choice(words[label], 4)) + f" {row}" for row, label in enumerate(labels)]
    texts = [shapes[int(rng.integers(len(shapes)))].format(text) for text in said]
    ids = [f"it_{row:04x}{int(rng.integers(16**4)):04x}" for row in range(ROWS)]
    stars = np.where(labels == "praise", 4.5, 2.0) + rng.normal(0, 0.4, ROWS).round(2)
    return pd.DataFrame({"item_id": ids, "text": texts, "stars": stars.round(2), "label": labels})


def accents(rng: np.random.Generator) -> pd.DataFrame:
    """Four classes with accents and a space, ids of digits with zeros before them, two lines of text.

    No other script: the corpus writes every base in Latin-1 too, and cannot be made of what that lacks.
    """
    words = {"déjà vu": "encore une fois", "très bien": "parfait", "mäßig": "geht so", "peña": "qué pena"}
    labels = rng.choice(list(words), ROWS)
    texts = [f"{words[label]}, n° {row}\n«{words[label]}» {row % 7}" for row, label in enumerate(labels)]
    return pd.DataFrame({"item_id": [f"{row:05d}" for row in range(ROWS)], "text": texts, "label": labels})


def tumours(rng: np.random.Generator) -> pd.DataFrame:
    """Numbers with 0/1 labels, and ids that are numbers in ascending order: a spreadsheet would change them."""
    found = load_breast_cancer(as_frame=True)
    frame = found.data[["mean radius", "mean texture", "mean smoothness", "mean symmetry"]]
    frame = frame.assign(label=found.target.astype(str)).loc[np.sort(rng.permutation(len(frame))[:ROWS])]
    frame.insert(0, "item_id", [f"{100 + row:06d}" for row in range(len(frame))])
    return frame


def lopsided(rng: np.random.Generator) -> pd.DataFrame:
    """Three classes, eight to one to one, told apart by numbers."""
    labels = rng.choice(["fine", "scratch", "crack"], ROWS, p=[0.8, 0.1, 0.1])
    centre = pd.Series(labels).map({"fine": 0.0, "scratch": 2.0, "crack": -2.0}).to_numpy()
    numbers = {f"x{n}": (centre * (n + 1) / 2 + rng.normal(0, 1, ROWS)).round(4) for n in range(3)}
    return pd.DataFrame({"item_id": [f"i{row:05d}" for row in range(ROWS)], **numbers, "label": labels})


def questions(rng: np.random.Generator) -> pd.DataFrame:
    """Real questions of six kinds, where the shared data is there; made-up messages elsewhere."""
    path = SHARED / "data" / "text" / "trec6" / "data.csv.gz"
    return reviews(rng) if not path.is_file() else _drawn(path, rng, columns=["text"], label="label")


def credit(rng: np.random.Generator) -> pd.DataFrame:
    """Real credit records, 0/1 labels, words and numbers mixed, where the shared data is there; tumours elsewhere."""
    path, columns = SHARED / "data" / "tabular" / "german_credit" / "data.csv.gz", ["duration", "purpose", "age"]
    return tumours(rng) if not path.is_file() else _drawn(path, rng, columns=columns, label="class_label")


def _drawn(path: Path, rng: np.random.Generator, *, columns: list[str], label: str) -> pd.DataFrame:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    frame = frame.drop_duplicates(columns).iloc[np.sort(rng.permutation(len(frame.drop_duplicates(columns)))[:ROWS])]
    return frame[["id", *columns, label]].rename(columns={"id": "item_id", label: "label"})


BASES = (
    Base("reviews", reviews, params={"export": {"show_prediction": True}}),
    Base("tumours", tumours, batch=100, gold=20, overlap=2, bare=True),
    Base("lopsided", lopsided, bare=True),
    Base("questions", questions, batch=90, gold=24, overlap=2),
    Base("credit", credit, bare=True, params={"export": {"show_prediction": True}}),
    Base("tumours-in-place", tumours, batch=100, gold=20, overlap=2),
    Base("accents", accents, bare=True, comments=("", "", "hard:\r\ntwo topics", 'one\n"two"\n\nfour', "schön")),
)


def chosen(seed: int, suite: str, name: str = "") -> Base:
    """The base called `name`, or the one that falls to this seed and suite."""
    if name:
        return {base.name: base for base in BASES}[name]
    shift = {"shared": 0, "heldout": 1}.get(suite, int(hashlib.sha256(suite.encode()).hexdigest()[:4], 16))
    return BASES[(2 * seed + shift) % len(BASES)]
