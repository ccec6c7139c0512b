"""Params in the middle of a round: refused until it closes, or without effect on what was begun."""

from pathlib import Path

import pytest

from flows import engine, rounds
from hitl.errors import IntegrityError, ParamsError
from hitl.layout import BASELINE, Workspace
from hitl.params import MAY_CHANGE_MID_ROUND
from tasks import ingest, journal, rebuild, validate
from tasks.edges import files
from tests.factories import params_text
from tests.rounds import answers


def write(workspace: Workspace, old: str, new: str) -> None:
    text = workspace.params.read_text(encoding="utf-8")
    assert old in text
    workspace.params.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def opening(tmp_path: Path) -> Workspace:
    """A workspace with the baseline closed and r0001 begun, by the ledger alone."""
    workspace = Workspace(tmp_path)
    workspace.params.write_text(params_text(), encoding="utf-8")
    for event in ("created", "trained", "evaluated", "judged", "closed"):
        journal.append(workspace, event, BASELINE, {})
    journal.append(workspace, "opened", "r0001", journal.begin_opening(workspace, "r0001"))
    return workspace


def test_an_opening_goes_by_the_params_it_began_with(opening: Workspace) -> None:
    began = journal.params_of(opening, "r0001")
    write(opening, "batch: 30", "batch: 31")
    assert journal.params_of(opening, "r0001") == began
    write(opening, "batch: 31", "batch: thirty")
    assert journal.params_of(opening, "r0001") == began


def test_what_a_round_was_opened_with_cannot_be_changed_unseen(opening: Workspace) -> None:
    files.write_text(opening.opened_params("r0001"), params_text(query={"batch": 31}))
    with pytest.raises(IntegrityError, match=r"params\.opened\.yaml was changed"):
        journal.params_of(opening, "r0001")


def test_while_the_pack_is_out_changed_params_are_refused_and_comments_are_not(opening: Workspace) -> None:
    journal.append(opening, "exported", "r0001", {})
    write(opening, "batch: 30", "batch: 30  # enough for a day")
    assert journal.params_of(opening, "r0001").query.batch == 30
    write(opening, "batch: 30", "batch: 31")
    with pytest.raises(ParamsError, match=r"params\.yaml changed since r0001 began"):
        journal.params_of(opening, "r0001")


def test_a_closing_goes_by_the_params_it_began_with(opening: Workspace) -> None:
    journal.append(opening, "exported", "r0001", {})
    opening.params.write_text(params_text(promote={"margin": 0.25}), encoding="utf-8")  # may change while it is open
    began, kept = journal.begin_closing(opening, "r0001")
    journal.append(opening, "validated", "r0001", kept)
    opening.params.write_text(params_text(promote={"margin": 0.5}, resolve={"agreement": 0.9}), encoding="utf-8")
    assert journal.params_of(opening, "r0001") == began
    assert began.promote.margin == 0.25
    assert journal.begin_closing(opening, "r0001") == (began, kept)


@pytest.mark.parametrize(("old", "new"), [("batch: 6", "batch: 7"), ('- "even"', '- "equal"')])
def test_every_command_that_would_go_on_with_other_params_says_no(root: Path, old: str, new: str) -> None:
    workspace, before = Workspace(root), (root / "data/ledger.jsonl").read_bytes()
    write(workspace, old, new)
    for act in (lambda: rounds.close_round(workspace, engine.direct, partial=True), lambda: advanced(workspace)):
        with pytest.raises(ParamsError, match=r"params\.yaml changed since r0002 began"):
            act()
    assert (root / "data/ledger.jsonl").read_bytes() == before


def advanced(workspace: Workspace) -> object:
    return rounds.advance(workspace, engine.direct)


def test_what_is_judged_by_the_pack_is_taken_whatever_params_say(root: Path) -> None:
    workspace = Workspace(root)
    write(workspace, '- "even"', '- "equal"')
    write(workspace, "batch: 6", "batch: 7")
    files.write_bytes(root / "more.csv", answers(workspace, "r0002", range(3, 5)))
    assert ingest.ingest(workspace, root / "more.csv").receipt["verdict"] == "accept"
    assert rebuild.replay(workspace, "r0002")["different"] == []


def test_a_round_that_is_out_closes_with_what_may_change(root: Path) -> None:
    workspace = Workspace(root)
    assert "promote" in MAY_CHANGE_MID_ROUND
    write(workspace, "margin: 0.0", "margin: 0.5")
    facts = validate.validate(workspace, "r0002")
    assert facts["params_file_sha256"] == files.sha256(workspace.params)
