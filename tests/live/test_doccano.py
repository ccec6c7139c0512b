"""doccano 1.8.4, the real one: what was sent is there once, what was confirmed is taken once."""

from typing import cast

import pytest

from hitl.errors import ParamsError
from hitl.layout import Workspace
from tasks import journal
from tasks.pull import pull
from tasks.push import push
from tests.live import killed
from tests.live.answers import counts, pulled, pushed_to, taken
from tests.live.conftest import ROUND
from tests.live.faults import Way, on_the_way
from tests.live.people import Doccano
from tests.tasks.small_workspace import rows

TOOL = "doccano"


def test_a_round_stands_there_once_and_what_was_confirmed_is_taken_once(workspace: Workspace, doccano: Doccano) -> None:
    sent = {row["item_id"]: row for row in rows(workspace.pack(ROUND) / "batch.csv")}
    facts, again = push(workspace, TOOL), push(workspace, TOOL)
    project, there = pushed_to(facts), doccano.items(pushed_to(facts))
    assert (facts["sent"], again["sent"], len(doccano.all(project))) == (212, 0, 212)
    assert {one["meta"]["item_id"]: (one["text"], one["meta"]["model_class"]) for one in doccano.all(project)} == {
        item: (row["note"], row["model_class"]) for item, row in sent.items()
    }

    doccano.invite(project)
    first, second, third, fourth, *_ = sorted(there)
    assert pull(workspace) == []
    doccano.answer(doccano.ann, project, there[first], "wet", comment="sure")
    doccano.answer(doccano.bob, project, there[second], "dry")
    doccano.answer(doccano.bob, project, there[third], "<skip>")
    doccano.answer(doccano.bob, project, there[fourth], "wet", confirm=False)
    doccano.answer(doccano.admin, project, there[first], "dry", confirm=False)  # as an import of labels leaves it
    handed_in = {(first, "ann"): "wet", (second, "bob"): "dry", (third, "bob"): "<skip>"}

    assert counts(pulled(workspace, TOOL)) == (3, 0, 0)
    assert taken(workspace) == handed_in
    length = len(journal.events(workspace))
    unchanged = pulled(workspace, TOOL)
    assert (unchanged["reasons"], counts(unchanged)) == (["F_DUPLICATE_DELIVERY"], (0, 0, 3))
    assert len(journal.events(workspace)) == length

    for label in ("dry", "wet", "dry"):  # also back to what it was: doccano tells no times
        doccano.answer(doccano.ann, project, there[first], label, confirm=False)
        assert counts(pulled(workspace, TOOL)) == (1, 0, 2)
        assert taken(workspace) == {**handed_in, (first, "ann"): label}


def test_a_project_whose_annotators_share_their_answers_tells_who_gave_each(
    workspace: Workspace, doccano: Doccano
) -> None:
    settings = {
        "resourcetype": "TextClassificationProject",
        "project_type": "DocumentClassification",
        "name": "shared",
        "description": "shared",
        "guideline": "",
        "single_class_classification": True,
        "collaborative_annotation": True,
        "tags": [],
    }
    own = doccano.admin.post("/v1/projects", json=settings).json()["id"]
    for name in ("wet", "dry"):
        doccano.admin.post(f"/v1/projects/{own}/category-types", json={"text": name})
    there = doccano.items(pushed_to(push(workspace, TOOL, project=own)))
    doccano.invite(own)
    first, second, *_ = sorted(there)
    doccano.answer(doccano.ann, own, there[first], "wet")
    doccano.answer(doccano.bob, own, there[second], "dry")

    assert counts(pulled(workspace, TOOL)) == (2, 0, 0)
    assert taken(workspace) == {(first, "ann"): "wet", (second, "bob"): "dry"}


@pytest.mark.parametrize("faults", [["lost"], ["500", "lost"]])
def test_an_item_that_was_made_and_told_as_failed_is_there_once(
    workspace: Workspace, doccano: Doccano, faults: list[str]
) -> None:
    with on_the_way(Way(doccano.running.url, "/examples", list(faults))) as way:
        facts = push(workspace, TOOL, url=way.url)
        assert way.faults == []
    assert len(doccano.all(pushed_to(facts))) == len(doccano.items(pushed_to(facts))) == 212


def test_a_server_that_dies_half_way_through_a_push_has_every_item_once(workspace: Workspace, doccano: Doccano) -> None:
    killed.half_way(workspace, TOOL, doccano.running)
    doccano.running.up("/v1/auth/login/")

    facts = push(workspace, TOOL)

    assert cast(int, facts["before"]) > 0
    assert cast(int, facts["sent"]) > 0
    assert len(doccano.all(pushed_to(facts))) == len(doccano.items(pushed_to(facts))) == 212


def test_a_project_without_the_classes_or_about_something_else_is_refused(
    workspace: Workspace, doccano: Doccano
) -> None:
    project = pushed_to(push(workspace, TOOL))
    types = doccano.admin.get(f"/v1/projects/{project}/category-types").json()
    dry = next(one["id"] for one in types if one["text"] == "dry")
    doccano.admin.delete(f"/v1/projects/{project}/category-types/{dry}")
    with pytest.raises(ParamsError, match="does not offer 1 of the 2 classes: 'dry'"):
        push(workspace, TOOL, project=project)
