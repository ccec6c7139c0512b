"""Init: make a workspace out of a user's own table. Safe to repeat, and to run again after being killed half-way."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from hitl import doors
from hitl.errors import MomentError, ParamsError
from hitl.founding.first_params import NO_OVERRIDES, Overrides, first_params
from hitl.founding.items import Items, items_of
from hitl.founding.split import Split, split
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Kind, Params
from tasks import founding, journal
from tasks.doors import guard
from tasks.edges import files, source


@dataclass(frozen=True, slots=True)
class Draw:
    """How the items are divided: `test` is a share, `initial` and `gold` are numbers (None: what suits the data)."""

    initial: int | None = None
    test: float = 0.25
    hide: bool = False
    gold: int | None = None
    seed: int = 0


def init(
    workspace: Workspace,
    path: Path,
    *,
    label: str,
    id: str | None = None,
    text: str | None = None,
    initial: int | None = None,
    test: float = 0.25,
    hide: bool = False,
    gold: int | None = None,
    seed: int = 0,
    overrides: Overrides = NO_OVERRIDES,
) -> Facts:
    """Make `workspace` out of the table at `path`; returns the facts of the event `created`, which the caller appends.

    Where that workspace is already, its facts come back and nothing is changed. Raises DataError when the table cannot
    serve, MomentError when another workspace or somebody's files are in the way.
    """
    source.located(path)
    options: Facts = {
        "label": label,
        "id": id,
        "text": text,
        "initial": initial,
        "test": test,
        "hide": hide,
        "gold": gold,
    }
    options |= {"seed": seed, "overrides": {name: dict(keys) for name, keys in overrides.items()}}
    origin: Facts = {
        "name": path.name,
        "sha256": files.sha256(path),
        "options": json.loads(json.dumps(options, default=str)),
    }
    made = created(workspace, origin)
    if made is not None:
        return made
    draw = Draw(initial, test, hide, gold, seed)
    table = source.read(path)
    return init_frame(workspace, table, label=label, id=id, text=text, draw=draw, overrides=overrides, origin=origin)


def created(workspace: Workspace, origin: Facts) -> Facts | None:
    """The facts with which `workspace` was made, None when it is still to be made.

    Raises MomentError when it was made of another table or with other options than `origin` says.
    """
    past = journal.events(workspace)
    if not past:
        return None
    was = cast(Facts, past[0].facts.get("origin", {}))
    if {**was, "name": ""} == {**origin, "name": ""}:
        return past[0].facts
    differs = "with other options" if was.get("sha256") == origin.get("sha256") else "of another table"
    raise MomentError(
        f"{workspace.root} is a workspace already, made {differs} ({was.get('name', 'unknown')}): "
        "give another directory, or work on in this one (hitl status)"
    )


def init_frame(
    workspace: Workspace,
    frame: pd.DataFrame,
    *,
    label: str,
    id: str | None = None,
    text: str | None = None,
    kinds: Mapping[str, Kind] | None = None,
    draw: Draw = Draw(),
    overrides: Overrides = NO_OVERRIDES,
    origin: Facts,
) -> Facts:
    """Make `workspace` out of `frame`, as `items_of` takes it; `origin` says whence, for the ledger.

    Returns and raises as `init` does; asks nobody whether the workspace is there (`created` does).
    """
    if not 0 < draw.test < 1:
        raise ParamsError(f"--test is a share between 0 and 1, such as 0.25 (got {draw.test:g})")
    items = items_of(frame, label=label, id=id, text=text, kinds=kinds)
    made = split(
        items.keys,
        test=draw.test,
        initial=draw.initial,
        gold=draw.gold,
        hide=draw.hide,
        rng=np.random.default_rng(draw.seed),
    )
    params, notes = first_params(items, seed=draw.seed, overrides=overrides)
    return {
        "doors": _guarded(items, made, params),
        "counts": made.counts(),
        "classes": list(items.classes),
        "files": founding.write(workspace, items, made, params, hide=draw.hide),
        "params_sha256": params.sha256(),
        "origin": origin,
        "notes": [*items.notes, *made.notes, *notes],
    }


def _guarded(items: Items, made: Split, params: Params) -> list[Facts]:
    """Lead every table of the new workspace through the door for incoming data, before anything is written."""
    sets = {"initial": made.initial, "test": made.test, "gold": made.gold, "pool": made.pool}
    apart = {"initial": (made.test,), "pool": (made.initial, made.test)}
    found = []
    for name, ids in sets.items():
        classes = () if name == "pool" else params.data.classes
        others = [item for other in apart.get(name, ()) for item in other]
        asked = doors.incoming(params.features, classes=classes, apart=others)
        found.append(guard("incoming", f"the {name} set", founding.rows(items, ids), asked))
    return found
