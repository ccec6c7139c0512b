"""The real servers: installed into virtual environments of their own, and started on loopback with fresh data.

`make test-live` installs; the first start of a server makes its database, which later ones begin with a copy of.
"""

import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

HERE = Path(__file__).parent
HOME = Path(os.environ.get("HITL_LIVE", HERE.parents[1] / ".live"))
PASSWORD = "Passw0rd-1"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
PATIENCE = 600.0
"""Seconds for a server to be there: a busy machine takes minutes for the first time."""


class NotInstalled(RuntimeError):
    """A server could not be installed, and why."""


def install(name: str) -> Path:
    """The folder of the virtual environment of `name`, made by its pins unless it is there."""
    pins, folder = HERE / f"{name}.txt", HOME / name
    stamp = folder / "installed"
    wanted = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    uv = str(Path(sys.executable).with_name("uv"))
    environment = {**os.environ, "UV_SYSTEM_CERTS": "true"}
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")],
        [uv, "pip", "install", "--quiet", "--python", str(folder / "venv" / "bin" / "python"), "-r", str(pins)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise NotInstalled(f"{' '.join(command)} failed:\n{done.stderr.strip()[-2000:]}")
    stamp.write_text(wanted)
    return folder


@dataclass
class Running:
    """A server on loopback: its processes, and where its data lie."""

    url: str
    data: Path
    start: Callable[["Running"], list[subprocess.Popen[bytes]]]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def up(self, path: str) -> None:
        """Start it, and wait until `path` is answered."""
        self.processes = self.start(self)
        until = time.monotonic() + PATIENCE
        while not _answers(f"{self.url}{path}"):
            dead = [one.args for one in self.processes if one.poll() is not None]
            if dead or time.monotonic() > until:
                log = (self.data / "log").read_text(errors="replace")[-3000:]
                self.kill()
                raise NotInstalled(f"{dead or self.url} did not come up:\n{log}")
            time.sleep(0.3)

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        for one in self.processes:
            _kill(one, signal.SIGKILL)
        self.processes = []

    def down(self) -> None:
        """End it."""
        for one in self.processes:
            _kill(one, signal.SIGTERM)
        self.processes = []


@contextmanager
def label_studio(folder: Path) -> Iterator[Running]:
    """Label Studio with one user, whose legacy token is TOKEN."""
    venv = install("label-studio") / "venv"
    with _running(folder, "label-studio", lambda one: [_label_studio(venv, one)], "/health") as running:
        yield running


@contextmanager
def doccano(folder: Path) -> Iterator[Running]:
    """doccano with the users admin, ann and bob."""
    venv = install("doccano") / "venv"
    with _running(folder, "doccano", lambda one: _doccano(venv, one), "/v1/auth/login/") as running:
        yield running


@contextmanager
def _running(
    folder: Path, name: str, start: Callable[[Running], list[subprocess.Popen[bytes]]], path: str
) -> Iterator[Running]:
    pristine = HOME / name / "pristine"
    if not pristine.is_dir():
        made = HOME / name / "made"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        first = Running(f"http://127.0.0.1:{free_port()}", made, start)
        try:
            first.up(path)
        finally:
            first.down()
        made.rename(pristine)
    shutil.copytree(pristine, folder)
    running = Running(f"http://127.0.0.1:{free_port()}", folder, start)
    try:
        running.up(path)
        yield running
    finally:
        running.down()


def _label_studio(venv: Path, one: Running) -> subprocess.Popen[bytes]:
    port = one.url.rpartition(":")[2]
    program = [str(venv / "bin" / "python"), str(venv / "bin" / "label-studio")]
    where = ["start", "--no-browser", "--port", port, "--internal-host", "127.0.0.1", "--host", one.url]
    who = ["--username", "ann@hitl.test", "--password", PASSWORD, "--user-token", TOKEN, "--enable-legacy-api-token"]
    return _started(
        one,
        [*program, *where, *who],
        LABEL_STUDIO_BASE_DATA_DIR=str(one.data),
        COLLECT_ANALYTICS="false",
        LATEST_VERSION_CHECK="false",
        SENTRY_DSN="",
        SSRF_PROTECTION_ENABLED="false",  # webhooks to loopback
    )


def _doccano(venv: Path, one: Running) -> list[subprocess.Popen[bytes]]:
    backend = next((venv / "lib").glob("python3.*/site-packages/backend"))
    said = {
        "STANDALONE": "True",
        "DOCCANO_HOME": str(one.data),
        "DATABASE_URL": f"sqlite:///{one.data}/db.sqlite3",
        "MEDIA_ROOT": str(one.data / "media"),
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
    }
    if not (one.data / "db.sqlite3").is_file():
        _done(one, [str(venv / "bin" / "doccano"), "init"], said)
        for name in ("admin", "ann", "bob"):
            command = ["createuser", "--username", name, "--password", PASSWORD, "--email", f"{name}@hitl.test"]
            _done(one, [str(venv / "bin" / "doccano"), *command], said)
    port = one.url.rpartition(":")[2]
    # `doccano webserver` listens at every address of the machine.
    web = [str(venv / "bin" / "gunicorn"), "--bind", f"127.0.0.1:{port}", "--threads", "4", "--timeout", "600"]
    queue = [str(venv / "bin" / "celery"), "--app=config", "--workdir=.", "worker", "--concurrency=1"]
    return [
        _started(one, [*web, "config.wsgi"], cwd=backend, **said),
        _started(one, queue, cwd=backend, **said),
    ]


def _done(one: Running, command: list[str], said: Mapping[str, str]) -> None:
    done = subprocess.run(command, env={**os.environ, **said}, capture_output=True, text=True)
    if done.returncode:
        raise NotInstalled(f"{' '.join(command)} failed:\n{done.stderr.strip()[-2000:]}")


def _started(one: Running, command: list[str], cwd: Path | None = None, **said: str) -> subprocess.Popen[bytes]:
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LABEL_STUDIO", "DOCCANO"))
    }
    path = f"{Path(command[0]).parent}:{os.environ['PATH']}"
    with (one.data / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=cwd or one.data,
            env={**kept, "PATH": path, **said},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _kill(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """End a process and its children: each is the first of a session of its own."""
    try:
        os.killpg(process.pid, how)
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    except ProcessLookupError:
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unguessed() -> str:
    return secrets.token_hex(32)


def main() -> int:
    """Install both servers; says why when that cannot be."""
    for name in ("label-studio", "doccano"):
        try:
            print(f"{name}: {install(name)}", flush=True)
        except NotInstalled as why:
            print(f"the live tests need {name} in an environment of its own, and {why}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
