import json
from typing import Any

from hitl.pull import confirmed, snapshot


def item(number: int, *answers: dict[str, Any], batch_id: str = "b", **more: Any) -> dict[str, Any]:
    """An item as Label Studio's snapshot has it."""
    data = {"item_id": f"i{number}", "batch_id": batch_id}
    return {"id": number, "data": data, "annotations": list(answers), "predictions": [], **more}


def exported(*items: dict[str, Any]) -> bytes:
    return json.dumps(items).encode()


def test_a_snapshot_keeps_the_answered_items_of_the_batch() -> None:
    data = exported(
        item(1, {"id": 1}), item(2), item(3, {"id": 2}, batch_id="another"), {"id": 4, "data": {}} | {"annotations": []}
    )
    assert [one["id"] for one in json.loads(snapshot(data, "b"))] == [1]
    assert snapshot(exported(item(2)), "b") == b""


def test_what_nobody_answered_changes_no_byte() -> None:
    answer = {"id": 1, "prediction": {"id": 5, "created_ago": "1 minute"}}
    later = {"id": 1, "prediction": {"id": 5, "created_ago": "2 hours"}}
    before = exported(item(1, answer), item(2), item(3, {"id": 9}, {"id": 8}))
    after = exported(
        item(3, {"id": 8}, {"id": 9}),
        item(1, later, drafts=[{"id": 7}], updated_at="now", comment_count=2),
        item(2, drafts=[{}]),
    )
    assert snapshot(before, "b") == snapshot(after, "b")


def test_an_edit_changes_the_bytes() -> None:
    assert snapshot(exported(item(1, {"id": 1, "lead_time": 2})), "b") != snapshot(exported(item(1, {"id": 1})), "b")


def test_confirmed_rows_of_the_batch_stand_in_the_order_of_the_items() -> None:
    rows = [{"item_id": "i2", "batch_id": "b"}, {"item_id": "i1", "batch_id": "b"}, {"item_id": "i3", "batch_id": "c"}]
    found = confirmed({"bob.jsonl": rows, "ann.jsonl": [], "cy.jsonl": rows[2:]}, "b")
    assert found == {"bob.jsonl": [rows[1], rows[0]]}
