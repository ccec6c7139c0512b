"""Only a plain, finished CSV file of a plain name is read; everything else is refused unread."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from hitl.delivery.intake_rules import MANIFEST_SUFFIX
from hitl.delivery.judgement import Judgement
from hitl.errors import DeliveryError
from tasks.edges.intake import Copy, read_manifest, taken


def read(path: Path, **options: Any) -> bytes | Judgement:
    """What is taken in of `path`."""
    with taken(path, **options) as copy:
        if isinstance(copy, Judgement):
            return copy
        with copy.open() as file:
            return file.read()


def reasons(answer: bytes | Judgement) -> tuple[str, ...]:
    assert isinstance(answer, Judgement)
    assert (answer.verdict, answer.delivered) == ("reject", 0)
    return answer.reasons


@pytest.mark.parametrize("name", ["labels.csv", "LABELS.CSV", "acme_r0003-final.v2.csv"])
def test_a_plain_file_comes_back_byte_for_byte(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"a\r\n\xff")

    assert read(tmp_path / name) == b"a\r\n\xff"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("-rf.csv", "F_NAME_UNSAFE"),
        (".labels.csv.swp", "F_NAME_UNSAFE"),
        ("$(touch pwned).csv", "F_NAME_UNSAFE"),
        ("lab\nels.csv", "F_NAME_UNSAFE"),
        ("n" * 196 + ".csv", "F_NAME_UNSAFE"),
        ("labels.csv.exe", "F_EXTENSION"),
        ("labels.csv.part", "F_EXTENSION"),
        ("labels.zip", "F_ARCHIVE"),
    ],
)
def test_a_name_that_is_not_plain_is_refused_and_shown_on_one_line(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / name).write_bytes(b"x")

    answer = read(tmp_path / name)

    assert reasons(answer) == (reason,)
    assert isinstance(answer, Judgement)
    assert answer.file.isascii()
    assert "\n" not in answer.file


def test_what_is_not_a_file_is_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_bytes(b"x")
    (tmp_path / "link.csv").symlink_to("real.csv")
    (tmp_path / "dangling.csv").symlink_to("nowhere")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")

    names = ("link.csv", "dangling.csv", "zero.csv", "folder.csv", "pipe.csv")

    assert {reasons(read(tmp_path / name)) for name in names} == {("F_NOT_REGULAR",)}


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b"1234")

    assert read(path, limit=4) == b"1234"
    assert reasons(read(path, limit=3)) == ("F_TOO_LARGE",)


def test_a_file_that_grows_is_not_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b"1234")
    monkeypatch.setattr("time.sleep", lambda _seconds: path.write_bytes(b"12345678"))

    assert reasons(read(path, settle=2.0)) == ("F_UNSTABLE",)


def test_a_file_that_vanishes_or_is_replaced_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "labels.csv", tmp_path / "other.csv"
    path.write_bytes(b"1234")
    other.write_bytes(b"1234")
    monkeypatch.setattr("time.sleep", lambda _seconds: other.replace(path))
    replaced = reasons(read(path, settle=2.0))
    monkeypatch.setattr("time.sleep", lambda _seconds: path.unlink())

    assert (replaced, reasons(read(path, settle=2.0))) == (("F_UNSTABLE",), ("F_UNSTABLE",))


def test_a_copy_is_its_owners_alone_and_gone_in_the_end(tmp_path: Path) -> None:
    path, folder = tmp_path / "labels.csv", tmp_path / "arriving"
    path.write_bytes(b"1234")

    with taken(path, folder=folder) as copy:
        assert isinstance(copy, Copy)
        assert (copy.sha256, copy.size) == (hashlib.sha256(b"1234").hexdigest(), 4)
        assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600
    assert list(folder.iterdir()) == []


def test_a_kept_copy_is_read_where_it_is_kept(tmp_path: Path) -> None:
    path, kept = tmp_path / "labels.csv", tmp_path / "deliveries" / "d.csv"
    path.write_bytes(b"1234")

    with taken(path, folder=tmp_path / "arriving") as copy:
        assert isinstance(copy, Copy)
        copy.keep(kept)
        with copy.open() as file:
            assert file.read() == b"1234"
    assert kept.read_bytes() == b"1234"


def test_no_file_at_all_is_an_error_that_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"nothing\.csv"):
        read(tmp_path / "nothing.csv")


def test_the_refusal_names_the_round(tmp_path: Path) -> None:
    (tmp_path / "labels.zip").write_bytes(b"x")

    answer = read(tmp_path / "labels.zip", round_id="r0003")

    assert isinstance(answer, Judgement)
    assert answer.round == "r0003"


def test_a_manifest_is_read_when_it_lies_beside_the_delivery(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"

    assert read_manifest(path) is None
    (tmp_path / f"labels.csv{MANIFEST_SUFFIX}").write_bytes(b"{}")
    assert read_manifest(path) == b"{}"


def test_a_manifest_that_cannot_be_taken_in_is_there_and_empty(tmp_path: Path) -> None:
    (tmp_path / f"labels.csv{MANIFEST_SUFFIX}").symlink_to("/etc/passwd")

    assert read_manifest(tmp_path / "labels.csv") == b""
