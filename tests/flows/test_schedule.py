import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.serve import prefect_yaml
from flows.services import Services
from hitl.layout import Workspace
from hitl.params import Schedule
from tests.flows.conftest import call

PATIENCE = 90.0
SERVE = """
import sys
from datetime import timedelta
from pathlib import Path
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.schedules import Interval
from flows.prefect_serve import limit_of, registered, serve
from hitl.layout import Workspace
if __name__ == "__main__":
    due = Workspace(Path(sys.argv[1])), Interval(timedelta(seconds=5))
    _, deployment = registered(*due)
    with get_client(sync_client=True) as client:
        client.update_global_concurrency_limit(limit_of(deployment), GlobalConcurrencyLimitUpdate(active_slots=1))
    serve(*due, sys.argv[2])
"""


@pytest.fixture(scope="module")
def serving(workspace: Workspace, servers: Services) -> Iterator[subprocess.Popen[bytes]]:
    """A process that serves `advance` every five seconds, after one that was killed during a run."""
    script = workspace.local / "serve_every_five_seconds.py"
    script.write_text(SERVE)
    environment = os.environ | {"PREFECT_API_URL": str(servers.api_url)}
    served = subprocess.Popen([sys.executable, script, workspace.root, str(servers.api_url)], env=environment)
    yield served
    served.kill()
    served.wait()


@pytest.fixture(scope="module")
def scheduled(servers: Services, serving: subprocess.Popen[bytes]) -> Any:
    """The first run of `advance` that came to its end."""
    completed = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}, "flows": {"name": {"any_": ["advance"]}}}
    deadline = time.monotonic() + PATIENCE
    while not (runs := call(f"{servers.api_url}/flow_runs/filter", completed)):
        assert time.monotonic() < deadline
        assert serving.poll() is None
        time.sleep(0.5)
    return runs[0]


def test_a_scheduled_run_really_happens(scheduled: Any, workspace: Workspace) -> None:
    """With sqlalchemy 2.1 it never does, and only the server's log would say so."""
    assert scheduled["auto_scheduled"]
    assert scheduled["created_by"]["type"] == "SCHEDULE"
    assert scheduled["name"] == "r0001 advance"
    assert scheduled["parameters"] == {"workspace": str(workspace.root)}


def test_a_run_shows_the_rounds_files_in_prefects_pages(scheduled: Any, servers: Services) -> None:
    found = call(f"{servers.api_url}/artifacts/filter", {"flow_runs": {"id": {"any_": [scheduled["id"]]}}})
    shown = {one["key"]: one["data"] for one in found}
    assert sorted(shown) == ["r0000-files", "r0000-mlflow", "r0001-files"]
    assert "r0001/pack" in shown["r0001-files"]
    assert servers.mlflow
    assert servers.mlflow.url in shown["r0000-mlflow"]


@pytest.mark.usefixtures("scheduled")
def test_nothing_piles_up_when_nobody_serves(servers: Services, serving: subprocess.Popen[bytes]) -> None:
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(timeout=30) == 0
    (deployment,) = call(f"{servers.api_url}/deployments/filter", {})
    assert (deployment["name"], deployment["paused"]) == ("with space", True)
    assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert deployment["global_concurrency_limit"]["limit"] == 1


def test_prefect_yaml_deploys_advance_on_the_schedule_of_the_params() -> None:
    written = yaml.safe_load(prefect_yaml("a: b", Schedule(cron="0 6 * * 1", timezone="Europe/Lisbon")))
    (deployment,) = written["deployments"]
    assert deployment["name"] == "a: b"
    assert deployment["schedules"] == [{"cron": "0 6 * * 1", "timezone": "Europe/Lisbon", "active": True}]
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_prefect_yaml_is_recognised_as_ours() -> None:
    assert prefect_yaml("digits", Schedule()).startswith("# Written by hitl")


def test_the_repository_deploys_as_any_workspace_does() -> None:
    root = Path(__file__).parents[2]
    assert (root / "prefect.yaml").read_text(encoding="utf-8") == prefect_yaml("hitl", Schedule())
