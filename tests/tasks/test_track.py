"""One round told to a real MLflow, on iris, from a workspace of files alone."""

import importlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from hitl import ledger
from hitl.errors import MomentError
from hitl.layout import Workspace
from hitl.params import parse
from hitl.state import State, fold
from tasks import track
from tasks.edges import files, outbox
from tasks.edges.quiet import quiet
from tests.tasks.iris_workspace import PARAMS, TEST, made, say

quiet()  # MLflow reads its switches as it is imported
mlflow = importlib.import_module("mlflow")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with nothing in it: MLflow takes seconds to make one."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}")
    return path


@pytest.fixture
def workspace(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    found = made(tmp_path / "iris of é 'x'")
    found.local.mkdir()
    shutil.copy(empty, found.local / "mlflow.db")
    return found


def client_of(workspace: Workspace) -> Any:
    return mlflow.MlflowClient(outbox.address(workspace), outbox.address(workspace))


def runs(workspace: Workspace, round_id: str, part: str | None = "round") -> list[Any]:
    client = client_of(workspace)
    ids = [one.experiment_id for one in client.search_experiments() if one.name != "Default"]
    query = f"tags.`hitl.round` = '{round_id}'" + (f" AND tags.`hitl.part` = '{part}'" if part else "")
    return list(client.search_runs(ids, query))


def state(workspace: Workspace) -> State:
    return fold(ledger.parse(workspace.ledger.read_bytes()))


def test_a_round_is_one_finished_run_with_its_parts(workspace: Workspace) -> None:
    track.track(workspace, "r0000")
    found = track.track(workspace, "r0001")
    (run,) = runs(workspace, "r0001")
    assert (run.info.run_id, run.info.status, run.info.run_name) == (found["run_id"], "FINISHED", "r0001")
    parts = [one for one in runs(workspace, "r0001", None) if one.info.run_id != run.info.run_id]
    assert sorted(one.info.run_name for one in parts) == ["deliveries", "evaluate", "select", "train"]
    assert {one.data.tags["mlflow.parentRunId"] for one in parts} == {run.info.run_id}
    assert {one.info.status for one in parts} == {"FINISHED"}


def test_a_run_lasts_as_long_as_its_round(workspace: Workspace) -> None:
    track.track(workspace, "r0001")
    (run,) = runs(workspace, "r0001")
    assert run.info.end_time - run.info.start_time == 10 * 3_600_000


def test_the_newest_run_draws_the_whole_learning_curve(workspace: Workspace) -> None:
    found = track.track(workspace, "r0001")
    history = client_of(workspace).get_metric_history(str(found["run_id"]), "accuracy")
    assert [point.step for point in sorted(history, key=lambda point: point.step)] == [20, 25]
    (run,) = runs(workspace, "r0001")
    assert run.data.metrics["accuracy"] == state(workspace).round("r0001").facts["evaluated"]["metrics"]["accuracy"]  # type: ignore[index]
    assert run.data.metrics["money_spent"] == 0.6


def test_params_metrics_and_lineage_are_the_ledgers(workspace: Workspace) -> None:
    track.track(workspace, "r0001", flow_run="flow-1")
    (run,) = runs(workspace, "r0001")
    assert run.data.params.items() >= {"query.batch": "6", "data.columns.numeric": "2", "model.seed": "0"}.items()
    assert (
        run.data.tags.items()
        >= {
            "hitl.ledger_head": state(workspace).head,
            "hitl.batch_sha256": "b" * 64,
            "hitl.labels_sha256": "e" * 64,
            "hitl.params_sha256": parse(PARAMS).sha256(),
            "hitl.prefect_flow_run": "flow-1",
            "hitl.verdict": "promoted",
        }.items()
    )
    (deliveries,) = runs(workspace, "r0001", "deliveries")
    assert deliveries.data.metrics.items() >= {"rows_accepted": 6.0, "resolved": 5.0, "unresolved": 1.0}.items()


def test_nothing_a_vendor_wrote_is_sent(workspace: Workspace) -> None:
    track.track(workspace, "r0001")
    told = json.dumps([one.to_dictionary() for one in runs(workspace, "r0001", None)])
    assert "img src" not in told and "00077" not in told


def test_datasets_carry_their_digests(workspace: Workspace) -> None:
    track.track(workspace, "r0001")
    (run,) = runs(workspace, "r0001")
    tags = {one.dataset.name: {tag.key: tag.value for tag in one.tags} for one in run.inputs.dataset_inputs}
    assert set(tags) == {"labeled", "test", "pool"}
    assert tags["labeled"]["sha256"] == files.sha256(workspace.labeled)
    assert tags["test"].items() >= {"round": "r0001", "mlflow.data.context": "evaluation"}.items()
    assert len(tags["test"]["dvc_md5"]) == 32


def test_a_labeled_set_that_has_grown_since_is_told_by_its_digest_alone(workspace: Workspace) -> None:
    track.track(workspace, "r0000")
    (run,) = runs(workspace, "r0000")
    labeled = next(one for one in run.inputs.dataset_inputs if one.dataset.name == "labeled")
    facts = state(workspace).round("r0000").facts["trained"]
    assert labeled.dataset.digest == str(facts["labeled_sha256"])[:32]
    assert labeled.dataset.profile is None


def test_the_registered_model_is_the_very_file_the_ledger_names(workspace: Workspace) -> None:
    found = track.track(workspace, "r0001")
    client = client_of(workspace)
    version = client.get_model_version(str(found["model"]), str(found["version"]))
    logged = client.get_logged_model(version.source.removeprefix("models:/"))
    folder = Path(url2pathname(urlsplit(logged.artifact_location).path))
    sha256 = state(workspace).round("r0001").facts["trained"]["model_sha256"]
    assert version.tags["hitl.model_sha256"] == sha256 == files.sha256(folder / "model.skops")
    described = (folder / "MLmodel").read_text()
    assert "signature:" in described and "saved_input_example_info:" in described
    assert "scikit-learn==" in (folder / "requirements.txt").read_text()


def test_mlflow_itself_loads_the_champion(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    found = track.track(workspace, "r0001")
    monkeypatch.setattr(mlflow.tracking._tracking_service.utils, "_tracking_uri", outbox.address(workspace))
    champion = mlflow.pyfunc.load_model(f"models:/{found['model']}@champion")
    assert set(champion.predict(TEST[["sepal", "petal", "note"]])) <= {"setosa", "versicolor", "virginica"}
    assert champion.metadata.signature.inputs.input_names() == ["sepal", "petal", "note"]
    with pytest.raises(mlflow.exceptions.MlflowException, match="missing inputs"):
        champion.predict(TEST[["sepal"]])


def test_the_process_keeps_its_own_default_server(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    track.track(workspace, "r0000")
    assert "MLFLOW_TRACKING_URI" not in os.environ
    monkeypatch.setenv("MLFLOW_TRACKING_URI", outbox.address(workspace))
    track.track(workspace, "r0001")
    assert os.environ["MLFLOW_TRACKING_URI"] == outbox.address(workspace)


def test_aliases_follow_the_ledger(workspace: Workspace) -> None:
    first = track.track(workspace, "r0000")
    second = track.track(workspace, "r0001")
    registered = client_of(workspace).get_registered_model(str(first["model"]))
    assert registered.name == "hitl-iris-of-é-x-"
    assert {alias: str(version) for alias, version in registered.aliases.items()} == {
        "champion": second["version"],
        "challenger": second["version"],
    }


def test_figures_and_report_are_artifacts(workspace: Workspace) -> None:
    found = track.track(workspace, "r0001")
    client = client_of(workspace)
    top = {one.path for one in client.list_artifacts(str(found["run_id"]))}
    assert {"figures", "report.html"} <= top
    drawn = {one.path for one in client.list_artifacts(str(found["run_id"]), "figures")}
    assert drawn == {"figures/learning_curve.png", "figures/confusion.png"}


def test_twice_is_once(workspace: Workspace) -> None:
    first = track.track(workspace, "r0001")
    assert track.track(workspace, "r0001") == first
    shutil.rmtree(workspace.local / "tracked")
    assert track.track(workspace, "r0001")["run_id"] == first["run_id"]
    assert len(runs(workspace, "r0001", None)) == 5


def test_pending_rounds_are_those_the_server_of_now_has_not_got(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert track.pending(workspace, state(workspace)) == ["r0000", "r0001"]
    track.track(workspace, "r0001")
    assert track.pending(workspace, state(workspace)) == ["r0000"]
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("MLFLOW_TRACKING_URI", "http://user:secret@elsewhere.example")
        assert track.pending(workspace, state(workspace)) == ["r0000", "r0001"]
    (workspace.local / "mlflow.db").unlink()
    assert track.pending(workspace, state(workspace)) == ["r0000", "r0001"]


def test_asking_what_is_pending_imports_no_mlflow(workspace: Workspace) -> None:
    program = (
        "import sys; from pathlib import Path; from hitl.layout import Workspace; from tasks import journal, track; "
        "w = Workspace(Path(sys.argv[1])); print(track.pending(w, journal.read(w))); "
        "print(sorted({'mlflow', 'pandas', 'numpy', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    run = [sys.executable, "-c", program, str(workspace.root)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "['r0000', 'r0001']\n[]\n"


def test_an_open_round_is_not_tracked(workspace: Workspace) -> None:
    say(workspace, "opened", "r0002", {"params_sha256": "p" * 64})
    with pytest.raises(MomentError, match="r0002 is opening"):
        track.track(workspace, "r0002")


@pytest.mark.parametrize(
    "call", ["log_model_artifacts", "log_inputs", "create_model_version", "set_registered_model_alias"]
)
def test_a_killed_call_leaves_nothing_double(workspace: Workspace, call: str) -> None:
    """The process dies right after one of MLflow's calls; the next one puts it right."""
    child = os.fork()
    if not child:
        original = getattr(mlflow.MlflowClient, call)
        setattr(mlflow.MlflowClient, call, lambda *args, **named: (original(*args, **named), os._exit(9)))
        track.track(workspace, "r0001")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    found = track.track(workspace, "r0001")
    (run,) = runs(workspace, "r0001")
    assert (run.info.status, run.info.run_id) == ("FINISHED", found["run_id"])
    assert len(runs(workspace, "r0001", None)) == 5
    versions = client_of(workspace).search_model_versions(f"name = '{found['model']}'")
    assert [one.run_id for one in versions] == [found["run_id"]]
    with sqlite3.connect(workspace.local / "mlflow.db") as database:
        ready = database.execute("select count(*) from logged_models where lifecycle_stage = 'active'").fetchone()
    assert ready == (1,)


def test_tracking_says_nothing(workspace: Workspace) -> None:
    program = (
        "import sys; from pathlib import Path; from hitl.layout import Workspace; from tasks import track; "
        "track.track(Workspace(Path(sys.argv[1])), 'r0001')"
    )
    run = [sys.executable, "-c", program, str(workspace.root)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("", "")
