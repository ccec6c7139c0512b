"""MLflow, a DVC remote and Prefect, each a real server, that are stopped, killed or ended in the middle of a round."""

import http.client
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import engine, prefect_serve, servers as kinds, services, start
from hitl.layout import Workspace
from tasks import journal, simulate, track, version
from tasks.edges import registry, versions
from tests.flows.conftest import with_tables

# Minutes of waiting for what hangs, by the clock: on a machine that is busy with other tests they tell of that one.
patient = pytest.mark.skipif(not os.environ.get("SOAK"), reason="minutes of waiting for servers: make soak")
PATIENCE = 120.0
REMOTE = """
import os, sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
class Store(SimpleHTTPRequestHandler):
    def do_POST(self):
        path = self.translate_path(self.path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".part", "wb") as file:
            while size := int(self.rfile.readline(), 16):  # DVC sends in chunks
                file.write(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
        os.replace(path + ".part", path)
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
os.chdir(sys.argv[2])
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Store).serve_forever()
"""
HOOKED = """
import importlib, os, signal, sys, time
module, name, pid, number = sys.argv.pop(1).split(":")
home = importlib.import_module(module)
real = getattr(home, name)
def first(*args, **named):
    os.killpg(int(pid), int(number))
    time.sleep(0.2)
    return real(*args, **named)
setattr(home, name, first)
from flows.cli import main
main()
"""
"""A command that sends a signal to a group of processes just before it calls a certain function."""


class Outside:
    """A server of somebody else's: a process group that can be signalled, and started again where it was."""

    def __init__(self, name: str, command: list[str], port: int, folder: Path) -> None:
        self.name, self.command, self.port, self.folder = name, command, port, folder
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Have it up and answering, whatever happened to it."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGCONT)
        else:
            environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
            with (self.folder / f"{self.name}.log").open("ab") as said:
                self.process = subprocess.Popen(
                    self.command, env=environment, stdout=said, stderr=said, start_new_session=True
                )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / f"{self.name}.log").read_text()
            time.sleep(0.2)

    def signal(self, kind: signal.Signals) -> None:
        assert self.process
        os.killpg(self.process.pid, kind)
        if kind != signal.SIGSTOP:
            self.process.wait(timeout=30)

    def down(self) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3)
        try:
            connection.request("GET", "/health" if self.name == "mlflow" else "/")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace that is told nothing of its servers yet: its baseline and first round came while none was up."""
    folder = tmp_path_factory.mktemp("outages")
    rows = [f"i{n:03d},{n * 37 % 101},{'even' if n % 2 == 0 else 'odd'}" for n in range(80)]
    (folder / "items.csv").write_text("\n".join(["id,size,parity", *rows]) + "\n", encoding="utf-8")
    made = Workspace(folder / "lone")
    start.from_file(made, folder / "items.csv", label="parity", id="id", hide=True)
    text = made.params.read_text(encoding="utf-8").replace("batch: 30", "batch: 4").replace("push: false", "push: true")
    made.params.write_text(text, encoding="utf-8")
    yield made
    services.down(made)


@pytest.fixture(scope="module")
def tracking(lone: Workspace) -> Iterator[Outside]:
    """A tracking server with a store of its own, that takes artifacts too."""
    folder, port = lone.root.parent, kinds.free_port(lone, "mlflow")
    store = ["--backend-store-uri", f"sqlite:///{folder}/tracking.db", "--artifacts-destination", f"{folder}/artifacts"]
    where = ["--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    server = Outside("mlflow", [sys.executable, "-m", "mlflow", "server", *store, *where], port, folder)
    yield server
    server.down()


@pytest.fixture(scope="module")
def remote(lone: Workspace) -> Iterator[Outside]:
    """A DVC remote that speaks HTTP."""
    folder, port = lone.root.parent, kinds.free_port(lone, "prefect")
    (folder / "remote.py").write_text(REMOTE)
    (folder / "store").mkdir()
    server = Outside(
        "remote", [sys.executable, str(folder / "remote.py"), str(port), str(folder / "store")], port, folder
    )
    settings = lone.root / ".dvc" / "config"
    text = settings.read_text(encoding="utf-8").replace("[core]", "[core]\n    remote = far")
    settings.write_text(f"{text}['remote \"far\"']\n    url = {server.url}\n", encoding="utf-8")
    yield server
    server.down()


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Our patience with one request, cut down: the tests wait it out."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    monkeypatch.setattr(versions, "_REQUEST", 1)
    if "tracking" in request.fixturenames:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", request.getfixturevalue("tracking").url)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "hitl" and record.levelname == "WARNING"]


def published(lone: Workspace, tracking: Outside, remote: Outside) -> None:
    """The servers have every closed round once, and every byte of it."""
    state = journal.read(lone)
    names = [one.id for one in state.closed]
    assert track.pending(lone, state) == []
    finished = (
        "select r.value from runs join tags r on r.run_uuid = runs.run_uuid and r.key = 'hitl.round' "
        "join tags p on p.run_uuid = runs.run_uuid and p.key = 'hitl.part' and p.value = 'round' "
        "where runs.status = 'FINISHED' and runs.lifecycle_stage = 'active'"
    )
    with sqlite3.connect(tracking.folder / "tracking.db") as database:
        assert sorted(row[0] for row in database.execute(finished)) == names
        versions = "select count(*) from model_versions where current_stage <> 'Deleted_Internal'"
        assert database.execute(versions).fetchone() == (len(names),)
    cache = lone.root / ".dvc" / "cache"
    ours, theirs = ({path.name for path in at.rglob("*") if path.is_file()} for at in (cache, remote.folder / "store"))
    assert ours <= theirs


def test_rounds_begin_without_any_server(
    lone: Workspace, tracking: Outside, remote: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    engine.perform("open", lone, "direct")
    assert journal.read(lone).rounds[-1].done("exported")
    first, second = told(caplog)
    later = "by the next hitl advance, for now:"
    silent = f"Unreachable: it at {remote.url} does not answer within 3 s"
    assert first.startswith(f"r0000 is versioned here, and pushed to far {later} {silent}")
    assert second.startswith(f"r0000 stands; MLflow is told {later} MLflow at {tracking.url} does not answer")
    for server in (tracking, remote):
        server.up()
    engine.perform("advance", lone, "direct")
    published(lone, tracking, remote)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(signal.SIGSTOP, marks=patient),
        signal.SIGKILL,
        pytest.param(signal.SIGTERM, marks=patient),
    ],
    ids=lambda kind: kind.name,
)
def test_servers_that_go_in_the_middle_of_a_round_are_told_by_the_next_advance(
    lone: Workspace,
    tracking: Outside,
    remote: Outside,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    kind: signal.Signals,
) -> None:
    if journal.read(lone).closed:
        for server in (tracking, remote):
            server.up()
    engine.perform("advance", lone, "direct")
    name = journal.read(lone).rounds[-1].id
    simulate.simulate(lone)
    caplog.clear()
    # After the first look found them well: the remote as DVC begins to push, MLflow with half a run.
    _signalled_before(monkeypatch, versions, "push", remote, kind)
    _signalled_before(monkeypatch, registry, "register", tracking, kind)
    began = time.monotonic()
    engine.perform("close", lone, "direct")
    assert journal.read(lone).round(name).done("closed")
    assert time.monotonic() - began < 240
    assert [line.split(" ")[0] for line in told(caplog)] == [name, name]
    assert track.pending(lone, journal.read(lone)) == [name]
    for server in (tracking, remote):
        server.up()
    engine.perform("advance", lone, "direct")
    published(lone, tracking, remote)
    assert version.push(lone, journal.read(lone))["files"] == 0


def _signalled_before(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, server: Outside, kind: signal.Signals
) -> None:
    real = getattr(module, name)

    def first(*args: object, **named: object) -> object:
        monkeypatch.setattr(module, name, real)
        server.signal(kind)
        return real(*args, **named)

    monkeypatch.setattr(module, name, first)


@patient
@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("command", ["close", "open"])
def test_a_round_goes_on_when_prefects_server_goes_in_its_middle(
    lone: Workspace, workspace: Workspace, tmp_path: Path, command: str
) -> None:
    """The steps were taken once, the command says what happened, and it ends within a minute."""
    step, kind = {"close": ("tasks.train:train", signal.SIGSTOP), "open": ("tasks.score:score", signal.SIGKILL)}[
        command
    ]
    if command == "close":
        engine.perform("advance", lone, "direct")
        simulate.simulate(lone)
    with_tables(workspace, lone)
    up = services.up(lone, names=("prefect",))
    assert up.prefect
    (tmp_path / "hooked.py").write_text(HOOKED)
    hook = f"{step}:{up.prefect.pid}:{kind.value}"
    line = [sys.executable, tmp_path / "hooked.py", hook, "-C", lone.root, command, "--engine", "prefect"]
    environment = os.environ | {"PREFECT_API_REQUEST_TIMEOUT": "3"}
    before = len(journal.events(lone))
    began = time.monotonic()
    said = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=180)
    took = time.monotonic() - began
    assert said.returncode == 0, said.stderr
    assert "hitl: " in said.stderr and "Prefect failed, and the steps go on without it: " in said.stderr
    assert "Traceback" not in said.stderr and "Error logging" not in said.stderr
    new = [event.event for event in journal.events(lone)[before:]]
    assert len(new) == len(set(new)) and new[-1] == {"close": "closed", "open": "exported"}[command]
    assert took < 90
    if kind == signal.SIGSTOP:
        os.killpg(up.prefect.pid, signal.SIGCONT)


@patient
@pytest.mark.usefixtures("servers")
def test_a_server_of_ours_that_hangs_is_named(lone: Workspace, workspace: Workspace) -> None:
    with_tables(workspace, lone)
    up = services.up(lone, names=("prefect",))
    assert up.prefect
    os.killpg(up.prefect.pid, signal.SIGSTOP)
    chosen = engine.choose("auto", lone)
    assert (chosen.name, chosen.note) == (
        "direct",
        f"Prefect at {up.prefect.url} does not answer: the steps run as plain calls",
    )
    services.down(lone)


def test_serving_ends_with_a_server_that_is_gone(lone: Workspace) -> None:
    """And `hitl serve` waits for it, or starts it again: Prefect's own runner would die of it."""
    due = prefect_serve.cron("* * * * *", "UTC")
    with pytest.raises(prefect_serve.ServerLost, match="ConnectError"):
        prefect_serve.serve(lone, due, "http://127.0.0.1:9/api")
