"""A real round with somebody who always says wet: what follows by resolve.policy, and the way back."""

from pathlib import Path

import pytest

from flows import repair, rounds
from flows.engine import direct
from hitl import screen
from hitl.errors import MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import adjudicate, journal, letters, rebuild, report, verify
from tasks.edges import tables
from tests.tasks import small_workspace as small

BATCH = 80


def answered(root: Path, policy: str) -> Workspace:
    """r0001 with all of its answers: ann is right, and bob says wet to his half of the items."""
    made = small.made(
        root, query={"batch": BATCH}, resolve={"policy": policy}, export={"show_prediction": True, "blind_share": 0.25}
    )
    rows = small.answers(made, small.opened(made))
    half = len(rows) // 2
    small.deliver(made, "ann.csv", rows[:half])
    small.deliver(made, "bob.csv", [{**row, "label": "wet", "annotator_id": "bob"} for row in rows[half:]])
    return made


def resolved(workspace: Workspace) -> Facts:
    return journal.read(workspace).round("r0001").facts["resolved"]


def by_whom(workspace: Workspace) -> dict[str, set[str]]:
    """The labeled items of r0001 by who answered them."""
    folder = workspace.round("r0001")
    said = tables.read_parquet(folder / "annotations.parquet", ["item_id", "annotator_id"])
    labels = tables.read_parquet(folder / "labels.parquet", ["item_id", "label"]).dropna()
    both = said.merge(labels, on="item_id")
    return {str(who): set(items) for who, items in both.groupby("annotator_id")["item_id"]}


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = answered(tmp_path_factory.mktemp("held") / "w", "hold")
    small.closed(workspace, "r0001")
    return workspace


def test_a_blind_share_is_sent_without_the_models_class_and_recorded_so(held: Workspace) -> None:
    sent = small.rows(held.pack("r0001") / "batch.csv")
    blind = {row["item_id"] for row in sent if not row["model_class"]}
    assert len(blind) == len(sent) / 4
    assert all(not row["model_confidence"] for row in sent if row["item_id"] in blind)
    said = tables.read_parquet(held.round("r0001") / "annotations.parquet", ["item_id", "shown_class"])
    assert set(said.loc[said["shown_class"].isna(), "item_id"]) == blind


def test_who_is_suspicious_is_held_and_the_items_wait_for_a_person(held: Workspace) -> None:
    facts = resolved(held)
    assert list(facts["held"]) == ["bob"]  # type: ignore[call-overload]
    assert {tuple(one["annotators"]) for one in facts["suspicion"]} == {("bob",)}  # type: ignore[attr-defined]
    assert set(by_whom(held)) == {"ann"}
    assert len(facts["unresolved"]) == BATCH / 2  # type: ignore[arg-type]
    waiting = Path(str(adjudicate.write(held)["file"])).read_text(encoding="utf-8")
    assert waiting.count('"bob: ') == BATCH / 2
    assert verify.verify(held)["problems"] == []


def test_whoever_is_held_gets_no_letter_until_that_is_decided(held: Workspace) -> None:
    facts = letters.letters(held)
    assert facts["held"] == ["bob"]
    assert [one["annotator_id"] for one in facts["letters"]] == ["ann"]  # type: ignore[attr-defined]
    with pytest.raises(MomentError, match="hitl undo exclusion bob"):
        letters.letters(held, ["bob"])


def test_the_status_names_who_is_held_and_the_commands_that_decide(held: Workspace) -> None:
    shown = screen.view(journal.read(held), journal.params(held), name="x", at=journal.now())
    (facts,) = shown["held"]  # type: ignore[misc]
    assert (facts["annotator_id"], facts["rounds"], facts["answers"]) == ("bob", ["r0001"], BATCH // 2)
    said = f"held      {BATCH // 2} answers of bob in r0001 count for nothing: hitl undo exclusion bob --reason WHY"
    assert said in screen.text(shown)


def test_the_report_shows_the_evidence(held: Workspace) -> None:
    text = Path(str(report.find(held)["report"])).read_text(encoding="utf-8")
    assert "Suspicious answers" in text
    assert "are not of the usual class" in text
    assert "until a person decides" in text


def test_a_person_can_let_the_answers_count_and_a_rebuild_agrees(held: Workspace) -> None:
    facts = repair.withdrawn(held, "exclusion", "bob", "looked at: his half is of wet places")
    assert facts["rounds"] == ["r0001"]
    assert resolved(held)["held"] == {}
    assert screen.view(journal.read(held), journal.params(held), name="x", at=journal.now())["held"] == []
    assert resolved(held)["suspicion"]
    assert set(by_whom(held)) == {"ann", "bob"}
    before = held.ledger.read_bytes()
    repair.withdrawn(held, "exclusion", "bob", "said again")
    assert held.ledger.read_bytes() == before
    assert rebuild.rebuild(held, check=True)["differences"] == []


def test_an_exclusion_is_an_undo_and_leaves_what_had_never_come(tmp_path: Path) -> None:
    workspace = answered(tmp_path / "w", "exclude")
    small.closed(workspace, "r0001")
    assert rounds.rebuild(workspace, direct) == ["r0001"]
    (undone,) = journal.read(workspace).undone
    assert (undone["kind"], undone["of"]) == ("annotator", "bob")
    assert str(undone["reason"]).startswith("resolve.policy exclude: ")
    assert resolved(workspace)["suspicion"] == []
    assert set(by_whom(workspace)) == {"ann"}
    assert rounds.rebuild(workspace, direct) == []
    repair.withdrawn(workspace, "exclusion", "bob", "looked at")
    assert set(by_whom(workspace)) == {"ann", "bob"}
    assert rounds.rebuild(workspace, direct) == []
