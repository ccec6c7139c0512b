"""What a shared server sees: two workspaces of one name, an experiment deleted by hand, a server that fails."""

import importlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hitl.errors import IntegrityError
from tasks import track
from tasks.edges import outbox
from tasks.edges.outbox import Unreachable
from tasks.edges.quiet import quiet
from tests.tasks.iris_workspace import made

quiet()  # MLflow reads its switches as it is imported
mlflow = importlib.import_module("mlflow")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database that several workspaces use."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('shared')}/mlflow.db"
    mlflow.MlflowClient(uri)
    return uri


@pytest.fixture
def client(shared: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", shared)
    return mlflow.MlflowClient(shared, shared)


def test_two_workspaces_of_one_name_do_not_mix(client: Any, tmp_path: Path) -> None:
    one, two = (track.track(made(tmp_path / where / "flowers", note=where), "r0000") for where in ("here", "there"))
    assert one["experiment_id"] != two["experiment_id"]
    assert (one["model"], str(two["model"]).rpartition("-")[0]) == ("hitl-flowers", "hitl-flowers")
    assert [str(version.version) for version in client.search_model_versions(f"name = '{two['model']}'")] == ["1"]


def test_an_experiment_that_was_deleted_by_hand_comes_back(client: Any, tmp_path: Path) -> None:
    workspace = made(tmp_path / "deleted")
    found = track.track(workspace, "r0000")
    client.delete_experiment(found["experiment_id"])
    assert track.track(workspace, "r0001")["experiment_id"] == found["experiment_id"]


def test_a_run_that_was_deleted_by_hand_is_made_again(client: Any, tmp_path: Path) -> None:
    workspace = made(tmp_path / "again")
    found = track.track(workspace, "r0000")
    client.delete_run(found["run_id"])
    (workspace.local / "tracked" / "r0000").unlink()
    assert track.track(workspace, "r0000")["run_id"] != found["run_id"]


def test_a_database_that_a_kill_left_half_made_is_made_anew(tmp_path: Path) -> None:
    uri, left = f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "mlflow.db.unfinished"
    left.write_text("half of a database, and its journal beside it")
    left.with_name(f"{left.name}-journal").write_text("none")
    importlib.import_module("tasks.edges.tracking").have_database(uri)
    assert [one.name for one in tmp_path.iterdir()] == ["mlflow.db"]
    assert [one.name for one in mlflow.MlflowClient(uri).search_experiments()] == ["Default"]


def test_a_database_that_is_none_leaves_the_round_pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    workspace = made(tmp_path / "broken")
    workspace.local.mkdir()
    outbox.database(workspace).write_text("this is no database, however long one looks at it")
    with pytest.raises(Unreachable, match=r"did not take round r0000: .*not a database"):
        track.track(workspace, "r0000")
    assert outbox.sent(workspace, "r0000") is None


def test_what_a_database_refuses_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    workspace = made(tmp_path / "torn")
    uri = f"sqlite:///{outbox.database(workspace)}"
    importlib.import_module("tasks.edges.tracking").have_database(uri)
    with closing(sqlite3.connect(outbox.database(workspace))) as base:
        base.execute("DROP TABLE runs")
    with pytest.raises(Unreachable, match=r"did not take round r0000"):
        track.track(workspace, "r0000")
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.usefixtures("client")
def test_a_model_that_is_not_the_ledgers_is_never_sent(tmp_path: Path) -> None:
    workspace = made(tmp_path / "changed")
    path = workspace.round("r0000") / "model.skops"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(IntegrityError, match="is not the model the ledger speaks of"):
        track.track(workspace, "r0000")
    assert outbox.sent(workspace, "r0000") is None
