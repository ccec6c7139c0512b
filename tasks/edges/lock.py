"""One writer at a time: a lock on the workspace that dies with its process and says who holds it."""

import json
import os
import shlex
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from hitl.errors import MomentError
from hitl.layout import Workspace
from tasks.edges import files, leftovers

WRITING = "lock"
"""The lock of all commands that write."""
TRIES = 3
"""Between the lock and the card that says who has it there is a moment; who finds none looks again."""
Card = Mapping[str, object]
"""Who holds a lock: pid, host, since, command."""


@contextmanager
def locked(workspace: Workspace, command: str, *, wait: float = 0.5, place: str = WRITING) -> Iterator[None]:
    """Hold the workspace's lock; raises MomentError naming the holder when another keeps it longer than `wait` seconds.

    `place` is the name of the lock: what may be done while others write has a lock of its own. The operating system
    frees the lock when its process ends, however it ends, and the next one takes it over, clearing first what a writer
    left half-way (`tasks.edges.leftovers`). It does not reach to other computers that share the folder: there the card
    counts, and only a person may clear it.
    """
    workspace.local.mkdir(parents=True, exist_ok=True)
    lock = _acquired(workspace, wait, place)
    try:
        _sign(workspace, command, place)
        try:
            yield
        finally:
            card(workspace, place).unlink(missing_ok=True)
    finally:
        lock.release()


def holder(workspace: Workspace) -> str | None:
    """Who works in the workspace now, in words; None when nobody does. Changes nothing."""
    lock, found = FileLock(_lock(workspace)), read(workspace)
    if not _lock(workspace).is_file():
        return None
    try:
        lock.acquire(timeout=0)
        lock.release()
    except Timeout:
        return said(read(workspace) or found)
    except OSError:  # a folder that we may only read
        return said(found) if found else None
    return said(found) if found and is_elsewhere(found) else None


def card(workspace: Workspace, place: str = WRITING) -> Path:
    """The file that says who holds the lock."""
    return workspace.local / f"{place}.json"


def read(workspace: Workspace, place: str = WRITING) -> Card | None:
    """What the card says; None when there is none, or none that can be read."""
    try:
        found = json.loads(card(workspace, place).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.keys() >= {"pid", "host", "since", "command"} else None


def is_elsewhere(found: Card) -> bool:
    """Whether the card was signed on another computer, whose processes we cannot see."""
    return found["host"] != socket.gethostname()


def said(found: Card | None) -> str:
    """A holder in words."""
    if found is None:
        return "another hitl command"
    return f"`hitl {found['command']}` (pid {found['pid']} on {found['host']}, since {found['since']})"


def _acquired(workspace: Workspace, wait: float, place: str) -> FileLock:
    lock = FileLock(_lock(workspace, place))
    for _ in range(TRIES):
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            if read(workspace, place):
                break
        else:
            return lock
    raise MomentError(
        f"{said(read(workspace, place))} is at work in {workspace.root}; run the command again when it is done"
    )


def _sign(workspace: Workspace, command: str, place: str) -> None:
    """Write our card; that of a process of this computer is of a dead one, for the system gave us its lock.

    What a dead writer left half-way is cleared before its card is.
    """
    before, ours = read(workspace, place), card(workspace, place)
    if ours.exists() and (before is None or not is_elsewhere(before)):
        if place == WRITING:
            leftovers.clear(workspace, since=ours.stat().st_mtime)
        ours.unlink()
    since = datetime.now(UTC).isoformat(timespec="seconds")
    mine = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": command}
    try:
        files.write_new(card(workspace, place), json.dumps(mine).encode())
    except FileExistsError:
        path = shlex.quote(str(card(workspace, place)))
        raise MomentError(
            f"{said(read(workspace, place))} holds {workspace.root}, and this computer cannot see whether it works; "
            f"wait for it, or, when it is gone for good, clear its lock: rm {path}"
        ) from None


def _lock(workspace: Workspace, place: str = WRITING) -> Path:
    return workspace.local / place
