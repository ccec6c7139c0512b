"""Amazon SageMaker: what a Ground Truth labeling job writes, settled and by annotator, and an A2I human loop.

Formats: SageMaker developer guide, "Labeling job output data", "Annotation consolidation", "Use Amazon Augmented AI".
What a form sends is in `form`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from hitl.contract import ITEM_ID
from hitl.errors import DataError
from hitl.formats import question
from hitl.formats.annotation import (
    BATCH_ID,
    PAID,
    REVIEW,
    SHOWN,
    STAMP,
    UNANSWERED,
    Annotation,
    Dropped,
    content,
    number,
    payload,
    text,
)
from hitl.formats.document import Document, Record, Unreadable
from hitl.formats.form import ticked
from hitl.formats.format import Asked, Batch, Flavour, Format, Read
from hitl.formats.moments import utc
from hitl.formats.question import Answer, Ticked

TITLE: Final = "Ground Truth"
MANIFEST, CONSOLIDATION, RESPONSES, LOOPS = "manifest", "consolidation", "responses", "loops"
_METADATA: Final = "-metadata"
_EVERYBODY: Final = "annotationsFromAllWorkers"
_DRAWN: Final = {
    "object-detection": "boxes",
    "semantic-segmentation": "segmentation masks",
    "named-entity-recognition": "spans of text",
    "video-object-tracking": "boxes in video",
    "video-object-detection": "boxes in video",
    "point-cloud-object-detection": "cuboids",
    "point-cloud-object-tracking": "cuboids",
    "point-cloud-semantic-segmentation": "segmentation masks",
}
_INSTEAD: Final = "take the output.manifest of a text or image classification job"
_ELSEWHERE: Final = "answers of a custom job that are kept in another place (annotation-ref)"
FAILED: Final = "items that the job failed to label"


_NEVER: Final = {
    "status=skipped": "what is not handed in leaves no trace",
    "status=draft": "what is not handed in leaves no trace",
    "status=rejected": "answers are merged, not reviewed",
    "status=expelled": "left out",
    "updated_at": "an answer cannot be changed",
    "edited_by": "an answer cannot be changed",
    "seconds_kind=client": "breaks are left out",
    "seconds_kind=wallclock": "breaks are left out",
    "source_annotation_id": "answers have no id",
    "is_gold": "it knows no gold items",
    **dict.fromkeys(STAMP, "predictions go as keys of the item"),
    **dict.fromkeys(REVIEW, "answers are merged"),
    **dict.fromkeys(PAID, "left out"),
}
_MANIFEST: Final = {
    **_NEVER,
    **dict.fromkeys(("annotator_id", "started_at", "seconds", "seconds_kind"), "answers are merged"),
    "labeled_at": "the time names no zone (it is kept as `time_text`)",
    "comment": "only in verification jobs",
}
_PERSONS: Final = {
    **_NEVER,
    "origin=machine": "only people answer",
    "annotator_confidence": "not asked",
    "time_text": "every time names its zone",
}
_UNNAMED: Final = dict.fromkeys(
    (ITEM_ID, BATCH_ID, *SHOWN, "content", "project_id"),
    "stands in the manifest of the job",
)
_ALONE: Final = {**_PERSONS, **_UNNAMED}
_REQUESTS: Final = {
    **_ALONE,
    **dict.fromkeys(("labeled_at", "started_at", "seconds", "seconds_kind"), "stands in the worker responses"),
}


def recognise(document: Document) -> str | None:
    """`manifest`, `consolidation`, `responses` or `loops`."""
    for record in document.first:
        if {"humanAnswers", "inputContent"} <= record.keys():
            return LOOPS
        if "datasetObjectId" in record:
            return CONSOLIDATION
        if isinstance(record.get("answers"), list) and any("answerContent" in a for a in record["answers"]):
            return RESPONSES
        if any(True for _ in _attributes(record)) or str(record.get("source-ref", "")).startswith("s3://"):
            return MANIFEST
    return None


def read(document: Document, flavour: str, asked: Asked) -> Read:
    """Of a manifest what each job settled on for each item; of the others what each person answered."""
    told = partial(_told, document, flavour, asked.label_field)
    return question.read(told, asked.label_field, tool=TITLE, instead=_INSTEAD)


def write(batch: Batch) -> dict[str, bytes]:
    """The input manifest of a labeling job, and its classes. Keys beside the source come back in the output.

    Raises DataError for a column whose name Ground Truth keeps for itself.
    """
    kept = [name for name in batch.columns if name in ("source", "label") or name.endswith((_METADATA, "-ref"))]
    if kept:
        raise DataError(f"export.columns: Ground Truth keeps {', '.join(kept)} for itself; rename it in your data")
    lines = [json.dumps(_source(batch, row), ensure_ascii=False) for row in batch.rows]
    classes = {"document-version": "2018-11-28", "labels": [{"label": name} for name in batch.classes]}
    return {
        "ground_truth.manifest": "".join(f"{line}\n" for line in lines).encode(),
        "ground_truth_classes.json": f"{json.dumps(classes, ensure_ascii=False, indent=2)}\n".encode(),
    }


def _source(batch: Batch, row: Mapping[str, str]) -> Record:
    return {"source": batch.shown(row), **batch.others(row), **batch.carried(row)}


def _attributes(record: Record) -> Iterator[tuple[str, Record]]:
    """The names under which jobs wrote their labels, each with what the job tells of it."""
    for key, told in record.items():
        name = key.removesuffix(_METADATA)
        if name == key or not isinstance(told, dict):
            continue
        if str(told.get("type", "")).startswith("groundtruth/") or ("class-name" in told and name in record):
            yield name, told


def _told(document: Document, flavour: str, wanted: str) -> Iterator[Answer | Dropped]:
    """Every answer of a document with its form."""
    for number_, (place, record) in enumerate(document.records()):
        if flavour == LOOPS:
            yield from _of_loop(record, place, document.name)
        elif flavour == RESPONSES:
            folder = document.name.replace("\\", "/").rpartition("/")[0].rpartition("/")[2]
            bare = Annotation(source_item_id=folder or document.stem)  # a folder an item
            yield from _of_people(record["answers"], bare, place, document.name)
        elif "datasetObjectId" in record:
            yield from _of_object(record, wanted, place, document.name)
        else:
            name = text(record.get("source-ref")) or str(number_)
            yield from _of_item(record, name, wanted, place, document.name)


def _of_item(record: Record, name: str, wanted: str, place: str, file: str) -> Iterator[Answer | Dropped]:
    """The labels of an item in a manifest: one a job, or of a job without consolidation one a worker."""
    jobs = dict(_attributes(record))
    mine = {*jobs, *(f"{job}{_METADATA}" for job in jobs)}
    carried = {key: value for key, value in record.items() if key not in mine}
    shown = {key: value for key, value in carried.items() if key != "source-ref"}
    item = Annotation(**payload(carried), source_item_id=name, content=content(shown))
    if not any(job in record or "failure-reason" in told for job, told in jobs.items()):
        yield Dropped(UNANSWERED, place)
    for job, told in jobs.items():
        if job not in record:
            yield Dropped(FAILED if "failure-reason" in told else UNANSWERED, place)
            continue
        of_job = item._replace(
            place=place,
            project_id=text(told.get("job-name")).removeprefix("labeling-job/"),
            origin="machine" if told.get("human-annotated") == "no" else "human",
        )
        value = record[job]
        if isinstance(value, dict) and isinstance(value.get(_EVERYBODY), list):
            yield from _of_crowd(value[_EVERYBODY], of_job, job, file)
            continue
        if wanted in (job, "") or wanted not in jobs:
            yield Answer({job: _label(value, told)}, partial(_dated, of_job, told))


def _dated(of_job: Annotation, told: Record) -> Annotation:
    created = told.get("creation-date")
    feedback = told.get("worker-feedback")
    said = [text(one.get("comment")) for one in feedback if isinstance(one, dict)] if isinstance(feedback, list) else []
    return of_job._replace(
        labeled_at=utc(created),
        time_text="" if utc(created) else text(created),
        annotator_confidence=number(told.get("confidence")),
        comment="\n".join(filter(None, said)),
    )


def _label(value: object, told: Record) -> Ticked:
    """The classes that a job settled on: by their names, which stand in what it tells of itself."""
    kind = text(told.get("type")).removeprefix("groundtruth/")
    names = told.get("class-map")
    names = names if isinstance(names, dict) else {}
    if "class-name" in told:
        return Ticked((text(told["class-name"]),))
    if "classification" in kind or kind == "label-verification":
        values = value if isinstance(value, list) else [value]
        return Ticked(tuple(text(names.get(text(one), one)) for one in values))
    if kind in _DRAWN:
        return Ticked((), drawn=_DRAWN[kind])
    if isinstance(value, dict) and any(key.endswith(("-ref", "Uri", "uri")) for key in value):
        return Ticked((), drawn=_ELSEWHERE)
    return Ticked((), drawn=f"answers of type {kind or 'custom'}")


def _of_object(record: Record, wanted: str, place: str, file: str) -> Iterator[Answer | Dropped]:
    """An object of a consolidation: what came of it, or what goes into it."""
    name, done, data = text(record["datasetObjectId"]), record.get("consolidatedAnnotation"), record.get("dataObject")
    held = done.get("content") if isinstance(done, dict) else None
    if isinstance(held, dict):
        yield from _of_item(held, name, wanted, place, file)
        return
    source = data.get("content") if isinstance(data, dict) else None
    item = Annotation(source_item_id=name, content={"source": source} if source else None, place=place)
    found = record.get("annotations")
    yield from _of_crowd(found if isinstance(found, list) else [], item, "", file)


def _of_crowd(found: Sequence[Any], item: Annotation, job: str, file: str) -> Iterator[Answer | Dropped]:
    """What each worker sent of an item: the form is a text that is JSON."""
    if not found:
        yield Dropped(UNANSWERED, item.place)
    for one in found:
        data = one.get("annotationData") if isinstance(one, dict) else None
        sent = data.get("content") if isinstance(data, dict) else None
        if sent is None:
            yield Dropped("answers that are kept in another place", item.place)
            continue
        try:
            form = json.loads(sent) if isinstance(sent, str) else sent
        except ValueError as error:
            raise Unreadable(f"{file}, {item.place}: annotationData.content is not sound JSON ({error})") from error
        yield Answer(_form(form, job), partial(item._replace, annotator_id=text(one.get("workerId"))))


def _of_loop(record: Record, place: str, file: str) -> Iterator[Answer | Dropped]:
    """A human loop of A2I."""
    given = record["inputContent"]
    carried = given if isinstance(given, dict) else {}
    item = Annotation(
        **payload(carried),
        source_item_id=text(record.get("humanLoopName")),
        project_id=text(record.get("flowDefinitionArn")).rpartition("/")[2],
        content=content(carried),
    )
    answers = record["humanAnswers"]
    if not answers:
        yield Dropped(UNANSWERED, place)
    yield from _of_people(answers or (), item, place, file)


def _of_people(answers: Sequence[Any], item: Annotation, place: str, file: str) -> Iterator[Answer]:
    """The answers that say when and how long: of a worker-response file, or a human loop."""
    for one in answers:
        if not isinstance(one, dict):
            raise Unreadable(f"{file}, {place}: an answer is no object")
        who, at = text(one.get("workerId")), text(one.get("submissionTime"))
        seconds = number(one.get("timeSpentInSeconds"))
        known = partial(
            item._replace,
            annotator_id=who,
            labeled_at=utc(at),
            time_text="" if utc(at) else at,
            started_at=utc(one.get("acceptanceTime")),
            seconds=seconds,
            seconds_kind="" if seconds is None else "active",
            place=f"{place}, {who}",
        )
        yield Answer(_form(one.get("answerContent"), ""), known)


def _form(sent: object, job: str) -> dict[str, Ticked]:
    return {name or job or "label": given for name, given in ticked(sent)}


FORMAT: Final = Format(
    name="ground_truth",
    title="SageMaker Ground Truth and A2I",
    flavours={
        MANIFEST: Flavour("output manifest", _MANIFEST),
        CONSOLIDATION: Flavour("consolidation requests and responses", _REQUESTS),
        RESPONSES: Flavour("worker responses", _ALONE),
        LOOPS: Flavour("A2I human loops", _PERSONS),
    },
    recognise=recognise,
    read=read,
    write=write,
    transport="Read and written as documented, and tested on published manifests; never against the live service.",
    reading=(
        "What says `human-annotated: no` is a machine's. A label in a manifest was merged of several answers and "
        "names nobody (`--annotator`). Boxes, masks, spans, and answers of custom jobs that lie elsewhere are no "
        "labels."
    ),
)
