"""Adjudication in a real workspace: what waits is written out, decisions come back, count, and can be withdrawn."""

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from flows import repair
from hitl import screen, surrogate
from hitl.contract import SKIP
from hitl.errors import DataError, MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.rules import failures
from tasks import adjudicate, annotators, decisions, doubts, expected, journal, rebuild, report
from tasks.edges import files, tables, verifier
from tests.tasks import small_workspace

Row = dict[str, str]
CLOSING = {event: step for event, step in small_workspace.CLOSING.items() if event != "reported"}
OTHER = {"dry": "wet", "wet": "dry"}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Ask the rules at the doors ourselves: Great Expectations says the same (another test) and takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.doors.check", lambda frame, rules: failures(rules, frame))
        yield


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory, quick: None) -> Path:
    """One round is closed, with ids that spreadsheets change: three of its items were skipped by everybody."""
    root = tmp_path_factory.mktemp("adjudicate") / "made"
    workspace = small_workspace.made(
        root, small_workspace.table(150, ids="{:05d}"), query={"batch": 8}, export={"gold": 2}
    )
    name = small_workspace.opened(workspace)
    gold = set(small_workspace.batch(workspace, name).query("reason == 'gold'")["item_id"])
    unclear = [item for item in small_workspace.asked(workspace, name) if item not in gold][:3]
    small_workspace.deliver(workspace, "one.csv", small_workspace.answers(workspace, name, skip=unclear))
    small_workspace.closed(workspace, name)
    return root


@pytest.fixture
def workspace(pristine: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(pristine, tmp_path / "here", symlinks=True)
    return Workspace(tmp_path / "here")


def written(workspace: Workspace, *more: str) -> list[Row]:
    """The rows of the file that an adjudicator gets."""
    path = Path(str(adjudicate.write(workspace, more)["file"]))
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def test_a_label_that_the_model_contradicts_waits_too_and_a_decided_one_does_not(workspace: Workspace) -> None:
    params = journal.params(workspace)
    labeled = tables.read_parquet(workspace.labeled)
    here = labeled.index % 8 == 3
    labeled.loc[here, "label"] = labeled.loc[here, "label"].map(OTHER)
    wrong = labeled[here].set_index("item_id")["label"]
    tables.write_parquet(workspace.labeled, labeled)

    found = doubts.doubted(workspace, params)

    met = [item for item in found if item in wrong.index]
    assert len(met) > len(wrong) / 2
    facts = adjudicate.write(workspace, (), {**found, "no longer known": "in doubt"})
    rows = list(csv.DictReader(io.StringIO(Path(str(facts["file"])).read_text(encoding="utf-8"), newline="")))
    assert (facts["doubted"], len(rows)) == (len(found), 3 + len(found))
    assert [row["why"] for row in rows[3:]] == list(found.values())
    assert found[met[0]].startswith(f"in doubt: its label is {wrong[met[0]]}, and a model that did not learn it says ")
    told = doubts.written(workspace, params, "r0001")
    assert (told["doubted"], list(found)) == (len(found), [one.item_id for one in doubts.of_round(workspace, "r0001")])
    assert "doubted" in journal.read(workspace).round("r0001").facts["resolved"]
    tables.write_parquet(workspace.labeled, labeled.assign(**{"from": "adjudicated"}))
    assert doubts.doubted(workspace, params) == {}


def decided(workspace: Workspace, rows: list[Row], name: str = "decided.csv") -> Facts:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = workspace.root / "sent" / name
    files.write_text(path, text.getvalue())
    return adjudicate.take(workspace, path)


def settle(row: Row, label: str, reason: str = "plain mistake") -> Row:
    return {**row, "label": label, "adjudicator": "eve", "reason": reason}


def labels(workspace: Workspace) -> pd.DataFrame:
    return tables.read_parquet(workspace.labeled).set_index("item_id")[["label", "from", "round"]]


def closed_next(workspace: Workspace) -> str:
    name = small_workspace.opened(workspace)
    small_workspace.deliver(workspace, f"{name}.csv", small_workspace.answers(workspace, name))
    small_workspace.play(workspace, name, CLOSING)
    return name


def test_what_waits_goes_out_with_all_that_was_said_and_nothing_changes(workspace: Workspace) -> None:
    before = workspace.ledger.read_bytes()

    rows = written(workspace)

    assert len(rows) == len(journal.read(workspace).unsettled) == 3
    assert {row["answers"] for row in rows} == {f"1 x {SKIP}"}
    assert {row["annotators"] for row in rows} == {f"ann: {SKIP}"}
    assert all(row["model_class"] in OTHER and float(row["model_confidence"]) > 0.4 for row in rows)
    assert all(row["note"] and not row["item_id"].startswith("0") for row in rows)
    assert workspace.ledger.read_bytes() == before
    shown = screen.view(journal.read(workspace), journal.params(workspace), name="x", at=journal.now())
    assert "to settle 3 items wait for an adjudicator" in screen.text(shown)


def test_a_decision_counts_from_the_next_closing_and_closed_rounds_stay(workspace: Workspace) -> None:
    one, two, three = written(workspace)
    was = labels(workspace)

    said = decided(workspace, [settle(one, "wet"), settle(two, SKIP), three])

    assert said["rows"] == {"delivered": 3, "accepted": 2, "quarantined": 0, "duplicate": 0, "undecided": 1}
    assert said["counts_from"] == "r0002"
    assert [row["item_id"] for row in written(workspace)] == [three["item_id"]]
    pd.testing.assert_frame_equal(labels(workspace), was)
    name = closed_next(workspace)
    settled = [item for item in journal.read(workspace).decided_items() if item in labels(workspace).index]
    assert labels(workspace).loc[settled].to_numpy().tolist() == [["wet", "adjudicated", name]]
    assert journal.read(workspace).round(name).facts["resolved"]["adjudicated"] == 2
    checked = rebuild.rebuild(workspace, check=True)
    assert (checked["differences"], checked["files"]) == ([], [])
    assert rebuild.replay(workspace, name)["different"] == []
    assert verifier.changed(workspace.root, _named(workspace)) == []


def _named(workspace: Workspace) -> list[verifier.Named]:
    events = [vars_of(event) for event in journal.events(workspace)]
    return [one for one in verifier.files_named(events).values() if "report" not in one.file]


def vars_of(event: object) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__slots__}  # type: ignore[attr-defined]


def test_a_later_decision_supersedes_the_one_before_which_stays(workspace: Workspace) -> None:
    row = written(workspace)[0]
    decided(workspace, [settle(row, "wet")])

    unsaid = decided(workspace, [settle(row, "dry", reason="")], "why.csv")
    said = decided(workspace, [settle(row, "dry", reason="guideline unclear")], "again.csv")

    assert (unsaid["verdict"], unsaid["reasons"]) == ("reject", ["R_REASON_EMPTY"])
    assert said["overridden"] == {"an earlier decision": 1}
    closed_next(workspace)
    found = labels(workspace)
    assert found[found["from"] == "adjudicated"]["label"].tolist() == ["dry"]
    assert len(journal.read(workspace).decisions()) == 2


def test_the_same_bytes_again_change_nothing_and_a_repeated_row_is_a_duplicate(workspace: Workspace) -> None:
    one, two, _ = written(workspace)
    first = decided(workspace, [settle(one, "wet")])
    before = workspace.ledger.read_bytes()

    assert decided(workspace, [settle(one, "wet")])["reasons"] == ["F_DUPLICATE_DELIVERY"]
    assert workspace.ledger.read_bytes() == before
    more = decided(workspace, [settle(one, "wet"), settle(two, "dry")], "more.csv")
    assert (more["rows"]["accepted"], more["rows"]["duplicate"]) == (1, 1)  # type: ignore[index]
    repair.withdrawn(workspace, "decision", str(first["decision"])[:8], "eve was not asked")
    assert len(journal.read(workspace).decided_items()) == 2


def test_withdrawn_decisions_are_as_if_they_had_never_come(workspace: Workspace, tmp_path: Path) -> None:
    never = Workspace(Path(shutil.copytree(workspace.root, tmp_path / "never", symlinks=True)))
    said = decided(workspace, [settle(row, "wet") for row in written(workspace)])
    assert labels(workspace).equals(labels(never))
    closed_next(workspace)
    closed_next(never)
    assert not labels(workspace).equals(labels(never))

    told = repair.withdrawn(workspace, "decision", str(said["decision"]), "eve was not asked")

    assert (told["rounds"], told["corrections"]["annotations"]) == (["r0002"], 0)  # type: ignore[index]
    pd.testing.assert_frame_equal(labels(workspace), labels(never))
    ours, theirs = (journal.read(one).round("r0002").facts for one in (workspace, never))
    assert ours["trained"]["model_id"] == theirs["trained"]["model_id"]
    assert len(written(workspace)) == 3
    with pytest.raises(MomentError, match="no file of decisions begins so"):
        repair.withdrawn(workspace, "decision", "0" * 64, "no such")


def test_a_decision_on_gold_corrects_it_wherever_it_is_known(workspace: Workspace) -> None:
    known = expected.gold(workspace, "r0001")
    item = min(known)
    row = written(workspace, item)[-1]

    said = decided(workspace, [{**settle(row, OTHER[known[item]], "other"), "comment": "look again"}])

    state = journal.read(workspace)
    assert said["overridden"]["gold"] == 1  # type: ignore[index]
    assert (state.adjudicated[-1]["gold"], state.adjudicated[-1]["items"]) == ([item], [item])
    assert expected.gold(workspace, "r0001") == known
    assert decisions.corrected(workspace, state, known, until="r0001") == known
    assert decisions.corrected(workspace, state, known, until="r0002") == {**known, item: OTHER[known[item]]}
    of = len(known) + len(expected.gold(workspace, closed_next(workspace)))
    state = journal.read(workspace)
    regraded = annotators.regraded(workspace, state)
    assert regraded == {
        "items": [{"item_id": item, "was": known[item], "label": OTHER[known[item]]}],
        "people": [
            {
                "vendor": "vendor",
                "annotator_id": who,
                "before": {"right": of, "of": of},
                "after": {"right": of - 1, "of": of},
            }
            for who in (None, "ann")
        ],
        "deliveries": [],
    }
    shown = screen.view(state, journal.params(workspace), name="x", at=journal.now(), regraded=regraded)
    assert "known answers corrected: 1; records changed: 2; verdicts that would be others: 0" in screen.text(shown)
    in_initial = item in set(tables.read_parquet(workspace.initial)["item_id"])
    assert (item in labels(workspace).index) == in_initial
    assert not in_initial or labels(workspace).loc[item, "label"] == OTHER[known[item]]


def test_a_corrected_gold_answer_can_turn_the_verdict_of_a_delivery_and_that_is_told(workspace: Workspace) -> None:
    text = workspace.params.read_text(encoding="utf-8")
    files.write_text(workspace.params, text.replace("  gold: 2\n", "  gold: 5\n"))
    name = small_workspace.opened(workspace)
    known = expected.gold(workspace, name)
    usual = max(OTHER, key=list(known.values()).count)
    rows = [{**row, "label": usual} for row in small_workspace.answers(workspace, name)]
    assert small_workspace.deliver(workspace, "one-sided.csv", rows).receipt["verdict"] == "accept"
    small_workspace.play(workspace, name, CLOSING)
    item = min(item for item, label in known.items() if label == usual)
    row = next(row for row in written(workspace, item) if row["item_id"] in surrogate.sent([item]).values())
    decided(workspace, [{**settle(row, OTHER[usual], "other"), "comment": "look again"}])

    last = closed_next(workspace)

    found = annotators.regraded(workspace, journal.read(workspace))
    assert found is not None
    assert found["deliveries"] == [{"round": name, "file": "one-sided.csv", "verdict": "accept", "would_be": "reject"}]
    report.report(workspace, last)
    shown = (workspace.round(last) / "report.html").read_text(encoding="utf-8")
    assert "Deliveries that would be answered otherwise by it" in shown and "one-sided.csv" in shown


def test_a_decision_on_the_initial_set_replaces_its_label(workspace: Workspace) -> None:
    initial = tables.read_parquet(workspace.initial).set_index("item_id")["label"]
    item = str(initial.index[0])

    said = decided(workspace, [settle(written(workspace, item)[-1], OTHER[initial[item]])])

    assert said["overridden"] == {"the initial set": 1}
    name = closed_next(workspace)
    assert labels(workspace).loc[item].tolist() == [OTHER[initial[item]], "adjudicated", name]


def test_an_item_of_the_test_set_or_of_the_open_round_cannot_be_decided(workspace: Workspace) -> None:
    test_item = str(tables.read_parquet(workspace.test)["item_id"].iloc[0])
    name = small_workspace.opened(workspace)
    batch = small_workspace.batch(workspace, name)
    open_item = str(batch[batch["reason"] != "gold"]["item_id"].iloc[0])
    with pytest.raises(DataError, match="no item of the initial set"):
        adjudicate.write(workspace, [test_item])
    sent = surrogate.sent([test_item, open_item]).values()
    rows = [{"item_id": item, "label": "wet", "adjudicator": "eve"} for item in sent]

    said = decided(workspace, rows)

    assert (said["verdict"], said["reasons"]) == ("reject", ["R_ID_UNKNOWN"])
    assert not journal.read(workspace).adjudicated
