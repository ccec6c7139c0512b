"""A disk that is full is said in a line, and the same command goes through once there is room."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.spec import batch, desk

HITL = Path(sys.executable).with_name("hitl")


def ingested(root: Path, path: Path, *, room: int | None = None) -> subprocess.CompletedProcess[str]:
    """`hitl ingest` where no file may grow past `room` bytes."""

    def limited() -> None:
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    command = [HITL, "-C", root, "ingest", path, "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limited)


def test_a_full_disk_is_said_and_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    workspace, sent = desk.made(tmp_path / "workspace"), batch.sound()
    with desk.laid(tmp_path / "sent", sent) as path:
        full = ingested(workspace.root, path, room=len(sent.data) // 2)
        roomy = ingested(workspace.root, path)

    assert (full.returncode, "Traceback" in full.stderr) == (1, False)
    error = json.loads(full.stdout)["error"]
    assert error.startswith(str(workspace.root))
    assert "(ulimit -f), and run the command again: what was done is safe" in error
    assert (roomy.returncode, json.loads(roomy.stdout)["verdict"]) == (0, "accept")


def read_only(root: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """`hitl ingest` where the data directory may only be read: root sees no modes, but a mount binds it too."""
    command = [str(HITL), "-C", str(root), "ingest", str(path), "--json"]
    if os.geteuid() == 0:
        mounted = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", mounted, str(root / "data"), *command]
    else:
        (root / "data").chmod(0o555)
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        (root / "data").chmod(0o755)


def test_a_data_directory_that_is_read_only_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    workspace, sent = desk.made(tmp_path / "workspace"), batch.sound()
    before = workspace.ledger.read_bytes()
    with desk.laid(tmp_path / "sent", sent) as path:
        closed = read_only(workspace.root, path)
        if "unshare" in closed.stderr or "mount:" in closed.stderr:
            pytest.skip(f"no mount may be made here: {closed.stderr}")
        assert workspace.ledger.read_bytes() == before
        opened = ingested(workspace.root, path)

    assert (closed.returncode, "Traceback" in closed.stderr) == (1, False)
    assert str(workspace.data) in json.loads(closed.stdout)["error"]
    assert "and run the command again: what was done is safe" in json.loads(closed.stdout)["error"]
    assert (opened.returncode, json.loads(opened.stdout)["verdict"]) == (0, "accept")
