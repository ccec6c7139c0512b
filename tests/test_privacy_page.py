"""docs/privacy.md is run: its params on a table like its reader's, and its commands as they stand."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from flows import start
from hitl.layout import Workspace
from tasks.edges import files

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE))


def workspace_in(folder: Path) -> Workspace:
    """A workspace of letters to a help desk, with the params of the page."""
    source, workspace = folder / "letters.csv", Workspace(folder / "w")
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "subject", "body", "customer", "team"])
        for number in range(60):
            body = f"It is CASE-{number:06d}, write to me{number}@example.org or call +49 30 {1234500 + number}"
            writer.writerow([f"{number:05d}", f"my parcel number {number}", body, f"Ms {number}", "ab"[number % 2]])
    start.from_file(workspace, source, label="team", id="key", initial=8, test=0.2, hide=True, gold=3)
    params = yaml.safe_load(workspace.params.read_text(encoding="utf-8"))
    for section, keys in yaml.safe_load(BLOCKS["yaml"]).items():
        params[section] |= keys
    files.write_text(workspace.params, yaml.safe_dump(params, sort_keys=False))
    return workspace


def test_the_params_and_the_commands_of_the_page_do_what_it_says(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = ["bash", "-c", f"set -euo pipefail\n{BLOCKS['sh']}"]
    done = subprocess.run(command, cwd=workspace.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith('"')]
    assert said[0] == '"item_id","subject","body","label","annotator_id","labeled_at","seconds","comment"'
    assert all(re.match(r'"[A-Z]{16}","my parcel number \d+",', line) for line in said[1:])
    assert all('"It is [masked], write to [email] or call [phone]"' in line for line in said[1:])
