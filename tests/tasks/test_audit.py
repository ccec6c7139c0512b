"""An audit of a real delivery and a real round: drawn, answered, judged, and kept where verify looks."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows import repair
from flows.cli import hitl
from hitl.errors import DataError, MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import audit, expected, journal, verify
from tasks.edges import vendor
from tests.tasks import small_workspace as small

ASKED = {"error": 0.2, "good": 0.02, "confidence": 0.9, "reason": "the first of this vendor"}
Say = Callable[[dict[str, str]], str]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """r0001 awaits answers: a sound delivery has half of them, and one of somebody who always says wet the rest."""
    made = small.made(tmp_path_factory.mktemp("audit") / "w", query={"batch": 40}, export={"show_prediction": True})
    name = small.opened(made)
    rows = small.answers(made, name)
    small.deliver(made, "sound.csv", rows[:20])
    small.deliver(made, "careless.csv", [{**row, "label": "wet", "annotator_id": "bob"} for row in rows[20:]])
    return made


@pytest.fixture(scope="module")
def deliveries(workspace: Workspace) -> list[str]:
    return [str(one["delivery"]) for one in journal.read(workspace).round("r0001").deliveries]


def truth(workspace: Workspace) -> dict[str, str]:
    named = {**vendor.truth(workspace.truth), **expected.gold(workspace, "r0001")}
    return {sent: named[item] for item, sent in expected.sent_ids(workspace, "r0001").items()}


def filled(path: Path, to: Path, say: Say, *, rows: int = 1000) -> Path:
    """The auditor's file with the first `rows` answers."""
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    to.write_bytes(
        vendor.written([{**row, "label": say(row)} if n < rows else row for n, row in enumerate(table)], list(table[0]))
    )
    return to


def drawn(workspace: Workspace, of: str, out: Path, **asked: object) -> Facts:
    return audit.draw(workspace, of, out, **{**ASKED, **asked})  # type: ignore[arg-type]


def test_the_auditor_sees_what_annotators_saw_and_nothing_that_anybody_said(
    workspace: Workspace, deliveries: list[str], tmp_path: Path
) -> None:
    facts = drawn(workspace, deliveries[1], tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["audit", "item_id", "size", "town", "odd", "note", "label", "comment"]
    assert {row["label"] for row in table} == {""}
    assert {row["audit"] for row in table} == {facts["audit"]}
    assert len(table) == facts["rows"] == facts["most"]


def test_the_same_lot_is_drawn_from_alike_and_the_file_of_an_auditor_stays(
    workspace: Workspace, deliveries: list[str], tmp_path: Path
) -> None:
    first = drawn(workspace, deliveries[0], tmp_path / "a.csv")
    before = workspace.ledger.read_bytes()
    drawn(workspace, deliveries[0][:10], tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    filled(tmp_path / "a.csv", tmp_path / "a.csv", lambda _: "wet", rows=2)
    begun = (tmp_path / "a.csv").read_bytes()
    again = drawn(workspace, deliveries[0], tmp_path / "a.csv")
    assert again["was_there"] and again["audit"] == first["audit"]
    assert (tmp_path / "a.csv").read_bytes() == begun
    assert workspace.ledger.read_bytes() == before
    with pytest.raises(DataError, match="another audit"):
        drawn(workspace, deliveries[1], tmp_path / "a.csv")


def test_a_careless_delivery_is_sent_back_and_a_sound_one_accepted(
    workspace: Workspace, deliveries: list[str], tmp_path: Path
) -> None:
    known = truth(workspace)
    for of, verdict in zip(deliveries, ("accepted", "sent back"), strict=True):
        asked = drawn(workspace, of, tmp_path / f"{of}.csv")
        path = filled(tmp_path / f"{of}.csv", tmp_path / "done.csv", lambda row: known[row["item_id"]])
        receipt = audit.close(workspace, path, auditor="eve")
        rate = receipt["rate"]
        assert receipt["verdict"] == verdict
        assert (rate["high"] <= 0.2) == (verdict == "accepted")  # type: ignore[index]
        assert ("hitl undo delivery" in " ".join(receipt["next"])) == (verdict == "sent back")  # type: ignore[arg-type]
        event = journal.events(workspace)[-1]
        assert (event.event, event.facts["auditor"], event.facts["verdict"]) == ("audited", "eve", verdict)
        assert receipt["audit"] == asked["audit"]
        assert verdict.capitalize() in Path(str(receipt["receipt"])).read_text(encoding="utf-8")


def test_a_second_close_says_the_same_and_other_answers_are_refused(
    workspace: Workspace, deliveries: list[str], tmp_path: Path
) -> None:
    known = truth(workspace)
    drawn(workspace, deliveries[0], tmp_path / "a.csv", error=0.3)
    path = filled(tmp_path / "a.csv", tmp_path / "done.csv", lambda row: known[row["item_id"]])
    said, before = audit.close(workspace, path, auditor="eve"), workspace.ledger.read_bytes()
    assert audit.close(workspace, path, auditor="eve") == said
    filled(tmp_path / "a.csv", path, lambda _: "wet")
    with pytest.raises(MomentError, match="judged once"):
        audit.close(workspace, path, auditor="eve")
    assert workspace.ledger.read_bytes() == before


def test_too_few_answers_say_where_to_go_on(workspace: Workspace, deliveries: list[str], tmp_path: Path) -> None:
    known = truth(workspace)
    drawn(workspace, deliveries[0], tmp_path / "a.csv", error=0.25)
    path = filled(tmp_path / "a.csv", tmp_path / "some.csv", lambda row: known[row["item_id"]], rows=3)
    with pytest.raises(MomentError, match="after 3 answers: go on at row 5"):
        audit.close(workspace, path)


def test_a_wrong_file_is_told_by_row(workspace: Workspace, deliveries: list[str], tmp_path: Path) -> None:
    drawn(workspace, deliveries[0], tmp_path / "a.csv", error=0.25)
    path = filled(tmp_path / "a.csv", tmp_path / "b.csv", lambda _: "damp")
    with pytest.raises(DataError, match=r"row 2: label 'damp' is none of dry, wet, <skip>"):
        audit.close(workspace, path)
    path.write_text(path.read_text(encoding="utf-8").replace("r0001-", "r0009-"), encoding="utf-8")
    with pytest.raises(DataError, match="no audit called"):
        audit.close(workspace, path)


def test_a_label_that_nobody_can_tell_is_not_confirmed(
    workspace: Workspace, deliveries: list[str], tmp_path: Path
) -> None:
    drawn(workspace, deliveries[0], tmp_path / "a.csv", error=0.15)
    receipt = audit.close(workspace, filled(tmp_path / "a.csv", tmp_path / "b.csv", lambda _: "<skip>"))
    assert receipt["verdict"] == "sent back"
    assert receipt["skips"] == receipt["errors"] == receipt["items"]


def test_what_was_withdrawn_since_the_draw_is_not_judged(
    workspace: Workspace, deliveries: list[str], tmp_path: Path
) -> None:
    drawn(workspace, deliveries[1], tmp_path / "late.csv", error=0.12)
    repair.withdrawn(workspace, "delivery", deliveries[1], "sent back")
    with pytest.raises(MomentError, match="does not stand"):
        audit.close(workspace, filled(tmp_path / "late.csv", tmp_path / "x.csv", lambda _: "wet"))


def test_the_labels_of_a_closed_round_are_a_lot(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(MomentError, match="no round has labels yet"):
        audit.draw(workspace, None, tmp_path / "a.csv", **ASKED)  # type: ignore[arg-type]
    small.play(workspace, "r0001", small.CLOSING)
    run = CliRunner()
    words = ["-C", str(workspace.root), "audit", "sample", "--error", "20%", "--good", "2%", "--out"]
    facts = json.loads(run.invoke(hitl, [*words, str(tmp_path / "r.csv"), "--json"]).stdout)
    assert (facts["kind"], facts["of"], facts["lot"]) == ("round", "r0001", 20)
    other = {"wet": "dry", "dry": "wet"}
    known = truth(workspace)
    path = filled(tmp_path / "r.csv", tmp_path / "done.csv", lambda row: other[known[row["item_id"]]])
    done = run.invoke(hitl, ["-C", str(workspace.root), "audit", "close", str(path), "--auditor", "eve"])
    assert done.exit_code == 7
    assert "hitl undo round r0001" in done.stdout


def test_what_an_audit_rests_on_is_found_changed(workspace: Workspace) -> None:
    assert verify.verify(workspace)["problems"] == []
    path = next((workspace.round("r0001") / "audits").glob("*.answers.csv"))
    with path.open("ab") as file:
        file.write(b" ")
    assert [one["file"] for one in verify.verify(workspace)["problems"]] == [  # type: ignore[attr-defined]
        path.relative_to(workspace.root).as_posix()
    ]
