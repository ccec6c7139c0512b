import contextlib
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from hitl.errors import DataError, MomentError
from hitl.founding import scaffold
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import journal, version as versioning
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
(f / 'confusion.csv').write_text('actual,predicted\\n' + 'a,a\\n' * n + 'a,b\\nb,b\\n')
"""
THEIRS = ["?? evaluate.py", "?? train.py"]
PARAMS = "data: {{}}\nevaluate: {{}}\nmodel: {{seed: {}}}\n"
VALID = """\
data: {id: item_id, label: label, classes: [a, b], columns: {x: numeric}}
evaluate: {}
model: {seed: 1}
versioning: {push: true}
"""
PIPELINE = scaffold.DVC_YAML
for step in ("train", "evaluate"):
    PIPELINE = PIPELINE.replace(f"hitl step {step}", f"{sys.executable} {step}.py")


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
        made.params: PARAMS.format(1),
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
    curve = "".join(f"r{n:04d},{n},{1 - n / 9},{1 - n / 9}\n" for n in range(number + 1))
    write(workspace.learning_curve, "round,labels,accuracy,value\n" + curve)
    for event in ("opened", "exported", "validated") if number else ("created",):
        journal.append(workspace, event, name, {})
    journal.append(workspace, "trained", name, {"labels": 2 * number + 4})
    journal.append(workspace, "evaluated", name, {"metrics": {"accuracy": 0.5}})
    journal.append(workspace, "judged", name, {"champion": name, "metric": "accuracy", "verdict": "promoted"})
    journal.append(workspace, "closed", name, {})
    return workspace


def ask(workspace: Workspace, *command: str) -> str:
    done = subprocess.run(command, cwd=workspace.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip()


def checkout(workspace: Workspace, name: str) -> None:
    ask(workspace, "git", "checkout", "--quiet", name)
    with contextlib.closing(Repo(str(workspace.root))) as repo:
        repo.checkout()


def digests(workspace: Workspace) -> dict[str, str]:
    paths = sorted(path for path in workspace.data.rglob("*") if path.is_file() and ".git" not in path.name)
    return {path.relative_to(workspace.root).as_posix(): hashlib.md5(path.read_bytes()).hexdigest() for path in paths}


def test_a_version_is_one_commit_of_our_files_and_a_tag_that_names_the_ledgers_head(workspace: Workspace) -> None:
    head = journal.read(workspace).head
    facts = versioning.version(workspace, "r0000")
    assert facts == {"tag": "r0000", "commit": ask(workspace, "git", "rev-parse", "HEAD"), "head": head}
    assert ask(workspace, "git", "log", "--format=%an %s") == "hitl r0000: 4 labels, accuracy 0.5000, promoted"
    assert ask(workspace, "git", "cat-file", "-t", "r0000") == "tag"
    assert f"Ledger-Head: {head}" in ask(workspace, "git", "tag", "-n9", "r0000")
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
    versioning.version(workspace, "r0000")
    assert ask(workspace, "git", "status", "--porcelain").splitlines() == THEIRS


def test_an_open_round_leaves_nothing_untracked_and_is_not_taken_before_its_time(workspace: Workspace) -> None:
    write(workspace.round("r0001") / "batch.parquet", "open")
    write(workspace.inbox / "acme.csv", "a")
    versioning.version(workspace, "r0000")
    assert ask(workspace, "git", "status", "--porcelain").splitlines() == THEIRS
    assert not (workspace.data / "rounds" / "r0001.dvc").exists()


def test_an_open_round_has_no_version_to_make(workspace: Workspace) -> None:
    versioning.version(workspace, "r0000")
    journal.append(workspace, "opened", "r0001", {})
    with pytest.raises(MomentError, match="r0001 is not closed"):
        versioning.version(workspace, "r0001")


def test_the_newest_closed_round_is_pending_until_its_tag_is_there(workspace: Workspace) -> None:
    assert versioning.pending(workspace, journal.read(workspace)) == ["r0000"]
    versioning.version(workspace, "r0000")
    assert versioning.pending(workspace, journal.read(workspace)) == []
    journal.append(workspace, "opened", "r0001", {})
    assert versioning.pending(workspace, journal.read(workspace)) == []


def test_a_late_refusal_leaves_a_version_as_it_is(workspace: Workspace) -> None:
    first = versioning.version(workspace, "r0000")
    journal.append(workspace, "refused", "r0000", {"delivery": "0"})
    assert versioning.version(workspace, "r0000") == first


def test_making_a_version_twice_changes_nothing(workspace: Workspace) -> None:
    first = versioning.version(workspace, "r0000")
    assert versioning.version(workspace, "r0000") == first
    versioning.version(close(workspace, "r0001"), "r0001")
    assert versioning.version(workspace, "r0000") == first


def test_dvc_sees_nothing_to_do(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace.root)
    versioning.version(workspace, "r0000")
    versioning.version(close(workspace, "r0001"), "r0001")
    with contextlib.closing(Repo()) as repo:
        assert repo.status() == {}
        assert repo.reproduce(dry=True) == []
    assert ask(workspace, "git", "status", "--porcelain").splitlines() == THEIRS


def test_every_byte_of_a_version_comes_back_and_nothing_else(workspace: Workspace) -> None:
    versioning.version(workspace, "r0000")
    then = digests(workspace)
    versioning.version(close(workspace, "r0001"), "r0001")
    now = digests(workspace)
    checkout(workspace, "r0000")
    assert digests(workspace) == then
    with pytest.raises(MomentError, match="git switch main"):
        versioning.ready(workspace)
    checkout(workspace, "main")
    assert digests(workspace) == now


def test_dvc_shows_what_a_round_gained(workspace: Workspace) -> None:
    versioning.version(workspace, "r0000")
    versioning.version(close(workspace, "r0001"), "r0001")
    dvc = (sys.executable, "-m", "dvc")
    gains = json.loads(ask(workspace, *dvc, "metrics", "diff", "r0000", "r0001", "--json"))
    assert gains["data/evaluation/metrics.json"]["labels"] == {"old": 4, "new": 6, "diff": 2}
    page = Path(ask(workspace, *dvc, "plots", "diff", "r0000", "r0001").removeprefix("file://"))
    assert page.is_relative_to(workspace.local)
    text = page.read_text()
    assert "Learning curve" in text
    assert "Confusion on the test set" in text


@pytest.mark.parametrize("name", ["record", "commit"])
def test_a_call_killed_half_way_is_ended_by_the_next(
    workspace: Workspace, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = {"record": (git, "commit"), "commit": (git, "tag")}[name]
    with monkeypatch.context() as patch:
        patch.setattr(*killed, _killed)
        with pytest.raises(KeyboardInterrupt):
            versioning.version(workspace, "r0000")
    versioning.version(workspace, "r0000")
    assert ask(workspace, "git", "rev-list", "--count", "HEAD") == "1"
    assert ask(workspace, "git", "rev-parse", "r0000^{commit}") == ask(workspace, "git", "rev-parse", "HEAD")


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("text", ["", "outs:\n- md5: 0123", "schema: '2.0'\nstages:\n  tra"])
@pytest.mark.parametrize("name", ["dvc.lock", "data/labeled.parquet.dvc", "data/rounds/r0001.dvc"])
def test_a_file_that_dvc_left_torn_when_it_was_killed_is_written_again(
    workspace: Workspace, name: str, text: str
) -> None:
    versioning.version(workspace, "r0000")
    close(workspace, "r0001")
    (workspace.root / name).write_text(text)
    versioning.version(workspace, "r0001")
    assert (workspace.root / name).read_text()
    assert ask(workspace, "git", "status", "--porcelain").splitlines() == THEIRS


def test_params_edited_between_rounds_belong_to_the_version_and_other_edits_do_not(workspace: Workspace) -> None:
    versioning.version(workspace, "r0000")
    close(workspace, "r0001")
    write(workspace.params, PARAMS.format(2))
    ask(workspace, "git", "add", "train.py")
    write(workspace.root / "note.txt", "mine")
    versioning.version(workspace, "r0001")
    assert ask(workspace, "git", "show", "r0001:params.yaml") == PARAMS.format(2).rstrip()
    assert ask(workspace, "git", "status", "--porcelain").splitlines() == [
        "A  train.py",
        "?? evaluate.py",
        "?? note.txt",
    ]


def test_settings_files_belong_to_the_version_only_when_we_wrote_them(workspace: Workspace) -> None:
    write(workspace.root / "prefect.yaml", f"{versioning.OURS}\ndeployments: []\n")
    write(workspace.root / ".gitignore", "*.py\n")
    versioning.version(workspace, "r0000")
    assert "prefect.yaml" in ask(workspace, "git", "ls-files").splitlines()
    assert ask(workspace, "git", "status", "--porcelain") == "?? .gitignore"


def test_what_every_version_holds_is_pushed_when_params_ask_for_it(workspace: Workspace, tmp_path: Path) -> None:
    versioning.version(workspace, "r0000")
    versioning.version(close(workspace, "r0001"), "r0001")
    write(workspace.params, VALID)
    assert push(workspace) == {"remote": None, "files": 0, "error": None}
    ask(workspace, sys.executable, "-m", "dvc", "remote", "add", "--default", "store", str(tmp_path / "store"))
    assert push(workspace)["files"]
    assert push(workspace) == {"remote": "store", "files": 0, "error": None}
    cached = {path.name for path in (workspace.root / ".dvc" / "cache").rglob("*") if path.is_file()}
    assert cached == {path.name for path in (tmp_path / "store").rglob("*") if path.is_file()}


def push(workspace: Workspace) -> Facts:
    return versioning.push(workspace, journal.read(workspace))


def test_what_a_remote_out_of_reach_did_not_take_goes_the_next_time(workspace: Workspace, tmp_path: Path) -> None:
    write(workspace.params, VALID)
    settings, store = workspace.root / ".dvc" / "config", tmp_path / "store"
    added = f"    remote = store\n['remote \"store\"']\n    url = {store}\n"
    write(settings, settings.read_text().replace("[plots]", f"{added}[plots]"))
    versioning.version(workspace, "r0000")
    write(store, "a file, where a folder should be")
    told = push(workspace)
    assert (told["remote"], told["files"]) == ("store", 0)
    assert str(store) in str(told["error"])
    store.unlink()
    assert push(workspace)["files"]
    assert push(workspace) == {"remote": "store", "files": 0, "error": None}


def test_a_tag_of_that_name_that_is_not_ours_is_left_alone(workspace: Workspace) -> None:
    versioning.version(workspace, "r0000")
    close(workspace, "r0001")
    ask(workspace, "git", "tag", "r0001")
    with pytest.raises(MomentError, match=r"git tag -d r0001"):
        versioning.version(workspace, "r0001")
    ask(workspace, "git", "tag", "-d", "r0001")
    versioning.version(workspace, "r0001")


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
    versioning.version(workspace, "r0000")
    before = workspace.ledger.read_bytes(), workspace.guideline.read_bytes()
    ask(workspace, "git", "config", "core.autocrlf", "true")
    workspace.ledger.unlink()
    workspace.guideline.unlink()
    ask(workspace, "git", "checkout", "--", "data")
    assert (workspace.ledger.read_bytes(), workspace.guideline.read_bytes()) == before


def test_a_relative_root_is_as_good(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace.root)
    versioning.version(Workspace(Path()), "r0000")
    assert ask(workspace, "git", "tag") == "r0000"


def readable_by_others(root: Path, data: bytes) -> list[str]:
    """Every file under `root` with these very bytes that group or others may read, all the way down to it."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if (Path(folder) / name).stat().st_mode & 0o055]
        paths = [Path(folder) / name for name in names]
        found += [str(path) for path in paths if path.stat().st_mode & 0o044 and path.read_bytes() == data]
    return found


def test_what_a_vendor_sent_is_its_owner_s_alone_in_every_copy(workspace: Workspace) -> None:
    versioning.version(workspace, "r0000")
    versioning.version(close(workspace, "r0001"), "r0001")
    versioning.ready(workspace)
    assert readable_by_others(workspace.root, b"delivery r0001") == []
    copies = [path for path in workspace.root.rglob("*") if path.is_file() and path.read_bytes() == b"delivery r0001"]
    assert len(copies) == 2  # ours, and the one in DVC's cache

    checkout(workspace, "r0000")
    assert not workspace.deliveries.exists()
    checkout(workspace, "main")
    versioning.ready(workspace)
    assert workspace.deliveries.is_dir()
    assert readable_by_others(workspace.root, b"delivery r0001") == []


def test_a_cache_that_its_owner_shares_stays_shared(workspace: Workspace) -> None:
    with (workspace.root / ".dvc" / "config").open("a") as config:
        config.write("[cache]\n    shared = group\n")
    (workspace.root / ".dvc" / "cache").chmod(0o770)
    versioning.version(workspace, "r0000")
    assert (workspace.root / ".dvc" / "cache").stat().st_mode & 0o777 == 0o770
