"""A workspace as real rounds leave it, for tests that break it and have it mended."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from flows import engine, start
from hitl.layout import Workspace
from tasks import ingest, simulate
from tasks.edges import files

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def made(root: Path) -> Workspace:
    """A workspace with r0001 closed after a delivery that was refused, and one with slips; r0002 awaits answers.

    Half of the answers of r0002 are in.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"i{n:03d},{n * 37 % 101},{n},{'even' if n % 2 == 0 else 'odd'}" for n in range(80)]
    source = root.parent / "items.csv"
    source.write_text("\n".join(["id,size,place,parity", *rows]) + "\n", encoding="utf-8")
    workspace = Workspace(root)
    start.from_file(workspace, source, label="parity", id="id", hide=True)
    text = workspace.params.read_text(encoding="utf-8")
    workspace.params.write_text(text.replace("batch: 30", "batch: 6").replace("gold: 0", "gold: 1"), encoding="utf-8")
    engine.perform("open", workspace, "direct")
    deliver(workspace, "torn.csv", b"item_id,label\n")
    simulate.simulate(workspace, messy=True)
    engine.perform("close", workspace, "direct")
    engine.perform("open", workspace, "direct")
    half = answers(workspace, "r0002", range(3))
    described = {"file_sha256": hashlib.sha256(half).hexdigest(), "rows": 3}
    files.write_json(workspace.inbox / "half.csv.manifest.json", described)
    deliver(workspace, "half.csv", half)
    return workspace


def deliver(workspace: Workspace, name: str, data: bytes) -> None:
    """Leave a delivery in the inbox, and take it."""
    files.write_bytes(workspace.inbox / name, data)
    ingest.ingest(workspace, workspace.inbox / name)


def answers(workspace: Workspace, round_id: str, rows: range) -> bytes:
    """A delivery that answers some rows of the round's batch, all with the same class."""
    batch = (workspace.pack(round_id) / "batch.csv").read_text(encoding="utf-8").splitlines()[1:]
    ids = [line.split(",")[0].strip('"') for line in batch]
    return "".join(["item_id,label,annotator_id\n", *(f"{ids[row]},even,ann\n" for row in rows)]).encode()


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line as a person would in `folder`, with `hitl` and `dvc` of this environment."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
