"""Label Studio 1.23, the real one: what was sent is there once, what was handed in is taken once."""

import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from hitl.delivery.reasons import Reason
from hitl.errors import HitlError, ParamsError
from hitl.layout import Workspace
from tasks import journal
from tasks.edges import label_studio as edge, webhook
from tasks.edges.label_studio import Personal
from tasks.pull import pull
from tasks.push import push
from tests.live import killed, servers
from tests.live.answers import counts, pulled, pushed_to, taken
from tests.live.conftest import ROUND
from tests.live.faults import Way, on_the_way
from tests.live.people import LabelStudio
from tests.tasks.small_workspace import rows

TOOL = "label_studio"
CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text"><Choice value="wet"/>'
    '<Choice value="damp"/></Choices></View>'
)


def test_a_round_stands_there_once_as_its_pack_has_it(workspace: Workspace, label_studio: LabelStudio) -> None:
    sent = {row["item_id"]: row for row in rows(workspace.pack(ROUND) / "batch.csv")}

    facts, again = push(workspace, TOOL), push(workspace, TOOL)

    there = label_studio.all(pushed_to(facts))
    assert (facts["sent"], facts["before"], again["sent"], again["before"]) == (212, 0, 0, 212)
    assert len(there) == 212
    assert {one["data"]["item_id"]: shown(one) for one in there} == {
        item: (row["note"], row["model_class"], row["model_class"]) for item, row in sent.items()
    }
    assert sorted({one["overlap"] for one in there}) == [1, 2]
    assert label_studio.project(pushed_to(facts))["model_version"] == there[0]["data"]["model_version"]
    assert [event.event for event in journal.events(workspace)].count("pushed") == 1
    assert {
        row["sent_id"]: int(row["id"]) for row in rows(workspace.round(ROUND) / "pushed.csv")
    } == label_studio.items(pushed_to(facts))


def shown(one: Mapping[str, Any]) -> tuple[str, str, str]:
    prediction = one["predictions"][0]["result"][0]["value"]["choices"][0]
    return one["data"]["text"], one["data"]["model_class"], prediction


def test_what_two_annotators_handed_in_is_taken_once(workspace: Workspace, label_studio: LabelStudio) -> None:
    facts = push(workspace, TOOL)
    there, ann, bob = label_studio.items(pushed_to(facts)), label_studio.ids["ann"], label_studio.ids["bob"]
    overlap = {one["data"]["item_id"] for one in label_studio.all(pushed_to(facts)) if one["overlap"] == 2}
    first, second, third, *_ = sorted(overlap)
    model = {one["data"]["item_id"]: one["data"]["model_class"] for one in label_studio.all(pushed_to(facts))}
    override = {"wet": "dry", "dry": "wet"}[model[second]]

    assert pull(workspace) == []
    own = label_studio.answer(label_studio.ann, there[first], "wet", seconds=3.5, comment="sure")
    label_studio.answer(label_studio.bob, there[first], "dry")
    label_studio.answer(label_studio.ann, there[second], override)
    label_studio.answer(label_studio.bob, there[third], skip=True, seconds=1)
    handed_in = {(first, ann): "wet", (first, bob): "dry", (second, ann): override, (third, bob): "<skip>"}

    assert counts(pulled(workspace, TOOL)) == (4, 0, 0)
    assert taken(workspace) == handed_in
    length = len(journal.events(workspace))
    again = pulled(workspace, TOOL)
    assert (again["reasons"], counts(again)) == (["F_DUPLICATE_DELIVERY"], (0, 0, 4))
    assert len(journal.events(workspace)) == length

    for label in ("dry", "wet", "dry"):  # also back to what it was
        label_studio.edit(label_studio.ann, own, label)
        edited = pulled(workspace, TOOL)
        assert (edited["revised"], counts(edited)) == (1, (1, 0, 3))
        assert taken(workspace) == {**handed_in, (first, ann): label}


def test_answers_that_the_server_takes_and_the_contract_does_not_are_held(
    workspace: Workspace, label_studio: LabelStudio
) -> None:
    there = label_studio.items(pushed_to(push(workspace, TOOL)))
    one, other, good = sorted(there)[:3]
    label_studio.answer(label_studio.ann, there[one], "wettish")
    label_studio.answer(label_studio.ann, there[other], "wet", "dry")
    label_studio.answer(label_studio.ann, there[good], "wet")

    receipt = pulled(workspace, TOOL)

    assert counts(receipt) == (1, 2, 0)
    held = cast(list[Mapping[str, str]], receipt["held"])
    assert Reason.R_LABEL_UNKNOWN in [row["code"] for row in held]
    assert all(str(row["code"]).startswith("R_LABEL") for row in held)
    assert taken(workspace) == {(good, label_studio.ids["ann"]): "wet"}


@pytest.mark.parametrize("faults", [["lost"], ["500"], ["500", "lost", "500"]])
def test_an_import_that_was_done_and_told_as_failed_doubles_nothing(
    workspace: Workspace, label_studio: LabelStudio, faults: list[str]
) -> None:
    with on_the_way(Way(label_studio.running.url, "/import", list(faults))) as way:
        facts = push(workspace, TOOL, url=way.url)
        assert way.faults == []
    assert len(label_studio.all(pushed_to(facts))) == len(label_studio.items(pushed_to(facts))) == 212


def test_a_server_that_dies_half_way_through_a_push_has_every_item_once(
    workspace: Workspace, label_studio: LabelStudio
) -> None:
    said = killed.half_way(workspace, TOOL, label_studio.running)
    assert label_studio.running.url in said
    assert "pushed" not in [event.event for event in journal.events(workspace)]

    label_studio.running.up("/health")
    facts = push(workspace, TOOL)

    assert cast(int, facts["before"]) > 0
    assert cast(int, facts["sent"]) > 0
    assert len(label_studio.all(pushed_to(facts))) == len(label_studio.items(pushed_to(facts))) == 212


def test_a_copy_that_nobody_has_worked_on_is_taken_away(workspace: Workspace, label_studio: LabelStudio) -> None:
    project = pushed_to(push(workspace, TOOL))
    one = label_studio.all(project)[0]
    label_studio.ann.post(f"/api/projects/{project}/import", json=[{"data": one["data"]}])
    assert len(label_studio.all(project)) == 213

    push(workspace, TOOL)

    assert sorted(item["id"] for item in label_studio.all(project)) == sorted(label_studio.items(project).values())
    assert one["id"] in label_studio.items(project).values()


def test_a_project_without_the_classes_is_refused(workspace: Workspace, label_studio: LabelStudio) -> None:
    own = label_studio.ann.post("/api/projects/", json={"title": workspace.name, "label_config": CONFIG}).json()["id"]
    with pytest.raises(ParamsError, match="does not offer 1 of the 2 classes: 'dry'"):
        push(workspace, TOOL, project=own)
    assert label_studio.all(own) == []


def test_a_personal_access_token_is_exchanged_again_when_its_time_is_over(
    label_studio: LabelStudio, clean: pytest.MonkeyPatch
) -> None:
    token = label_studio.ann.post("/api/token/").json()["token"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABEL_STUDIO_API_KEY", token)
        server = edge.opened().server
        auth = cast(Personal, server.auth)
        now = 0.0
        auth._clock = lambda: now
        server.get("/api/projects/")
        first = auth._access
        now = 100.0
        server.get("/api/projects/")
        assert auth._access == first
        now = 280.0
        time.sleep(1)  # two tokens of one second are the same token
        server.get("/api/projects/")
        assert auth._access not in ("", first)
        auth._access = "no token"
        server.get("/api/projects/")
        patch.setenv("LABEL_STUDIO_API_KEY", token[:-4] + "AAAA")
        with pytest.raises(HitlError, match="LABEL_STUDIO_API_KEY must hold"):
            edge.opened().server.get("/api/projects/")


def test_a_call_after_an_answer_makes_hitl_listen_take_it(
    workspace: Workspace, label_studio: LabelStudio, clean: pytest.MonkeyPatch
) -> None:
    port = servers.free_port()
    clean.setenv(webhook.VARIABLE, servers.unguessed())
    there = label_studio.items(pushed_to(push(workspace, TOOL, webhook=f"http://127.0.0.1:{port}/")))
    with killed.hitl(workspace, "listen", "--port", str(port), "--engine", "direct") as hitl:
        assert hitl.stderr is not None
        try:
            until(lambda: "nobody has finished anything yet" in cast(Any, hitl.stderr).readline())
            label_studio.answer(label_studio.ann, there[min(there)], "wet")
            until(lambda: "1 of 1 rows accepted" in cast(Any, hitl.stderr).readline())
        finally:
            hitl.kill()
    assert list(taken(workspace).values()) == ["wet"]


def until(holds: Callable[[], bool], seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
