import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hitl.errors import MomentError
from hitl.layout import Workspace
from tasks.edges import lock

HOLD = (
    "import sys; from pathlib import Path; from hitl.layout import Workspace; from tasks.edges import lock\n"
    "with lock.locked(Workspace(Path(sys.argv[1])), 'close'):\n"
    "    print('held', flush=True); sys.stdin.read()"
)
ELSEWHERE = {"pid": 4711, "host": "some-other-host", "since": "2026-11-02T09:00:00+00:00", "command": "advance"}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "work space")


@contextmanager
def held_by_another(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """Another process has the lock; it lets go when its standard input ends, or when it is killed."""
    command = [sys.executable, "-c", HOLD, str(workspace.root)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], **pipes) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        yield process


def left_behind(workspace: Workspace, text: str) -> Path:
    """A card that nobody took away."""
    workspace.local.mkdir(parents=True)
    path = lock.card(workspace)
    path.write_text(text, encoding="utf-8")
    return path


def test_who_comes_second_is_told_who_is_at_work(workspace: Workspace) -> None:
    with held_by_another(workspace) as process:
        said = rf"`hitl close` \(pid {process.pid} on {socket.gethostname()}, since 20.+\) is at work in .*work space"
        with pytest.raises(MomentError, match=said), lock.locked(workspace, "open", wait=0.01):
            pass
        assert f"pid {process.pid}" in str(lock.holder(workspace))


def test_who_comes_second_waits_for_a_while(workspace: Workspace) -> None:
    with held_by_another(workspace) as process:
        assert process.stdin
        process.stdin.close()
        with lock.locked(workspace, "open", wait=60):
            assert lock.read(workspace).items() >= {"pid": os.getpid(), "command": "open"}.items()  # type: ignore[union-attr]


def test_the_lock_of_a_process_that_was_killed_is_taken_over(workspace: Workspace) -> None:
    with held_by_another(workspace) as process:
        process.kill()
        process.wait()
    assert lock.card(workspace).is_file()
    assert lock.holder(workspace) is None
    with lock.locked(workspace, "open"):
        assert json.loads(lock.card(workspace).read_bytes())["pid"] == os.getpid()
    assert not lock.card(workspace).exists()


def test_a_card_that_was_half_written_is_taken_over(workspace: Workspace) -> None:
    left_behind(workspace, '{"pid": 1')
    with lock.locked(workspace, "open"):
        pass


def test_the_lock_of_another_computer_is_not_taken_over_until_somebody_clears_it(workspace: Workspace) -> None:
    path = left_behind(workspace, json.dumps(ELSEWHERE))
    said = r"`hitl advance` \(pid 4711 on some-other-host, .*gone for good, clear its lock: rm '.*lock\.json'"
    with pytest.raises(MomentError, match=said) as refused, lock.locked(workspace, "open"):
        pass
    assert json.loads(path.read_bytes()) == ELSEWHERE
    assert "some-other-host" in str(lock.holder(workspace))
    subprocess.run(str(refused.value).rpartition(": ")[2], shell=True, check=True)
    with lock.locked(workspace, "open"):
        pass


def test_an_error_frees_the_lock_and_takes_the_card_away(workspace: Workspace) -> None:
    with pytest.raises(ZeroDivisionError), lock.locked(workspace, "open"):
        raise ZeroDivisionError
    assert not lock.card(workspace).exists()
    assert lock.holder(workspace) is None


def test_to_ask_who_is_at_work_makes_no_file(workspace: Workspace) -> None:
    assert lock.holder(workspace) is None
    assert not workspace.local.exists()
