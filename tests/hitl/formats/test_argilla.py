"""Argilla: what its records and rows hold beside the plain case."""

import json
from typing import Any

import pytest

from hitl.delivery.source import Bytes
from hitl.formats import Annotation, Asked, Batch, Dropped, Lossy, WrongExport, recognised
from hitl.formats.argilla import write


def told(*records: dict[str, Any]) -> list[Annotation | Dropped]:
    found = recognised("records.json", Bytes(json.dumps(records).encode()))
    assert found is not None and found.format.name == "argilla"
    return list(found.read())


def row(*values: Any, statuses: Any = None, **more: Any) -> dict[str, Any]:
    users = [f"u{number}" for number in range(len(values))]
    given = {"label.responses": list(values), "label.responses.users": users}
    given["label.responses.status"] = statuses or ["submitted"] * len(values)
    return {"id": "007", "_server_id": "s1", "text": "hi", **given, **more}


def test_each_user_of_a_row_has_an_answer_and_a_discarded_one_is_a_skip() -> None:
    found = told(row("cat", None, statuses=["submitted", "discarded"]))
    assert [(one.annotator_id, one.labels, one.status) for one in found if isinstance(one, Annotation)] == [
        ("u0", ("cat",), "labeled"),
        ("u1", (), "skipped"),
    ]


def test_a_suggestion_is_what_the_tool_says_was_shown() -> None:
    more = {"label.suggestion": "dog", "label.suggestion.score": 0.4, "label.suggestion.agent": "v3"}
    (one,) = told(row(["cat", "dog"], **more))
    assert isinstance(one, Annotation)
    assert (one.labels, one.stamp_class, one.stamp_confidence, one.stamp_model) == (("cat", "dog"), "dog", 0.4, "v3")
    assert one.content == {"text": "hi"}


def test_spans_are_refused() -> None:
    with pytest.raises(WrongExport, match="spans of text"):
        told(row([{"start": 0, "end": 2, "label": "ORG"}]))


def test_records_do_not_say_what_was_discarded_so_they_are_taken_only_with_that_loss() -> None:
    row = {"item_id": "007", "text": "hello", "model_class": "cat", "model_confidence": "0.5"}
    batch = Batch("r0001", "b1", ("cat", "dog"), ("text",), [row], shows_model=True, model_version="v3", text="text")
    (sent,) = json.loads(write(batch)["argilla_records.json"])
    sent["responses"] = {"label": [{"value": "dog", "user_id": "u1"}]}
    found = recognised("records.json", Bytes(json.dumps([sent]).encode()))
    assert found is not None
    with pytest.raises(Lossy, match="take the rows"):
        list(found.read())
    (one,) = found.read(Asked(accept_loss=True))
    assert isinstance(one, Annotation)
    assert (one.item_id, one.batch_id, one.labels, one.annotator_id) == ("007", "b1", ("dog",), "u1")
    assert (one.shown_class, one.stamp_class, one.stamp_confidence, one.stamp_model) == ("cat", "cat", 0.5, "v3")
