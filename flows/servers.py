"""What the two servers of a workspace are: how each is called, where it listens, when it answers. Imports little."""

import os
import socket
import sys
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from hitl.layout import Workspace
from tasks.edges.quiet import quiet

Name = Literal["prefect", "mlflow"]
NAMES: tuple[Name, ...] = ("prefect", "mlflow")
TITLES: Mapping[Name, str] = {"prefect": "Prefect", "mlflow": "MLflow"}
ELSEWHERE: Mapping[Name, str] = {"prefect": "PREFECT_API_URL", "mlflow": "MLFLOW_TRACKING_URI"}
"""The variable by which a user says that the tool runs somewhere else."""

HOST = "127.0.0.1"
_HEALTH: Mapping[Name, str] = {"prefect": "/api/health", "mlflow": "/health"}
_PORTS = range(20_000, 30_000)


def command(workspace: Workspace, name: Name, port: int) -> list[str]:
    """The command that serves `name` on `port`, by this very interpreter: PATH does not matter."""
    if name == "prefect":
        # What `prefect server start` runs, without the five seconds of its command line.
        factory = ["--factory", "prefect.server.api.server:create_app"]
        return [
            sys.executable,
            "-m",
            "uvicorn",
            *factory,
            "--host",
            HOST,
            "--port",
            str(port),
            "--log-level",
            "warning",
        ]
    # Artifacts are read from their folder, as a command without a server reads them: both use one database, one folder.
    store = ["--backend-store-uri", f"sqlite:///{(workspace.local / 'mlflow.db').resolve()}"]
    artifacts = ["--no-serve-artifacts", "--default-artifact-root", str((workspace.local / "mlartifacts").resolve())]
    return [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        *store,
        *artifacts,
        "--workers",
        "1",
        "--host",
        HOST,
        "--port",
        str(port),
    ]


def environment(workspace: Workspace, name: Name, port: int) -> dict[str, str]:
    """The variables the server runs with: ours, without those that would send it to somebody else's server."""
    quiet()
    kept = {key: value for key, value in os.environ.items() if key not in (*ELSEWHERE.values(), "PREFECT_PROFILE")}
    if name == "mlflow":
        return kept | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return kept | {
        "PREFECT_HOME": str(home(workspace)),
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
        # On disk: leases in memory die with the server, and what they held stays taken for ever. A run that was killed
        # together with the server would keep every later one from starting.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT__SERVER_FINAL": "1",
    }


def home(workspace: Workspace) -> Path:
    """Where Prefect keeps what is this workspace's: its database, its profile."""
    return (workspace.local / "prefect").resolve()


def answers(name: Name, port: int) -> bool:
    """Whether a server of that kind answers on `port` of this machine."""
    return responds(f"http://{HOST}:{port}{_HEALTH[name]}")


def responds(url: str, *, seconds: float = 3.0) -> bool:
    """Whether a GET of `url` is answered by less than a server error within `seconds`; a refusal is an answer too."""
    # Never through a proxy: a loopback address means this machine.
    opener = (
        urllib.request.build_opener(urllib.request.ProxyHandler({})) if HOST in url else urllib.request.build_opener()
    )
    try:
        with opener.open(url, timeout=seconds):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, ValueError):
        return False


def free_port(workspace: Workspace, name: Name) -> int:
    """A port nobody listens on: the same one again for the same workspace where it is free, so that links stay good."""
    wished = _PORTS[zlib.crc32(f"{workspace.root.resolve()}:{name}".encode()) % len(_PORTS)]
    for port in (wished, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port on {HOST}")


def tail(log: str, *, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(Path(log).read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)
