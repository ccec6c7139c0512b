"""Validate: gather the round's annotations from the deliveries that stand, and lead them through their door."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

import pandas as pd

from hitl import doors, pack
from hitl.contract import MODEL_CLASS, original
from hitl.delivery.judgement import Judgement
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.params import Params
from tasks import expected, firewall, guideline, journal, overlap, reissue
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
    "superseded_by": "str",
    "row": "int64",
    "tool": "str",
    "guideline": "str",
}


def validate(workspace: Workspace, round_id: str) -> Facts:
    """Write the round's annotations.parquet (COLUMNS), sorted by item and annotator.

    A missing label is a skip; `guideline` is the sha256 of the one that the pack went out with. Answers that a later
    delivery replaced stay in it: `superseded_by` (sha256) names it.
    """
    (params, kept), state = journal.begin_closing(workspace, round_id), journal.read(workspace)
    batch = tables.read_parquet(workspace.round(round_id) / "batch.parquet", ["item_id", "reason"])
    item_of = {sent: item for item, sent in expected.sent_ids(workspace, round_id).items()}
    shown = _shown(workspace, round_id, item_of)
    rows = _told(expected.standing(workspace, state, round_id))
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    frame = frame.assign(round=round_id, item_id=frame["item_id"].map(item_of).astype("str"))
    frame = frame.assign(guideline=guideline.sha256(state.round(round_id)))
    frame = frame.assign(shown_class=frame["item_id"].map(shown).astype("str"))
    frame = frame.sort_values(["item_id", "annotator_id", "delivery", "row"], ignore_index=True)
    asked = doors.annotations(
        round_id,
        frozenset(batch["item_id"]),
        params.data.classes,
        # Where repeated answers count, each has a name of its own; the judge held those of strangers.
        annotators=() if params.delivery.repeat == "keep" else params.delivery.annotators,
        rows=state.round(round_id).admitted,
    )
    door = guard("annotations", f"the annotations of {round_id}", frame, asked)
    _refuse_test_items(workspace, params, round_id, frame)
    gold = set(batch.loc[batch["reason"] == "gold", "item_id"])
    sha256 = tables.write_parquet(workspace.round(round_id) / "annotations.parquet", frame)
    earlier = overlap.annotated(workspace, overlap.before(state, round_id))
    answered = len(set(frame["item_id"]) - gold - earlier)
    sent = {*reissue.waiting(workspace, state), *reissue.sent(workspace, round_id)}
    unanswered = sent - earlier.union(frame["item_id"])
    return {
        "annotations_sha256": sha256,
        "annotations": len(frame),
        "answered": answered,
        "unanswered": len(unanswered),
        "door": door,
        **kept,
    }


def _refuse_test_items(workspace: Workspace, params: Params, round_id: str, annotations: pd.DataFrame) -> None:
    items = tables.read_parquet(workspace.round(round_id) / "items.parquet", ["item_id", *params.features])
    answered = annotations[["item_id"]].drop_duplicates().merge(items, on="item_id", how="left")
    table, fix = f"the annotations of {round_id}", "run hitl verify: it names what was changed since the pack went out"
    firewall.refuse(workspace, params, answered, table=table, undone="none of them was taken", fix=fix)


def _shown(workspace: Workspace, round_id: str, item_of: Mapping[str, str]) -> dict[str, str]:
    """The model's class as the pack showed it, by item; items on which it showed none are left out."""
    sent = pack.exported_items((workspace.pack(round_id) / "batch.csv").read_bytes())
    return {item_of[one]: original(cells[MODEL_CLASS]) for one, cells in sent.items() if cells.get(MODEL_CLASS)}


def _told(deliveries: Iterable[Judgement]) -> list[Facts]:
    """The rows of the deliveries, as COLUMNS has them, each with the delivery that replaced it, if one did."""
    rows: list[Facts] = []
    last: dict[tuple[str, str], Facts] = {}
    for judged in deliveries:
        for one in judged.annotations:
            row: Facts = {**asdict(one), "delivery": judged.sha256, "tool": judged.tool or "csv"}
            last.setdefault((one.item_id, one.annotator_id), row)["superseded_by"] = judged.sha256
            row["superseded_by"] = None
            last[one.item_id, one.annotator_id] = row
            rows.append(row)
    return rows
