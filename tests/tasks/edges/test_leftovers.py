import os
import subprocess
import sys
from pathlib import Path

import pytest

from hitl.layout import Workspace
from tasks.edges import files, git, leftovers, lock

KILLED = (
    "import os, signal, sys; from pathlib import Path\n"
    "from hitl.layout import Workspace; from tasks.edges import lock\n"
    "w = Workspace(Path(sys.argv[1]))\n"
    "with lock.locked(w, 'close'):\n"
    "    (w.data / '.a.csv.0123abcd.unfinished').write_text('half')\n"
    "    (w.root / '.git' / 'index.lock').write_text('')\n"
    "    os.kill(os.getpid(), signal.SIGKILL)"
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "work space")
    made.data.mkdir(parents=True)
    git.start(made.root)
    return made


def test_what_a_killed_command_left_half_way_is_cleared_by_the_next(workspace: Workspace) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(workspace.root)], cwd=Path(__file__).parents[3], check=False)
    assert lock.card(workspace).exists()
    with lock.locked(workspace, "close"):
        assert list(workspace.data.iterdir()) == []
        assert not (workspace.root / ".git" / "index.lock").exists()
        workspace.ledger.write_text("{}")
        assert git.commit(workspace.root, [workspace.ledger], "one")


def test_what_lies_there_when_nobody_was_killed_stays(workspace: Workspace) -> None:
    theirs = workspace.root / ".git" / "index.lock"
    theirs.write_text("")
    with lock.locked(workspace, "close"):
        assert theirs.exists()


def test_a_lock_of_git_that_is_older_than_the_killed_command_stays(workspace: Workspace) -> None:
    theirs = workspace.root / ".git" / "index.lock"
    theirs.write_text("")
    leftovers.clear(workspace, since=theirs.stat().st_mtime + 1)
    assert theirs.exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux tells what processes there are")
def test_a_lock_of_git_stays_while_a_git_works_in_the_repository(workspace: Workspace) -> None:
    theirs = workspace.root / ".git" / "index.lock"
    theirs.write_text("")
    asking = ["git", "-C", str(workspace.root), "cat-file", "--batch"]
    with subprocess.Popen(asking, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as alive:
        assert alive.stdin and alive.stdout
        alive.stdin.write(b"none\n")
        alive.stdin.flush()
        assert alive.stdout.readline() == b"none missing\n"
        leftovers.clear(workspace, since=0)
        assert theirs.exists()
    leftovers.clear(workspace, since=0)
    assert not theirs.exists()


def test_a_hidden_file_of_somebody_else_stays(workspace: Workspace) -> None:
    kept = [workspace.data / name for name in (".notes", ".a.csv.0123abcd", "a.csv.0123abcd.unfinished")]
    for path in kept:
        path.write_text("mine")
    leftovers.clear(workspace, since=0)
    assert all(path.exists() for path in kept)


def test_a_file_that_is_being_written_is_called_unfinished(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    monkeypatch.setattr(os, "replace", lambda whole, _: names.append(whole))
    files.write_text(workspace.data / "a.csv", "a")
    assert [files.is_unfinished(one) for one in names] == [True]
