"""A fresh workspace with an earlier round behind it and a pack out, and a valid delivery for that pack.

All of it by the product: its commands found the workspace and turn the first round, its simulated vendor answers.
"""

import contextlib
import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from handback.bases import COMMENTS, Base

from flows.cli import hitl
from hitl.layout import Workspace
from hitl.ledger import stamp
from hitl.pack import ANSWERS
from tasks import expected
from tasks.edges import vendor

ANNOTATORS = 3
NOISE = 0.04
FIRST_BATCH = 60
GOLD_ANSWERS = 5
"""An annotator with fewer of them cannot be judged by them."""

EARLIER, ROUND = "r0001", "r0002"
"""The round that was closed, and the one that is out."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What is there, as plain values."""

    base: str
    round: str
    classes: list[str]
    annotators: list[str]
    exported_at: str
    batch_id: str
    guideline_sha256: str
    earlier_ids: list[str]
    has_line_ends: bool


def command(*arguments: object) -> tuple[int, str]:
    """Run a hitl command here, in this process; its exit code, and what it printed on both streams."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = hitl.main([str(one) for one in arguments], prog_name="hitl", standalone_mode=False)
    return int(code or 0), said.getvalue()


def must(*arguments: object) -> None:
    """Run a hitl command that cannot fail here."""
    code, said = command(*arguments)
    if code:
        raise RuntimeError(f"hitl {' '.join(map(str, arguments))} ended with {code}: {said[-400:]}")


def set_params(path: Path, sections: dict[str, dict[str, object]]) -> None:
    """Change params.yaml as its owner would: some keys, and no others."""
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    changed = {name: {**params[name], **keys} for name, keys in sections.items()}
    path.write_text(yaml.safe_dump({**params, **changed}, sort_keys=False, allow_unicode=True), encoding="utf-8")


def found(folder: Path, base: Base, *, seed: int) -> dict[str, Any]:
    """Make folder/workspace, folder/exported.csv, folder/returned.csv (and flat.csv); what is there, as a dict."""
    workspace = Workspace(folder / "workspace")
    table = folder / f"{base.name}.csv"
    base.table(np.random.default_rng([seed, 7])).to_csv(table, index=False, quoting=csv.QUOTE_ALL, lineterminator="\n")
    must("init", workspace.root, "--from", table, "--label", "label", "--id", "item_id", "--hide", "--seed", seed)
    roster = [f"annotator-{n + 1}" for n in range(ANNOTATORS)]
    delivery = {"annotators": roster, "price": "0.125"}
    set_params(workspace.params, {"query": {"batch": FIRST_BATCH, "random_share": 0.5}, "delivery": delivery})
    must("-C", workspace.root, "open", "--engine", "direct")
    must("-C", workspace.root, "simulate", "--annotators", ANNOTATORS, "--noise", 0, "--seed", seed)
    must("-C", workspace.root, "close", "--engine", "direct")
    own: dict[str, Any] = dict(base.params.get("export", {}))  # type: ignore[call-overload]
    export = {"gold": base.gold, "overlap": base.overlap, "overlap_share": 1.0 if base.overlap > 1 else 0.0, **own}
    set_params(workspace.params, {"query": {"batch": base.batch, "random_share": 0.5}, "export": export})
    must("-C", workspace.root, "open", "--engine", "direct")
    return asdict(_delivered(workspace, folder, base, seed))


def _delivered(workspace: Workspace, folder: Path, base: Base, seed: int) -> Fresh:
    manifest = json.loads((workspace.pack(ROUND) / "MANIFEST.json").read_text(encoding="utf-8"))
    batch, earlier = (_rows(workspace.pack(name) / "batch.csv") for name in (ROUND, EARLIER))
    header = list(batch[0])
    shown = [name for name in header if name not in ANSWERS]
    _write(folder / "exported.csv", batch, shown)
    rows, flat = (_filled(workspace, batch, seed, comments) for comments in (base.comments, COMMENTS))
    _write(folder / "returned.csv", rows, list(vendor.COLUMNS) if base.bare else header)
    _write(folder / "flat.csv", flat, list(vendor.COLUMNS))
    return Fresh(
        base=base.name,
        round=ROUND,
        classes=manifest["classes"],
        annotators=manifest["annotators"],
        exported_at=manifest["exported_at"],
        batch_id=manifest["batch_id"],
        guideline_sha256=manifest["instructions_sha256"],
        earlier_ids=[row["item_id"] for row in earlier],
        has_line_ends=any("\n" in cell for row in rows for cell in row.values()),
    )


def _filled(workspace: Workspace, batch: list[vendor.Row], seed: int, comments: Sequence[str]) -> list[vendor.Row]:
    """The batch as a vendor fills it in: in place, a row an annotator, a comment here and there."""
    pack, ids = workspace.pack(ROUND), expected.sent_ids(workspace, ROUND)
    known, cells = expected.gold(workspace, ROUND), {row["item_id"]: row for row in batch}
    truth = {ids[item]: label for item, label in {**vendor.truth(workspace.truth), **known}.items() if item in ids}
    gold = {ids[item] for item in known}
    for attempt in range(100):
        rng = np.random.default_rng([seed, attempt])
        answers = vendor.label(pack, truth, annotators=ANNOTATORS, noise=NOISE, rng=rng)
        marks = Counter(row["annotator_id"] for row in answers if row["item_id"] in gold)
        if len(marks) == ANNOTATORS and min(marks.values()) >= GOLD_ANSWERS:
            break
    else:
        raise RuntimeError(f"no {GOLD_ANSWERS} gold answers for each annotator: {marks}")
    begun = datetime.fromisoformat(answers[0]["labeled_at"])
    return [
        {
            **cells[row["item_id"]],
            **row,
            "labeled_at": stamp(begun + timedelta(seconds=number % 3)),
            "comment": str(rng.choice(comments)),
        }
        for number, row in enumerate(answers)
    ]


def _rows(path: Path) -> list[vendor.Row]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""), strict=True))


def _write(path: Path, rows: list[vendor.Row], columns: list[str]) -> None:
    path.write_bytes(vendor.written(rows, columns))
