"""The README is run: its shell blocks as they stand, on a table like its reader's, and its demo output compared."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)[^\n]*\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def tickets(path: Path) -> None:
    """A labeled table of short texts for two teams, with an unlabeled-looking id and a missing cell here and there."""
    rng = np.random.default_rng(1)
    words = {"billing": ["invoice", "refund", "charged", "card"], "delivery": ["parcel", "late", "courier", "address"]}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "subject", "priority", "team"])
        for number in range(300):
            team = str(rng.choice(list(words)))
            subject = " ".join(rng.choice(words[team] + ["please", "help", "again"], 5))
            writer.writerow([f"{number:04d}", subject, rng.choice(["high", "low", ""]), team])


def test_the_shell_blocks_run_in_order(tmp_path: Path) -> None:
    tickets(tmp_path / "tickets.csv")
    script = "set -euo pipefail\n" + "".join(block for kind, block in BLOCKS if kind == "sh")
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "r0001 is closed" in done.stdout
    assert "opened r0002" in done.stdout


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    rules = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    commands = [
        line.removeprefix("$ make ") for kind, block in BLOCKS if kind == "console" for line in block.splitlines()
    ]
    assert commands == ["demo", "test"]
    assert set(commands) <= set(rules)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
