"""Gold and the records of annotators, over two real rounds and the opening of a third."""

import json
import re
from typing import Any

import pytest

from hitl import screen
from hitl.annotators import records_of
from hitl.layout import Workspace
from tasks import annotators, expected, guideline, journal, plan, rebuild, verify
from tasks.edges import files, tables
from tests.tasks import small_workspace as small


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two closed rounds, which hid all gold but one item; ann is always right, bob never of a wet item."""
    export = {"gold": 4, "overlap": 2, "overlap_share": 1.0}
    made = small.made(tmp_path_factory.mktemp("gold") / "ws", gold=9, export=export)
    for text in ("wet: it rained\n", "wet: it rains\n"):
        files.write_text(made.guideline, text)
        name = small.opened(made)
        ann = small.answers(made, name, annotator="ann")
        bob = [{**row, "annotator_id": "bob", "label": "dry", "comment": "? is dew wet"} for row in ann]
        small.deliver(made, f"{name}.csv", [*({**row, "comment": ""} for row in ann), *bob])
        small.closed(made, name)
    return made


def status(workspace: Workspace) -> Any:
    state = journal.read(workspace)
    told = {"annotators": annotators.newest(workspace, state), "guideline": guideline.newest(workspace, state)}
    return screen.view(state, journal.params(workspace), name="x", at=journal.now(), **told)


def test_the_records_of_all_rounds_lie_in_the_newest_and_the_ledger_knows_them(workspace: Workspace) -> None:
    found = {one.annotator_id: one for one in records_of(annotators.newest(workspace, journal.read(workspace)))}
    assert (found["ann"].gold.value, found["ann"].gold.of, found["ann"].rounds) == (1.0, 8, ("r0001", "r0002"))
    wet = sum(label == "wet" for name in ("r0001", "r0002") for label in expected.gold(workspace, name).values())
    assert ("wet", "dry", wet) in found["bob"].confusion and found[None].annotators == 2
    assert verify.verify(workspace)["problems"] == []
    path = workspace.round("r0002") / "annotators.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"ann", b"bob"))
    assert [one["file"] for one in verify.verify(workspace)["problems"]] == ["data/rounds/r0002/annotators.json"]
    path.write_bytes(whole)


def test_the_status_tells_of_people_and_of_gold_that_runs_short(workspace: Workspace) -> None:
    shown = status(workspace)
    said = screen.text(shown)
    assert "\npeople    bob" in said
    assert "\ngold      1 item is left that nobody at the vendor may know, and export.gold asks for 4" in said
    assert json.loads(json.dumps(shown)) == shown


def test_every_annotation_names_its_guideline_and_a_change_is_tested(workspace: Workspace) -> None:
    for name in ("r0001", "r0002"):
        (sha256,) = set(tables.read_parquet(workspace.round(name) / "annotations.parquet")["guideline"])
        assert sha256 == files.sha256(workspace.pack(name) / "guideline.md")
    found = status(workspace)["guideline"]
    assert found["guideline"] == files.sha256(workspace.guideline)
    assert found["change"]["rounds"] == [["r0001"], ["r0002"]] and not found["change"]["is_real"]
    assert {one["round"] for one in found["questions"]} == {"r0002"} and len(found["questions"]) == 16
    assert found["questions"][0]["comments"] == [["bob", "? is dew wet"]]
    assert "\nguideline annotators remarked on 16 items, and ask about 16 of them" in screen.text(status(workspace))
    report = (workspace.round("r0002") / "report.html").read_text(encoding="utf-8")
    assert "? is dew wet" in report and "Answers to like items did not shift beyond chance" in report


def test_no_gold_item_goes_out_twice_and_a_batch_hides_what_is_left(workspace: Workspace) -> None:
    planned = plan.plan(workspace)
    sent = [item for name in ("r0001", "r0002") for item in expected.gold(workspace, name)]
    assert len(set(sent)) == len(sent) == 8
    assert (planned["gold"], planned["gold_wanted"], planned["annotations"]) == (1, 4, (12 + 1) * 2)
    assert rebuild.rebuild(workspace, check=True)["differences"] == []


def test_another_vendor_may_get_what_this_one_knows(workspace: Workspace) -> None:
    text = workspace.params.read_text(encoding="utf-8")
    try:
        workspace.params.write_text(re.sub(r"^  vendor: .*$", "  vendor: best", text, flags=re.MULTILINE), "utf-8")
        assert plan.plan(workspace)["gold"] == 4
        assert status(workspace)["gold"] == {"wanted": 4, "left": None, "vendor": "best", "regraded": None}
    finally:
        workspace.params.write_text(text, encoding="utf-8")
