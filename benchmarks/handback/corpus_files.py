"""The shared corpus as files: made from one valid pair, its promises fitted to the real pack, its answers read."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

SHARED = Path(__file__).parents[3] / "shared"
CORPUS = Path(os.environ.get("HITL_CORPUS", SHARED / "corpus"))

Case = dict[str, Any]

BY_LINE = ("Q12", "Q19", "Q27", "H18")
"""Cases that cut or fill the file between lines, meaning rows. Where a cell holds line ends they would mean another
row than the one they name, so they are made of a delivery of the same pack that has none."""

_PLACEHOLDER_GUIDELINE = hashlib.sha256(b"instructions v1").hexdigest()


@dataclass(frozen=True, slots=True)
class Pair:
    """A valid pair, and what the corpus must know of it besides."""

    returned: Path
    exported: Path
    classes: tuple[str, ...]
    annotators: tuple[str, ...]
    exported_at: str
    received_at: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus on disk: `root`/expected.json, read."""

    root: Path
    document: dict[str, Any]

    @property
    def cases(self) -> list[Case]:
        return [case for case in self.document["cases"] if case["category"] != "export"]

    @property
    def exports(self) -> list[Case]:
        return [case for case in self.document["cases"] if case["category"] == "export"]

    @property
    def orders(self) -> list[Case]:
        return list(self.document["scenarios"])

    def path(self, case: Case) -> Path:
        """The file that a case hands over."""
        return self.root / case["dir"] / case["deliver"]

    def told(self, verdicts: Sequence[dict[str, Any]], name: str) -> dict[str, tuple[str, str]]:
        """The corpus' own marks, and what it notes, by case id; the cases are those of `verdicts` and no others."""
        ids = {verdict["id"] for verdict in verdicts}
        kept = [case for case in self.document["cases"] if case["id"] in ids]
        expected, given = self.root / f"expected-{name}.json", self.root / f"verdicts-{name}.jsonl"
        expected.write_text(json.dumps({**self.document, "cases": kept}), encoding="utf-8")
        given.write_text("".join(json.dumps(one) + "\n" for one in verdicts), encoding="utf-8")
        said = _run("score_corpus.py", str(expected), str(given), "--list").stdout
        marks = {case["id"]: ("EXACT", "") for case in kept if case["scored"]}
        return {**marks, **dict(_noted(said))}


def make(root: Path, pair: Pair, *, seed: int, suite: str, only: str = "") -> Corpus:
    """The corpus under `root`, made by its own generator from a valid pair."""
    options = {
        "--returned": pair.returned,
        "--exported": pair.exported,
        "--out": root,
        "--seed": seed,
        "--suite": suite,
        "--labels": ",".join(pair.classes),
        "--annotators": ",".join(pair.annotators),
        "--exported-at": pair.exported_at,
        "--received-at": pair.received_at,
        "--only": only,
    }
    made = _run("make_bad_csvs.py", *(str(part) for option in options.items() for part in option))
    if made.returncode:
        sys.exit(f"the corpus cannot be made: {made.stderr.strip() or made.stdout.strip()}")
    return Corpus(root, json.loads((root / "expected.json").read_text(encoding="utf-8")))


def prepared(root: Path, pair: Pair, fresh: dict[str, Any], *, seed: int, suite: str) -> list[Corpus]:
    """The corpus of a fresh workspace, fitted to it; and beside it, where a cell holds line ends, that of BY_LINE."""
    made = [make(root, pair, seed=seed, suite=suite)]
    if fresh["has_line_ends"]:
        flat = replace(pair, returned=pair.returned.with_name("flat.csv"))
        made.append(make(root.with_name(f"{root.name}-flat"), flat, seed=seed, suite=suite, only=",".join(BY_LINE)))
        made[0].document["cases"] = [case for case in made[0].document["cases"] if case["id"] not in BY_LINE]
    for corpus in made:
        fit_manifests(corpus, batch_id=fresh["batch_id"], guideline_sha256=fresh["guideline_sha256"])
        fit_other_round(corpus, fresh["earlier_ids"])
    return made


def fit_manifests(corpus: Corpus, *, batch_id: str, guideline_sha256: str) -> None:
    """Let the vendor's manifests speak of the real batch and guideline where the generator could only invent them."""
    for path in sorted(corpus.root.rglob("*.manifest.json")):
        text = path.read_text(encoding="utf-8")
        text = text.replace('"batch_id": "base"', f'"batch_id": {json.dumps(batch_id)}')
        path.write_text(text.replace(_PLACEHOLDER_GUIDELINE, guideline_sha256), encoding="utf-8")


def fit_other_round(corpus: Corpus, ids: Sequence[str]) -> None:
    """Put ids of a real earlier round where the generator invented them (I15, I16), and ask for exactly that reason."""
    with (corpus.root / "context" / "exported_previous_round.csv").open(newline="", encoding="utf-8") as file:
        invented = [row["item_id"] for row in csv.DictReader(file)]
    real = dict(zip(invented, cycle(ids), strict=False))
    for case in corpus.cases:
        if case["context"].pop("other_rounds", None):
            path = corpus.path(case)
            text = path.read_text(encoding="utf-8")
            for old, new in real.items():
                text = text.replace(f"{old},", f"{new},")
            path.write_text(text, encoding="utf-8")
            case["reasons"] = case["reasons"][:1]


def _run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CORPUS / script), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _noted(said: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for line in said.splitlines():
        mark, rest = line[:8].strip(), line[8:]
        if mark in ("UNSAFE", "LOST", "ABSENT", "VERDICT", "REASON"):
            id_, _, note = rest.partition(" ")
            yield id_, (mark, note)
