"""What may happen to a file or a process at a bad moment, brought about for real: by strace, by signals, by limits."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from handback import forks

from flows.cli import hitl

HITL = str(Path(sys.executable).with_name("hitl"))
PATIENCE = 300.0
"""Seconds after which nothing is waited for any longer."""


class NotRun(Exception):
    """What cannot be brought about on this machine."""


def processes(commands: Sequence[Sequence[object]], *, file_size: int | None = None) -> list[tuple[int, str, str]]:
    """Run hitl commands at once, each a process of its own: exit code, stdout, stderr of each.

    `file_size`: no file may grow past so many bytes, as on a disk that is full.
    """

    def limited() -> None:
        if file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

    begun = [_begun([HITL, *map(str, one)], before=limited) for one in commands]
    said = [one.communicate(timeout=PATIENCE) for one in begun]
    return [(one.returncode, out, err) for one, (out, err) in zip(begun, said, strict=True)]


def after_open(path: Path, act: Callable[[], object], *command: object) -> tuple[int, str, str]:
    """Run a hitl command that is held right after it opened `path`, while `act` happens to that file."""
    if shutil.which("strace") is None:
        raise NotRun("strace is not installed")
    watch = ["strace", "-f", "-qq", "-o", os.devnull, "-P", str(path)]
    hold = ["-e", "trace=openat", "-e", "inject=openat:signal=SIGSTOP:when=1"]
    running = _begun([*watch, *hold, HITL, *map(str, command)])
    held = _held(running, path)
    if held is None:
        running.kill()
        raise NotRun("strace could not hold the process after it opened the file: may it trace here?")
    act()
    os.kill(held, signal.SIGCONT)
    out, err = running.communicate(timeout=PATIENCE)
    return running.returncode, out, err


def unharmed(*command: object) -> None:
    """Run a hitl command in a forked child to its end."""
    forks.forked(lambda: {"exit": hitl.main([str(one) for one in command], standalone_mode=False)})


def killed(moment: float, *command: object) -> None:
    """Run a hitl command in a forked child and kill it after `moment` seconds, wherever it is then."""
    pid, reading, _ = forks.start(lambda: {"exit": hitl.main([str(one) for one in command], standalone_mode=False)})
    time.sleep(moment)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reading)


def trickle(data: bytes, path: Path, *, pieces: int, pause: float) -> int:
    """Begin to write `data` to `path` piece by piece, as a slow upload does; the process that does it."""

    def write() -> forks.Answer:
        step = -(-len(data) // pieces)
        with path.open("wb", buffering=0) as file:
            for at in range(0, len(data), step):
                file.write(data[at : at + step])
                time.sleep(pause)
        return {}

    pid, reading, _ = forks.start(write)
    os.close(reading)
    return pid


def is_alive(pid: int) -> bool:
    """Whether a child still runs; one that ended is taken note of."""
    return os.waitpid(pid, os.WNOHANG) == (0, 0)


def _begun(command: Sequence[str], before: Callable[[], None] | None = None) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=before)  # noqa: PLW1509 - no thread


def _held(running: "subprocess.Popen[str]", path: Path) -> int | None:
    """The process under strace that has `path` open and is stopped; None when it ended, or never came to that."""
    deadline = time.monotonic() + PATIENCE
    while running.poll() is None and time.monotonic() < deadline:
        found = next((pid for pid in _offspring(running.pid) if _is_stopped(pid) and _has_open(pid, path)), None)
        if found is not None:
            return found
        time.sleep(0.005)
    return None


def _offspring(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):  # it may be gone by now
        for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            yield int(one)


def _is_stopped(pid: int) -> bool:
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        return "\nState:\tT" in status or "\nState:\tt" in status
    return False


def _has_open(pid: int, path: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(Path(link).samefile(path) for link in Path(f"/proc/{pid}/fd").iterdir() if link.exists())
    return False
