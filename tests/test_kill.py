"""A sample of `make kill`: commands that are killed, or find the disk full, come to the same end when run again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kill import syscalls
from tests.kill.sandbox import forked
from tests.kill.syscalls import Ended, Full, Kill

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(bool(syscalls.unavailable()), reason=syscalls.unavailable())


def written(root: Path) -> int:
    """What is watched: a file that a child writes, and one that is renamed."""
    try:
        subprocess.run(["/bin/sh", "-c", 'echo "from a child" > child'], cwd=root, check=True)
        (root / "new").write_text("from python")
        (root / "new").rename(root / "old")
    except OSError as error:
        return error.errno or 1
    return 0


def watched(root: Path, fault: Kill | Full | None = None) -> Ended:
    # In a process that has no other children: all that live on are killed.
    found = forked(lambda: syscalls.watched(lambda: written(root), str(root), fault))
    assert isinstance(found, Ended)
    return found


@pytest.fixture(scope="module")
def calls() -> list[str]:
    return ["execve", "openat", "write", "openat", "write", "rename"]


def test_every_call_that_changes_a_file_is_seen_whoever_makes_it(tmp_path: Path, calls: list[str]) -> None:
    ended = watched(tmp_path)
    assert (ended.code, [one.name for one in ended.calls]) == (0, calls)
    assert [one.path for one in ended.calls[1:]] == ["child", "child", "new", "new", "old"]


def test_a_call_that_is_killed_never_happened(tmp_path: Path, calls: list[str]) -> None:
    for number in range(len(calls)):
        folder = tmp_path / str(number)
        folder.mkdir()
        ended = watched(folder, Kill(number))
        assert (ended.code, len(ended.calls)) == (None, number + 1)
        found = {path.name: path.read_text() for path in folder.iterdir()}
        child = [{}, {}, {"child": ""}, {"child": "from a child\n"}]
        assert found == {
            **child[min(number, 3)],
            **([{}, {"new": ""}, {"new": "from python"}][number - 3] if number >= 3 else {}),
        }


def test_half_of_a_write_is_written(tmp_path: Path) -> None:
    watched(tmp_path, Kill(4, half=True))
    assert (tmp_path / "new").read_text() == "from python"[:5]


def test_a_full_disk_refuses_what_wants_room(tmp_path: Path) -> None:
    ended = watched(tmp_path, Full(3))
    assert ended.code == 28
    assert [path.name for path in tmp_path.iterdir()] == ["child"]


def test_a_sample_of_points_survives() -> None:
    asked = ["--scene", "ingest", "--full", "--sample", "6", "--workers", "1"]
    command = [sys.executable, "-m", "tests.kill", *asked]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tried, survived = done.stdout.splitlines()[-1].split(" points tried, ")
    assert survived == f"{tried} survived"
    assert int(tried) >= 6
