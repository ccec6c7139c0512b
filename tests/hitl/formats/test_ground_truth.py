"""SageMaker Ground Truth and A2I: what their files hold beside the plain case."""

import json
from typing import Any

import pytest

from hitl.delivery.source import Bytes
from hitl.errors import DataError
from hitl.formats import Annotation, Asked, Batch, Dropped, WrongExport, recognised
from hitl.formats.ground_truth import write

TOLD = {
    "class-name": "cat",
    "confidence": 0.9,
    "type": "groundtruth/image-classification",
    "job-name": "labeling-job/pets",
    "human-annotated": "yes",
    "creation-date": "2020-05-30T08:29:18.173027",
}
BOXES = {"type": "groundtruth/object-detection", "human-annotated": "yes", "class-map": {"0": "cat"}}


def item(**more: Any) -> dict[str, Any]:
    return {"source-ref": "s3://pets/1.jpg", **more}


def told(*records: dict[str, Any], label_field: str = "") -> list[Annotation | Dropped]:
    data = "\n".join(map(json.dumps, records)).encode()
    found = recognised("output.manifest", Bytes(data))
    assert found is not None and found.format.name == "ground_truth"
    return list(found.read(Asked(label_field=label_field)))


def read(*records: dict[str, Any], label_field: str = "") -> list[Annotation]:
    return [one for one in told(*records, label_field=label_field) if isinstance(one, Annotation)]


def test_a_label_is_the_name_of_the_class_and_its_time_is_kept_as_it_stands() -> None:
    (one,) = read(item(pets=3, **{"pets-metadata": TOLD}))
    assert (one.labels, one.label_field, one.project_id) == (("cat",), "pets", "pets")
    assert (one.source_item_id, one.annotator_id, one.annotator_confidence) == ("s3://pets/1.jpg", "", 0.9)
    assert (one.labeled_at, one.time_text) == ("", "2020-05-30T08:29:18.173027")


def test_what_no_human_annotated_is_of_a_machine() -> None:
    (one,) = read(item(pets=3, **{"pets-metadata": {**TOLD, "human-annotated": "no"}}))
    assert one.origin == "machine"


def test_several_classes_are_named_by_the_map() -> None:
    many = {"type": "groundtruth/text-classification-multilabel", "class-map": {"0": "action", "4": "drama"}}
    (one,) = read({"source": "text", "job": [0, 4], "job-metadata": many})
    assert (one.labels, one.content) == (("action", "drama"), {"source": "text"})


def test_what_was_not_labeled_is_counted() -> None:
    failed = {"failure-reason": "Expired", "type": "groundtruth/image-classification"}
    records = (item(pets=3, **{"pets-metadata": TOLD}), item(), item(**{"pets-metadata": failed}))
    reasons = [one.reason for one in told(*records) if isinstance(one, Dropped)]
    assert reasons == ["items that nobody has answered", "items that the job failed to label"]


def test_boxes_are_refused_and_left_out_beside_classes() -> None:
    boxes = {"boxes": {"annotations": []}, "boxes-metadata": BOXES}
    with pytest.raises(WrongExport, match="boxes"):
        told(item(**boxes))
    one, other = told(item(**boxes, pets=3, **{"pets-metadata": TOLD}))
    assert isinstance(one, Dropped) and one.reason == "answers that are boxes"
    assert isinstance(other, Annotation)


def test_answers_of_a_custom_job_that_lie_elsewhere_are_refused() -> None:
    custom = {"job": {"annotation-ref": "s3://x"}, "job-metadata": {"type": "groundtruth/custom"}}
    with pytest.raises(WrongExport, match="annotation-ref"):
        told(item(**custom))


def test_a_custom_job_without_consolidation_has_an_answer_of_each_worker() -> None:
    said = [
        {"workerId": who, "annotationData": {"content": json.dumps({"reply": {"label": label}})}}
        for who, label in (("w1", "yes"), ("w2", "no"))
    ]
    job = {"job": {"annotationsFromAllWorkers": said}, "job-metadata": {"type": "groundtruth/custom"}}
    found = read(item(**job))
    assert [(one.annotator_id, one.labels, one.label_field) for one in found] == [
        ("w1", ("yes",), "reply"),
        ("w2", ("no",), "reply"),
    ]


def test_of_two_jobs_one_can_be_taken() -> None:
    both = item(pets=3, **{"pets-metadata": TOLD}, mood=1, **{"mood-metadata": {**TOLD, "class-name": "happy"}})
    assert [one.labels for one in read(both)] == [("cat",), ("happy",)]
    assert [one.labels for one in read(both, label_field="mood")] == [("happy",)]


def test_a_pack_goes_out_as_an_input_manifest() -> None:
    row = {"item_id": "007", "text": "hello", "page": "3", "model_class": "cat", "model_confidence": "0.5"}
    batch = Batch("r0001", "b1", ("cat", "dog"), ("text", "page"), [row], True, "v3", text="text")
    files = write(batch)
    assert json.loads(files["ground_truth.manifest"]) == {
        "source": "hello",
        "page": "3",
        "item_id": "007",
        "batch_id": "b1",
        "model_class": "cat",
        "model_confidence": "0.5",
        "model_version": "v3",
    }
    assert json.loads(files["ground_truth_classes.json"])["labels"] == [{"label": "cat"}, {"label": "dog"}]
    with pytest.raises(DataError, match="image-ref"):
        write(batch._replace(columns=("image-ref",)))
