"""A round that closes with what is there: what nobody answered goes out again, and nothing is paid twice."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flows import engine, start
from hitl import due, screen
from hitl.layout import Workspace
from hitl.report.whole import report_of
from hitl.state import Phase
from tasks import awaited, expected, journal, plan, reissue, report
from tests.tasks import small_workspace as small

SETTINGS = {"export": {"gold": 2}, "delivery": {"price": "0.125"}}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Three rounds of 12 items and 2 gold ones: the first two closed in part, the third open."""
    made = small.made(tmp_path_factory.mktemp("again") / "ws", **SETTINGS)
    answer(made, small.opened(made), leave=5)
    answer(made, small.opened(made), leave=3)
    small.opened(made)
    return made


def answer(workspace: Workspace, name: str, *, leave: int) -> None:
    """Answer a round but for the first `leave` items of the pool in its batch, one more item with a skip, and close."""
    left = sorted(new(workspace, name))[:leave]
    rows = [
        row for row in small.answers(workspace, name, skip=[max(new(workspace, name))]) if row["item_id"] not in left
    ]
    small.deliver(workspace, f"{name}.csv", rows)
    small.closed(workspace, name)


def new(workspace: Workspace, name: str) -> list[str]:
    return reissue.sent(workspace, name)


def reasons(workspace: Workspace, name: str) -> dict[str, list[str]]:
    found = small.batch(workspace, name)
    return {reason: sorted(part["item_id"]) for reason, part in found.groupby("reason")}


def left(workspace: Workspace, name: str) -> list[str]:
    """The items of a round's batch that no delivery of it answered."""
    taken = {row["item_id"] for row in small.rows(workspace.root / "sent" / f"{name}.csv")}
    return sorted(set(new(workspace, name)) - taken)


def test_what_nobody_answered_is_in_the_next_batch(workspace: Workspace) -> None:
    missing = left(workspace, "r0001")
    found = reasons(workspace, "r0002")
    assert len(missing) == 5
    assert found["reissued"] == missing
    assert {reason: len(ids) for reason, ids in found.items()} == {
        "gold": 2,
        "random": 2,
        "reissued": 5,
        "uncertain": 5,
    }


def test_an_item_goes_out_again_until_it_is_answered(workspace: Workspace) -> None:
    unanswered = left(workspace, "r0002")
    assert set(unanswered) & set(reasons(workspace, "r0002")["reissued"])
    assert reasons(workspace, "r0003")["reissued"] == unanswered


def test_an_item_that_was_answered_is_never_sent_again(workspace: Workspace) -> None:
    """A skip is an answer."""
    for earlier, later in (("r0001", "r0002"), ("r0002", "r0003")):
        answered = set(new(workspace, earlier)) - set(left(workspace, earlier))
        assert max(new(workspace, earlier)) in answered
        assert not answered & set(new(workspace, later))


def test_the_random_slice_is_drawn_from_items_that_never_went_out(workspace: Workspace) -> None:
    state = journal.read(workspace)
    batch = small.batch(workspace, "r0002")
    drawn = batch[batch["reason"] == "random"]
    rows = state.round("r0002").facts["scored"]["rows"]
    assert isinstance(rows, int)
    assert drawn["selection_probability"].tolist() == [2 / (rows - 5)] * 2
    pool = state.rounds[0].facts["created"]["counts"]["pool"]  # type: ignore[index]
    assert rows == pool - 7


def test_the_plan_tells_how_many_go_out_again(tmp_path: Path) -> None:
    made = small.made(tmp_path / "ws", **SETTINGS)
    name = small.opened(made)
    assert plan.plan(made)["reissued"] == 0
    answer(made, name, leave=4)
    found = plan.plan(made)
    assert {key: found[key] for key in ("items", "reissued", "random")} == {"items": 12, "reissued": 4, "random": 2}
    small.opened(made)
    assert len(reasons(made, "r0002")["reissued"]) == 4


def test_the_budget_counts_an_item_when_it_is_paid_and_once(tmp_path: Path) -> None:
    made = small.made(tmp_path / "ws", **SETTINGS, budget={"annotations": 22})
    answer(made, small.opened(made), leave=4)
    assert journal.read(made).annotations == 10
    assert plan.plan(made)["budget_left"] == 12
    name = small.opened(made)
    assert len(new(made, name)) == 10
    small.deliver(made, "all.csv", small.answers(made, name))
    state = journal.read(made)
    assert (state.annotations, str(state.spent)) == (22, "2.750")
    paid = [*small.rows(made.root / "sent" / "r0001.csv"), *small.rows(made.root / "sent" / "all.csv")]
    once = [row["item_id"] for row in paid if row["item_id"] in {*new(made, "r0001"), *new(made, name)}]
    assert len(once) == len(set(once)) == 18


def test_the_report_says_why_an_item_came_again(workspace: Workspace) -> None:
    section = next(one for one in report_of(report.sources(workspace, "r0002")).sections if one.name == "batch")
    assert ("reissued", "5", "sent out before, and nobody answered") in [row[:3] for row in section.tables[0].rows]


def test_a_late_file_is_judged_by_the_round_that_is_open(tmp_path: Path) -> None:
    """Rows of items that were sent out again are answers of now; the others belong to a round that is over."""
    made = small.made(tmp_path / "ws", **SETTINGS)
    first = small.opened(made)
    whole = [row for row in small.answers(made, first) if row["item_id"] in new(made, first)]
    answer(made, first, leave=5)
    closed = small.deliver(made, "late.csv", whole).receipt
    assert (closed["verdict"], closed["reasons"]) == ("reject", ["F_ROUND_CLOSED"])
    second = small.opened(made)
    strangers = small.deliver(made, "late.csv", whole).receipt
    assert (strangers["verdict"], strangers["reasons"][0]) == ("reject", "F_WRONG_ROUND")  # type: ignore[index]
    again = [row for row in whole if row["item_id"] in reasons(made, second)["reissued"]]
    assert small.deliver(made, "again.csv", again).receipt["rows"]["accepted"] == 5  # type: ignore[index]
    rest = small.deliver(made, "all.csv", small.answers(made, second)).receipt
    assert (rest["rows"]["accepted"], rest["rows"]["duplicate"]) == (9, 5)  # type: ignore[index]
    other = small.deliver(made, "bob.csv", [{**row, "annotator_id": "bob"} for row in again]).receipt
    assert other["rows"]["accepted"] == 0  # type: ignore[index]
    assert journal.read(made).annotations == 9 + 14


def test_an_answer_from_before_the_item_went_out_again_is_held(tmp_path: Path) -> None:
    made = small.made(tmp_path / "ws", **SETTINGS)
    first = small.opened(made)
    answer(made, first, leave=5)
    second = small.opened(made)
    exported = datetime.fromisoformat(str(journal.read(made).round(second).facts["exported"]["exported_at"]))
    before = (exported - timedelta(hours=1)).isoformat()
    rows = [{**row, "labeled_at": before} for row in small.answers(made, second)]
    good = [{**row, "labeled_at": exported.isoformat()} for row in small.answers(made, second)]
    said = small.deliver(made, "late.csv", [*rows[:1], *good[1:]]).receipt
    assert (said["verdict"], said["reasons"]) == ("quarantine", ["R_TIME_BEFORE_EXPORT"])


def test_an_overdue_round_closes_as_soon_as_enough_is_there(tmp_path: Path) -> None:
    late = {"deadline_days": small.AT_ONCE, "minimum_share": 0.5}
    made = small.made(tmp_path / "ws", export={"gold": 2}, delivery=late)
    name, params = small.opened(made), journal.params(made)
    rows = small.answers(made, name)

    def why() -> str | None:
        return due.why_not_close(journal.read(made).round(name), params, journal.now())

    assert why()
    small.deliver(made, "few.csv", rows[:6])
    assert "8 of 14" in (why() or "")
    small.deliver(made, "more.csv", rows[6:8])
    assert why() is None


@pytest.fixture(scope="module")
def overdue(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of its own, whose first pack is overdue as soon as it is out, with 3 of its 7 answers in."""
    workspace = Workspace(tmp_path_factory.mktemp("overdue") / "ws")
    source = workspace.root.parent / "items.csv"
    source.write_text(small.table(120).to_csv(index=False), encoding="utf-8")
    start.from_file(workspace, source, label="label", id="item_id", text="note", hide=True)
    text = workspace.params.read_text(encoding="utf-8")
    changes = {
        "batch: 30": "batch: 6",
        "gold: 0": "gold: 1",
        "deadline_days: 7.0": f"deadline_days: {small.AT_ONCE}",
        "minimum_share: 1.0": "minimum_share: 0.5",
    }
    for old, now in changes.items():
        assert old in text
        text = text.replace(old, now)
    workspace.params.write_text(text, encoding="utf-8")
    engine.perform("open", workspace, "direct")
    small.deliver(workspace, "some.csv", small.answers(workspace, "r0001")[:3])
    return workspace


def test_advance_waits_on_and_says_so_where_too_few_answered(overdue: Workspace) -> None:
    missing = awaited.awaited(overdue, journal.read(overdue))
    assert missing and (missing.answers, len(missing.missing)) == ({"ann": 3}, 4)
    engine.perform("advance", overdue, "direct")
    state = journal.read(overdue)
    said = screen.next_step(state, journal.params(overdue), journal.now())
    assert state.rounds[-1].phase is Phase.AWAITING
    assert said.startswith("the deadline of r0001 is over with 3 of 7 answers, fewer than delivery.minimum_share asks")


def test_advance_closes_with_what_is_there_and_sends_what_is_missing_first(overdue: Workspace) -> None:
    small.deliver(overdue, "more.csv", small.answers(overdue, "r0001")[3:5])
    missing = awaited.awaited(overdue, journal.read(overdue))
    assert missing
    engine.perform("advance", overdue, "direct")
    gold = set(expected.gold(overdue, "r0001"))
    assert reasons(overdue, "r0002")["reissued"] == sorted(set(missing.missing) - gold)
    assert journal.read(overdue).annotations == 5
