"""One writer at a time: a lock on the workspace that dies with its process and says who holds it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from hitl.errors import MomentError
from hitl.layout import Workspace


@contextmanager
def locked(workspace: Workspace, command: str, *, wait: float = 0.5) -> Iterator[None]:
    """Hold the workspace's lock; raises MomentError naming the holder when another keeps it longer than `wait` seconds.

    The operating system frees the lock when its process ends, however it ends.
    """
    workspace.local.mkdir(parents=True, exist_ok=True)
    holder = workspace.local / "lock.json"
    try:
        with FileLock(workspace.local / "lock", timeout=wait):
            _sign(holder, command)
            yield
            holder.unlink(missing_ok=True)
    except Timeout:
        raise MomentError(
            f"{_holder(holder)} is at work in {workspace.root}; run the command again when it is done"
        ) from None


def _sign(holder: Path, command: str) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder.write_text(
        json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": command})
    )


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text())
    except (OSError, ValueError):
        return "another hitl command"
    return f"`hitl {who['command']}` (pid {who['pid']} on {who['host']}, since {who['since']})"
