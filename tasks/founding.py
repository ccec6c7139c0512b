"""The files of a new workspace, each written whole; what somebody else put in their place is never overwritten."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from hitl.contract import csv_bytes
from hitl.errors import MomentError
from hitl.founding import params_template, scaffold
from hitl.founding.item_ids import ITEM_ID
from hitl.founding.items import LABEL, Items
from hitl.founding.split import Ids, Split
from hitl.layout import BASELINE, Workspace
from hitl.params import Params
from tasks.edges import files, pool, tables

PART_ROWS = 100_000
"""Items in a file of the pool."""

Write = Callable[[Path], str]
"""Writes its content to a path and returns the sha256."""


def write(workspace: Workspace, items: Items, made: Split, params: Params, *, hide: bool) -> dict[str, str]:
    """Write what is not there yet; returns the sha256 by relative path of the files that never change again.

    A file that is there already with the same content is one of an interrupted call. Raises MomentError naming the
    files that hold something else; then nothing is written.
    """
    data: dict[Path, Write] = dict(_data(workspace, items, made, hide=hide))
    texts = dict(_texts(workspace, params))
    plan: dict[Path, Write] = {**data, **texts, workspace.labeled: partial(_labeled, items, made)}
    standing = {path: files.sha256(path) for path in plan if path.is_file()} | _standing_elsewhere(workspace, plan)
    _refuse_strangers(workspace, plan, standing)
    digests = {path: standing.get(path) or _written(workspace, path, act) for path, act in plan.items()}
    return {str(path.relative_to(workspace.root)): digests[path] for path in sorted(data)}


def _written(workspace: Workspace, path: Path, act: Write) -> str:
    """Write to `path`, or a file of the pool to where that lies; returns the sha256."""
    if path.parent != workspace.pool or not pool.is_elsewhere():
        return act(path)
    whole = workspace.local / "pool" / path.name
    try:
        digest = act(whole)
        pool.put(workspace, whole)
    finally:
        whole.unlink(missing_ok=True)
    return digest


def _standing_elsewhere(workspace: Workspace, plan: Iterable[Path]) -> dict[Path, str]:
    """The files of a pool that lies elsewhere, as if they lay here; those that are not planned without a digest."""
    if not pool.is_elsewhere():
        return {}
    there, planned = pool.listed(workspace), {path.name for path in plan if path.parent == workspace.pool}
    digests = {name: pool.sha256(pool.parts(workspace, [name])[0]) for name in there if name in planned}
    return {workspace.pool / name: digests.get(name, "") for name in there}


def _data(workspace: Workspace, items: Items, made: Split, *, hide: bool) -> Iterator[tuple[Path, Write]]:
    table = rows(items, made.pool)
    for number, start in enumerate(range(0, len(table), PART_ROWS)):
        part = table.iloc[start : start + PART_ROWS].drop(columns=LABEL)
        yield workspace.pool / f"part-{number:05d}.parquet", _table(part)
    yield workspace.initial, _table(rows(items, made.initial))
    yield workspace.test, _table(rows(items, made.test))
    yield workspace.gold, _table(rows(items, made.gold))
    if hide:
        yield workspace.truth, partial(_truth, table)


def _texts(workspace: Workspace, params: Params) -> Iterator[tuple[Path, Write]]:
    yield workspace.guideline, _text(scaffold.guideline(params.data.classes))
    yield workspace.params, _text(params_template.render(params))
    yield workspace.dvc_yaml, _text(scaffold.DVC_YAML)
    ignore = workspace.root / ".gitignore"
    if not ignore.is_file():  # theirs may stay: .hitl/ hides itself
        yield ignore, _text(scaffold.GITIGNORE)


def rows(items: Items, ids: Ids) -> pd.DataFrame:
    """The items named by `ids`, which are sorted as the table is."""
    found: pd.DataFrame = items.table.iloc[pd.Index(items.table[ITEM_ID]).get_indexer(pd.Index(ids, dtype="str"))]
    return found


def _table(frame: pd.DataFrame) -> Write:
    return lambda path: tables.write_parquet(path, frame)


def _text(content: str) -> Write:
    return lambda path: files.write_text(path, content)


def _labeled(items: Items, made: Split, path: Path) -> str:
    return tables.write_parquet(path, rows(items, made.initial).assign(**{"from": "initial", "round": BASELINE}))


def _truth(table: pd.DataFrame, path: Path) -> str:
    rows = table[[ITEM_ID, LABEL]].to_numpy(dtype=object)
    return files.write_bytes(path, csv_bytes([[ITEM_ID, LABEL], *rows]))


def _refuse_strangers(workspace: Workspace, plan: dict[Path, Write], standing: dict[Path, str]) -> None:
    blocked = [path for path in plan if path.exists() and path not in standing]
    strangers = [path for path in standing if path not in plan or _fresh(workspace, path, plan[path]) != standing[path]]
    # A whole pool directory becomes a dataset: nothing else may lie in it.
    strangers += [path for path in workspace.pool.glob("*") if path not in plan and not _torn(path)]
    if blocked or strangers:
        listed = ", ".join(sorted(str(path.relative_to(workspace.root)) for path in (*blocked, *strangers)))
        raise MomentError(
            f"{workspace.root}: these files are there already and hold something else: {listed}; "
            "move them away, or give another directory"
        )
    for path in workspace.pool.glob(".*"):
        path.unlink()


def _torn(path: Path) -> bool:
    """Whether `path` is the temporary file of a write that was killed."""
    return path.name.startswith(".part-")


def _fresh(workspace: Workspace, path: Path, act: Write) -> str:
    """The sha256 that writing `path` would give, found by writing it elsewhere."""
    elsewhere = workspace.local / "compare" / path.name
    try:
        return act(elsewhere)
    finally:
        elsewhere.unlink(missing_ok=True)
