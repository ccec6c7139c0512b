"""Scale AI: what its tasks hold beside the plain case."""

import json
from typing import Any

import pytest

from hitl.delivery.source import Bytes
from hitl.formats import Annotation, Batch, Dropped, WrongExport, recognised
from hitl.formats.scale import write


def told(*records: dict[str, Any]) -> list[Annotation | Dropped]:
    found = recognised("tasks.json", Bytes(json.dumps(records).encode()))
    assert found is not None and found.format.name == "scale"
    return list(found.read())


def sent(**changed: Any) -> dict[str, Any]:
    return {"task_id": "t1", "unique_id": "007", "status": "completed", "params": {}, "response": {}, **changed}


def test_a_categorization_names_its_category() -> None:
    (one,) = told(sent(response={"category": "cat"}))
    assert isinstance(one, Annotation)
    assert (one.item_id, one.labels, one.annotator_id) == ("007", ("cat",), "")


def test_a_callback_is_about_one_item() -> None:
    (one,) = told({"task": sent(params={"fields": [{"field_id": "pet", "type": "category"}]}), "task_id": "t1"})
    assert isinstance(one, Annotation) and one.status == "empty"


def test_what_was_canceled_is_skipped_and_what_is_pending_is_counted() -> None:
    done = sent(response={"category": "cat"})
    found = told(done, sent(status="canceled"), sent(status="pending"), sent(status="error"))
    assert [one.status for one in found if isinstance(one, Annotation)] == ["labeled", "skipped"]
    assert len({one.reason for one in found if isinstance(one, Dropped)}) == 2


def test_boxes_are_refused() -> None:
    with pytest.raises(WrongExport, match="boxes"):
        told(sent(response={"annotations": [{"label": "cat", "left": 1, "top": 2}]}))


def test_a_pack_goes_out_with_the_guess_as_a_hypothesis_and_comes_back() -> None:
    row = {"item_id": "007", "text": "hello", "model_class": "cat", "model_confidence": "0.5"}
    batch = Batch("r0001", "b1", ("cat", "dog"), ("text",), [row], shows_model=True, model_version="v3", text="text")
    (body,) = json.loads(write(batch)["scale_tasks.json"])
    assert body["hypothesis"]["annotations"]["label"]["response"] == [["cat"]]
    (one,) = told(sent(params=body, metadata=body["metadata"], response={"annotations": {"label": ["dog"]}}))
    assert isinstance(one, Annotation)
    assert (one.item_id, one.batch_id, one.labels, one.stamp_class) == ("007", "b1", ("dog",), "cat")
    assert (one.shown_class, one.shown_confidence, one.shown_model) == ("cat", 0.5, "v3")
