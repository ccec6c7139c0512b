"""Processes that outlive the command that started them: each its own process group, known by pid and start time."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_STARTED: dict[int, subprocess.Popen[bytes]] = {}
"""The processes this very process started: only their parent can bury them."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process. `created` tells it from a later one that was given the same pid."""

    pid: int
    created: str


def start(command: Sequence[str], *, log: Path, folder: Path, environment: Mapping[str, str]) -> Process:
    """Start `command` in `folder`, detached from the terminal, its output going to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _STARTED[started.pid] = started
    return Process(started.pid, created(started.pid))


def created(pid: int) -> str:
    """When process `pid` was created, in words that only this process has; empty where no live process has the pid."""
    if pid in _STARTED:
        _STARTED[pid].poll()
    if not Path("/proc/self/stat").exists():
        return _created_by_ps(pid)
    fields = _fields(Path(f"/proc/{pid}/stat"))
    if not fields or fields[0] in "ZX":
        return ""
    # Ticks since boot: no change of the clock touches them.
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}:{fields[19]}"


def alive(process: Process) -> bool:
    """Whether that very process lives."""
    return bool(process.created) and created(process.pid) == process.created


def stop(process: Process, *, patience: float = 15.0) -> None:
    """End the process group that `process` leads: asked first, killed after `patience` seconds.

    The caller must know that the group is ours: see `alive`.
    """
    for kind, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        if _gone_within(process.pid, seconds):
            return


def group_lives(pid: int) -> bool:
    """Whether a process is left of the group that `pid` led. The dead whom nobody buried do not count."""
    if pid in _STARTED and _STARTED[pid].poll() is not None:
        del _STARTED[pid]
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    members = [fields for fields in map(_fields, Path("/proc").glob("[0-9]*/stat")) if fields[2:3] == [str(pid)]]
    return any(fields[0] not in "ZX" for fields in members) if members else not Path("/proc/self/stat").exists()


def _gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while group_lives(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _fields(stat: Path) -> list[str]:
    """What a /proc stat file says after the process's name: state, parent, group, ...; nothing for a process gone."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _created_by_ps(pid: int) -> str:
    said = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, since = said.stdout.strip().partition(" ")
    return "" if not state or state.startswith("Z") else since.strip()
