"""A disk that is full is said in a line, and the same command goes through once there is room."""

import json
import resource
import subprocess
import sys
from pathlib import Path

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
    assert "make room and run the command again" in json.loads(full.stdout)["error"]
    assert (roomy.returncode, json.loads(roomy.stdout)["verdict"]) == (0, "accept")
