"""A tool's export passes the same judge as a CSV: the rules of what counts, and where a held answer stands."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hitl.delivery.judge import Bytes, Expectation, Judgement, judge
from hitl.formats import Asked
from hitl.formats.door import Reading, Refused, opened

ITEMS = [f"i{number:02}" for number in range(10)]
WANTED = Expectation(
    round="r0001",
    classes=("cat", "dog"),
    items={item: {} for item in ITEMS},
    exported_at=datetime(2026, 11, 1, tzinfo=UTC),
    received_at=datetime(2026, 11, 20, tzinfo=UTC),
)


def answer(*labels: str, who: object = 1, field: str = "label", **more: Any) -> dict[str, Any]:
    result = [{"type": "choices", "from_name": field, "value": {"choices": list(labels)}}] if labels else []
    at = "2026-11-10T10:00:00Z"
    return {"completed_by": who, "result": result, "was_cancelled": False, "created_at": at, "lead_time": 5.5, **more}


def export(items: dict[str, list[dict[str, Any]]], **more: Any) -> Bytes:
    told = [{"data": {"item_id": item}, "annotations": given, **more} for item, given in items.items()]
    return Bytes(json.dumps(told).encode())


def judged(source: Bytes, wanted: Expectation = WANTED, *, file: str = "export.json", **reading: Any) -> Judgement:
    wanted = replace(wanted, reading=Reading(**reading))
    came = opened(source, file, wanted.reading, limit=wanted.row_limit)
    return judge(came.source, wanted, file=file, tool=came.tool)


def whole(**changed: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {**{item: [answer("cat")] for item in ITEMS}, **changed}


def test_an_export_is_judged_row_by_row_and_known_by_its_own_bytes() -> None:
    source = export(whole(i03=[answer(was_cancelled=True)]))
    found = judged(source)
    assert (found.verdict, found.accepted, found.tool) == ("accept", 10, "label_studio")
    assert found.sha256 == source.sha256
    told = {one.item_id: one for one in found.annotations}
    assert (told["i03"].label, told["i04"].label) == (None, "cat")
    assert (told["i04"].annotator_id, told["i04"].seconds) == ("1", 5.5)
    assert judged(source, replace(WANTED, known=frozenset({source.sha256}))).reasons == ("F_DUPLICATE_DELIVERY",)


def test_a_held_answer_is_named_by_its_place_in_the_export() -> None:
    (held,) = judged(export(whole(i03=[answer("bird")]))).held
    assert (held.code, held.value, held.place) == ("R_LABEL_UNKNOWN", "bird", "record 4, annotation 1")


def test_several_classes_are_no_answer_where_one_was_asked_for() -> None:
    (held,) = judged(export(whole(i03=[answer("cat", "dog")]))).held
    assert (held.code, held.value) == ("R_LABEL_UNKNOWN", '["cat", "dog"]')


def test_time_that_no_day_has_and_time_that_nobody_told_are_not_held_against_an_answer() -> None:
    found = judged(
        export(whole(i03=[answer("cat", lead_time=1e6)], i04=[answer("cat", lead_time=None, created_at=None)]))
    )
    assert found.accepted == 10
    assert [one.seconds for one in found.annotations][2:5] == [5.5, None, None]


@pytest.mark.parametrize(("take", "accepted"), [((), 9), (("rejected",), 10)])
def test_a_rejected_answer_counts_only_where_params_say_so(take: tuple[str, ...], accepted: int) -> None:
    rejected = answer("cat", reviews=[{"accepted": False, "created_by": 9}])
    found = judged(export(whole(i03=[rejected])), take=frozenset(take))
    assert found.accepted == accepted
    assert [(one.code, one.value) for one in found.held] == [("R_NOT_TAKEN", "rejected")] * (10 - accepted)


def test_what_a_machine_said_never_counts_and_is_no_fault_of_the_file() -> None:
    lines = [{"id": 1, "text": "x", "item_id": item, "label": ["cat"]} for item in ITEMS]
    source = Bytes("".join(json.dumps(line) + "\n" for line in lines).encode())
    taken = frozenset({"draft", "rejected", "expelled"})
    imported = judged(source, file="admin.json", asked=Asked(importers=frozenset({"admin"})), take=taken)
    assert (imported.verdict, imported.accepted, imported.reasons) == ("quarantine", 0, ("R_NOT_TAKEN",))
    assert judged(source, file="admin.json").accepted == 10


TWICE = [answer("cat", updated_at="2026-11-10T12:00:00Z"), answer("dog", updated_at="2026-11-10T11:00:00Z")]


@pytest.mark.parametrize(
    ("repeat", "told", "counts"),
    [
        ("hold", [], (9, 2, 0)),
        ("last", [("1", "cat")], (10, 0, 1)),
        ("keep", [("1", "cat"), ("1 #2", "dog")], (11, 0, 0)),
    ],
)
def test_several_answers_of_one_annotator_to_one_item(
    repeat: str, told: list[tuple[str, str]], counts: tuple[int, int, int]
) -> None:
    found = judged(export(whole(i03=TWICE)), repeat=repeat)
    assert [(one.annotator_id, one.label) for one in found.annotations if one.item_id == "i03"] == told
    assert (found.accepted, found.quarantined, found.duplicate) == counts


def test_the_same_answer_twice_is_a_duplicate_whatever_repeats_mean() -> None:
    for repeat in ("hold", "last", "keep"):
        found = judged(export(whole(i03=[answer("cat"), answer("cat")])), repeat=repeat)
        assert (found.accepted, found.duplicate) == (10, 1)


def test_repeats_in_a_csv_are_settled_alike() -> None:
    rows = "".join(f"{item},cat,ann\n" for item in ITEMS)
    source = Bytes(f"item_id,label,annotator_id\n{rows}i03,dog,ann\n".encode())
    found = {repeat: judged(source, file="a.csv", repeat=repeat).annotations for repeat in ("hold", "last", "keep")}
    labels = {repeat: [one.label for one in told if one.item_id == "i03"] for repeat, told in found.items()}
    assert labels == {"hold": [], "last": ["dog"], "keep": ["cat", "dog"]}


def test_of_several_questions_one_must_be_chosen() -> None:
    both = answer("cat")
    both["result"] += answer("happy", field="mood")["result"]
    source = export(whole(i03=[both]))
    with pytest.raises(Refused, match=r"answer 2 questions \(label, mood\)"):
        judged(source)
    assert judged(source, asked=Asked(label_field="label")).accepted == 10


def test_an_export_that_drops_what_another_has_is_taken_only_when_the_loss_is() -> None:
    source = Bytes(
        b"annotation_id,annotator,id,item_id,label\n" + b"".join(b"1,1,1,%s,cat\n" % i.encode() for i in ITEMS)
    )
    with pytest.raises(Refused, match=r"CSV or TSV drops skips.*export as JSON.*--accept-loss"):
        judged(source, file="x.csv")
    assert judged(source, file="x.csv", asked=Asked(accept_loss=True)).accepted == 10


@pytest.mark.parametrize(
    ("source", "reading", "said"),
    [
        (
            export({"i00": [answer("cat")]}),
            {"format": "doccano"},
            "an export of Label Studio, and deliveries are exports of d",
        ),
        (Bytes(b'[{"data": {"item_id": "i"}, "annotations": [}'), {}, "not sound JSON"),
        (
            export({"i00": [{"result": [{"type": "labels", "value": {"start": 1, "labels": ["x"]}}]}]}),
            {},
            "only 1 labels",
        ),
    ],
)
def test_what_cannot_be_taken_says_why(source: Bytes, reading: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        judged(source, **reading)


def test_a_file_of_far_too_many_answers_is_not_read_to_its_end() -> None:
    found = judged(export({f"x{number}": [answer("cat")] for number in range(200)}))
    assert (found.verdict, found.reasons) == ("reject", ("F_TOO_MANY_ROWS",))


def test_a_csv_of_ours_is_read_as_it_is() -> None:
    source = Bytes(b"item_id,label,annotator_id\ni00,cat,ann\n")
    assert opened(source, "a.csv").source is source
    assert opened(Bytes(b"PK\x03\x04 and so on"), "a.csv").tool == ""
