"""What SageMaker writes: a manifest, a consolidation request, worker responses by item, and a human loop of A2I."""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from hitl.formats import Annotation


def exported(flavour: str, annotations: Sequence[Annotation]) -> tuple[str, bytes]:
    handed_in = [one for one in annotations if one.status not in ("skipped", "draft")]
    if flavour == "manifest":
        return "output.manifest", _lines([_labeled(one) for one in handed_in])
    if flavour == "loops":
        return "output.json", _lines([_loop(one) for one in handed_in])
    if flavour == "consolidation":
        return "request.json", json.dumps([_object(one) for one in handed_in]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for one in handed_in:
            path = f"annotations/worker-response/iteration-1/{one.source_item_id}/2026-01-05_10:00:00.json"
            archive.writestr(path, json.dumps({"answers": [_answer(one)]}))
    return "responses.zip", packed.getvalue()


def _lines(records: Sequence[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records).encode()


def _carried(one: Annotation) -> dict[str, Any]:
    shown = {"model_class": one.shown_class, "model_confidence": one.shown_confidence, "model_version": one.shown_model}
    ours = {"item_id": one.item_id, "batch_id": one.batch_id, **shown}
    return {**(one.content or {}), **{name: value for name, value in ours.items() if value not in ("", None)}}


def _labeled(one: Annotation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "job-name": f"labeling-job/{one.project_id}",
        "human-annotated": "no" if one.origin == "machine" else "yes",
        "creation-date": one.time_text,
    }
    if one.annotator_confidence is not None:
        told["confidence"] = one.annotator_confidence
    if len(one.labels) == 1:
        told |= {"class-name": one.labels[0], "type": "groundtruth/text-classification"}
        return {"source-ref": one.source_item_id, **_carried(one), "label": 0, "label-metadata": told}
    told["class-map"] = {str(number): label for number, label in enumerate(one.labels)}
    told["type"] = "groundtruth/text-classification-multilabel"
    chosen = list(range(len(one.labels)))
    return {"source-ref": one.source_item_id, **_carried(one), "label": chosen, "label-metadata": told}


def _form(one: Annotation) -> dict[str, Any]:
    names = sorted({*one.labels, "none of these", "I cannot tell"})
    return {"comment": one.comment, "label": {name: name in one.labels for name in names}}


def _answer(one: Annotation) -> dict[str, Any]:
    told = {"acceptanceTime": one.started_at, "submissionTime": one.labeled_at, "workerId": one.annotator_id}
    seconds = {} if one.seconds is None else {"timeSpentInSeconds": one.seconds}
    return {**told, **seconds, "workerMetadata": {"identityData": {"sub": "u1"}}, "answerContent": _form(one)}


def _object(one: Annotation) -> dict[str, Any]:
    answer = {"workerId": one.annotator_id, "annotationData": {"content": json.dumps(_form(one))}}
    data = {"s3Uri": "s3://bucket/item.txt"}
    return {"datasetObjectId": one.source_item_id, "dataObject": data, "annotations": [answer]}


def _loop(one: Annotation) -> dict[str, Any]:
    return {
        "flowDefinitionArn": f"arn:aws:sagemaker:us-east-1:111122223333:flow-definition/{one.project_id}",
        "humanLoopName": one.source_item_id,
        "inputContent": _carried(one),
        "humanAnswers": [_answer(one)],
    }
