"""Label Studio: JSON exports of every version (also with `completions`, and snapshots), JSON_MIN, CSV and TSV.

Formats by https://labelstud.io/guide/export and /guide/predictions, and files of servers 0.4 to 1.23.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast
from xml.sax.saxutils import quoteattr

from hitl.contract import MODEL_CLASS, MODEL_CONFIDENCE
from hitl.formats.annotation import (
    PAYLOAD,
    UNANSWERED,
    Annotation,
    Dropped,
    content,
    number,
    payload,
    text,
)
from hitl.formats.document import Document, Record
from hitl.formats.format import Asked, Batch, Flavour, Format, Read, SeveralFields, WrongExport
from hitl.formats.moments import utc

TITLE: Final = "Label Studio"
FIELD: Final = "label"
"""The name of the question in the labeling interface that goes with our packs."""
_IDS = frozenset({"annotation_id", "completion_id"})
_OWN = _IDS | {"id", "annotator", "created_at", "updated_at", "lead_time", "agreement"}
"""Columns of CSV and JSON_MIN that are neither of the item nor an answer."""
_USUAL = ("label", "labels", "choice", "choices", "class", "category", "sentiment", "classification", "topic", "intent")
_CONTENTS = frozenset(("text", "image", "img", "audio", "video", "html", "url", "pdf", "document", "title", "source"))
_LONG, _MANY = 80, 10
"""An answer is no longer than so many characters; so many rows tell whether a column has another value in each."""
_REMARK = re.compile(
    r"(?<![a-z])(comments?|notes?|remarks?|reason|explain|explanation|feedback)(?![a-z])", re.IGNORECASE
)
_CERTAIN = re.compile(r"(?<![a-z])(confidence|confident|certain|certainty|sure)(?![a-z])", re.IGNORECASE)
_OF_REGIONS = frozenset({"start", "end", "x", "y", "points", "startOffset", "globalOffsets", "ranges", "sequence"})
_OF_REMARKS = frozenset({"textarea"})
_UNTOLD = {"reward": "it pays nobody", "currency": "it pays nobody"}
_ALWAYS = {
    "status=expelled": "a member who is removed takes nothing along",
    "origin=machine": "predictions are kept apart from annotations",
    "time_text": "every time names its zone",
    "started_at": "only the time of handing in is kept",
    "seconds_kind=active": "the browser counts the time",
    "seconds_kind=wallclock": "the browser counts the time",
    "review_comment": "reviews are of the Enterprise edition, their comments in no export",
    "review_label": "a reviewer changes the annotation itself",
    **_UNTOLD,
}
_FLAT = {
    **_ALWAYS,
    "status=skipped": "skipped items are left out",
    "status=draft": "drafts are left out",
    "status=rejected": "reviews are left out",
    "status=empty": "looks like a question that was not asked",
    "edited_by": "left out",
    "stamp_class": "predictions are left out",
    "stamp_confidence": "predictions are left out",
    "stamp_model": "predictions are left out",
    "review_status": "reviews are left out",
    "reviewer_id": "reviews are left out",
    "reviewed_at": "reviews are left out",
    "is_gold": "left out",
    "project_id": "left out",
}
_LOST = "skips, predictions, who edited, and which answers are ground truth"
_INSTEAD = "export as JSON"


def recognise(document: Document) -> str | None:
    """`json`, `json_min` or `csv`."""
    if document.shape == "table":
        held = set(document.header)
        is_ours = not _IDS.isdisjoint(held) and not {"annotator", "lead_time"}.isdisjoint(held)
        return "csv" if is_ours and "annotator_id" not in held else None
    if any(_answers(record) is not None for record in document.first):
        return "json"
    flat = any("annotator" in record and not _IDS.isdisjoint(record) for record in document.first)
    return "json_min" if flat else None


def read(document: Document, flavour: str, asked: Asked) -> Read:
    """Every annotation and draft."""
    if flavour == "json":
        return _whole(document)
    return _flat(document, asked, is_table=flavour == "csv")


def write(batch: Batch) -> Mapping[str, bytes]:
    """Items to import, with a prediction each where the model is shown, and the labeling interface for them."""
    items = [_item(batch, row) for row in batch.rows]
    lines = ",\n".join(json.dumps(item, ensure_ascii=False, sort_keys=True) for item in items)
    return {"label_studio.json": f"[\n{lines}\n]\n".encode(), "label_studio.xml": _interface(batch).encode()}


def _item(batch: Batch, row: Mapping[str, str]) -> Record:
    """An item to import. Its columns lie one deeper, where none is overwritten by what Label Studio calls the same."""
    data: Record = {**batch.carried(row)}
    if batch.text:
        data["text"] = row[batch.text]
    if others := batch.others(row):
        data["row"] = others
    shown = data.get(MODEL_CLASS)
    if not shown:
        return {"data": data}
    to = "text" if batch.text else "row"
    result = {"from_name": FIELD, "to_name": to, "type": "choices", "value": {"choices": [shown]}}
    prediction = {"model_version": batch.model_version, "score": number(row[MODEL_CONFIDENCE]), "result": [result]}
    return {"data": data, "predictions": [prediction]}


def _interface(batch: Batch) -> str:
    choices = "\n".join(f"    <Choice value={quoteattr(name)}/>" for name in batch.classes)
    others = [name for name in batch.columns if name != batch.text]
    shown = ['  <Text name="text" value="$text"/>'] * bool(batch.text) + ['  <Table name="row" value="$row"/>'] * bool(
        others
    )
    to = "text" if batch.text else "row"
    lines = [
        "<View>",
        *(shown or ['  <Text name="row" value="$item_id"/>']),
        f'  <Choices name="{FIELD}" toName="{to}" choice="single" showInline="true">',
        choices,
        "  </Choices>",
        f'  <TextArea name="comment" toName="{to}" placeholder="comment" maxSubmissions="1"/>',
        "</View>",
    ]
    return "\n".join(lines) + "\n"


def _answers(record: Record) -> Sequence[Any] | None:
    """The annotations of a record as a server of any version writes them; None when it is no such record."""
    if isinstance(record.get("data"), dict):
        for key in ("annotations", "completions"):
            if isinstance(record.get(key), list):
                return cast(Sequence[Any], record[key])
        return [] if isinstance(record.get("predictions"), list) else None
    # A storage that annotations are synced to holds each alone, with its item inside.
    if isinstance(record.get("task"), dict) and isinstance(record.get("result"), list):
        return [record]
    return None


def _whole(document: Document) -> Read:
    others: Counter[str] = Counter()
    is_sound = False
    for place, record in document.records():
        answers = _answers(record)
        if answers is None:
            raise WrongExport(TITLE, f"at {place} something that is no item with annotations", _INSTEAD)
        item = record["task"] if "data" not in record else record
        drafts = [one for one in item.get("drafts") or () if isinstance(one, dict)]
        for number_, answer in enumerate(answers, start=1):
            if not isinstance(answer, dict):
                raise WrongExport(TITLE, f"at {place} the ids of annotations alone", _INSTEAD)
            for one in _annotations(item, answer, f"{place}, annotation {number_}", others):
                is_sound = is_sound or bool(one.labels) or one.status == "skipped"
                yield one
        for number_, draft in enumerate(drafts, start=1):
            yield from _drafts(item, draft, f"{place}, draft {number_}", others)
        if not answers and not drafts:
            yield Dropped(UNANSWERED, place)
    if others and not is_sound:
        raise WrongExport(TITLE, _named(others), "make a project with Choices, and export that")


def _named(others: Counter[str]) -> str:
    return "only " + ", ".join(f"{count} {kind}" for kind, count in others.most_common())


def _annotations(item: Record, answer: Record, place: str, others: Counter[str]) -> Iterator[Annotation]:
    """The parts of one annotation: one for each question that it answers."""
    fields, remark, certain = _fields(answer.get("result") or (), others)
    skipped = bool(answer.get("was_cancelled") or answer.get("skipped"))
    who, submitted = (
        _person(answer.get("completed_by") or answer.get("created_username")),
        utc(answer.get("created_at")),
    )
    edited, stamp = _person(answer.get("updated_by")), _stamp(answer.get("prediction"))
    review = _review(answer.get("reviews"))
    seconds = number(answer.get("lead_time"))
    first = Annotation(
        annotator_id=who,
        labeled_at=submitted,
        seconds=seconds,
        seconds_kind="" if seconds is None else "client",
        comment=remark,
        status=_status(skipped=skipped, has_fields=bool(fields), review=review),
        updated_at=utc(answer.get("updated_at")),
        edited_by="" if edited == who else edited,
        annotator_confidence=certain,
        is_gold=bool(answer.get("ground_truth") or answer.get("honeypot")),
        project_id=text(answer.get("project") or item.get("project")),
        source_item_id=text(item.get("id")),
        source_annotation_id=text(answer.get("unique_id") or answer.get("id")),
        content=content(item["data"]) if isinstance(item.get("data"), dict) else None,
        place=place,
        **payload(item.get("data") or {}),
        **stamp,
        **review,
    )
    yield from _parts(first, fields)


def _drafts(item: Record, draft: Record, place: str, others: Counter[str]) -> Iterator[Annotation]:
    known = {"completed_by": draft.get("completed_by", draft.get("user")), **draft}
    for one in _annotations(item, known, place, others):
        yield one._replace(status="draft")


def _parts(first: Annotation, fields: Mapping[str, tuple[str, ...]]) -> Iterator[Annotation]:
    if not fields:
        yield first
    for part, (name, labels) in enumerate(fields.items()):
        yield first._replace(label_field=name, labels=labels, part=part)


def _status(*, skipped: bool, has_fields: bool, review: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a Status
    if skipped:
        return "skipped"
    if review.get("review_status") == "rejected":
        return "rejected"
    return "labeled" if has_fields else "empty"


def _person(value: object) -> str:
    """Who did something: a number, an e-mail address, or an object with both."""
    if isinstance(value, dict):
        return text(value.get("id") or value.get("email") or value.get("username"))
    return text(value)


def _stamp(prediction: object) -> dict[str, Any]:
    """What Label Studio stamped on an annotation: the project's model version when it was handed in."""
    if not isinstance(prediction, dict) or not prediction:
        return {}
    result = prediction.get("result")
    fields = _fields(result, Counter())[0] if result else {}
    labels = next(iter(fields.values()), ())
    return {
        "stamp_class": labels[0] if len(labels) == 1 else "",
        "stamp_confidence": number(prediction.get("score")),
        "stamp_model": text(prediction.get("model_version")),
    }


def _review(reviews: object) -> dict[str, Any]:
    """What the last reviewer said (Enterprise)."""
    found = [one for one in reviews if isinstance(one, dict)] if isinstance(reviews, list) else []
    if not found:
        return {}
    last = found[-1]
    status = "fixed" if last.get("fixed_annotation_history") else "approved" if last.get("accepted") else "rejected"
    return {
        "review_status": status,
        "reviewer_id": _person(last.get("created_by")),
        "reviewed_at": utc(last.get("created_at")),
    }


def _fields(result: Sequence[Any], others: Counter[str]) -> tuple[dict[str, tuple[str, ...]], str, float | None]:
    """The classes chosen by question, the comment, and how sure the annotator was; counts what is none of these."""
    fields: dict[str, tuple[str, ...]] = {}
    remarks: list[str] = []
    certain = None
    for one in result:
        if not isinstance(one, dict):
            continue
        kind, name, value = one.get("type"), text(one.get("from_name")), one.get("value")
        value = value if isinstance(value, dict) else {}
        kind = kind if isinstance(kind, str) and kind else next(iter(value), "")
        if kind in _OF_REMARKS:
            remarks += _texts(value.get("text"))
        if kind == "rating" and _is_certain(name):
            certain = number(value.get("rating"))
            continue
        labels = None if one.get("parentID") or not _OF_REGIONS.isdisjoint(value) else _chosen(kind, value)
        if kind in _OF_REMARKS and _is_remark(name):
            continue
        if labels is None:
            others[f"{kind or 'unknown'} results" if kind in _CLASSES else f"{kind or 'unknown'}"] += 1
        else:
            fields[name] = (*fields.get(name, ()), *labels)
    return fields, "\n".join(remarks), certain


_CLASSES: Final = {"choices": "choices", "taxonomy": "taxonomy", "rating": "rating", "pairwise": "selected"}
"""The kinds of result that say something of the item as a whole, and the key that holds what."""


def _chosen(kind: str, value: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The classes of one result; None when it is no classification."""
    key = _CLASSES.get(kind)
    if key is None or key not in value:
        return None
    chosen = value[key]
    if not isinstance(chosen, list):
        return () if chosen is None else (text(chosen),)
    # A choice in a tree comes as its path, and so does everything in a taxonomy.
    return tuple(" / ".join(map(text, one)) if isinstance(one, list) else text(one) for one in chosen)


def _texts(value: object) -> list[str]:
    return [text(one) for one in value] if isinstance(value, list) else [text(value)] * bool(value)


def _flat(document: Document, asked: Asked, *, is_table: bool) -> Read:
    """CSV and JSON_MIN: a row an annotation, in which nothing tells answers from what is of the item."""
    rows = document.dicts() if is_table else document.records()
    names: tuple[str, ...] = ()
    for place, told in rows:
        row = {key: _loaded(value) for key, value in told.items()} if is_table else told
        if not names:
            names = _questions(document, asked)
        who = _person(row.get("annotator"))
        if not text(row.get("annotation_id") or row.get("completion_id")) and not who:
            yield Dropped(UNANSWERED, place)
            continue
        yield from _row(row, names, place, who)


def _row(row: Record, names: Sequence[str], place: str, who: str) -> Iterator[Annotation]:
    fields = {name: _listed(row[name]) for name in names if name in row and row[name] not in ("", None)}
    remarks = [remark for name in row if name not in names and _is_remark(name) for remark in _remarks(row[name])]
    certain = next((_rated(row[name]) for name in row if _is_certain(name) and _rated(row[name]) is not None), None)
    carried = {
        name: value
        for name, value in row.items()
        if value != "" and name not in (*_OWN, *names) and not _is_answer(name, row)
    }
    seconds = number(row.get("lead_time"))
    first = Annotation(
        annotator_id=who,
        labeled_at=utc(row.get("created_at")),
        seconds=seconds,
        seconds_kind="" if seconds is None else "client",
        comment="\n".join(remarks),
        status="labeled" if fields else "empty",
        updated_at=utc(row.get("updated_at")),
        annotator_confidence=certain,
        source_item_id=text(row.get("id")),
        source_annotation_id=text(row.get("annotation_id") or row.get("completion_id")),
        content=content(carried),
        place=place,
        **payload(row),
    )
    yield from _parts(first, fields)


def _questions(document: Document, asked: Asked) -> tuple[str, ...]:
    """The names of the questions, as far as the first rows tell; raises WrongExport and SeveralFields."""
    rows = [row for _, row in zip(range(50), _first(document), strict=False)]
    held = list(dict.fromkeys(key for row in rows for key in row if key not in _OWN and key not in PAYLOAD))
    regions = Counter(key for row in rows for key in held if _is_region(row.get(key)))
    rest = [key for key in held if key not in regions and not _is_remark(key) and not _is_certain(key)]
    if asked.label_field in rest:
        return (asked.label_field,)
    chosen = {key for row in rows for key in rest if isinstance(row.get(key), dict) and "choices" in row[key]}
    told = [key for key in rest if key in chosen or key.lower() in _USUAL]
    found = _after_id(rows, rest) if document.shape == "records" else told
    if not found and regions:
        raise WrongExport(TITLE, f"only regions ({', '.join(regions)})", "make a project with Choices, and export that")
    if not found:
        found = [key for key in rest if not _is_content(key, rows)]
        if len(found) > 1:  # some are of the items, some are answers, and nothing tells which
            raise SeveralFields(found)
    return tuple(found)


def _is_content(name: str, rows: Sequence[Record]) -> bool:
    """Whether a column can be no answer in words: it is called as content is, is long, or another in every row."""
    values = [text(row.get(name)) for row in rows if row.get(name) not in (None, "")]
    is_id = len(values) >= _MANY and len(set(values)) == len(values)
    return name.lower() in _CONTENTS or is_id or any(len(value) > _LONG or "\n" in value for value in values)


def _first(document: Document) -> Iterator[Record]:
    if document.shape != "table":
        yield from document.first
        return
    for _, row in document.dicts():
        yield {key: _loaded(value) for key, value in row.items()}


def _after_id(rows: Sequence[Record], names: Sequence[str]) -> list[str]:
    """In JSON_MIN the answers come after the item's own id."""
    orders = [list(row) for row in rows if "id" in row]
    return [name for name in names if any(name in keys[keys.index("id") :] for keys in orders)]


@lru_cache(maxsize=1 << 12)
def _loaded(cell: str) -> Any:  # noqa: ANN401 - JSON
    """A cell that is JSON as what it says: what is more than one word comes so."""
    if not cell.startswith(("[{", '{"')):
        return cell
    try:
        return json.loads(cell)
    except ValueError:
        return cell


def _listed(value: object) -> tuple[str, ...]:
    if isinstance(value, dict):
        return _chosen("choices", value) or ()
    if isinstance(value, list):
        return tuple(text(one.get("rating")) if isinstance(one, dict) else text(one) for one in value)
    return (text(value),)


@lru_cache(maxsize=1 << 10)
def _is_certain(name: str) -> bool:
    return bool(_CERTAIN.search(name))


@lru_cache(maxsize=1 << 10)
def _is_remark(name: str) -> bool:
    return bool(_REMARK.search(name))


def _is_answer(name: str, row: Record) -> bool:
    return _is_remark(name) or (_is_certain(name) and _rated(row[name]) is not None)


def _remarks(value: object) -> list[str]:
    return _texts(value.get("text")) if isinstance(value, dict) else _texts(value)


def _rated(value: object) -> float | None:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return number(value[0].get("rating"))
    return None


def _is_region(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) and not _OF_REGIONS.isdisjoint(one) for one in value)


FORMAT: Final = Format(
    name="label_studio",
    title=TITLE,
    flavours={
        "json": Flavour("JSON", _ALWAYS),
        "json_min": Flavour("JSON_MIN", _FLAT, lost=_LOST, instead=_INSTEAD),
        "csv": Flavour("CSV or TSV", _FLAT, lost=_LOST, instead=_INSTEAD),
    },
    recognise=recognise,
    read=read,
    write=write,
    transport=(
        "Pushed to and pulled from a real server 1.23.2 (`make test-live`); files tested on what one wrote and users "
        "published."
    ),
)
