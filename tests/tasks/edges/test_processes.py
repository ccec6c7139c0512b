import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.edges import processes
from tasks.edges.processes import Process


@pytest.fixture
def started() -> Iterator[list[Process]]:
    all_of_them: list[Process] = []
    yield all_of_them
    for one in all_of_them:
        if processes.group_lives(one.pid):
            os.killpg(one.pid, signal.SIGKILL)


def start(folder: Path, code: str) -> Process:
    """A process that runs `code`; returns when it has written the file `ready`."""
    before, after = (
        "import os, signal, subprocess, sys, time; from pathlib import Path",
        "Path('ready').touch(); time.sleep(60)",
    )
    code = f"{before}\n{code}\n{after}"
    one = processes.start([sys.executable, "-c", code], log=folder / "log", folder=folder, environment=os.environ)
    while not (folder / "ready").exists():
        assert processes.alive(one)
        time.sleep(0.01)
    return one


def test_a_process_is_alive_until_it_is_stopped(tmp_path: Path, started: list[Process]) -> None:
    one = start(tmp_path, "")
    started.append(one)
    assert processes.alive(one)
    processes.stop(one)
    assert not processes.alive(one)
    assert not processes.group_lives(one.pid)


def test_its_children_end_with_it(tmp_path: Path, started: list[Process]) -> None:
    one = start(tmp_path, "Path('child').write_text(str(subprocess.Popen(['sleep', '60']).pid))")
    started.append(one)
    child = int((tmp_path / "child").read_text())
    assert processes.created(child)
    processes.stop(one)
    assert not processes.created(child)


def test_children_that_outlived_it_still_count(tmp_path: Path, started: list[Process]) -> None:
    one = start(tmp_path, "subprocess.Popen(['sleep', '60'])")
    started.append(one)
    os.kill(one.pid, signal.SIGKILL)
    while processes.alive(one):
        time.sleep(0.01)
    assert processes.group_lives(one.pid)
    processes.stop(one)
    assert not processes.group_lives(one.pid)


def test_one_that_does_not_listen_is_killed(tmp_path: Path, started: list[Process]) -> None:
    one = start(tmp_path, "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    started.append(one)
    processes.stop(one, patience=0.2)
    assert not processes.alive(one)


def test_it_has_no_terminal_and_no_input(tmp_path: Path, started: list[Process]) -> None:
    one = start(tmp_path, "print(os.getpgid(0) == os.getpid(), repr(sys.stdin.read()), flush=True)")
    started.append(one)
    assert (tmp_path / "log").read_text() == "True ''\n"


def test_another_process_with_the_same_pid_is_not_it() -> None:
    assert processes.alive(Process(os.getpid(), processes.created(os.getpid())))
    assert not processes.alive(Process(os.getpid(), "another boot:1"))


def test_the_dead_whom_nobody_buried_do_not_live() -> None:
    dead = subprocess.Popen(["true"], start_new_session=True)
    while processes.created(dead.pid):
        time.sleep(0.01)
    assert not processes.group_lives(dead.pid)
    dead.wait()


def test_a_pid_that_nobody_has_was_never_created() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert processes.created(gone.pid) == ""
    assert not processes.alive(Process(gone.pid, ""))
