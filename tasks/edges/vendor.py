"""The simulated vendor: people who know the truth, err honestly now and then, and sometimes send a messy file."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

Row = dict[str, str]
COLUMNS = ("item_id", "label", "annotator_id", "labeled_at", "seconds", "comment")


def truth(path: Path) -> dict[str, str]:
    """The hidden classes by item_id, from a CSV of item_id,label."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["item_id"]: row["label"] for row in csv.DictReader(file, strict=True)}


def label(
    pack: Path, truth: Mapping[str, str], *, annotators: int, noise: float, rng: np.random.Generator
) -> list[Row]:
    """The rows of a delivery for the pack in that folder: an answer from each annotator the pack asks for.

    It is complete where there are so many annotators who did not answer an item before. An annotator errs with
    probability `noise`, and then any other class is as likely as the next.
    """
    manifest = json.loads((pack / "MANIFEST.json").read_text(encoding="utf-8"))
    with (pack / "batch.csv").open(newline="", encoding="utf-8") as file:
        ids = [row["item_id"] for row in csv.DictReader(file, strict=True)]
    wanted = {item_id: manifest["overlap"]["items"].get(item_id, manifest["overlap"]["default"]) for item_id in ids}
    before = manifest.get("answered", {})
    answers = answer(truth, wanted, manifest["classes"], annotators=annotators, noise=noise, rng=rng, before=before)
    stamp = manifest["exported_at"]
    return [
        {"item_id": item_id, "label": said, "annotator_id": who, "labeled_at": stamp, "seconds": seconds, "comment": ""}
        for item_id, said, who, seconds in answers
    ]


def answer(
    truth: Mapping[str, str],
    wanted: Mapping[str, int],
    classes: Sequence[str],
    *,
    annotators: int,
    noise: float,
    rng: np.random.Generator,
    before: Mapping[str, Sequence[str]] | None = None,
) -> list[tuple[str, str, str, str]]:
    """(item_id, class, annotator, seconds) for each answer that `wanted` (item_id -> annotators) asks for.

    `before` names for some items who does not answer them again.
    """
    rows = []
    for item_id, count in wanted.items():
        people = _people(max(annotators, count), (before or {}).get(item_id, ()))
        for person in sorted(rng.choice(people, size=min(count, len(people)), replace=False)):
            said = truth[item_id]
            if rng.random() < noise:
                said = str(rng.choice([name for name in classes if name != said]))
            seconds = f"{rng.lognormal(mean=1.5, sigma=0.6):.1f}"
            rows.append((item_id, said, f"annotator-{person + 1}", seconds))
    return rows


def _people(count: int, before: Sequence[str]) -> list[int]:
    return [person for person in range(count) if f"annotator-{person + 1}" not in before]


def written(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    """The rows as a delivery: CSV, UTF-8, every field quoted."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, quoting=csv.QUOTE_ALL, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def messed(rows: Sequence[Row]) -> list[Row]:
    """The rows as a hurried vendor sends them: a typo, no label, an unknown item, no annotator, a bad time spent.

    At most one row in eight is spoilt, for a delivery with more bad rows than a fifth is sent back whole.
    """
    slips: list[tuple[str, Callable[[str], str]]] = [
        ("label", lambda text: text + "x"),
        ("label", lambda _: ""),
        ("item_id", lambda text: text + "-copy"),
        ("annotator_id", lambda _: ""),
        ("seconds", lambda text: text.replace(".", ",")),
    ]
    found = [dict(row) for row in rows]
    spoilt = slips[: max(1, len(found) // 8)]
    for (column, slip), index in zip(spoilt, range(0, len(found), max(1, len(found) // len(spoilt))), strict=False):
        found[index][column] = slip(found[index][column])
    return found


def mended(redo: bytes, meant: Sequence[Row]) -> bytes:
    """A redo file filled in: each held row as it was meant, in the redo file's own columns."""
    reader = csv.DictReader(io.StringIO(redo.decode(), newline=""), strict=True)
    rows = [{**held, **right} for held, right in zip(reader, meant, strict=True)]
    return written(rows, list(reader.fieldnames or COLUMNS))
