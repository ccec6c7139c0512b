"""What every labeling tool's export becomes: a record for each answer of an annotator, with all the tool tells."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from hitl.contract import (
    ANNOTATOR_ID,
    COMMENT,
    ITEM_ID,
    LABEL,
    LABELED_AT,
    MODEL_CLASS,
    MODEL_CONFIDENCE,
    SECONDS,
    SKIP,
)

Status = Literal["labeled", "skipped", "empty", "draft", "rejected", "expelled"]
"""`empty`: handed in with nothing chosen; `draft`: never handed in; `rejected`: the answer was, by a reviewer;
`expelled`: its annotator was."""
Origin = Literal["human", "machine"]

BATCH_ID, MODEL_VERSION = "batch_id", "model_version"
PAYLOAD = (ITEM_ID, BATCH_ID, MODEL_CLASS, MODEL_CONFIDENCE, MODEL_VERSION)
"""What a pack of ours carries with each item through a tool, beside the columns that params show."""
SHOWN = ("shown_class", "shown_confidence", "shown_model")
STAMP = ("stamp_class", "stamp_confidence", "stamp_model")
REVIEW = ("review_status", "reviewer_id", "reviewed_at", "review_comment", "review_label")
PAID = ("reward", "currency")
"""Fields of an Annotation that a tool has all of or none of."""
_FOREIGN = {"predicted_label": MODEL_CLASS, "predicted_confidence": MODEL_CONFIDENCE, "score": MODEL_CONFIDENCE}


class Annotation(NamedTuple):
    """One annotator's answer to one question about one item, as the tool tells it. Nothing is guessed: "" is unknown.

    `item_id` is ours, "" where the export does not carry it (then the item is known by `source_item_id` alone).
    `labels` are the classes chosen, whatever the status. An answer to several questions is as many of these, alike but
    for `label_field` and `labels`, with `part` counting from 0. Times are RFC 3339 in UTC; one that names no zone
    stands in `time_text` as it came. `shown_*` is what the pack says the annotator saw, `stamp_*` what the tool says.
    `content` is what the export carries of the item itself; `place` says where in the file the answer stands.
    """

    item_id: str = ""
    labels: tuple[str, ...] = ()
    annotator_id: str = ""
    labeled_at: str = ""
    seconds: float | None = None
    comment: str = ""
    status: Status = "labeled"
    origin: Origin = "human"
    label_field: str = ""
    part: int = 0
    batch_id: str = ""
    started_at: str = ""
    updated_at: str = ""
    edited_by: str = ""
    time_text: str = ""
    seconds_kind: Literal["", "active", "client", "wallclock"] = ""
    annotator_confidence: float | None = None
    shown_class: str = ""
    shown_confidence: float | None = None
    shown_model: str = ""
    stamp_class: str = ""
    stamp_confidence: float | None = None
    stamp_model: str = ""
    review_status: str = ""
    reviewer_id: str = ""
    reviewed_at: str = ""
    review_comment: str = ""
    review_label: str = ""
    is_gold: bool = False
    reward: str = ""
    currency: str = ""
    project_id: str = ""
    source_item_id: str = ""
    source_annotation_id: str = ""
    content: Mapping[str, Any] | None = None
    place: str = ""


class Dropped(NamedTuple):
    """Something in an export that is no annotation, and why: the same words for the same reason."""

    reason: str
    place: str = ""


UNANSWERED = "items that nobody has answered"
"""The reason to drop an item of an export that no annotation belongs to."""

COLUMNS = (
    *(ITEM_ID, LABEL, ANNOTATOR_ID, LABELED_AT, SECONDS, COMMENT),
    *(name for name in Annotation._fields if name not in (ITEM_ID, ANNOTATOR_ID, LABELED_AT, SECONDS, COMMENT)),
)
"""The header of an annotations.csv: first those of a delivery, which it therefore is."""


def payload(carried: Mapping[str, Any]) -> dict[str, Any]:
    """What a pack of ours sent with an item, as fields of an Annotation, out of what the tool gives back of it.

    >>> payload({"item_id": "i1", "text": "hello", "model_class": "cat", "model_confidence": "0.5"})
    {'item_id': 'i1', 'shown_class': 'cat', 'shown_confidence': 0.5}
    """
    names = {MODEL_CLASS: "shown_class", MODEL_CONFIDENCE: "shown_confidence", MODEL_VERSION: "shown_model"}
    foreign = _FOREIGN if "predicted_label" in carried else {}
    found: dict[str, Any] = {}
    for key in (*PAYLOAD, *foreign):
        value = carried.get(key)
        if value is None or value == "":
            continue
        name = foreign.get(key, key)
        found.setdefault(names.get(name, name), number(value) if name == MODEL_CONFIDENCE else text(value))
    return found


def content(carried: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a tool gives back of an item but for the payload: None when there is nothing."""
    return {key: value for key, value in carried.items() if key not in PAYLOAD} or None


def text(value: object) -> str:
    """A scalar of JSON as text: ids keep all their digits, true is `true`, and None is nothing.

    >>> text(9007199254740993), text(True), text(None), text("007")
    ('9007199254740993', 'true', '', '007')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def number(value: object) -> float | None:
    """A number, also one that a tool made a text of; None when it is none, or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) < float("inf") else None


def answer(annotation: Annotation) -> str:
    """What stands in the label column: the one class that a person gave, SKIP for a skip, else nothing."""
    if annotation.origin == "machine":
        return ""
    if annotation.status == "skipped":
        return SKIP
    return annotation.labels[0] if annotation.status == "labeled" and len(annotation.labels) == 1 else ""


def name(annotation: Annotation) -> str:
    """What its item is called: by us, else by the tool, else by where the answer stands."""
    return annotation.item_id or annotation.source_item_id or annotation.place


def cells(annotation: Annotation) -> list[str]:
    """The cells of an annotation under COLUMNS."""
    values = annotation._asdict()
    values[ITEM_ID] = name(annotation)
    values[LABEL] = answer(annotation)
    return [_cell(values[column]) for column in COLUMNS]


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or value == ():
        return ""
    if isinstance(value, Iterable):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text(value)
