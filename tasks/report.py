"""Report: one HTML file that says what a round did, to read, print and keep."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import pandas as pd

from hitl.annotators import records_of
from hitl.choose import SEEN
from hitl.curve import CurvePoint
from hitl.errors import IntegrityError, MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.mix import Share, mix
from hitl.params import Params
from hitl.report.sections.batch import pictured
from hitl.report.sections.sources import (
    Answer,
    BatchItem,
    Prediction,
    Sources,
    champion_before,
)
from hitl.report.whole import report_of
from hitl.state import RoundState, State, fold
from tasks import doubts, guideline, journal
from tasks.annotations import standing
from tasks.edges import files, lock, page, tables

PATIENCE = 10.0
"""Seconds that a report waits for a command that is at work."""
_PACKAGES = ("hitl", "scikit-learn", "numpy", "pandas", "pyarrow", "skops")


def report(workspace: Workspace, round_id: str) -> Facts:
    """Write the round's report.html, of the ledger as it stood before the report; says its sha256."""
    data = page.html(report_of(sources(workspace, round_id)))
    return {"report_sha256": files.write_bytes(workspace.round(round_id) / "report.html", data)}


def find(workspace: Workspace, round_id: str | None = None) -> Facts:
    """The path of a round's report, by default of the newest round that has one; made again if the file is gone.

    Raises MomentError when there is no report yet, IntegrityError when it cannot be made as the ledger knows it.
    """
    one = _reported(journal.read(workspace), round_id)
    path = workspace.round(one.id) / "report.html"
    if not path.is_file():
        with lock.locked(workspace, "report", wait=PATIENCE):
            _again(workspace, one.id, path)
    return {"round": one.id, "report": str(path)}


def _again(workspace: Workspace, name: str, path: Path) -> None:
    data = page.html(report_of(sources(workspace, name)))
    if hashlib.sha256(data).hexdigest() != journal.read(workspace).round(name).facts["reported"]["report_sha256"]:
        raise IntegrityError(
            f"{path} is missing, and params or versions have changed since it was made; bring it back: dvc checkout"
        )
    files.write_bytes(path, data)


def _reported(state: State, round_id: str | None) -> RoundState:
    if round_id is None:
        newest = next((one for one in reversed(state.rounds) if one.done("reported")), None)
        if newest is None:
            raise MomentError("no round has a report yet: the first is written when r0001 closes (hitl close)")
        return newest
    one = state.round(round_id)
    if not one.done("reported"):
        raise MomentError(
            f"{round_id} is {one.phase} and has no report; a report is written when a labeled round closes"
        )
    return one


def sources(workspace: Workspace, round_id: str) -> Sources:
    """All that the report of `round_id` is made from; what the round has not produced yet is empty."""
    params, state = journal.params_of(workspace, round_id), _before_report(workspace, round_id)
    one, folder = state.round(round_id), workspace.round(round_id)
    batch = _batch(folder, one)
    labels = _labels(folder, one)
    shown = _items(folder, params, batch, labels)
    told = _people(folder, one)
    return Sources(
        workspace=workspace.root.resolve().name,
        round_id=round_id,
        state=state,
        params=params,
        batch=batch,
        shown={item_id: _shown(row, params) for item_id, row in shown.items()},
        mix=_mix(folder, params, one),
        pixels={item_id: _pixels(row, params) for item_id, row in shown.items() if params.data.image},
        answers=_answers(workspace, one),
        labels=labels,
        doubted=tuple(doubts.of_round(workspace, one.id)) if "doubted" in one.facts.get("resolved", {}) else None,
        gold=_gold(workspace, batch),
        records=records_of(cast(Any, told.get("records", []))),
        regraded=cast(Facts | None, told.get("regraded")),
        guideline=guideline.of_round(workspace, one.id) if guideline.FACT in one.facts.get("resolved", {}) else None,
        receipts=_receipts(workspace, one),
        before=_predictions(workspace, state, champion_before(state, round_id) if one.done("evaluated") else None),
        after=_predictions(workspace, state, round_id),
        comparison=_comparison(workspace),
        versions=_versions(),
    )


def _before_report(workspace: Workspace, round_id: str) -> State:
    # Made again later, a report speaks of the same moment as the first time.
    events, state = journal.events(workspace), journal.read(workspace)
    if not state.round(round_id).done("reported"):
        return state
    last = max(one.seq for one in events if (one.event, one.round) == ("reported", round_id))
    return fold(events[:last])


def _batch(folder: Path, one: RoundState) -> tuple[BatchItem, ...]:
    if not one.done("selected"):
        return ()
    # The batch of an older round says less.
    kept = set(tables.columns(folder / "batch.parquet"))
    found = _rows(folder / "batch.parquet", [field.name for field in fields(BatchItem) if field.name in kept])
    return tuple(BatchItem(**cast(Any, row)) for row in found)


def _mix(folder: Path, params: Params, one: RoundState) -> tuple[Share, ...]:
    """What the batch and the pool are made of: the model's classes, and the words and booleans of the columns."""
    path = folder / "candidates.parquet"
    if not one.done("selected") or not path.is_file() or "drawn" not in tables.columns(path):
        return ()
    kinds = [name for name, kind in params.features.items() if kind in ("categorical", "boolean")]
    pool = tables.read_parquet(path, ["drawn", "model_class", *(SEEN + name for name in kinds)])
    chosen = tables.read_parquet(folder / "batch.parquet", ["item_id", "reason", "model_class"])
    batch = chosen[chosen["reason"] != "gold"].merge(
        tables.read_parquet(folder / "items.parquet", ["item_id", *kinds]), on="item_id"
    )
    parts = {"class": ("model_class", "model_class"), **{name: (name, SEEN + name) for name in kinds}}
    drawn = pool[pool["drawn"]]
    return mix({name: (_words(batch[ours]), _words(drawn[theirs])) for name, (ours, theirs) in parts.items()})


def _words(cells: pd.Series) -> list[str]:
    """Each cell as a person reads it: "" for none, 5 for 5.0."""
    return ["" if pd.isna(cell) else cell if isinstance(cell, str) else f"{cell:g}" for cell in cells]


def _answers(workspace: Workspace, one: RoundState) -> tuple[Answer, ...]:
    names = [field.name for field in fields(Answer)]
    if not one.done("validated"):
        return ()
    found = standing(workspace, one.id, names)
    return tuple(Answer(**cast(Any, row)) for row in _plain(found))


def _predictions(workspace: Workspace, state: State, round_id: str | None) -> tuple[Prediction, ...]:
    if round_id is None or not state.round(round_id).done("evaluated"):
        return ()
    names = [field.name for field in fields(Prediction)]
    found = tables.read_parquet(workspace.round(round_id) / "predictions.parquet", names)
    return tuple(Prediction(*row) for row in zip(*(found[name].tolist() for name in names), strict=True))


def _labels(folder: Path, one: RoundState) -> dict[str, str | None]:
    """The label of each item, None where it waits for an adjudicator; not of what one says that nobody can tell."""
    found = _rows(folder / "labels.parquet", ["item_id", "label", "from"]) if one.done("resolved") else []
    settled = (row for row in found if row["label"] is not None or row["from"] == "human")
    return {str(row["item_id"]): cast(str | None, row["label"]) for row in settled}


def _items(
    folder: Path, params: Params, batch: tuple[BatchItem, ...], labels: Mapping[str, str | None]
) -> dict[str, Mapping[str, object]]:
    """The columns that annotators saw, and the pixels, of the items that the page shows."""
    if not batch:
        return {}
    wanted = pictured(batch, labels)
    names = list(dict.fromkeys(["item_id", *params.export.columns, *_pixel_columns(params)]))
    found = tables.read_parquet(folder / "items.parquet", names)
    kept = _plain(found[found["item_id"].isin(wanted)])
    return {str(row["item_id"]): row for row in kept}


def _shown(row: Mapping[str, object], params: Params) -> dict[str, str]:
    pixels = set(_pixel_columns(params))
    return {name: "" if row[name] is None else str(row[name]) for name in params.export.columns if name not in pixels}


def _pixels(row: Mapping[str, object], params: Params) -> tuple[float, ...]:
    values = (row[name] for name in _pixel_columns(params))
    return tuple(float("nan") if value is None else float(cast(float, value)) for value in values)


def _pixel_columns(params: Params) -> list[str]:
    image = params.data.image
    return [f"{image.prefix}{index}" for index in range(image.width * image.height)] if image else []


def _gold(workspace: Workspace, batch: tuple[BatchItem, ...]) -> dict[str, str]:
    hidden = {one.item_id for one in batch if one.reason == "gold"}
    found = _rows(workspace.gold, ["item_id", "label"]) if hidden else []
    return {str(row["item_id"]): str(row["label"]) for row in found if row["item_id"] in hidden}


def _people(folder: Path, one: RoundState) -> Facts:
    if "annotators_sha256" not in one.facts.get("resolved", {}):
        return {}  # a round of an older version tells less
    return cast(Facts, json.loads((folder / "annotators.json").read_bytes()))


def _receipts(workspace: Workspace, one: RoundState) -> dict[str, Mapping[str, object]]:
    answered = [str(facts["delivery"]) for facts in (*one.deliveries, *one.refused)]
    paths = {sha256: workspace.deliveries / f"{sha256}.receipt.json" for sha256 in answered}
    return {sha256: json.loads(path.read_bytes()) for sha256, path in paths.items() if path.is_file()}


def _comparison(workspace: Workspace) -> tuple[CurvePoint, ...]:
    if not (workspace.data / "comparison.csv").is_file():
        return ()
    from tasks import (
        compare,  # brings scikit-learn, which no other part of a report needs
    )

    found = compare.means(workspace)
    return tuple(CurvePoint("", round(one["labels"]), one["value"], one["low"], one["high"]) for one in found)


def _rows(path: Path, names: list[str]) -> list[Mapping[str, object]]:
    return _plain(tables.read_parquet(path, names))


def _plain(frame: pd.DataFrame) -> list[Mapping[str, object]]:
    """The rows of a table as values of Python, None for what is missing."""
    whole = frame.astype(object)
    return cast(list[Mapping[str, object]], whole.where(frame.notna(), None).to_dict("records"))


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}
