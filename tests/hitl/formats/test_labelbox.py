"""Labelbox: what its exports hold beside the plain case."""

import json
from typing import Any

import pytest

from hitl.delivery.source import Bytes
from hitl.formats import Annotation, Batch, Dropped, WrongExport, recognised
from hitl.formats.labelbox import write

RADIO = {"name": "Team", "value": "team", "radio_answer": {"name": "Billing", "value": "billing"}}
BOX = {"name": "Cat", "annotation_kind": "ImageBoundingBox", "bounding_box": {"top": 1.0}}


def told(*records: Any, name: str = "export.ndjson") -> list[Annotation | Dropped]:
    found = recognised(name, Bytes("\n".join(map(json.dumps, records)).encode()))
    assert found is not None and found.format.name == "labelbox"
    return list(found.read())


def data_row(*labels: dict[str, Any], key: str | None = "007", **details: Any) -> dict[str, Any]:
    project = {"name": "p", "labels": list(labels), "project_details": details}
    return {"data_row": {"id": "d1", "global_key": key, "row_data": "hi"}, "projects": {"p1": project}}


def label(*classifications: dict[str, Any], who: str = "a@x", objects: Any = (), **performance: Any) -> dict[str, Any]:
    return {
        "id": f"l-{who}",
        "label_details": {"created_by": who, "created_at": "2026-01-05T10:00:00.000+00:00"},
        "performance_details": performance,
        "annotations": {"objects": list(objects), "classifications": list(classifications)},
    }


def test_each_annotator_of_a_data_row_has_a_label() -> None:
    one, other = told(data_row(label(RADIO, seconds_to_create=11), label(RADIO, who="b@x", skipped=True)))
    assert isinstance(one, Annotation) and isinstance(other, Annotation)
    assert (one.item_id, one.annotator_id, one.labels, one.label_field) == ("007", "a@x", ("Billing",), "Team")
    assert (one.seconds, one.labeled_at) == (11.0, "2026-01-05T10:00:00Z")
    assert (other.annotator_id, other.status, other.labels) == ("b@x", "skipped", ())


def test_an_answer_within_an_answer_is_a_question_of_its_own() -> None:
    inner = {"name": "Which", "radio_answer": {"name": "Refund"}}
    outer = {"name": "Team", "radio_answer": {"name": "Billing", "classifications": [inner]}}
    found = [one for one in told(data_row(label(outer))) if isinstance(one, Annotation)]
    assert [(one.label_field, one.labels, one.part) for one in found] == [
        ("Team", ("Billing",), 0),
        ("Team / Which", ("Refund",), 1),
    ]


def test_a_checklist_has_several_classes_and_a_text_is_a_comment() -> None:
    several = {"name": "Teams", "checklist_answers": [{"name": "Billing"}, {"name": "Tech"}]}
    (one,) = told(data_row(label(several, {"name": "Why", "text_answer": {"content": "both"}})))
    assert isinstance(one, Annotation) and (one.labels, one.comment) == (("Billing", "Tech"), "both")


def test_the_newest_verdict_of_the_workflow_counts() -> None:
    steps = [{"action": "Move"}, {"action": "Reject", "created_by": "r@x"}, {"action": "Approve"}]
    (one,) = told(data_row(label(RADIO), workflow_history=steps))
    assert isinstance(one, Annotation)
    assert (one.status, one.review_status, one.reviewer_id) == ("rejected", "rejected", "r@x")


def test_boxes_are_refused_and_counted_beside_classes() -> None:
    with pytest.raises(WrongExport, match="boxes"):
        told(data_row(label(objects=[BOX])))
    one, other = told(data_row(label(RADIO, objects=[BOX])))
    assert isinstance(one, Annotation)
    assert other == Dropped("boxes beside the classes", "line 1, label l-a@x")


def test_a_data_row_that_nobody_labeled_is_counted() -> None:
    one, other = told(data_row(), data_row(label(RADIO)))
    assert isinstance(one, Dropped) and isinstance(other, Annotation)


def test_the_oldest_exports_say_skip_and_name_a_class_by_question() -> None:
    header = "ID,DataRow ID,Labeled Data,Label,Created By,Created At,Seconds to Label,External ID,Skipped"
    rows = [
        f'{n},d{n},u,"{{""Cat?"":""{said}""}}",a@x,2019-07-01T00:00:00Z,2.5,{n}.jpg,' for n, said in enumerate("yynn")
    ]
    data = "\n".join([header, *rows, "9,d9,u,Skip,a@x,2019-07-01T00:00:00Z,1,9.jpg,"]).encode()
    found = recognised("export.csv", Bytes(data))
    assert found is not None and (found.format.name, found.flavour) == ("labelbox", "csv")
    *labeled, skipped = (one for one in found.read() if isinstance(one, Annotation))
    assert [(one.item_id, one.labels) for one in labeled][::3] == [("0.jpg", ("y",)), ("3.jpg", ("n",))]
    assert (skipped.status, skipped.labels) == ("skipped", ())


def test_a_pack_goes_out_as_data_rows_and_prelabels_that_are_the_same_twice() -> None:
    row = {"item_id": "007", "text": "hello", "model_class": "cat", "model_confidence": "0.5"}
    batch = Batch("r0001", "b1", ("cat", "dog"), ("text",), [row], shows_model=True, model_version="v3", text="text")
    files = write(batch)
    (sent,) = json.loads(files["labelbox_data_rows.json"])
    assert (sent["global_key"], sent["row_data"]) == ("007", "hello")
    named = {one["name"]: one["value"] for one in sent["metadata_fields"]}
    assert named == {"batch_id": "b1", "model_class": "cat", "model_confidence": "0.5", "model_version": "v3"}
    guess = json.loads(files["labelbox_prelabels.ndjson"])
    assert (guess["answer"], guess["dataRow"]) == ({"name": "cat", "confidence": 0.5}, {"globalKey": "007"})
    assert write(batch) == files
