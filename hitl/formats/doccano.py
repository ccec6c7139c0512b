"""doccano: JSON and JSONL of every version, CSV, fastText; one file for all, or a zip with one of each annotator.

Formats by https://doccano.github.io/doccano/ and the server's code (backend/data_export), 1.0 to 1.8. doccano tells
neither when an answer was given nor how long it took, and who gave it only by the name of the file.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hitl.contract import ITEM_ID
from hitl.formats.annotation import (
    PAID,
    SHOWN,
    STAMP,
    UNANSWERED,
    Annotation,
    Dropped,
    Origin,
    content,
    payload,
    text,
)
from hitl.formats.document import Document, Record
from hitl.formats.format import Asked, Batch, Flavour, Format, Read, WrongExport

TITLE: Final = "doccano"
_CONTENTS = ("text", "data", "filename", "image", "url")
_LABELS = ("label", "labels", "annotations", "categories", "cats")
_OWN = frozenset({"id", "annotation_approver", "Comments", "comments", "user", *_LABELS})
_INSTEAD: Final = "make a project of document classification, and export that"
_OF_OTHERS = frozenset({"_input_hash", "_task_hash", "answer", "data_row", "completions", "predictions", "responses"})
"""Keys of other tools whose records look alike."""
_ALL: Final = re.compile(r"(^|[-_])all$")
"""The name of a file that has everybody's labels, and does not say whose they are."""
_MARK: Final = "__label__"
_SILENT = "doccano does not tell"
_CANNOT: Final = {
    **dict.fromkeys(("labeled_at", "seconds", "seconds_kind", "started_at", "updated_at", "time_text"), _SILENT),
    **dict.fromkeys(("edited_by", "annotator_confidence", "is_gold", "project_id", *PAID), _SILENT),
    **dict.fromkeys(STAMP, "it has no predictions"),
    **dict.fromkeys(("review_status", "reviewed_at", "review_comment", "review_label"), _SILENT),
    "reviewer_id": "only old versions name who approved",
    "label_field": "a project asks one question",
    "source_annotation_id": _SILENT,
    "status=skipped": "there are no skips: an item nobody could decide has no label, like one nobody saw",
    "status=empty": "an item without a label looks like one that nobody saw",
    "status=draft": "an export has what is confirmed, or everything",
    "status=rejected": _SILENT,
    "status=expelled": "a member who is removed takes the labels along",
    "origin=machine": "labels that were imported look like those of the user who imported them",
}


def recognise(document: Document) -> str | None:
    """`jsonl` (as a list, too), `csv` or `fasttext`."""
    if document.shape == "text":
        return "fasttext"
    if document.shape == "table":
        begins = document.header[:1] == ("id",) and document.header[1:2] in [(name,) for name in _CONTENTS]
        is_named = "label" in document.header and "annotator_id" not in document.header
        return "csv" if begins and is_named else None
    return "jsonl" if any(map(_is_ours, document.first)) else None


def read(document: Document, flavour: str, asked: Asked) -> Read:
    """Every item with a label; raises WrongExport when the labels are spans, boxes or relations."""
    who = asked.annotator or ("" if _ALL.search(document.stem) else document.stem)
    if flavour == "fasttext":
        return _lines(document, who)
    imported = who in asked.importers or _repeats(document)
    return _items(document, who, "machine" if imported else "human", is_table=flavour == "csv")


def write(batch: Batch) -> Mapping[str, bytes]:
    """Items to import. What the model says is no label there: it would count as one that the importing user gave."""
    lines = [json.dumps(_item(batch, row), ensure_ascii=False) for row in batch.rows]
    return {"doccano.jsonl": "".join(f"{line}\n" for line in lines).encode()}


def _item(batch: Batch, row: Mapping[str, str]) -> Record:
    others = batch.others(row)
    item = {"text": batch.shown(row), **batch.carried(row)}
    # Only what is not in the text already, and cannot be taken for something of doccano's own.
    return {**(others if batch.text else {}), **item} if not _OWN.intersection(others) else item


def _is_ours(record: Record) -> bool:
    """Whether a record has the content of an item and a list of labels."""
    if not _OF_OTHERS.isdisjoint(record) or not any(isinstance(record.get(key), str) for key in _CONTENTS):
        return False
    if isinstance(record.get("label"), str | int):
        return "id" in record
    return any(isinstance(record.get(key), list) for key in (*_LABELS, "entities", "bbox", "segmentation"))


def _items(document: Document, who: str, origin: Origin, *, is_table: bool) -> Read:
    for place, record in document.dicts() if is_table else document.records():
        by = _by(record, place, is_table=is_table)
        if not by:
            yield Dropped(UNANSWERED, place)
        for user, labels in by.items():
            yield Annotation(
                labels=labels,
                annotator_id=user or who,
                comment=_comment(record),
                origin=origin,
                reviewer_id=text(record.get("annotation_approver")),
                source_item_id=text(record.get("id")),
                content=_content(record),
                place=place,
                **payload({**_meta(record), **record}),
            )


def _meta(record: Record) -> Mapping[str, Any]:
    """What older versions give back of an item's own columns: one object, also as text."""
    meta = record.get("meta")
    if isinstance(meta, str) and meta.startswith("{"):
        try:
            meta = json.loads(meta)
        except ValueError:
            return {}
    return meta if isinstance(meta, dict) else {}


def _content(record: Record) -> Mapping[str, Any] | None:
    carried = {**_meta(record), **{key: value for key, value in record.items() if key not in ("meta", *_OWN)}}
    return content(carried)


def _by(record: Record, place: str, *, is_table: bool) -> dict[str, tuple[str, ...]]:
    """The labels of an item by who gave them, "" where that is not told; none at all where nobody gave one."""
    if is_table:
        cell = record["label"]
        user = text(record.get("user"))
        return {user: tuple(cell.split("#"))} if cell else {}
    for key in ("entities", "relations", "bbox", "segmentation"):
        if record.get(key):
            raise WrongExport(TITLE, f"at {place} {key}", _INSTEAD)
    given: dict[str, tuple[str, ...]] = {}
    for key in _LABELS:
        value = record.get(key)
        for one in value if isinstance(value, list) else [] if value is None or value == "" else [value]:
            user, label = _label(one, place)
            given[user] = (*given.get(user, ()), label)
    return given


def _label(one: object, place: str) -> tuple[str, str]:
    """Who gave a label, and which."""
    if isinstance(one, dict):
        if "start_offset" in one or "startOffset" in one:
            raise WrongExport(TITLE, f"at {place} spans of text", _INSTEAD)
        if "label" not in one and isinstance(one.get("text"), str):
            raise WrongExport(TITLE, f"at {place} texts that annotators wrote", _INSTEAD)
        if isinstance(one.get("label"), str | int):
            return text(one.get("user")), text(one["label"])
    if isinstance(one, list) and len(one) == 3:
        raise WrongExport(TITLE, f"at {place} spans of text", _INSTEAD)
    if isinstance(one, dict | list):
        raise WrongExport(TITLE, f"at {place} labels that are no classes ({json.dumps(one)[:40]})", _INSTEAD)
    return "", text(one)


def _comment(record: Record) -> str:
    found = record.get("Comments") or record.get("comments") or ""
    return "\n".join(map(text, found)) if isinstance(found, list) else text(found)


def _repeats(document: Document) -> bool:
    """Whether every label is what the item came with as a model's: so does the file of the user who imported it.

    Packs of ours import no labels, so in what comes back of them agreement is agreement.
    """
    if "predicted_label" not in document.keys | set(document.header):
        return False
    records = document.dicts() if document.shape == "table" else document.records()
    labels = ((_stated(record), record.get("predicted_label")) for _, record in records)
    return all(given == [text(predicted)] for given, predicted in labels)


def _stated(record: Record) -> Sequence[str]:
    label = record.get("label")
    return [text(one) for one in label] if isinstance(label, list) else [text(label)]


def _lines(document: Document, who: str) -> Read:
    for place, line in document.lines():
        words = line.split(" ")
        labels = tuple(word.removeprefix(_MARK) for word in words if word.startswith(_MARK) and word != _MARK)
        if labels:
            shown = " ".join(word for word in words if not word.startswith(_MARK)).strip()
            yield Annotation(labels=labels, annotator_id=who, content={"text": shown}, place=place)
        else:
            yield Dropped(UNANSWERED, place)


FORMAT: Final = Format(
    name="doccano",
    title=TITLE,
    flavours={
        "jsonl": Flavour("JSON or JSONL", _CANNOT),
        "csv": Flavour("CSV", {**_CANNOT, "labels=#": "it separates labels"}),
        "fasttext": Flavour(
            "fastText",
            {
                **_CANNOT,
                **dict.fromkeys((ITEM_ID, "source_item_id", "batch_id", "comment"), "only text and labels are there"),
                **dict.fromkeys(SHOWN, "only text and labels are there"),
            },
            lost="the ids of the items",
            instead="export as JSONL",
        ),
    },
    recognise=recognise,
    read=read,
    write=write,
    transport=(
        "Pushed to and pulled from a real server 1.8.4 (`make test-live`); files tested on what one wrote and users "
        "published."
    ),
)
