"""The firewall: no item of the test set goes out, comes in or is learned from, under whatever id."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import cast

import pandas as pd

from hitl import firewall
from hitl.errors import IntegrityError
from hitl.firewall import Wall
from hitl.layout import Workspace
from hitl.params import Kind, Params
from hitl.visible import quoted
from tasks import journal
from tasks.edges import files, tables

_NAMED = 10
_LONGEST = 60


def wall(workspace: Workspace, params: Params) -> Wall:
    """The wall around the workspace's test set; raises IntegrityError when that is not the one it was made with."""
    created = journal.read(workspace).rounds[0].facts["created"]
    named = cast(Mapping[str, str], created.get("files", {})).get("data/test.parquet")
    if named is not None:
        files.must_be(workspace.test, named)
    return _wall(workspace.test, files.sha256(workspace.test), tuple(params.features.items()))


@lru_cache(maxsize=4)
def _wall(path: Path, sha256: str, features: tuple[tuple[str, Kind], ...]) -> Wall:  # noqa: ARG001 - a part of the key
    """The wall around the test set of these bytes, digested once in a process."""
    names = [name for name, _ in features]
    return firewall.wall(tables.read_parquet(path, ["item_id", *names]), dict(features))


def refuse(workspace: Workspace, params: Params, frame: pd.DataFrame, *, table: str, undone: str, fix: str) -> None:
    """Raise IntegrityError when rows of `frame` (item_id and the columns of a model) are of the test set.

    `table` names the frame, `undone` says what did not happen, and `fix` the way out.
    """
    leaked = firewall.leaks(frame, wall(workspace, params))
    if leaked:
        raise IntegrityError(f"{told(table, leaked)}: {undone}; {fix}")


def told(table: str, leaked: tuple[str, ...]) -> str:
    """Which items of a table are of the test set, as the beginning of a sentence."""
    named = ", ".join(repr(quoted(one, _LONGEST)) for one in leaked[:_NAMED])
    more = f" and {len(leaked) - _NAMED} more" if len(leaked) > _NAMED else ""
    return f"{table}: {len(leaked)} of its items are in the test set, by id or by content: {named}{more}"
