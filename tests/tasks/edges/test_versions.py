import fcntl
import subprocess
from pathlib import Path

import pytest

from hitl.errors import HitlError, MomentError
from tasks.edges import git, versions


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    folder = tmp_path / "w"
    folder.mkdir()
    git.start(folder)
    versions.start(folder)
    return folder


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def settings(root: Path) -> str:
    return (root / ".dvc" / "config").read_text()


def test_a_new_repository_calls_nobody(root: Path) -> None:
    assert "autostage = false" in settings(root)
    assert "analytics = false" in settings(root)


def test_a_repository_that_is_there_is_kept(root: Path) -> None:
    written(root / ".dvc" / "config", "[core]\n    autostage = true\n")
    before = settings(root)
    assert not versions.start(root)
    assert settings(root) == before


def test_a_start_that_was_cut_short_is_ended(root: Path) -> None:
    written(root / ".dvc" / "config", "")
    versions.start(root)
    assert "analytics = false" in settings(root)


def test_only_new_and_changed_datasets_are_taken(root: Path) -> None:
    datasets = [written(root / "data" / name, "1") for name in ("a.csv", "b.csv")]
    assert versions.record(root, [*datasets, root / "data" / "never.csv"], []) == datasets
    written(datasets[1], "22")
    assert versions.record(root, datasets, []) == datasets[1:]
    assert versions.record(root, datasets, []) == []


def test_a_folder_is_one_dataset(root: Path) -> None:
    written(root / "data" / "pool" / "part-00000.parquet", "1")
    assert versions.record(root, [root / "data" / "pool"], []) == [root / "data" / "pool"]
    assert "nfiles: 1" in (root / "data" / "pool.dvc").read_text()


def test_nothing_is_said_and_nothing_staged_even_when_the_owner_wants_autostage(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    written(root / ".dvc" / "config", "[core]\n    autostage = true\n")
    versions.record(root, [written(root / "a.csv", "1")], [])
    assert capfd.readouterr() == ("", "")
    assert b"a.csv" not in subprocess.run(["git", "-C", root, "ls-files"], capture_output=True).stdout


def test_outputs_made_elsewhere_are_taken_for_a_stage_without_running_it(root: Path) -> None:
    written(root / "dvc.yaml", "stages:\n  train:\n    cmd: exit 1\n    deps: [labeled]\n    outs: [model]\n")
    written(root / "labeled", "1")
    written(root / "model", "1")
    versions.record(root, [], ["train"])
    assert "cmd: exit 1" in (root / "dvc.lock").read_text()
    assert (root / "model").read_text() == "1"


def test_an_output_that_is_missing_is_named(root: Path) -> None:
    written(root / "dvc.yaml", "stages:\n  train:\n    cmd: exit 1\n    outs: [model]\n")
    with pytest.raises(HitlError, match="model"):
        versions.record(root, [], ["train"])


@pytest.mark.parametrize("text", ["", '{"write": {"/wor'])
def test_a_list_of_busy_files_that_dvc_left_torn_when_it_was_killed_is_no_matter(root: Path, text: str) -> None:
    written(root / "dvc.yaml", "stages:\n  train:\n    cmd: exit 1\n    outs: [model]\n")
    written(root / "model", "1")
    written(root / ".dvc" / "tmp" / "rwlock", text)
    versions.record(root, [], ["train"])


def test_a_lock_held_by_another_process_is_the_wrong_moment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_WAITS", ())
    with written(root / ".dvc" / "tmp" / "lock", " 4711\n").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(MomentError, match=r"another DVC process \(4711\) holds"):
            versions.record(root, [written(root / "a.csv", "1")], [])


def test_remotes_are_verified_unless_their_owner_said_otherwise(root: Path) -> None:
    first = "['remote \"a\"']\n    # ours\n    url = /a\n"
    second = "['remote \"b\"']\n    url = /b\n    verify = false\n"
    written(root / ".dvc" / "config", f"[core]\n    remote = a\n{first}\n{second}")
    versions.verify_remotes(root)
    versions.verify_remotes(root)
    assert settings(root).count("verify = true\n    # ours\n    url = /a") == 1
    assert settings(root).count("verify") == 2
    assert versions.default_remote(root) == ("a", "/a")


def test_without_a_remote_there_is_none(root: Path) -> None:
    versions.verify_remotes(root)
    assert versions.default_remote(root) is None
