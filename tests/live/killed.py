"""A push whose server is killed in the middle, as a power cut does it."""

import os
import subprocess
import sys
from pathlib import Path

from hitl.layout import Workspace
from tests.live.servers import Running

ROOT = Path(__file__).parents[2]


def hitl(workspace: Workspace, *command: str) -> subprocess.Popen[str]:
    """The command as its own process, of this very code."""
    program = [sys.executable, "-c", "from flows.cli import main; main()", "-C", str(workspace.root)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([*program, *command], env=environment, stderr=subprocess.PIPE, text=True)


def half_way(workspace: Workspace, tool: str, server: Running) -> str:
    """Begin a push, and kill the server when some items are there; what it said. It must have failed."""
    with hitl(workspace, "push", tool) as pushing:
        assert pushing.stderr is not None
        said = []
        for line in pushing.stderr:
            said.append(line)
            if "items are there" in line and len(server.processes) > 0:
                server.kill()
    assert pushing.returncode == 1, said
    return "".join(said)
