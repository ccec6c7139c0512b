"""The corpus' export cases: each pool of theirs made into a workspace with `init`, and its pack made with `open`."""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from handback.bases import Base
from handback.corpus_files import Case, Corpus
from handback.fresh import command, must, set_params

from hitl.contract import MODEL_CLASS, MODEL_CONFIDENCE
from hitl.layout import Workspace
from hitl.pack import ANSWERS
from tasks import expected

LABELED = 120
"""Labeled rows beside the corpus' pool, which has none: they are the initial and the test set."""

REFUSED = 5
_STARTERS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# What a spreadsheet leaves as it is: letters first, and no month, truth value or number in them.
_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*[A-Za-z0-9]")
_CHANGED = re.compile(r"(?i)(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-_ ]?[0-9]+|true|false")
_MARKUP = "<script>alert(1)</script>"


def run(folder: Path, corpus: Corpus, base: Base, *, seed: int, only: set[str]) -> dict[str, list[str]]:
    """What is wrong with the export of each pool, by case id."""
    cases = [case for case in corpus.exports if not only or case["id"] in only]
    return {case["id"]: _tried(folder / f"export-{case['id']}", corpus, case, base, seed) for case in cases}


def _tried(folder: Path, corpus: Corpus, case: Case, base: Base, seed: int) -> list[str]:
    try:
        return list(_wrong(folder, corpus, case, base, seed))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return [f"raised {type(error).__name__}: {error}"]


def _wrong(folder: Path, corpus: Corpus, case: Case, base: Base, seed: int) -> Iterator[str]:
    pool = pd.read_csv(corpus.path(case), dtype=str, keep_default_na=False)
    pool = pool.drop(columns=[name for name in (MODEL_CLASS, MODEL_CONFIDENCE) if name in pool])
    columns = [name for name in pool.columns if name != "item_id"]
    folder.mkdir(parents=True)
    _table(pool, base, seed).to_csv(folder / "pool.csv", index=False, quoting=csv.QUOTE_ALL, lineterminator="\n")
    workspace = Workspace(folder / "workspace")
    source = ("--from", folder / "pool.csv", "--label", "label", "--id", "item_id")
    code, said = command("init", workspace.root, *source, "--seed", seed)
    if case["verdict"] == "export_refuse":
        yield from _unrefused(pool, code, said)
    elif code:
        yield f"init ended with {code}: {said[-200:]}"
    else:
        set_params(workspace.params, {"query": {"batch": len(pool)}, "export": {"columns": columns, "gold": 0}})
        must("-C", workspace.root, "open", "--engine", "direct")
        for check, wanted in case["post"].items():
            yield from CHECKS[check](workspace, pool, wanted)


def _table(pool: pd.DataFrame, base: Base, seed: int) -> pd.DataFrame:
    """The pool without labels, and labeled rows of the base that are not in it, under ids of their own."""
    known, columns = base.table(np.random.default_rng([seed, 7])), [name for name in pool.columns if name != "item_id"]
    shared = [name for name in columns if name in known]
    there = {tuple(map(_value, row)) for row in pool[shared].to_numpy()}
    apart = [tuple(map(_value, row)) not in there for row in known[shared].to_numpy()]
    labeled = known[apart].sample(LABELED, random_state=seed).astype(str)
    labeled["item_id"] = [f"known-{row:03d}" for row in range(LABELED)]
    missing = {name: "" for name in pool.columns if name not in labeled}
    return pd.concat([pool.assign(label=""), labeled.assign(**missing)[[*pool.columns, "label"]]], ignore_index=True)


def _value(cell: object) -> object:
    """A cell as it compares: by its number, if it is one."""
    try:
        return float(str(cell))
    except ValueError:
        return cell


def _unrefused(pool: pd.DataFrame, code: int, said: str) -> Iterator[str]:
    ids = pool["item_id"].str.strip()
    named = set(ids[ids.duplicated()])
    if code != REFUSED:
        yield f"exit code {code} for {REFUSED}: {said[-200:]}"
    yield from (f"{item!r} is not named: {said[-300:]}" for item in named if item not in said)


def _batch(workspace: Workspace) -> list[dict[str, str]]:
    text = (workspace.pack("r0001") / "batch.csv").read_bytes().decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def _formulas(workspace: Workspace, _: pd.DataFrame, __: object) -> Iterator[str]:
    """Cells that a spreadsheet would run; a plain number may have its sign."""
    for row in _batch(workspace):
        for name, cell in row.items():
            first = unicodedata.normalize("NFKC", cell.lstrip(" ")[:1])
            if first in _STARTERS and not _NUMBER.fullmatch(cell):
                yield f"{row['item_id']}, {name}: {cell[:40]!r} could run"


def _lost_ids(workspace: Workspace, pool: pd.DataFrame, _: object) -> Iterator[str]:
    sent = _sent(workspace)
    back = {sent_id: item for item, sent_id in sent.items()}
    items = [back.get(row["item_id"], row["item_id"]) for row in _batch(workspace)]
    if sorted(items) != sorted(pool["item_id"]):
        yield f"{len(set(pool['item_id']) - set(items))} ids do not come back as they are in the pool"


def _wrong_rows(workspace: Workspace, _: pd.DataFrame, wanted: object) -> Iterator[str]:
    rows = _batch(workspace)
    if len(rows) != wanted or any(row[name] for row in rows for name in ANSWERS):
        yield f"{len(rows)} rows for {wanted}, or an answer column that is not empty"


def _unsafe_ids(workspace: Workspace, _: pd.DataFrame, __: object) -> Iterator[str]:
    for row in _batch(workspace):
        if not _SAFE.fullmatch(row["item_id"]) or _CHANGED.fullmatch(row["item_id"]):
            yield f"{row['item_id']!r} would be changed by a spreadsheet"


def _unescaped(workspace: Workspace, _: pd.DataFrame, __: object) -> Iterator[str]:
    pages = [path for path in workspace.data.rglob("*.html") if path.is_file()]
    yield from (f"{page.name} shows markup of the pool" for page in pages if _MARKUP in page.read_text("utf-8"))


def _sent(workspace: Workspace) -> dict[str, str]:
    return dict(expected.sent_ids(workspace, "r0001"))


CHECKS: dict[str, Callable[[Workspace, pd.DataFrame, Any], Iterator[str]]] = {
    "export_no_formula": _formulas,
    "export_roundtrip_ids": _lost_ids,
    "export_rows": _wrong_rows,
    "export_ids_spreadsheet_safe": _unsafe_ids,
    "render_escaped": _unescaped,
}
