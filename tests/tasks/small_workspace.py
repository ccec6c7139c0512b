"""A small real workspace whose rounds are played step by step, without what publishes them."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hitl.founding.first_params import Overrides
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts
from tasks import (
    close,
    evaluate,
    expected,
    export,
    init,
    journal,
    promote,
    report,
    resolve,
    score,
    select,
    train,
    validate,
)
from tasks.edges import files, git, tables, vendor
from tasks.ingest import Answer, ingest

Step = Callable[[Workspace, str], Facts]
OPENING: Mapping[str, Step] = {"scored": score.score, "selected": select.select, "exported": export.export}
CLOSING: Mapping[str, Step] = {
    "validated": validate.validate,
    "resolved": resolve.resolve,
    "trained": train.train,
    "evaluated": evaluate.evaluate,
    "judged": promote.promote,
    "reported": report.report,
    "closed": close.close,
}
TRAINED: Mapping[str, Step] = {name: CLOSING[name] for name in ("trained", "evaluated", "judged", "closed")}
AT_ONCE = 0.00001
"""Days until a deadline that is over as soon as the pack is out."""


def table(rows: int, *, ids: str = "item-{:05d}") -> pd.DataFrame:
    """Items of every kind of column, no two of them alike, whose class is in the numbers."""
    rng = np.random.default_rng(7)
    wet = rng.random(rows) < 0.5
    words = np.array(["refund please", "déjà vu again", "late parcel", "wrong colour"])
    return pd.DataFrame(
        {
            "item_id": [ids.format(number) for number in range(rows)],
            "size": np.round(rng.normal(np.where(wet, 2, -2), 1.5), 3),
            "town": rng.choice(["Orléans", "Kraków", "", "5"], rows),
            "odd": rng.choice(["yes", "no", ""], rows),
            "note": [f"{one} about nº {number}" for number, one in enumerate(rng.choice(words, rows))],
            "label": np.where(wet, "wet", "dry"),
        }
    )


def made(
    root: Path,
    items: pd.DataFrame | None = None,
    *,
    gold: int = 12,
    text: str | None = "note",
    **overrides: Mapping[str, object],
) -> Workspace:
    """A workspace on `items` whose baseline is closed; `overrides` are keys of params.yaml by section."""
    workspace = Workspace(root)
    root.mkdir(parents=True)
    git.start(root)
    items = table(240) if items is None else items
    (root / "items.csv").write_text(items.to_csv(index=False), encoding="utf-8")
    sections: Overrides = {"query": {"batch": 12}, "evaluate": {"bootstrap": 100}, **overrides}  # type: ignore[dict-item]
    facts = init.init(
        workspace,
        root / "items.csv",
        label="label",
        id="item_id",
        text=text,
        initial=20,
        gold=gold,
        hide=True,
        overrides=sections,
    )
    journal.append(workspace, "created", BASELINE, facts)
    play(workspace, BASELINE, TRAINED)
    return workspace


def play(workspace: Workspace, round_id: str, steps: Mapping[str, Step]) -> None:
    for event, step in steps.items():
        journal.append(workspace, event, round_id, step(workspace, round_id))


def opened(workspace: Workspace) -> str:
    """Open the next round up to its pack; returns its name."""
    name = journal.read(workspace).next_round
    params = journal.params(workspace)
    journal.append(workspace, "opened", name, {"params_sha256": params.sha256(), "strategy": params.query.strategy})
    play(workspace, name, OPENING)
    return name


def closed(workspace: Workspace, name: str) -> None:
    """Close the round with what is there."""
    play(workspace, name, CLOSING)


def batch(workspace: Workspace, name: str) -> pd.DataFrame:
    return tables.read_parquet(workspace.round(name) / "batch.parquet")


def rows(path: Path) -> list[vendor.Row]:
    """The rows of a delivery."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def sent(workspace: Workspace, name: str) -> list[str]:
    """The ids in a round's batch.csv, in its order."""
    return [row["item_id"] for row in rows(workspace.pack(name) / "batch.csv")]


def asked(workspace: Workspace, name: str) -> list[str]:
    """The items that stand in a round's batch.csv, by their own ids."""
    item_of = {sent: item for item, sent in expected.sent_ids(workspace, name).items()}
    return [item_of[one] for one in sent(workspace, name)]


def answers(workspace: Workspace, name: str, *, annotator: str = "ann", skip: Iterable[str] = ()) -> list[vendor.Row]:
    """A row for each item of the pack with its true class, `skip` marking the items that nobody could tell."""
    truth = {**vendor.truth(workspace.truth), **expected.gold(workspace, name), **dict.fromkeys(skip, "<skip>")}
    called = zip(sent(workspace, name), asked(workspace, name), strict=True)
    return [{"item_id": one, "label": truth.get(item, "dry"), "annotator_id": annotator} for one, item in called]


def deliver(workspace: Workspace, name: str, rows: Sequence[vendor.Row]) -> Answer:
    """Take a delivery of these rows, called `name`."""
    path = workspace.root / "sent" / name
    files.write_bytes(path, vendor.written(rows, list(rows[0])))
    return ingest(workspace, path)
