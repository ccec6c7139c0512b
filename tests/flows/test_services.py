import json
import os
from collections.abc import Iterator

import pytest

from flows import servers as kinds, services
from flows.services import Service, Services
from hitl.errors import HitlError
from hitl.layout import Workspace
from tasks.edges import processes
from tests.flows.conftest import call


def recorded(workspace: Workspace, one: Service) -> None:
    workspace.local.mkdir(parents=True, exist_ok=True)
    (workspace.local / "services.json").write_text(json.dumps(Services(prefect=one).facts()))


def stale(pid: int, created: str) -> Service:
    return Service(pid, created, port=9, url="http://127.0.0.1:9", log="/dev/null")


@pytest.fixture(scope="module")
def restarted(other: Workspace) -> Iterator[Services]:
    """The other workspace's server, started although services.json speaks of a process long gone."""
    recorded(other, stale(os.getpid(), "another boot:1"))
    yield services.up(other, names=("prefect",))
    services.down(other)


def test_up_again_finds_what_is_up(workspace: Workspace, servers: Services) -> None:
    said: list[str] = []
    assert services.up(workspace, tell=said.append) == servers
    assert servers.prefect
    assert servers.mlflow
    assert said == [f"Prefect is up: {servers.prefect.url}", f"MLflow is up: {servers.mlflow.url}"]


def test_every_command_finds_what_is_up(workspace: Workspace, servers: Services) -> None:
    assert services.find(workspace) == servers


def test_the_page_in_the_browser_speaks_to_its_own_server(servers: Services) -> None:
    assert servers.prefect
    settings = call(f"{servers.prefect.url}/ui-settings")
    assert settings["api_url"] == servers.api_url


def test_the_server_calls_nobody_home(servers: Services) -> None:
    settings = call(f"{servers.api_url}/admin/settings")
    assert settings["server"]["analytics_enabled"] is False


def test_the_server_takes_null_for_a_default_as_its_own_client_sends_it(servers: Services) -> None:
    """From fastapi 0.151 on it does not, and `prefect deploy` fails."""
    assert call(f"{servers.api_url}/deployments/filter", {"limit": None, "offset": None}) is not None


def test_two_workspaces_have_a_server_each(
    workspace: Workspace, servers: Services, other: Workspace, restarted: Services
) -> None:
    assert servers.prefect
    assert restarted.prefect
    assert servers.prefect.port != restarted.prefect.port
    assert services.find(workspace) == servers
    assert services.find(other) == restarted


def test_down_stops_the_servers_of_its_workspace_alone_and_may_be_repeated(
    workspace: Workspace, servers: Services, other: Workspace, restarted: Services
) -> None:
    assert services.down(other) == ("prefect",)
    assert restarted.prefect
    assert not processes.group_lives(restarted.prefect.pid)
    assert not kinds.answers("prefect", restarted.prefect.port)
    assert services.down(other) == ()
    assert services.find(other) is None
    assert services.find(workspace) == servers


def test_a_process_that_was_given_the_old_pid_is_never_stopped(empty: Workspace) -> None:
    recorded(empty, stale(os.getpid(), "another boot:1"))
    assert services.find(empty) is None
    assert services.down(empty) == ()


@pytest.mark.parametrize("text", ["", "{", '{"prefect": {"pid": 1}}', "[]", '{"prefect": null}'])
def test_a_torn_record_counts_as_none(empty: Workspace, text: str) -> None:
    empty.local.mkdir()
    (empty.local / "services.json").write_text(text)
    assert services.find(empty) is None
    assert services.down(empty) == ()


def test_down_leaves_nothing_where_nothing_was(empty: Workspace) -> None:
    assert services.down(empty) == ()
    assert list(empty.root.iterdir()) == []


def test_what_the_environment_places_elsewhere_is_not_started(
    empty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect.example/api")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example")
    said: list[str] = []
    assert services.up(empty, tell=said.append) == Services()
    assert [line.split(" (")[0] for line in said] == ["Prefect is elsewhere", "MLflow is elsewhere"]


def test_a_server_that_cannot_start_is_told_with_the_end_of_its_log(
    empty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(empty.root))
    (empty.root / "uvicorn.py").write_text("raise SystemExit('no such database')")
    with pytest.raises(HitlError, match=r"(?s)Prefect did not come up.*no such database"):
        services.up(empty, names=("prefect",))
    assert services.down(empty) == ()


def test_a_workspace_keeps_its_port_while_that_is_free(empty: Workspace) -> None:
    port = kinds.free_port(empty, "prefect")
    assert kinds.free_port(empty, "prefect") == port
    assert kinds.free_port(empty, "mlflow") != port
