"""Doctor: a workspace is broken in each way; what doctor names must mend it."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hitl.finding import KINDS, Finding
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import doctor as doctoring, journal
from tasks.doctor import doctor
from tasks.edges import tools
from tests.rounds import shell
from tests.tasks.test_verify import flip

Break = Callable[[Path], object]


def looked(root: Path, **options: object) -> Facts:
    return doctor(Workspace(root), journal.now(), **options)  # type: ignore[arg-type]


def kinds(facts: Facts) -> list[str]:
    return [one["kind"] for one in facts["findings"]]  # type: ignore[attr-defined]


def mended(root: Path, facts: Facts) -> Facts:
    """What doctor says after every command that it named was run."""
    for one in facts["findings"]:  # type: ignore[attr-defined]
        done = shell(one["mend"], root)
        again = one["mend"].startswith("hitl doctor")  # which then tells of all that is left
        assert again or done.returncode == 0, (one, done.stderr)
    return looked(root)


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(root), "-c", "user.name=me", "-c", "user.email=m@e", *words], check=True)


def write(root: Path, name: str, data: bytes = b"x") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(data)


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def left_lock(root: Path) -> None:
    write(root, ".git/index.lock")
    os.utime(root / ".git/index.lock", (1, 1))


def away(root: Path) -> None:
    """The branch goes on, and the workspace shows the version before."""
    git(root, "commit", "--quiet", "--allow-empty", "--message=more")
    git(root, "checkout", "--quiet", "r0001")


def conflict(root: Path) -> None:
    git(root, "checkout", "--quiet", "-b", "other", "HEAD")
    replaced(root / "data/guideline.md", "#", "# One way:")
    git(root, "commit", "--quiet", "--all", "--message=one")
    git(root, "checkout", "--quiet", "-")
    replaced(root / "data/guideline.md", "#", "# Another way:")
    git(root, "commit", "--quiet", "--all", "--message=two")
    merge = ["-c", "user.name=me", "-c", "user.email=m@e", "merge", "--quiet", "other"]
    assert subprocess.run(["git", "-C", str(root), *merge], capture_output=True).returncode == 1


def half(root: Path) -> None:
    write(root, "data/rounds/r0002/.labels.parquet.0123abcd.unfinished")
    write(root, "data/.ledger.jsonl.mine")  # somebody else's
    write(root, ".hitl/arriving/delivery-x.csv")
    write(root, ".hitl/scratch/work space/params.yaml")


def append(root: Path, data: bytes) -> None:
    with (root / "data/ledger.jsonl").open("ab") as file:
        file.write(data)


def cached(root: Path) -> list[Path]:
    """Files in DVC's cache that the newest version needs, and the workspace has as they were."""
    named = re.findall(
        r"md5: (\w{32})\n", (root / "data/test.parquet.dvc").read_text() + (root / "dvc.lock").read_text()
    )
    paths = [root / ".dvc/cache/files/md5" / one[:2] / one[2:] for one in named]
    return [path for path in paths if path.is_file()]


def tampered(root: Path) -> None:
    path = cached(root)[0]
    path.chmod(0o644)
    flip(path, 3)


def away_with_the_run(root: Path) -> None:
    run = json.loads((root / ".hitl/tracked/r0001").read_bytes())
    ((_, told),) = run.items()
    with closing(sqlite3.connect(root / ".hitl/mlflow.db")) as database:
        database.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", [told["run_id"]])
        database.commit()


def moved(root: Path) -> None:
    with closing(sqlite3.connect(root / ".hitl/mlflow.db")) as database:
        database.execute(
            "UPDATE experiments SET artifact_location = 'file:///elsewhere/work%20space/.hitl/mlartifacts'"
        )
        database.commit()


def remote(root: Path) -> None:
    shutil.rmtree(root.parent / "store", ignore_errors=True)
    section = "['remote \"store\"']\n    url = ../../store\n"
    replaced(root / ".dvc/config", "[core]\n", f"{section}[core]\n    remote = store\n")


BREAKS: dict[str, tuple[list[str], Break]] = {
    "a stale lock of git": (["git_lock"], left_lock),
    "a detached head at an old version": (["detached"], away),
    "a detached head at the newest version": (["detached"], lambda root: git(root, "checkout", "--quiet", "--detach")),
    "a merge under way": (["git_under_way"], conflict),
    "files half written": (["half_written"], half),
    "a torn last line of the ledger": (["ledger"], lambda root: append(root, b'{"actor":"me","at"')),
    "no ledger": (["ledger"], lambda root: (root / "data/ledger.jsonl").unlink()),
    "a changed line of the ledger": (["ledger"], lambda root: flip(root / "data/ledger.jsonl", 2000)),
    "no dvc.yaml": (["missing"], lambda root: (root / "dvc.yaml").unlink()),
    "no params.yaml": (["missing"], lambda root: (root / "params.yaml").unlink()),
    "params.yaml that cannot be read": (["params"], lambda root: replaced(root / "params.yaml", "batch:", "batch: [")),
    "params.yaml with a key that there is not": (
        ["params"],
        lambda root: replaced(root / "params.yaml", "strategy:", "strategie:"),
    ),
    "params changed while a round is out": (
        ["params_changed"],
        lambda root: replaced(root / "params.yaml", "batch: 6", "batch: 7"),
    ),
    "a changed file of a closed round": (["file"], lambda root: flip(root / "data/rounds/r0001/labels.parquet", 9)),
    "a file of the open round that no version has": (
        ["file"],
        lambda root: flip(root / "data/rounds/r0002/batch.parquet", 9),
    ),
    "a file in the pool that nobody put there": (["file"], lambda root: write(root, "data/pool/more.parquet")),
    "no DVC cache": (["cache"], lambda root: shutil.rmtree(root / ".dvc/cache")),
    "a file missing in DVC's cache": (["cache"], lambda root: cached(root)[0].unlink()),
    "a tampered file in DVC's cache": (["cache"], tampered),
    "a remote that is gone": (["unreachable"], remote),
    "a folder that may not be written to": (["unwritable"], lambda root: (root / "data/rounds").chmod(0o500)),
}
TOLD_AGAIN: dict[str, tuple[list[str], Break]] = {
    "MLflow's database gone": (["no_run"], lambda root: (root / ".hitl/mlflow.db").unlink()),
    "MLflow's database torn": (["no_run"], lambda root: (root / ".hitl/mlflow.db").write_bytes(b"torn" * 2000)),
    "an MLflow run gone": (["no_run"], away_with_the_run),
    "a workspace that was moved": (["moved"], moved),
    "no git": (["no_git"], lambda root: shutil.rmtree(root / ".git")),
    "a version that was not made": (["no_version"], lambda root: git(root, "tag", "--delete", "r0001")),
}
"""What `hitl advance` mends, which takes longer."""


@pytest.fixture(autouse=True)
def quiet_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "advice.detachedHead")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "false")


def test_what_rounds_leave_is_sound(root: Path) -> None:
    assert looked(root) == {"findings": [], "exit": 0}


@pytest.mark.parametrize("name", [*BREAKS, *TOLD_AGAIN])
def test_what_is_broken_is_found_and_the_named_command_mends_it(root: Path, name: str) -> None:
    wanted, harm = {**BREAKS, **TOLD_AGAIN}[name]
    harm(root)
    before = looked(root)
    assert kinds(before) == wanted, before
    assert before["exit"] == max(KINDS[kind].error.exit_code for kind in wanted)
    assert mended(root, before) == {"findings": [], "exit": 0}


def test_several_things_are_mended_in_the_order_in_which_they_are_told(root: Path) -> None:
    names = ("a detached head at the newest version", "a stale lock of git", "files half written", "no params.yaml")
    for name in (*names, "a changed file of a closed round", "a changed line of the ledger"):
        BREAKS[name][1](root)
    before = looked(root)
    assert set(kinds(before)) == {"git_lock", "detached", "half_written", "missing", "file", "ledger"}
    assert before["exit"] == 6
    assert mended(root, before)["findings"] == []


def test_while_a_command_is_at_work_there_is_only_that_to_say(root: Path) -> None:
    hold = "import sys; from pathlib import Path; from hitl.layout import Workspace; from tasks.edges import lock\n"
    hold += f"with lock.locked(Workspace(Path({str(root)!r})), 'close'): print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stdout.readline() == b"held\n"
        flip(root / "data/rounds/r0001/labels.parquet", 9)
        before = looked(root)
        assert (kinds(before), before["exit"]) == (["at_work"], 3)
        process.stdin.close()
        process.wait()
        assert kinds(mended(root, before)) == ["file"]


def test_the_lock_of_another_computer_is_cleared_by_the_named_command(root: Path) -> None:
    card = {"pid": 1, "host": f"not-{socket.gethostname()}", "since": "then", "command": "close"}
    write(root, ".hitl/lock.json", json.dumps(card).encode())
    before = looked(root)
    assert (kinds(before), before["exit"]) == (["lock_elsewhere"], 3)
    assert mended(root, before)["findings"] == []


def test_a_clock_that_went_back_is_told_until_it_is_right(root: Path) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    facts = doctor(Workspace(root), yesterday)
    assert (kinds(facts), facts["exit"]) == (["clock"], 1)
    assert looked(root)["findings"] == []


def test_a_disk_that_is_nearly_full_is_told(root: Path) -> None:
    free = shutil.disk_usage(root).free
    assert kinds(looked(root, room=2 * free)) == ["room"]


def test_an_mlflow_that_does_not_answer_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    facts = looked(root)
    assert (kinds(facts), facts["exit"]) == (["unreachable"], 1)


def test_a_round_cut_short_is_told_with_the_command_that_goes_on(root: Path) -> None:
    workspace = Workspace(root)
    journal.append(workspace, "validated", "r0002", {})
    (found,) = looked(root)["findings"]  # type: ignore[misc]
    assert (found["kind"], found["mend"]) == ("cut_short", "hitl close")


def test_tools_of_other_versions_are_told() -> None:
    assert tools.unmet("hitl") == []
    asked = tools.wanted(["numpy<1", "no-such-tool>=2", "click>=8", "pywin32; sys_platform == 'win32'"])
    assert [(name, wanted) for name, _, wanted in asked] == [("numpy", "numpy<1"), ("no-such-tool", "no-such-tool>=2")]


def test_the_command_works_without_a_ledger_and_says_it_in_words(root: Path) -> None:
    (root / "data/ledger.jsonl").unlink()
    assert shell("hitl status", root).returncode == 3
    done, as_json = shell("hitl doctor", root), shell("hitl doctor --json", root)
    assert (done.returncode, as_json.returncode) == (6, 6)
    assert "data/ledger.jsonl is missing\n  why it matters: " in done.stdout
    assert "  mend: git checkout HEAD -- data/ledger.jsonl\n" in done.stdout
    assert [one["kind"] for one in json.loads(as_json.stdout)["findings"]] == ["ledger"]


def test_where_nothing_is_there_is_nothing_to_examine(tmp_path: Path) -> None:
    assert doctoring.home(tmp_path) is None
    assert shell("hitl doctor", tmp_path).returncode == 3


def test_a_version_that_a_hook_refuses_is_told_with_the_hook(root: Path) -> None:
    git(root, "tag", "--delete", "r0001")
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no commits on Saturdays >&2\nexit 1\n")
    hook.chmod(0o755)
    git(root, "reset", "--quiet", "--soft", "HEAD~1")
    before = looked(root)
    assert kinds(before) == ["no_version"], before
    found = before["findings"][0]  # type: ignore[index]
    assert found["mend"] == "hitl advance"
    assert "your hook pre-commit refuses it" in found["what"]
    refused = shell("hitl advance", root)
    assert (refused.returncode, "no commits on Saturdays" in refused.stderr) == (3, True), refused.stderr
    hook.chmod(0o644)
    assert mended(root, before)["findings"] == []


def test_a_finding_is_of_a_kind_that_there_is() -> None:
    with pytest.raises(ValueError, match="no kind of finding"):
        Finding("gremlins", "", "", "")
