"""Adaptive overlap in a real workspace: an item without consensus goes to one more annotator, then to a person."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows import repair, say
from hitl import overlap, screen
from hitl.layout import Workspace
from hitl.report.sections import resolved
from hitl.rules import failures
from tasks import adjudicate, journal, plan, rebuild, report
from tasks.edges import tables, vendor
from tests.tasks import small_workspace

OTHER = {"dry": "wet", "wet": "dry"}
CLOSING = {event: step for event, step in small_workspace.CLOSING.items() if event != "reported"}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Ask the rules at the doors ourselves: Great Expectations says the same (another test) and takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.doors.check", lambda frame, rules: failures(rules, frame))
        yield


def said(workspace: Workspace, name: str, annotator: str, *, wrong: list[str]) -> list[vendor.Row]:
    """The true answers of one annotator to a whole pack, but for the items that they get wrong."""
    rows = small_workspace.answers(workspace, name, annotator=annotator)
    return [{**row, "label": OTHER[row["label"]]} if row["item_id"] in wrong else row for row in rows]


def reasons(workspace: Workspace, name: str) -> dict[str, str]:
    batch = small_workspace.batch(workspace, name)
    return dict(zip(batch["item_id"], batch["reason"], strict=True))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory, quick: None) -> Path:
    """Two annotators answered one round and disagree on three of its items; a third one may be asked."""
    root = tmp_path_factory.mktemp("overlap") / "made"
    workspace = small_workspace.made(
        root,
        small_workspace.table(150),
        query={"batch": 8},
        export={"gold": 2, "overlap": 2, "overlap_share": 1.0, "overlap_most": 3},
        delivery={"price": 0.1},
        resolve={"method": "majority"},
    )
    name = small_workspace.opened(workspace)
    contested = sorted(item for item, reason in reasons(workspace, name).items() if reason != "gold")[:3]
    small_workspace.deliver(workspace, "ann.csv", said(workspace, name, "ann", wrong=[]))
    small_workspace.deliver(workspace, "bob.csv", said(workspace, name, "bob", wrong=contested))
    small_workspace.play(workspace, name, CLOSING)
    return root


@pytest.fixture
def workspace(pristine: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(pristine, tmp_path / "here", symlinks=True)
    return Workspace(tmp_path / "here")


def contested(workspace: Workspace) -> list[str]:
    return sorted(overlap.waiting(journal.params(workspace), journal.read(workspace)))


def manifest(workspace: Workspace, name: str) -> dict[str, Any]:
    return json.loads((workspace.pack(name) / "MANIFEST.json").read_text())  # type: ignore[no-any-return]


def label(workspace: Workspace, item: str) -> str | None:
    found = tables.read_parquet(workspace.labeled).set_index("item_id")["label"]
    return found.get(item)


def test_an_item_without_consensus_waits_for_another_annotator_and_for_nobody_else(workspace: Workspace) -> None:
    params, state = journal.params(workspace), journal.read(workspace)

    assert len(contested(workspace)) == 3
    assert {one.answers for one in state.unsettled.values()} == {2}
    assert adjudicate.write(workspace)["items"] == 0
    assert adjudicate.write(workspace, everything=True)["items"] == 3
    shown = screen.view(state, params, name="here", at=journal.now())
    assert (shown["adjudication"], shown["another"]) == (0, {"items": 3, "out": 0})
    assert "overlap   3 items wait for another annotator" in screen.text(shown)
    told = plan.plan(workspace)
    assert (told["another"], told["annotations"]) == (3, 2 * (8 + 2))
    assert "3 items wait for another annotator" in say.planned(told)
    labels = resolved.section(report.sources(workspace, state.closed[-1].id))
    assert labels is not None and "Nothing goes to adjudication." in labels.words
    assert [(table.caption, len(table.rows)) for table in labels.tables[:1]] == [("Items for another annotator", 3)]


def test_where_nobody_more_is_to_be_asked_it_goes_to_an_adjudicator(workspace: Workspace) -> None:
    text = workspace.params.read_text()
    for old, new in (("overlap_most: 3", "overlap_most: 2"), ("annotators: []", "annotators: [a, b]")):
        assert old in text
        workspace.params.write_text(text.replace(old, new))
        assert contested(workspace) == []
        assert adjudicate.write(workspace)["items"] == 3


def test_the_pack_asks_for_one_answer_of_somebody_else_and_takes_no_other(workspace: Workspace) -> None:
    waiting = contested(workspace)
    name = small_workspace.opened(workspace)
    asked = [item for item, reason in reasons(workspace, name).items() if reason == "overlap"]
    assert asked == waiting

    pack, exported = manifest(workspace, name), journal.read(workspace).round(name).facts["exported"]
    assert pack["answered"] == {item: ["ann", "bob"] for item in asked}
    assert not pack["overlap"]["items"].keys() & set(asked)
    assert exported["annotations"] == 2 * (8 + 2 - 3) + 3
    receipt = small_workspace.deliver(workspace, "again.csv", said(workspace, name, "ann", wrong=[])).receipt
    assert receipt["rows"] == {"delivered": 10, "accepted": 7, "quarantined": 3, "duplicate": 0}
    assert {one["code"] for one in receipt["held"]} == {"R_ANSWERED_BEFORE"}  # type: ignore[index,union-attr]
    receipt = small_workspace.deliver(workspace, "cem.csv", said(workspace, name, "cem", wrong=[])).receipt
    assert receipt["rows"]["accepted"] == 10  # type: ignore[index,call-overload]
    state = journal.read(workspace)
    assert screen.view(state, journal.params(workspace), name="", at=journal.now())["another"] == {"items": 3, "out": 3}
    assert state.round(name).accepted == exported["annotations"]


@pytest.fixture(scope="module")
def settled(pristine: Path, quick: None) -> Path:
    """A third annotator answered what was contested."""
    root = pristine.with_name("settled")
    shutil.copytree(pristine, root, symlinks=True)
    workspace = Workspace(root)
    name = small_workspace.opened(workspace)
    small_workspace.deliver(workspace, "bea.csv", said(workspace, name, "bob", wrong=[]))
    small_workspace.deliver(workspace, "cem.csv", said(workspace, name, "cem", wrong=[]))
    small_workspace.play(workspace, name, CLOSING)
    return root


def test_the_answers_of_all_rounds_make_the_label(pristine: Path, settled: Path, tmp_path: Path) -> None:
    before, after = contested(Workspace(pristine)), Workspace(settled)
    truth = vendor.truth(after.truth)
    state, params = journal.read(after), journal.params(after)

    labels = tables.read_parquet(after.round("r0002") / "labels.parquet").set_index("item_id")
    assert state.round("r0002").facts["resolved"]["pooled"] == before
    assert {item: label(after, item) for item in before} == {item: truth[item] for item in before}
    assert {sum(json.loads(one).values()) for one in labels.loc[before, "votes"]} == {3}
    assert state.unsettled == {}
    pool = state.rounds[0].facts["created"]["counts"]["pool"]  # type: ignore[index,call-overload]
    assert plan.plan(after)["pool_left"] == pool - 8 - (8 - 3)
    assert overlap.waiting(params, state) == {}


def test_everything_comes_out_the_same_when_it_is_computed_again(settled: Path) -> None:
    workspace = Workspace(settled)
    assert rebuild.rebuild(workspace, check=True)["differences"] == []
    assert rebuild.replay(workspace, "r0002")["different"] == []


def test_an_undo_takes_an_answer_out_of_the_pool(settled: Path, tmp_path: Path) -> None:
    shutil.copytree(settled, tmp_path / "here", symlinks=True)
    workspace = Workspace(tmp_path / "here")
    items = journal.read(workspace).round("r0002").facts["resolved"]["pooled"]

    repair.withdrawn(workspace, "annotator", "ann", "a shared account")

    facts = journal.read(workspace).round("r0002").facts["resolved"]
    # In r0001 only bob's answer is left, and cem says otherwise: two answers, no consensus, one more may be asked.
    assert facts["answers"] == dict.fromkeys(items, 2)  # type: ignore[call-overload]
    assert contested(workspace) == items
    assert [label(workspace, item) for item in items] == [None] * 3  # type: ignore[union-attr]
