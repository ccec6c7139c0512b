"""Validate: gather the round's annotations from the deliveries that stand, and lead them through their door."""

import pandas as pd

from hitl import doors
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import expected, journal
from tasks.doors import guard
from tasks.edges import tables

COLUMNS = {
    "round": "str",
    "item_id": "str",
    "annotator_id": "str",
    "label": "str",
    "labeled_at": "str",
    "seconds": "float64",
    "comment": "str",
    "shown_class": "str",
    "delivery": "str",
    "row": "int64",
    "tool": "str",
}


def validate(workspace: Workspace, round_id: str) -> Facts:
    """Write the round's annotations.parquet (COLUMNS; a missing label is a skip), sorted by item and annotator."""
    params, state = journal.params(workspace), journal.read(workspace)
    batch = tables.read_parquet(workspace.round(round_id) / "batch.parquet", ["item_id", "model_class", "reason"])
    shown = dict(zip(batch["item_id"], batch["model_class"], strict=True)) if params.export.show_prediction else {}
    rows = [
        {
            "round": round_id,
            "item_id": one.item_id,
            "annotator_id": one.annotator_id,
            "label": one.label,
            "labeled_at": one.labeled_at,
            "seconds": one.seconds,
            "comment": one.comment,
            "shown_class": shown.get(one.item_id),
            "delivery": judged.sha256,
            "row": one.row,
            "tool": "csv",
        }
        for judged in expected.standing(workspace, state, round_id)
        for one in judged.annotations
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    frame = frame.sort_values(["item_id", "annotator_id", "delivery", "row"], ignore_index=True)
    asked = doors.annotations(
        round_id,
        frozenset(batch["item_id"]),
        params.data.classes,
        annotators=params.delivery.annotators,
        rows=state.round(round_id).accepted,
    )
    door = guard("annotations", f"the annotations of {round_id}", frame, asked)
    gold = set(batch.loc[batch["reason"] == "gold", "item_id"])
    sha256 = tables.write_parquet(workspace.round(round_id) / "annotations.parquet", frame)
    answered = frame.loc[~frame["item_id"].isin(list(gold)), "item_id"].nunique()
    return {"annotations_sha256": sha256, "annotations": len(frame), "answered": answered, "door": door}
