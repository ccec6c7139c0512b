"""An undo in a whole workspace: what is rebuilt, told, versioned and tracked, and what a kill in between leaves."""

import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flows import engine, repair, rounds, say
from hitl import screen
from hitl.errors import MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.state import Phase
from tasks import journal, rebuild, track, version
from tasks.edges import git, outbox, tables
from tasks.verify import verify
from tests.rounds import ROOT, answers, deliver, shell


@pytest.fixture
def workspace(root: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The workspace, with a dashboard that is down: MLflow holds on to a database that another test has replaced."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    return Workspace(root)


def a_delivery(workspace: Workspace) -> str:
    """The sha256 of the delivery that r0001 has all its new labels from."""
    return str(journal.read(workspace).round("r0001").deliveries[0]["delivery"])


def digests(root: Path) -> dict[str, str]:
    found = [path for path in (root / "data").rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_an_undone_delivery_is_rebuilt_versioned_tracked_and_sound(workspace: Workspace) -> None:
    before = journal.read(workspace)
    sha256 = a_delivery(workspace)

    told = repair.undo(workspace, "delivery", sha256[:8], reason="a bot wrote it")

    state = journal.read(workspace)
    one, was = state.round("r0001"), before.round("r0001")
    withdrawn = was.standing[sha256][0]
    assert (one.phase, one.accepted, was.accepted) == (Phase.CLOSED, was.accepted - withdrawn, was.expected)
    assert one.facts["trained"]["labels"] < was.facts["trained"]["labels"]
    assert one.earlier[-1]["trained"] == was.facts["trained"]
    assert (told["rounds"], told["batches"]) == (["r0001"], ["r0002"])
    assert told["corrections"]["annotations"] == withdrawn
    assert state.round("r0002").phase is Phase.AWAITING
    assert verify(workspace)["problems"] == []
    tagged = [git.tagged(workspace.root, name) for name in ("r0001", "r0001.1")]
    assert all(tagged) and tagged[0] != tagged[1]
    assert version.pending(workspace, state) == []


def test_the_same_undo_again_changes_nothing(workspace: Workspace) -> None:
    sha256 = a_delivery(workspace)
    first = repair.undo(workspace, "delivery", sha256, reason="a bot wrote it")
    before = digests(workspace.root)

    assert repair.undo(workspace, "delivery", sha256, reason="again") == first
    assert digests(workspace.root) == before


def test_a_dry_run_tells_what_the_undo_does_and_changes_nothing(workspace: Workspace) -> None:
    before, sha256 = digests(workspace.root), a_delivery(workspace)

    told = repair.preview(workspace, "delivery", sha256, reason="a bot wrote it")

    assert digests(workspace.root) == before
    labels = told.pop("labels")
    done = repair.undo(workspace, "delivery", sha256, reason="a bot wrote it")
    assert {**told, "at": ""} == {**done, "at": ""}
    assert labels == {"r0001": 6}


def test_status_and_report_tell_what_is_to_be_corrected(workspace: Workspace) -> None:
    repair.undo(workspace, "annotator", "annotator-1", reason="a bot wrote it")

    state = journal.read(workspace)
    shown = screen.view(state, journal.params(workspace), name="x", at=journal.now())
    report = (workspace.round("r0001") / "report.html").read_text(encoding="utf-8")
    assert shown["corrections"][0]["of"] == "annotator-1"
    assert "annotator-1, to correct:" in screen.text(shown)
    assert "annotator-1" in report and "a bot wrote it" in report


def asked(workspace: Workspace, wanted: str) -> list[tuple[object, ...]]:
    """What MLflow's own database answers."""
    with closing(sqlite3.connect(outbox.database(workspace))) as database:
        return database.execute(wanted).fetchall()


def alias(workspace: Workspace, name: str) -> object:
    """The version of the registered model that an alias points to."""
    ((found,),) = asked(workspace, f"SELECT version FROM registered_model_aliases WHERE alias = '{name}'")
    return found


def number(sent: Facts) -> int:
    """Which version of the registered model a round's is, by what was answered when it was sent."""
    return int(str(sent["version"]))


class Killed(BaseException):
    """The process died."""


def killed_after(steps: int) -> rounds.Run:
    """An engine that dies once it has taken so many steps."""
    count = iter(range(steps))

    def run(name: str, step: rounds.Step, workspace: Workspace, round_id: str, *, retries: int = 0) -> Facts:
        if next(count, None) is None:
            raise Killed
        return engine.direct(name, step, workspace, round_id, retries=retries)

    return run


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 7])
def test_a_rebuilding_that_was_cut_short_is_completed_by_the_same_command(
    workspace: Workspace, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = a_delivery(workspace)
    with monkeypatch.context() as patch:
        patch.setattr(repair, "direct", killed_after(steps))
        with pytest.raises(Killed):
            repair.undo(workspace, "delivery", sha256, reason="a bot wrote it")
    cut = journal.read(workspace)
    assert [one.id for one in cut.rebuilding] == ["r0001"]
    assert "run hitl close" in screen.next_step(cut, journal.params(workspace), journal.now())
    assert verify(workspace)["problems"] == []
    with pytest.raises(MomentError, match="r0001"):
        journal.append(workspace, "validated", "r0002", {})

    repair.undo(workspace, "delivery", sha256, reason="a bot wrote it")

    state = journal.read(workspace)
    assert (state.rebuilding, len(state.undone), state.round("r0001").version) == ((), 1, "r0001.1")
    assert verify(workspace)["problems"] == []


def test_close_completes_a_rebuilding_and_then_the_open_round(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(repair, "direct", killed_after(3))
        with pytest.raises(Killed):
            repair.undo(workspace, "delivery", a_delivery(workspace), reason="a bot wrote it")

    engine.perform("close", workspace, "direct", partial=True)

    assert [one.phase for one in journal.read(workspace).rounds] == [Phase.CLOSED] * 3
    assert verify(workspace)["problems"] == []


def test_a_rollback_said_again_for_the_same_reason_goes_back_once(workspace: Workspace) -> None:
    params = workspace.params.read_text(encoding="utf-8")
    workspace.params.write_text(params.replace("margin: 0.0", "margin: -1.0"), encoding="utf-8")
    rounds.close_round(workspace, engine.direct, partial=True)
    first = repair.rollback(workspace, reason="customers complain")
    there = workspace.ledger.read_bytes()

    assert repair.rollback(workspace, reason="customers complain") == first
    assert workspace.ledger.read_bytes() == there
    with pytest.raises(MomentError, match="nothing to go back to"):
        repair.rollback(workspace, reason="they still do")


def test_an_undo_in_the_open_round_rebuilds_nothing(workspace: Workspace) -> None:
    one = journal.read(workspace).round("r0002")

    told = repair.undo(workspace, "round", "r0002", reason="the wrong guideline went out")

    assert (told["rounds"], journal.read(workspace).round("r0002").accepted) == ([], 0)
    assert one.accepted == told["corrections"]["annotations"]
    deliver(workspace, "anew.csv", answers(workspace, "r0002", range(4)))
    assert journal.read(workspace).round("r0002").accepted == 4


def test_a_file_that_was_refused_for_the_withdrawn_rows_alone_stands_then(workspace: Workspace) -> None:
    sound = answers(workspace, "r0002", range(3, 6)).replace(b"even,ann", b"even,bob")
    bad = answers(workspace, "r0002", range(3, 7)).replace(b"even,ann", b"eleven,mallory").partition(b"\n")[2]
    deliver(workspace, "mixed.csv", sound + bad)
    before = journal.read(workspace).round("r0002")
    assert (before.refused[-1]["reasons"], before.accepted) == (["F_TOO_MANY_BAD_ROWS", "R_LABEL_UNKNOWN"], 3)

    told = repair.undo(workspace, "annotator", "mallory", reason="a bot")

    assert (journal.read(workspace).round("r0002").accepted, told["corrections"]["annotations"]) == (6, -3)
    deliver(workspace, "more.csv", answers(workspace, "r0002", range(6, 7)))
    assert journal.read(workspace).round("r0002").accepted == 7


def test_withdrawn_bytes_do_not_come_back(workspace: Workspace) -> None:
    sha256 = str(journal.read(workspace).round("r0002").deliveries[0]["delivery"])
    repair.undo(workspace, "delivery", sha256, reason="a bot wrote it")
    head = journal.read(workspace).head

    deliver(workspace, "half.csv", (workspace.deliveries / f"{sha256}.csv").read_bytes())

    assert journal.read(workspace).head == head


@pytest.mark.parametrize(
    ("kind", "of", "says"),
    [
        ("delivery", "abcdef01", "no delivery begins so"),
        ("delivery", "abc", "8 or more digits"),
        ("annotator", "nobody", "nothing of annotator nobody stands"),
        ("round", "r0009", "there is no round r0009"),
    ],
)
def test_what_is_not_there_cannot_be_undone(workspace: Workspace, kind: repair.Kind, of: str, says: str) -> None:
    with pytest.raises(MomentError, match=says):
        repair.undo(workspace, kind, of, reason="why not")


def test_a_refused_delivery_has_nothing_to_undo(workspace: Workspace) -> None:
    refused = str(journal.read(workspace).round("r0001").refused[0]["delivery"])
    with pytest.raises(MomentError, match="stands"):
        repair.undo(workspace, "delivery", refused, reason="why not")


def test_everything_that_is_derived_can_be_computed_again(workspace: Workspace) -> None:
    repair.undo(workspace, "delivery", a_delivery(workspace), reason="a bot wrote it")
    before = digests(workspace.root)

    found = rebuild.rebuild(workspace, check=True)

    assert (found["differences"], found["files"]) == ([], [])
    assert digests(workspace.root) == before


def test_a_batch_is_chosen_again_though_the_model_of_then_is_gone(workspace: Workspace) -> None:
    repair.undo(workspace, "delivery", a_delivery(workspace), reason="a bot wrote it")

    assert rebuild.replay(workspace, "r0002")["different"] == []
    assert rebuild.replay(workspace, "r0001")["different"] == []


def test_what_is_damaged_is_found_and_written_back(workspace: Workspace) -> None:
    damaged = ["data/labeled.parquet", "data/rounds/r0001/labels.parquet", "data/rounds/r0001/predictions.parquet"]
    for file in damaged:
        (workspace.root / file).unlink()

    assert rebuild.rebuild(workspace, check=True)["files"] == damaged
    assert rebuild.rebuild(workspace)["files"] == damaged
    assert verify(workspace)["problems"] == []


def test_a_batch_that_was_changed_differs(workspace: Workspace) -> None:
    path = workspace.round("r0002") / "batch.parquet"
    frame = tables.read_parquet(path)
    tables.write_parquet(path, frame.iloc[1:])

    assert rebuild.replay(workspace, "r0002")["different"] == [frame["item_id"].iloc[0]]


def test_a_dry_run_is_told_in_words(workspace: Workspace) -> None:
    sha256 = a_delivery(workspace)
    told = say.undone(repair.preview(workspace, "delivery", sha256, reason="a bot wrote it"), dry_run=True)

    assert f"delivery {sha256} would be withdrawn (a bot wrote it); r0001 would be rebuilt" in told
    assert "; 6 labels change" in told
    assert "chosen by a model that knew these rows: r0002" in told


def test_the_commands_of_the_page_run_and_mlflow_follows(root: Path) -> None:
    workspace, page = Workspace(root), (ROOT / "docs" / "undo.md").read_text(encoding="utf-8")
    params = workspace.params.read_text(encoding="utf-8")
    workspace.params.write_text(params.replace("margin: 0.0", "margin: -1.0"), encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)

    done = shell("\n".join(["set -e", "hitl close --partial", *blocks]), root)

    assert done.returncode == 0, done.stderr
    assert "annotator annotator-1 would be withdrawn" in done.stdout
    assert "r0002 is champion again" not in done.stdout and "r0000 is champion again in place of r0002" in done.stdout
    assert "0 came out otherwise than the ledger says" in done.stdout
    assert "r0002: the same batch, all 7 items" in done.stdout
    assert track.pending(workspace, journal.read(workspace)) == []
    first, old, new = (outbox.sent(workspace, name) for name in ("r0000", "r0002", "r0002.1"))
    assert first and old and new
    noted = "SELECT run_uuid, key, value FROM tags WHERE key IN ('hitl.superseded_by', 'hitl.revision')"
    superseded, revised = (old["run_id"], "hitl.superseded_by", new["run_id"]), (new["run_id"], "hitl.revision", "1")
    assert {superseded, revised} <= set(asked(workspace, noted))
    assert (alias(workspace, "champion"), alias(workspace, "challenger")) == (number(first), number(new))
