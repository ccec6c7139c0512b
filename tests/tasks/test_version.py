import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hitl.errors import DataError, MomentError
from hitl.layout import Workspace
from tasks import version as versioning
from tasks.edges import git

TRAIN = """\
import pathlib as p
f = p.Path('data/model')
f.mkdir(exist_ok=True)
(f / 'model.json').write_bytes(p.Path('data/labeled.parquet').read_bytes())
"""
EVALUATE = """\
import json, pathlib as p
n = len(p.Path('data/model/model.json').read_text())
f = p.Path('data/evaluation')
f.mkdir(exist_ok=True)
(f / 'metrics.json').write_text(json.dumps({'accuracy': 1 - 1 / n, 'labels': n}))
(f / 'predictions.parquet').write_text('p' * n)
(f / 'confusion.csv').write_text(f'label,predicted,items\\na,a,{n}\\na,b,1\\nb,a,0\\nb,b,{n}\\n')
"""
PIPELINE = f"""\
stages:
  train:
    cmd: {sys.executable} train.py
    deps: [data/labeled.parquet]
    params: [model]
    outs: [data/model]
  evaluate:
    cmd: {sys.executable} evaluate.py
    deps: [data/model, data/test.parquet]
    outs: [data/evaluation/predictions.parquet]
    metrics: [data/evaluation/metrics.json: {{cache: false}}]
plots:
  - data/learning_curve.csv: {{x: labels, y: accuracy}}
"""


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine whose git knows no person and whose DVC remembers nothing."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace as `hitl init` leaves it, its round r0000 closed."""
    made = Workspace(tmp_path / "w")
    files = {
        made.dvc_yaml: PIPELINE,
        made.params: "model: {seed: 1}\n",
        made.root / "train.py": TRAIN,
        made.root / "evaluate.py": EVALUATE,
        made.pool / "part-00000.parquet": "pool",
        made.initial: "ab",
        made.test: "test",
        made.guideline: "Look.\r\n",
    }
    for path, text in files.items():
        write(path, text)
    versioning.start(made)
    return close(made, "r0000")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def close(workspace: Workspace, name: str) -> Workspace:
    """What the steps of a round leave behind."""
    number = int(name[1:])
    write(workspace.labeled, "ab" * (number + 2))
    for step in ("train.py", "evaluate.py"):
        subprocess.run([sys.executable, step], cwd=workspace.root, check=True)
    write(workspace.round(name) / "batch.parquet", f"batch {name}")
    write(workspace.round(name) / "pack" / "batch.csv", f"csv {name}")
    if number:
        write(workspace.deliveries / f"{number:064x}.csv", f"delivery {name}")
    curve = "".join(f"r{n:04d},{n},{1 - 1 / (n + 2)}\n" for n in range(number + 1))
    write(workspace.learning_curve, "round,labels,accuracy\n" + curve)
    with workspace.ledger.open("a") as ledger:
        ledger.write(json.dumps({"event": "closed", "round": name, "hash": head(name)}) + "\n")
    return workspace


def head(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def make(workspace: Workspace, name: str) -> dict[str, object]:
    return versioning.version(workspace, name, f"Close {name}", head(name))


def ask(workspace: Workspace, *command: str) -> str:
    done = subprocess.run(command, cwd=workspace.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip()


def dvc(workspace: Workspace, *arguments: str) -> str:
    return ask(workspace, sys.executable, "-m", "dvc", *arguments)


def digests(workspace: Workspace) -> dict[str, str]:
    paths = sorted(path for path in workspace.data.rglob("*") if path.is_file() and ".git" not in path.name)
    return {path.relative_to(workspace.root).as_posix(): hashlib.md5(path.read_bytes()).hexdigest() for path in paths}


def test_a_version_is_one_commit_of_our_files_and_a_tag_that_names_the_ledgers_head(workspace: Workspace) -> None:
    facts = make(workspace, "r0000")
    assert facts == {"tag": "r0000", "commit": ask(workspace, "git", "rev-parse", "HEAD"), "head": head("r0000")}
    assert ask(workspace, "git", "log", "--format=%an %s") == "hitl Close r0000"
    assert ask(workspace, "git", "cat-file", "-t", "r0000") == "tag"
    assert f"Ledger-Head: {head('r0000')}" in ask(workspace, "git", "tag", "-n9", "r0000")
    assert ask(workspace, "git", "ls-files").splitlines() == [
        ".dvc/.gitignore",
        ".dvc/config",
        ".dvcignore",
        "data/.gitattributes",
        "data/.gitignore",
        "data/evaluation/confusion.csv",
        "data/evaluation/metrics.json",
        "data/guideline.md",
        "data/initial.parquet.dvc",
        "data/labeled.parquet.dvc",
        "data/learning_curve.csv",
        "data/ledger.jsonl",
        "data/pool.dvc",
        "data/rounds/r0000.dvc",
        "data/test.parquet.dvc",
        "dvc.lock",
        "dvc.yaml",
        "params.yaml",
    ]


def test_after_it_git_shows_only_what_is_theirs(workspace: Workspace) -> None:
    make(workspace, "r0000")
    assert ask(workspace, "git", "status", "--porcelain").splitlines() == ["?? evaluate.py", "?? train.py"]


def test_an_open_round_leaves_nothing_untracked_and_is_not_taken_before_its_time(workspace: Workspace) -> None:
    write(workspace.round("r0001") / "batch.parquet", "open")
    write(workspace.inbox / "acme.csv", "a")
    make(workspace, "r0000")
    assert ask(workspace, "git", "status", "--porcelain").splitlines() == ["?? evaluate.py", "?? train.py"]
    assert not (workspace.data / "rounds" / "r0001.dvc").exists()


def test_making_a_version_twice_changes_nothing(workspace: Workspace) -> None:
    first = make(workspace, "r0000")
    assert make(workspace, "r0000") == first
    make(close(workspace, "r0001"), "r0001")
    assert make(workspace, "r0000") == first


def test_dvc_sees_nothing_to_do_and_every_byte_comes_back(workspace: Workspace) -> None:
    make(workspace, "r0000")
    then = digests(workspace)
    make(close(workspace, "r0001"), "r0001")
    now = digests(workspace)
    assert dvc(workspace, "status") == "Data and pipelines are up to date."
    assert dvc(workspace, "repro").endswith("Data and pipelines are up to date.")
    assert ask(workspace, "git", "status", "--porcelain").splitlines() == ["?? evaluate.py", "?? train.py"]
    ask(workspace, "git", "checkout", "--quiet", "r0000")
    dvc(workspace, "checkout")
    assert digests(workspace) == then
    with pytest.raises(MomentError, match="git switch main"):
        versioning.ready(workspace)
    ask(workspace, "git", "switch", "--quiet", "main")
    dvc(workspace, "checkout")
    assert digests(workspace) == now
    gains = json.loads(dvc(workspace, "metrics", "diff", "r0000", "r0001", "--json"))
    assert gains["data/evaluation/metrics.json"]["labels"] == {"old": 4, "new": 6, "diff": 2}


@pytest.mark.parametrize("name", ["record", "commit"])
def test_a_call_killed_half_way_is_ended_by_the_next(
    workspace: Workspace, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = {"record": (git, "commit"), "commit": (git, "tag")}[name]
    with monkeypatch.context() as patch:
        patch.setattr(*killed, _killed)
        with pytest.raises(KeyboardInterrupt):
            make(workspace, "r0000")
    make(workspace, "r0000")
    assert ask(workspace, "git", "rev-list", "--count", "HEAD") == "1"
    assert ask(workspace, "git", "rev-parse", "r0000^{commit}") == ask(workspace, "git", "rev-parse", "HEAD")


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_params_edited_between_rounds_belong_to_the_version_and_other_edits_do_not(workspace: Workspace) -> None:
    make(workspace, "r0000")
    close(workspace, "r0001")
    write(workspace.params, "model: {seed: 2}\n")
    ask(workspace, "git", "add", "train.py")
    write(workspace.root / "note.txt", "mine")
    make(workspace, "r0001")
    assert ask(workspace, "git", "show", "r0001:params.yaml") == "model: {seed: 2}"
    assert ask(workspace, "git", "status", "--porcelain").splitlines() == [
        "A  train.py",
        "?? evaluate.py",
        "?? note.txt",
    ]


def test_settings_files_belong_to_the_version_only_when_we_wrote_them(workspace: Workspace) -> None:
    write(workspace.root / "prefect.yaml", f"{versioning.OURS}\ndeployments: []\n")
    write(workspace.root / ".gitignore", "*.py\n")
    make(workspace, "r0000")
    assert "prefect.yaml" in ask(workspace, "git", "ls-files").splitlines()
    assert ask(workspace, "git", "status", "--porcelain") == "?? .gitignore"


def test_a_tag_of_that_name_that_is_not_ours_is_left_alone(workspace: Workspace) -> None:
    make(workspace, "r0000")
    close(workspace, "r0001")
    ask(workspace, "git", "tag", "r0001")
    with pytest.raises(MomentError, match=r"git tag -d r0001"):
        make(workspace, "r0001")
    ask(workspace, "git", "tag", "-d", "r0001")
    make(workspace, "r0001")


def test_starting_twice_changes_nothing_and_a_persons_own_rules_stay(workspace: Workspace) -> None:
    write(workspace.data / ".gitignore", "/mine\n")
    versioning.start(workspace)
    first = (workspace.data / ".gitignore").read_text()
    versioning.start(workspace)
    assert first.startswith("/mine\n/pool\n")
    assert (workspace.data / ".gitignore").read_text() == first


def test_a_rule_that_would_hide_the_datasets_is_named(tmp_path: Path) -> None:
    write(tmp_path / "w" / ".gitignore", "# ours\ndata/\n")
    git.start(tmp_path / "w")
    with pytest.raises(DataError, match=r"\.gitignore:2:data/"):
        versioning.start(Workspace(tmp_path / "w"))


def test_a_machine_that_changes_line_ends_does_not_change_ours(workspace: Workspace) -> None:
    make(workspace, "r0000")
    before = workspace.ledger.read_bytes(), workspace.guideline.read_bytes()
    ask(workspace, "git", "config", "core.autocrlf", "true")
    workspace.ledger.unlink()
    workspace.guideline.unlink()
    ask(workspace, "git", "checkout", "--", "data")
    assert (workspace.ledger.read_bytes(), workspace.guideline.read_bytes()) == before


def test_a_relative_root_is_as_good(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace.root)
    make(Workspace(Path()), "r0000")
    assert ask(workspace, "git", "tag") == "r0000"
