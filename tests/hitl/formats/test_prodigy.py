"""Prodigy: what its datasets hold beside the plain case."""

import json
from typing import Any

import pytest

from hitl.delivery.source import Bytes
from hitl.formats import Annotation, Batch, Dropped, WrongExport, recognised
from hitl.formats.prodigy import write

SEEN = {"text": "hello", "_input_hash": -1, "_task_hash": -2}


def told(*records: dict[str, Any]) -> list[Annotation | Dropped]:
    found = recognised("dataset.jsonl", Bytes("\n".join(map(json.dumps, records)).encode()))
    assert found is not None and found.format.name == "prodigy"
    return list(found.read())


def read(**answered: Any) -> Annotation:
    (one,) = told({**SEEN, **answered})
    assert isinstance(one, Annotation)
    return one


def test_a_rejected_label_says_what_the_item_is_not() -> None:
    assert read(label="DOCS", answer="accept").labels == ("DOCS",)
    assert read(label="DOCS", answer="reject").labels == ("not DOCS",)


def test_ignoring_is_a_skip() -> None:
    one = read(label="DOCS", answer="ignore")
    assert (one.status, one.labels, one.source_item_id) == ("skipped", (), "-1")


def test_a_choice_is_what_was_ticked_and_rejecting_it_is_no_label() -> None:
    options = [{"id": "cat"}, {"id": "dog"}]
    assert read(options=options, accept=["cat", "dog"], answer="accept").labels == ("cat", "dog")
    assert read(options=options, accept=["cat"], answer="reject").status == "rejected"
    assert read(options=options, accept=[], answer="accept").status == "empty"


def test_spans_that_were_matched_do_not_make_a_label_a_span() -> None:
    assert read(label="INSULT", spans=[{"start": 0, "end": 5}], answer="accept").labels == ("INSULT",)


def test_the_guess_that_was_shown_is_kept_apart() -> None:
    one = read(label="DOCS", score=0.7, meta={"score": 0.7}, answer="reject")
    assert (one.stamp_class, one.stamp_confidence, one.labels) == ("DOCS", 0.7, ("not DOCS",))


def test_a_session_without_a_name_is_nobody() -> None:
    assert read(label="A", answer="accept", _session_id="docs-2023-05-01_12-00-00").annotator_id == ""
    assert read(label="A", answer="accept", _session_id="docs-ann").annotator_id == "docs-ann"


@pytest.mark.parametrize(
    ("answered", "found"),
    [
        ({"spans": [{"start": 0, "end": 5, "label": "ORG"}]}, "spans of text"),
        ({"tokens": [], "_view_id": "ner_manual"}, "spans of text"),
        ({"relations": [{"head": 0}], "_view_id": "relations"}, "relations"),
        ({"spans": [{"points": [[0, 0]]}], "_view_id": "image_manual"}, "boxes or polygons"),
        ({"user_input": "hi", "_view_id": "text_input"}, "free text"),
    ],
)
def test_what_is_no_class_is_refused_and_named(answered: dict[str, Any], found: str) -> None:
    with pytest.raises(WrongExport, match=found):
        told({**SEEN, **answered, "answer": "accept"})


def test_what_nobody_answered_is_counted() -> None:
    one, other = told({**SEEN, "label": "A", "answer": "accept"}, SEEN)
    assert isinstance(one, Annotation) and isinstance(other, Dropped)


def test_a_pack_goes_out_as_choices_with_the_guess_ticked() -> None:
    row = {"item_id": "007", "text": "hello", "model_class": "cat", "model_confidence": "0.5"}
    batch = Batch("r0001", "b1", ("cat", "dog"), ("text",), [row], shows_model=True, model_version="v3", text="text")
    sent = json.loads(write(batch)["prodigy.jsonl"])
    assert (sent["accept"], [one["id"] for one in sent["options"]]) == (["cat"], ["cat", "dog"])
    one = read(**{**sent, "accept": ["dog"], "answer": "accept"})
    assert (one.item_id, one.batch_id, one.labels) == ("007", "b1", ("dog",))
    assert (one.shown_class, one.shown_confidence, one.shown_model) == ("cat", 0.5, "v3")
