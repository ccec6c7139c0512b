"""Prodigy: what `db-out` writes of choices and of single labels that were accepted or rejected, and what it takes in.

Fields: prodi.gy/docs/api-interfaces; the recipes of explosion/prodigy-recipes. One line is one answer of one person.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from hitl.contract import MODEL_CLASS
from hitl.formats.annotation import PAID, REVIEW, STAMP, UNANSWERED, Annotation, Dropped, content, number, payload, text
from hitl.formats.document import Document, Record
from hitl.formats.format import Asked, Batch, Flavour, Format, Read, WrongExport
from hitl.formats.moments import utc

TITLE: Final = "Prodigy"
NOT: Final = "not "
"""What stands before a class that an annotator rejected: the item is of another one, and nobody said of which."""
_OWN: Final = frozenset(
    (
        *("meta", "options", "accept", "label", "answer", "config", "priority", "score", "spans", "tokens"),
        *("relations", "versions", "sessions", "view_id", "user_input", "comment", "comments", "flagged"),
    )
)
# Without a name in its address a session is called by the time that it began at: nobody knows who that was.
_NAMELESS: Final = re.compile(r"(.*-)?\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
_VIEWS: Final = {
    "relations": "relations",
    "dep": "relations",
    "coref": "relations",
    "image_manual": "boxes or polygons",
    "audio_manual": "spans of sound",
    "text_input": "free text",
    "diff": "comparisons",
    "compare": "comparisons",
}
_INSTEAD: Final = "take a dataset of textcat.manual, textcat.teach, or another recipe of choices or labels"


_NEVER: Final = {
    "status=draft": "what is not handed in is not saved",
    "status=expelled": "it knows no members",
    "origin=machine": "what comes from a model is ticked beforehand, and answered by a person",
    "started_at": "only the time of answering is kept",
    "updated_at": "another answer is another line",
    "edited_by": "another answer is another line",
    "time_text": "times are seconds since 1970",
    "labeled_at=.": "times are in whole seconds",
    **dict.fromkeys(("seconds", "seconds_kind"), "only the time of answering is kept"),
    "annotator_confidence": "not asked",
    **dict.fromkeys(STAMP, "what was ticked beforehand is overwritten"),
    **dict.fromkeys(REVIEW, "a review is another dataset"),
    **dict.fromkeys(("is_gold", *PAID, "project_id"), "it knows none"),
}


def recognise(document: Document) -> str | None:
    """`jsonl`, by the hashes that Prodigy gives all it has seen; old datasets have none, but an answer and an input."""
    for record in document.first:
        known = not record.keys().isdisjoint(("_input_hash", "_task_hash", "_session_id"))
        if known or (_answer(record) and not record.keys().isdisjoint(("text", "image", "html"))):
            return "jsonl"
    return None


def read(document: Document, flavour: str, asked: Asked) -> Read:
    """Every answer that is about a whole item."""
    del flavour, asked
    others: Counter[str] = Counter()
    found = False
    for place, record in document.records():
        if not _answer(record):
            yield Dropped(UNANSWERED, place)
            continue
        what = _other(record)
        if what:
            others[what] += 1
            yield Dropped(f"answers that are {what}", place)
            continue
        found = True
        yield _annotation(place, record)
    if not found:
        what = " and ".join(f"{count} answers that are {what}" for what, count in others.most_common())
        raise WrongExport(TITLE, f"only {what}" if what else "items that nobody has answered", _INSTEAD)


def write(batch: Batch) -> dict[str, bytes]:
    """Items to choose a class for, as the choice interface takes them; the class that the model says is ticked."""
    lines = [json.dumps(_item(batch, row), ensure_ascii=False) for row in batch.rows]
    return {"prodigy.jsonl": "".join(f"{line}\n" for line in lines).encode()}


def _item(batch: Batch, row: Mapping[str, str]) -> Record:
    """An item as Prodigy shows it. `meta` stands in a corner and comes back; what is ticked is overwritten."""
    others = batch.others(row) if batch.text else {}
    item: Record = {
        "text": batch.shown(row),
        **({"row": others} if others else {}),
        "options": [{"id": name, "text": name} for name in batch.classes],
        "meta": batch.carried(row),
    }
    return {**item, "accept": [row[MODEL_CLASS]]} if batch.shows_model and row[MODEL_CLASS] else item


def _answer(record: Record) -> str:
    answer = record.get("answer")
    return answer if answer in ("accept", "reject", "ignore") else ""


def _is_choice(record: Record) -> bool:
    return isinstance(record.get("options"), list) or isinstance(record.get("accept"), list)


def _other(record: Record) -> str:
    """What was answered, where that is no class of a whole item."""
    if _is_choice(record):
        return ""
    view = text(record.get("_view_id"))
    if view in _VIEWS:
        return _VIEWS[view]
    if isinstance(record.get("label"), str) and record["label"]:
        return ""
    if record.get("relations"):
        return "relations"
    spans = [one for one in record.get("spans") or () if isinstance(one, dict)]
    if any("points" in one or "bbox" in one for one in spans):
        return "boxes or polygons"
    if spans or "tokens" in record or view.startswith(("ner", "span", "pos")):
        return "spans of text"
    return "yes or no to no label"


def _annotation(place: str, record: Record) -> Annotation:
    meta = record.get("meta")
    carried = {**(meta if isinstance(meta, dict) else {})}
    item = {key: value for key, value in record.items() if not key.startswith("_") and key not in _OWN}
    others = {key: value for key, value in carried.items() if key not in item}
    answer, at = _answer(record), record.get("_timestamp")
    labels = _labels(record, answer)
    rejected = answer == "reject" and _is_choice(record)
    sure = number(record.get("score", carried.get("score")))
    stamp = {} if sure is None or _is_choice(record) else {"stamp_class": record["label"], "stamp_confidence": sure}
    return Annotation(
        **payload(carried),
        **stamp,
        labels=labels,
        annotator_id=_who(record),
        labeled_at=utc(at),
        status="skipped" if answer == "ignore" else "rejected" if rejected else "labeled" if labels else "empty",
        comment="\n".join(text(record[key]) for key in ("comment", "comments", "user_input") if record.get(key)),
        label_field="label" if labels else "",
        source_item_id=text(record.get("_input_hash")) or place,
        source_annotation_id=text(record.get("_task_hash")),
        content=content({**item, **others}),
        place=place,
    )


def _labels(record: Record, answer: str) -> tuple[str, ...]:
    if _is_choice(record):
        accept = record.get("accept")
        return tuple(text(one) for one in accept) if isinstance(accept, list) and answer != "ignore" else ()
    if answer == "ignore":
        return ()
    return (record["label"] if answer == "accept" else f"{NOT}{record['label']}",)


def _who(record: Record) -> str:
    for key in ("_annotator_id", "_session_id"):
        name = record.get(key)
        if isinstance(name, str) and name and not _NAMELESS.fullmatch(name):
            return name
    return ""


FORMAT: Final = Format(
    name="prodigy",
    title=TITLE,
    flavours={"jsonl": Flavour("db-out (JSONL)", _NEVER)},
    recognise=recognise,
    read=read,
    write=write,
    transport="Read and written as documented, and tested on published datasets; Prodigy itself was never run.",
    reading=(
        "A label that was rejected comes back as `not LABEL`: nobody said which class it is instead. Ignoring is "
        "a skip. Rejecting a choice is no label. A session without a name is nobody (`--annotator`)."
    ),
)
