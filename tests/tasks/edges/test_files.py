"""A file is whole or not there, and readable by those it is for."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.edges import files


@pytest.fixture(params=[0o022, 0o027, 0o077, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_file_is_readable_as_the_umask_says(tmp_path: Path, umask: int) -> None:
    files.write_text(tmp_path / "receipt.json", "{}")
    assert mode(tmp_path / "receipt.json") == 0o666 & ~umask


def test_a_private_file_is_its_owner_s_alone(tmp_path: Path, umask: int) -> None:
    files.write_bytes(tmp_path / "a.csv", b"a", mode=files.PRIVATE)
    assert mode(tmp_path / "a.csv") == 0o600


def test_a_file_that_is_written_again_gets_the_mode_it_is_written_with(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.touch(0o666)
    files.write_bytes(path, b"a", mode=files.PRIVATE)
    assert mode(path) == 0o600


def test_a_private_folder_is_closed_to_others_also_when_it_was_open(tmp_path: Path, umask: int) -> None:
    (tmp_path / "old").mkdir(0o777)
    assert {mode(files.private_folder(tmp_path / name)) for name in ("old", "new")} == {0o700}


def test_a_link_of_that_name_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("old")
    (tmp_path / "a.json").symlink_to("elsewhere")
    files.write_text(tmp_path / "a.json", "new")
    assert (tmp_path / "elsewhere").read_text() == "old"
    assert not (tmp_path / "a.json").is_symlink()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write_text(tmp_path / "a.json", "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_json_shown_in_a_terminal_moves_nothing_in_it(tmp_path: Path) -> None:
    value = {"label": "\x1b[2J\u202egnp\x9b2J\x7f é"}
    files.write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert "é" in text
    assert not set(text) & set("\x1b\u202e\x9b\x7f")
