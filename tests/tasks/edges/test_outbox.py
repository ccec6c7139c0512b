import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hitl.layout import Workspace
from tasks.edges import outbox
from tasks.edges.outbox import Unreachable


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(outbox, "PATIENCE", 0.3)
    return Workspace(tmp_path / "w")


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def refusing() -> Iterator[int]:
    """A server that answers everything with 404, as one behind a login or a longer path may."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        server.RequestHandlerClass.do_GET = lambda handler: handler.send_error(404)  # type: ignore[attr-defined]
        server.RequestHandlerClass.log_message = lambda *_: None  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_the_workspaces_own_database_is_the_default(workspace: Workspace) -> None:
    assert outbox.reach(workspace) == f"sqlite:///{workspace.root}/.hitl/mlflow.db"


def test_a_dead_server_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with pytest.raises(Unreachable, match=r"MLflow at http://127\.0\.0\.1:1 does not answer"):
        outbox.reach(workspace)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_silent_server_costs_no_more_than_our_patience(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, silent: int, scheme: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{scheme}://127.0.0.1:{silent}")
    with pytest.raises(Unreachable, match="does not answer"):
        outbox.reach(workspace)


def test_a_refusal_is_an_answer(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, refusing: int) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{refusing}/ml")
    assert outbox.reach(workspace).endswith("/ml")


def test_a_dead_database_is_named_without_its_password(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql+psycopg2://ann:secret@127.0.0.1:1/mlflow")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1/mlflow") as raised:
        outbox.reach(workspace)
    assert "secret" not in str(raised.value)


def test_a_folder_that_sqlite_cannot_spell_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(Unreachable, match=r"rename the folder"):
        outbox.reach(Workspace(tmp_path / "why?"))


def test_a_round_is_sent_to_one_server_at_a_time(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@one.example")
    outbox.mark(workspace, "r0001", {"run_id": "1"})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://two.example")
    assert outbox.sent(workspace, "r0001") is None
    outbox.mark(workspace, "r0001", {"run_id": "2"})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@one.example")
    assert outbox.sent(workspace, "r0001") == {"run_id": "1"}
    assert "secret" not in (workspace.local / "tracked" / "r0001").read_text()


def test_a_torn_mark_is_no_mark(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://one.example")
    outbox.mark(workspace, "r0001", {"run_id": "1"})
    path = workspace.local / "tracked" / "r0001"
    path.write_bytes(path.read_bytes()[:20])
    assert outbox.sent(workspace, "r0001") is None
