"""What can be known of servers without their clients: where MLflow is, whether one answers, what it was told of."""

import hashlib
import json
import os
import shutil
import socket
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from hitl.errors import HitlError
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks.edges import files

PATIENCE = 3.0
"""Seconds a server has to say that it is there."""
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433, "ssh": 22, "webdav": 80, "webdavs": 443}


class Unreachable(HitlError):
    """The tracking server could not be told of a round; the round stands all the same and is sent another time."""


def address(workspace: Workspace) -> str:
    """Where runs go: MLFLOW_TRACKING_URI, or the workspace's own database."""
    return os.environ.get("MLFLOW_TRACKING_URI") or own(workspace)


def own(workspace: Workspace) -> str:
    """The address of the workspace's own MLflow database."""
    return f"sqlite:///{database(workspace)}"


def database(workspace: Workspace) -> Path:
    """The file of the workspace's own MLflow database."""
    return workspace.local.resolve() / "mlflow.db"


def reach(workspace: Workspace) -> str:
    """The server's address; raises Unreachable when nobody answers there within seconds (MLflow would wait minutes)."""
    uri = address(workspace)
    if uri == own(workspace) and "?" in uri:
        way_out = "rename the folder, or set MLFLOW_TRACKING_URI"
        raise Unreachable(f"MLflow cannot keep its database in {workspace.local}, for the '?' in its name: {way_out}")
    answering("MLflow", uri, f"{uri.rstrip('/')}/health")
    return uri


def answering(name: str, uri: str, page: str) -> None:
    """Raise Unreachable when nobody answers at `uri`, asked for `page` by HTTP, or for a connection, within seconds.

    Of an address that says no host and port, nothing can be known: it passes.
    """
    parts = urllib.parse.urlsplit(uri)
    try:
        if parts.scheme in ("http", "https"):
            urllib.request.urlopen(page, timeout=PATIENCE).close()  # noqa: S310 - its scheme was looked at
        elif parts.hostname and (port := parts.port or _PORTS.get(parts.scheme.partition("+")[0])):
            socket.create_connection((parts.hostname, port), timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return  # a refusal is an answer
    except (OSError, ValueError) as error:
        raise Unreachable(f"{name} at {shown(uri)} does not answer within {PATIENCE:g} s: {error}") from error


def shown(uri: str) -> str:
    """The address without the password in it."""
    parts = urllib.parse.urlsplit(uri)
    return uri if "@" not in parts.netloc else uri.replace(parts.netloc, parts.netloc.rpartition("@")[2])


def sent(workspace: Workspace, round_id: str) -> Facts | None:
    """What the server of now answered when it was told of the round; None when it has not been told."""
    uri = address(workspace)
    if uri == own(workspace) and not database(workspace).exists():
        return None
    return told(workspace, round_id, uri)


def forget_lost(workspace: Workspace) -> None:
    """Where the workspace's own database is gone, forget what it was told of: a new one is told all of it again."""
    if address(workspace) == own(workspace) and not database(workspace).exists():
        shutil.rmtree(workspace.local / "tracked", ignore_errors=True)


def mark(workspace: Workspace, round_id: str, facts: Facts) -> None:
    """Remember what the server of now answered about the round."""
    note(workspace, round_id, address(workspace), facts)


def told(workspace: Workspace, what: str, uri: str) -> Facts | None:
    """What `note` kept of `what` and `uri`; None when there is nothing."""
    found = _read(_path(workspace, what)).get(_key(uri))
    return found if isinstance(found, dict) else None


def note(workspace: Workspace, what: str, uri: str, facts: Facts) -> None:
    """Remember that whoever is at `uri` was told of `what`, and what came of it."""
    path = _path(workspace, what)
    files.write_json(path, {**_read(path), _key(uri): facts})


def _path(workspace: Workspace, round_id: str) -> Path:
    return workspace.local / "tracked" / round_id


def _key(uri: str) -> str:
    # An address may hold a password, so it is not written down.
    return hashlib.sha256(uri.encode()).hexdigest()


def _read(path: Path) -> Facts:
    """What the file holds; nothing when it is missing or torn, for the server is asked again then."""
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
