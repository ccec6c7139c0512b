"""What of a labeling tool may come as the tool wrote it."""

import json
from typing import Any

from tests.spec.batch import Row, rows
from tests.spec.rule import Chapter, Sent, accepted, held, rejected, rule, sends

BOX = {"type": "rectanglelabels", "from_name": "box", "value": {"x": 1, "y": 2, "rectanglelabels": ["parcel"]}}


def item(row: Row, **more: Any) -> dict[str, Any]:
    """A faultless answer as Label Studio exports it."""
    result = {"type": "choices", "from_name": "label", "to_name": "text", "value": {"choices": [row["label"]]}}
    answer = {"completed_by": row["annotator_id"], "was_cancelled": False, "result": [result]}
    answer |= {"created_at": row["labeled_at"], "lead_time": float(row["seconds"])}
    return {"data": {"item_id": row["item_id"], "text": row["subject"]}, "annotations": [{**answer, **more}]}


def exported(items: list[dict[str, Any]], *, show: int) -> Sent:
    """An export, of which a reader sees one item."""
    text = json.dumps(items, ensure_ascii=False)
    return Sent(text.encode(), f"[...\n{json.dumps(items[show], ensure_ascii=False, indent=1)}\n...]", "answers.json")


SOUND = [item(row) for row in rows()]
DRAFT = {"data": SOUND[2]["data"], "annotations": [], "drafts": SOUND[2]["annotations"]}

CHAPTER = Chapter(
    "Exports of labeling tools",
    "Do you label in Label Studio, doccano or another tool that hitl knows? Then send what it exports: the rules are "
    "the same, and the receipt says where in the export a held answer stands.",
    (
        rule(
            "Send the export as the tool wrote it",
            "Which tool it is we see by its content. Each item must have kept the `item_id` that it came with.",
            sends(exported(SOUND, show=0), accepted()),
        ),
        rule(
            "Only what an annotator handed in counts",
            "What a model said, a draft, or an answer that a reviewer rejected is held, whatever else is in the file.",
            sends(exported([*SOUND[:2], DRAFT, *SOUND[3:]], show=2), held("R_NOT_TAKEN")),
        ),
        rule(
            "Choose the export that holds everything",
            "An export without classes, or one that drops what another of the same tool has, is sent back; the "
            "receipt says which to choose.",
            sends(
                exported([item(row, result=[BOX]) for row in rows()], show=0),
                rejected("F_EXPORT"),
            ),
        ),
    ),
)
