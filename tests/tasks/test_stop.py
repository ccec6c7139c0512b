"""Where the rules of `stop` say that there are labels enough, advance asks for no more, and a person still may."""

import logging
from pathlib import Path

import pytest

from flows import engine, rounds
from hitl import outcome, screen
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import journal, plan, simulate
from tasks.edges import tables


def shown(workspace: Workspace) -> Facts:
    return screen.view(journal.read(workspace), journal.params(workspace), name="pets", at=journal.now())


def test_advance_closes_the_round_asks_for_no_more_and_a_person_still_may(
    root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # down: it would hold on to another test's database
    workspace, why = Workspace(root), "the target is reached: accuracy of the champion"
    text = workspace.params.read_text(encoding="utf-8")
    workspace.params.write_text(text.replace("target: null", "target: 0.01"), encoding="utf-8")
    assert shown(workspace)["stop"] is None  # the round that is out is asked for, and is waited for
    simulate.simulate(workspace)

    *_, closed, stopped = rounds.advance(workspace, engine.direct)
    assert closed == "closed r0002"
    assert stopped.startswith(f"opened no round: {why}")
    assert stopped.endswith("raise stop.target in params.yaml (null: no target), or run hitl open")
    before = workspace.ledger.read_bytes()
    assert rounds.advance(workspace, engine.direct) == [stopped]
    assert workspace.ledger.read_bytes() == before

    assert shown(workspace)["next"] == stopped.replace("opened no round", "no more labels are asked for")
    assert shown(workspace)["stop"] == plan.plan(workspace)["stop"]

    with_rule = workspace.params.read_text(encoding="utf-8")
    workspace.params.write_text(with_rule.replace("  annotations: null", "  annotations: 1"), encoding="utf-8")
    without_budget = plan.plan(workspace)
    assert (without_budget["items"], without_budget["annotations"], without_budget["expected"]) == (0, 0, None)
    assert shown(workspace)["stop"] == without_budget["stop"]
    assert str(shown(workspace)["next"]).endswith("raise budget in params.yaml")
    workspace.params.write_text(with_rule, encoding="utf-8")

    with caplog.at_level(logging.WARNING, logger="hitl"):
        assert rounds.open_round(workspace, engine.direct) == "r0003"
    assert why in caplog.text
    state = journal.read(workspace)
    assert state.round("r0003").facts["opened"]["pool_rows"] == tables.row_count(tables.parts(workspace.pool))
    assert outcome.opened(state, "r0003", journal.params(workspace))["stop"]["rule"] == "target"  # type: ignore[index]
