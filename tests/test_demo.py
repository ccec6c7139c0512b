"""The demo through Prefect and through plain calls: the same batches, labels, models; it says what README shows."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

BIN = Path(sys.executable).parent
README = Path(__file__).parents[1] / "README.md"


def run(root: Path, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(root.parent), "PYTHONIOENCODING": "utf-8"}
    command = [str(word) for word in words]
    return subprocess.run(command, cwd=root.parent, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo as `make demo` runs it, on a Prefect server of its own; its workspace and what it said."""
    root = tmp_path_factory.mktemp("flow") / "hitl-demo"
    done = run(root, "hitl", "demo", root)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("closed: ") == 6
    return root, done.stdout


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("direct") / "hitl-demo"
    done = run(root, "hitl", "demo", root, "--engine", "direct", "--rounds", 3)
    assert done.returncode == 0, done.stderr
    return root


@pytest.mark.parametrize("name", ["r0001", "r0002", "r0003"])
def test_flow_and_direct_agree(flow: tuple[Path, str], direct: Path, name: str) -> None:
    ours, theirs = flow[0] / "data/rounds" / name, direct / "data/rounds" / name
    assert (ours / "pack/batch.csv").read_bytes() == (theirs / "pack/batch.csv").read_bytes()
    for table in ("batch", "labels", "predictions"):
        pd.testing.assert_frame_equal(
            pd.read_parquet(ours / f"{table}.parquet"), pd.read_parquet(theirs / f"{table}.parquet")
        )
    assert json.loads((ours / "metrics.json").read_text()) == json.loads((theirs / "metrics.json").read_text())


def test_dvc_alone_makes_the_same_model_and_so_the_same_next_batch(flow: tuple[Path, str], direct: Path) -> None:
    done = run(
        direct, "bash", "-c", f"cd {direct} && rm -r data/model data/evaluation && dvc repro --force && hitl open"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    predictions = "data/evaluation/predictions.parquet", "data/rounds/r0003/predictions.parquet"
    pd.testing.assert_frame_equal(*(pd.read_parquet(direct / path) for path in predictions))
    batch = "data/rounds/r0004/pack/batch.csv"
    assert (direct / batch).read_bytes() == (flow[0] / batch).read_bytes()


def test_the_messy_delivery_was_held_and_mended(flow: tuple[Path, str]) -> None:
    receipts = [json.loads(path.read_text()) for path in (flow[0] / "data/deliveries").glob("*.receipt.json")]
    verdicts = [one["verdict"] for one in receipts if one["round"] == "r0003"]
    assert sorted(verdicts) == ["accept", "quarantine"]


def test_the_demo_again_changes_nothing_and_says_the_same(flow: tuple[Path, str]) -> None:
    root, said = flow
    ledger = (root / "data/ledger.jsonl").read_bytes()
    assert run(root, "hitl", "demo", root).stdout == said
    assert (root / "data/ledger.jsonl").read_bytes() == ledger


def test_the_readme_shows_what_the_demo_says(flow: tuple[Path, str]) -> None:
    said = flow[1]
    shown = re.search(r"^```text demo\n(.*?)^```", README.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert shown
    assert shown[1].replace(".venv/bin/hitl", "hitl") == said


def test_mlflow_has_one_run_a_round_and_the_aliases_of_the_ledger(flow: tuple[Path, str]) -> None:
    script = (
        "import sys, mlflow, json\n"
        "client = mlflow.MlflowClient(tracking_uri=sys.argv[1], registry_uri=sys.argv[1])\n"
        "runs = client.search_runs([e.experiment_id for e in client.search_experiments()], max_results=500)\n"
        "rounds = sorted(r.data.tags['hitl.round'] for r in runs if 'mlflow.parentRunId' not in r.data.tags)\n"
        "model, = client.search_registered_models()\n"
        "champion = client.get_model_version_by_alias(model.name, 'champion').tags\n"
        "print(json.dumps([rounds, [r.info.status for r in runs], champion]))\n"
    )
    done = run(flow[0], sys.executable, "-c", script, f"sqlite:///{flow[0]}/.hitl/mlflow.db")
    assert done.returncode == 0, done.stderr
    rounds, statuses, champion = json.loads(done.stdout.splitlines()[-1])
    assert rounds == [f"r{number:04d}" for number in range(7)]
    assert set(statuses) == {"FINISHED"}
    status = json.loads(run(flow[0], "hitl", "-C", flow[0], "status", "--json").stdout)
    assert status["champion"]["round"] in champion.values()
