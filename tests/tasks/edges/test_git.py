import os
import subprocess
from pathlib import Path

import pytest

from hitl.errors import MomentError
from tasks.edges import git


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine whose git knows no person and has no settings."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "w w"
    folder.mkdir()
    git.start(folder)
    return folder


def ask(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", "-C", str(root), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.rstrip()


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_folder_inside_another_repository_becomes_its_own(root: Path) -> None:
    inner = root / "inner"
    inner.mkdir()
    assert git.start(inner)
    assert ask(inner, "rev-parse", "--show-toplevel") == str(inner)
    assert not git.start(inner)


def test_the_first_branch_is_main(root: Path) -> None:
    assert ask(root, "symbolic-ref", "--short", "HEAD") == "main"


def test_a_commit_without_any_identity_is_ours(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.useConfigOnly")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    git.commit(root, [written(root / "a", "1")], "first")
    assert ask(root, "log", "--format=%an %ae %s") == "hitl hitl@localhost first"


def test_an_identity_that_git_knows_wins(root: Path) -> None:
    ask(root, "config", "user.name", "Grace")
    ask(root, "config", "user.email", "grace@example.org")
    git.commit(root, [written(root / "a", "1")], "first")
    git.tag(root, "r0001", "one")
    assert ask(root, "log", "--format=%an") == "Grace"
    assert ask(root, "for-each-ref", "--format=%(taggername)", "refs/tags") == "Grace"


def test_staged_changed_and_new_files_of_others_stay_as_they_were(root: Path) -> None:
    for name in ("staged", "changed", "both", "gone", "ours"):
        written(root / name, "1\n")
    ask(root, "add", "-A")
    ask(root, "commit", "-m", "theirs")
    for name in ("staged", "both", "new and staged"):
        written(root / name, "2\n")
        ask(root, "add", name)
    written(root / "changed", "2\n")
    written(root / "both", "3\n")
    written(root / "untracked", "2\n")
    ask(root, "rm", "gone")
    before = ask(root, "status", "--porcelain")
    git.commit(root, [written(root / "ours", "2\n"), written(root / "ours too", "2\n")], "ours")
    assert ask(root, "status", "--porcelain") == before
    assert ask(root, "show", "--format=", "--name-only", "HEAD").splitlines() == ["ours", "ours too"]


def test_the_first_commit_leaves_what_others_had_staged(root: Path) -> None:
    written(root / "theirs", "1")
    ask(root, "add", "theirs")
    git.commit(root, [written(root / "ours", "1")], "ours")
    assert ask(root, "show", "--format=", "--name-only", "HEAD") == "ours"
    assert ask(root, "status", "--porcelain") == "A  theirs"


def test_the_file_on_disk_counts_not_what_was_staged_of_it(root: Path) -> None:
    path = written(root / "params.yaml", "1")
    ask(root, "add", "params.yaml")
    written(path, "2")
    git.commit(root, [path], "ours")
    assert ask(root, "show", "HEAD:params.yaml") == "2"
    assert ask(root, "status", "--porcelain") == ""


def test_ignored_files_of_ours_are_carried(root: Path) -> None:
    written(root / ".gitignore", "*.csv\n")
    git.commit(root, [written(root / "data" / "curve.csv", "1")], "ours")
    assert ask(root, "ls-files") == "data/curve.csv"


def test_a_file_that_went_away_leaves_the_version_and_one_never_there_is_no_matter(root: Path) -> None:
    paths = [written(root / "a", "1"), written(root / "b", "1"), root / "never"]
    git.commit(root, paths, "first")
    (root / "a").unlink()
    git.commit(root, paths, "second")
    assert ask(root, "ls-tree", "--name-only", "HEAD") == "b"


def test_nothing_changed_is_no_commit(root: Path) -> None:
    path = written(root / "a", "1")
    first = git.commit(root, [path], "first")
    assert git.commit(root, [path], "again") == first


def test_no_branch_is_the_wrong_moment_and_the_branch_is_named(root: Path) -> None:
    git.commit(root, [written(root / "a", "1")], "first")
    git.tag(root, "r0001", "one")
    git.require_branch(root)
    ask(root, "checkout", "--quiet", "r0001")
    with pytest.raises(MomentError, match=r"shows r0001 and is on no branch: .*git switch main"):
        git.require_branch(root)


def test_a_branch_with_no_commit_yet_is_a_branch(root: Path) -> None:
    git.require_branch(root)


def test_a_merge_under_way_is_the_wrong_moment(root: Path) -> None:
    git.commit(root, [written(root / "a", "1")], "first")
    ask(root, "switch", "--quiet", "-c", "side")
    git.commit(root, [written(root / "a", "2")], "side")
    ask(root, "switch", "--quiet", "main")
    git.commit(root, [written(root / "a", "3")], "main")
    with pytest.raises(subprocess.CalledProcessError):
        ask(root, "merge", "side")
    with pytest.raises(MomentError, match="merge is under way"):
        git.require_branch(root)


def test_a_hook_that_refuses_is_told_in_its_own_words(root: Path) -> None:
    hook = written(root / ".git" / "hooks" / "pre-commit", "#!/bin/sh\necho no secrets here >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(MomentError, match="no secrets here"):
        git.commit(root, [written(root / "a", "1")], "first")
    hook.unlink()
    assert git.commit(root, [root / "a"], "first")


def test_a_lock_that_stays_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "_WAITS", (0.0,))
    written(root / ".git" / "index.lock", "")
    with pytest.raises(MomentError, match=r"index\.lock"):
        git.commit(root, [written(root / "a", "1")], "first")


def test_being_called_from_a_hook_of_another_repository_changes_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere" / "index"))
    git.commit(root, [written(root / "a", "1")], "first")
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert ask(root, "ls-files") == "a"


def test_a_tag_tells_its_commit_and_message(root: Path) -> None:
    assert git.tagged(root, "r0001") is None
    sha = git.commit(root, [written(root / "a", "1")], "first")
    git.tag(root, "r0001", "one\n\n# two\n")
    assert git.tagged(root, "r0001") == (sha, "one\n\n# two")


def test_a_rule_that_hides_a_file_is_shown_and_one_that_keeps_it_is_not(root: Path) -> None:
    written(root / ".gitignore", "data/\n")
    assert [line.split("\t")[0] for line in git.hidden(root, [root / "data" / "pool.dvc", root / "dvc.lock"])] == [
        ".gitignore:1:data/"
    ]
    written(root / ".gitignore", "data/*\n!data/pool.dvc\n")
    assert git.hidden(root, [root / "data" / "pool.dvc"]) == []
