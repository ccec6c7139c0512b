"""The whole loop through the command line, as a person runs it, in workspaces of its own."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tasks.edges.check_page import check_html

BIN = Path(sys.executable).parent


class Shell:
    """The commands of one workspace, each in a process of its own."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.environment = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }

    def run(self, *words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [str(word) for word in words]
        return subprocess.run(
            command, cwd=cwd or self.root, env=self.environment, capture_output=True, text=True, check=False
        )

    def hitl(self, *words: object, code: int = 0) -> dict:
        done = self.run("hitl", *words, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def said(self, *words: object) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def table(path: Path, rows: int = 240) -> Path:
    """A table as awkward as people have: ids that look like numbers, classes NA and None, accents, missing cells."""
    rng = np.random.default_rng(3)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "größe", "ville", "note", "klasse"])
        for number in range(rows):
            none = rng.random() < 0.5
            size = "" if rng.random() < 0.1 else f"{rng.normal(2 if none else -2, 1.5):.3f}"
            town = rng.choice(["Orléans", "Kraków", "", "None"])
            words = rng.choice(["refund please", "déjà vu again", "late parcel", "wrong colour"], 3)
            writer.writerow(
                [
                    f"{number:05d}" if number % 7 else f"{number}E5",
                    size,
                    town,
                    " ".join(words),
                    "None" if none else "NA",
                ]
            )
    return path


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("loop")
    found = Shell(folder / "work space", folder)
    found.root.mkdir()
    source = table(folder / "items.csv")
    words = ["init", found.root, "--from", source, "--label", "klasse", "--id", "code", "--initial", 20, "--hide"]
    made = found.hitl("-C", folder, *words)
    assert made["counts"]["initial"] == 20
    params = found.root / "params.yaml"
    text = params.read_text(encoding="utf-8")
    for old, new in [("batch: 30", "batch: 12"), ("gold: 0", "gold: 2"), ("overlap: 1", "overlap: 3")]:
        assert old in text
        text = text.replace(old, new)
    params.write_text(text.replace("overlap_share: 0.0", "overlap_share: 0.25"), encoding="utf-8")
    yield found
    found.run("hitl", "down")


@pytest.fixture(scope="module")
def rounds(shell: Shell) -> list[dict]:
    """Two whole rounds, the first by each command, the second with a messy delivery and a redo."""
    found = []
    for number, extra in enumerate([[], ["--messy"]], start=1):
        assert shell.hitl("open")["round"] == f"r{number:04d}"
        shell.hitl("simulate", "--noise", 0.1, *extra)
        found.append(shell.hitl("close"))
    return found


def test_rounds_close_with_more_labels_and_a_verdict(rounds: list[dict]) -> None:
    assert [one["round"] for one in rounds] == ["r0001", "r0002"]
    assert 20 < rounds[0]["labels"] < rounds[1]["labels"]
    assert all(one["verdict"] in ("promoted", "kept") for one in rounds)
    assert all(Path(one["report"]).is_file() for one in rounds)


def test_ids_and_classes_survive_as_they_were_written(shell: Shell, rounds: list[dict]) -> None:
    ids = set(pd.read_parquet(shell.root / "data/rounds/r0001/annotations.parquet")["item_id"])
    assert len(ids) == 14
    assert all(len(one) == 5 or one.endswith("E5") for one in ids)
    labels = pd.read_parquet(shell.root / "data/labeled.parquet")["label"]
    assert set(labels) == {"NA", "None"}


def test_a_pack_is_whole_and_its_page_knows_it(shell: Shell, rounds: list[dict]) -> None:
    pack = shell.root / "data/rounds/r0002/pack"
    manifest = json.loads((pack / "MANIFEST.json").read_text(encoding="utf-8"))
    others = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in pack.glob("[!M]*")}
    assert set(others) == {"batch.csv", "guideline.md", "datapackage.json", "check.html", "contract.md"}
    assert manifest["files"] == others
    assert (pack / "check.html").read_bytes() == check_html(manifest, (pack / "batch.csv").read_bytes())


def test_every_delivered_row_has_one_outcome(shell: Shell, rounds: list[dict]) -> None:
    receipts = [json.loads(path.read_text()) for path in shell.root.glob("data/deliveries/*.receipt.json")]
    assert {one["verdict"] for one in receipts} == {"accept", "quarantine"}
    for one in receipts:
        rows = one["rows"]
        assert rows["delivered"] == rows["accepted"] + rows["quarantined"] + rows["duplicate"]
        page = shell.root / f"data/deliveries/{one['delivery']}.receipt.html"
        assert f"Receipt for <bdi>{one['file']}</bdi>" in page.read_text(encoding="utf-8")
    assert any(one["held"] for one in receipts)


def test_the_same_command_again_changes_nothing(shell: Shell, rounds: list[dict]) -> None:
    ledger = (shell.root / "data/ledger.jsonl").read_bytes()
    again = next((shell.root / "data/inbox/done").glob("r0002-*.csv"))
    assert shell.hitl("ingest", again)["reasons"] == ["F_DUPLICATE_DELIVERY"]
    assert "no round waits" in shell.hitl("close", code=3)["error"]
    shell.hitl("status")
    shell.hitl("plan")
    shell.hitl("report")
    assert (shell.root / "data/ledger.jsonl").read_bytes() == ledger


def test_a_closed_round_is_a_version(shell: Shell, rounds: list[dict]) -> None:
    assert shell.said("git", "tag").split() == ["r0000", "r0001", "r0002"]
    assert shell.said("git", "status", "--porcelain") == ""
    assert "up to date" in shell.said("dvc", "status")
    assert "up to date" in shell.said("dvc", "repro")
    assert "accuracy" in shell.said("dvc", "metrics", "diff", "r0001", "r0002")


def test_an_old_version_comes_back_whole(shell: Shell, rounds: list[dict]) -> None:
    now = shell.hitl("verify")
    shell.said("git", "checkout", "--quiet", "r0001")
    shell.said("dvc", "checkout", "--quiet")
    then = shell.hitl("verify")
    assert shell.hitl("status")["round"] == "r0001"
    assert "no branch" in shell.hitl("open", code=3)["error"]
    shell.said("git", "switch", "--quiet", "-")
    shell.said("dvc", "checkout", "--quiet")
    assert shell.hitl("verify") == now
    assert then["files"] < now["files"]


def test_a_changed_file_is_found_and_named(shell: Shell, rounds: list[dict]) -> None:
    path = shell.root / "data/rounds/r0001/labels.parquet"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    problems = shell.hitl("verify", code=6)["problems"]
    assert len(problems) == 1
    assert problems[0]["file"] == "data/rounds/r0001/labels.parquet"
    path.write_bytes(data)


def test_dvc_reproduces_the_model(shell: Shell, rounds: list[dict]) -> None:
    before = pd.read_parquet(shell.root / "data/evaluation/predictions.parquet")
    shell.said("dvc", "repro", "--force")
    after = pd.read_parquet(shell.root / "data/evaluation/predictions.parquet")
    pd.testing.assert_frame_equal(before, after)
    shell.said("git", "checkout", "--quiet", "--", "dvc.lock", "data")
    shell.said("dvc", "checkout", "--quiet", "--force")
    assert shell.hitl("verify")["problems"] == []


def test_help_and_status_answer_in_a_blink(shell: Shell, rounds: list[dict]) -> None:
    script = (
        "import sys, flows.cli; sys.argv = ['hitl', *sys.argv[1:]]\ntry: flows.cli.main()\nexcept SystemExit: pass\n"
    )
    heavy = "{'pandas', 'numpy', 'sklearn', 'mlflow', 'prefect', 'dvc', 'great_expectations'}"
    script += f"print(sorted({heavy} & set(sys.modules)))"
    for words in (["--help"], ["status"], ["check", next((shell.root / "data/inbox/done").glob("*.csv"))]):
        assert shell.said(sys.executable, "-c", script, *words).splitlines()[-1] == "[]"
