"""Consensus: labels out of any file of annotations, without a workspace."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hitl.consensus.columns import Role, located
from hitl.contract import csv_bytes
from hitl.errors import DataError
from hitl.ledger import Facts
from hitl.params import SKIP, Resolve
from hitl.resolve import LABEL_COLUMNS, Resolution, resolve
from hitl.visible import quoted
from tasks.edges import files, source

_SHOWN = 5


def consensus(
    path: Path,
    out: Path,
    rule: Resolve,
    *,
    columns: Mapping[Role, str | None],
    probabilities: Path | None = None,
    gold: Path | None = None,
) -> Facts:
    """Write the labels of the annotations at `path` to `out` (LABEL_COLUMNS, a row an item), and say what was done.

    Files are .csv, .tsv (.gz) or .parquet. An empty answer, or SKIP, is a skip. `gold` has item_id and label,
    `probabilities` item_id and a column a class. Raises DataError naming file, column and row of what cannot be read.
    """
    annotations, roles = _annotations(path, columns)
    found = resolve(
        annotations,
        rule,
        gold={} if gold is None else _gold(gold),
        probabilities=None if probabilities is None else _probabilities(probabilities),
    )
    files.write_bytes(out, _csv(found.labels))
    return {"file": str(path), "out": str(out), "columns": roles, **_facts(found)}


def _facts(found: Resolution) -> Facts:
    labels, crowd = found.labels, found.crowd
    return {
        "method": found.method,
        "reason": found.reason,
        "items": len(labels),
        "resolved": int(labels["label"].notna().sum()),
        "to_adjudicate": len(found.unresolved),
        "annotations": len(crowd.item),
        "annotators": len(crowd.annotators),
        "classes": len(crowd.classes),
        "gold": int((labels["from"] == "gold").sum()),
        "skips": crowd.skips,
        "repeats": crowd.repeats,
        "contradictions": crowd.contradictions,
        "temperature": found.temperature,
    }


def _annotations(path: Path, asked: Mapping[Role, str | None]) -> tuple[pd.DataFrame, dict[Role, str]]:
    frame = source.read(path)
    roles = located(list(frame.columns), ("item_id", "annotator_id", "label"), asked)
    named = pd.DataFrame({role: frame[name] for role, name in roles.items()})
    for role in ("item_id", "annotator_id"):
        _refuse_blank(path, roles[role], named[role])
    skipped = (named["label"] == "") | (named["label"] == SKIP)
    return named.assign(label=named["label"].mask(skipped)), roles


def _gold(path: Path) -> dict[str, str]:
    frame = source.read(path)
    roles = located(list(frame.columns), ("item_id", "label"), {})
    items, labels = (frame[roles[role]] for role in ("item_id", "label"))
    _refuse_blank(path, roles["item_id"], items)
    _refuse_blank(path, roles["label"], labels)
    _refuse_twice(path, roles["item_id"], items)
    return dict(zip(items, labels, strict=True))


def _probabilities(path: Path) -> pd.DataFrame:
    frame = source.read(path)
    name = located(list(frame.columns), ("item_id",), {})["item_id"]
    _refuse_blank(path, name, frame[name])
    _refuse_twice(path, name, frame[name])
    said = frame.drop(columns=name).set_axis(pd.Index(frame[name]), axis=0)
    found = pd.DataFrame({name: pd.to_numeric(values, errors="coerce") for name, values in said.items()})
    values = found.to_numpy(dtype=float)
    wrong = ~np.isfinite(values) | (values < 0) | (values > 1)
    if wrong.any() or not values.size:
        row, column = (int(one) for one in np.argwhere(wrong)[0]) if values.size else (0, 0)
        got = quoted(str(said.iloc[row, column]), 40) if values.size else "no column of a class"
        raise DataError(f"{path}, row {row + 2}, column {column + 2}: not a probability from 0 to 1 (got {got!r})")
    return found


def _refuse_blank(path: Path, name: str, values: pd.Series) -> None:
    rows = np.flatnonzero((values.str.strip() == "").to_numpy())
    if len(rows):
        raise DataError(f"{path}, column {name!r}: empty in {_rows(rows)}; fill the cells, or drop the rows")


def _refuse_twice(path: Path, name: str, values: pd.Series) -> None:
    rows = np.flatnonzero(values.duplicated().to_numpy())
    if len(rows):
        again = quoted(str(values.iloc[rows[0]]), 60)
        raise DataError(f"{path}, column {name!r}: an item stands there twice ({again!r} again in {_rows(rows)})")


def _rows(rows: Sequence[int] | np.ndarray) -> str:
    told = ", ".join(str(int(row) + 2) for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    return f"row {told}{more}"


def _csv(labels: pd.DataFrame) -> bytes:
    plain = labels.astype(object).where(labels.notna(), "")
    return csv_bytes([LABEL_COLUMNS, *plain.to_numpy().tolist()])
