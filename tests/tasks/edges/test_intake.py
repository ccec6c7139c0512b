"""Only a plain, finished CSV file of a plain name is read; everything else is refused unread."""

import os
from pathlib import Path

import pytest

from hitl.delivery.intake_rules import MANIFEST_SUFFIX
from hitl.delivery.judgement import Judgement
from hitl.errors import DeliveryError
from tasks.edges.intake import read, read_manifest


def reasons(taken: bytes | Judgement) -> tuple[str, ...]:
    assert isinstance(taken, Judgement)
    assert (taken.verdict, taken.delivered) == ("reject", 0)
    return taken.reasons


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

    taken = read(tmp_path / name)

    assert reasons(taken) == (reason,)
    assert isinstance(taken, Judgement)
    assert taken.file.isascii()
    assert "\n" not in taken.file


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


def test_no_file_at_all_is_an_error_that_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"nothing\.csv"):
        read(tmp_path / "nothing.csv")


def test_the_refusal_names_the_round(tmp_path: Path) -> None:
    (tmp_path / "labels.zip").write_bytes(b"x")

    taken = read(tmp_path / "labels.zip", round_id="r0003")

    assert isinstance(taken, Judgement)
    assert taken.round == "r0003"


def test_a_manifest_is_read_when_it_lies_beside_the_delivery(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"

    assert read_manifest(path) is None
    (tmp_path / f"labels.csv{MANIFEST_SUFFIX}").write_bytes(b"{}")
    assert read_manifest(path) == b"{}"


def test_a_manifest_that_cannot_be_taken_in_is_there_and_empty(tmp_path: Path) -> None:
    (tmp_path / f"labels.csv{MANIFEST_SUFFIX}").symlink_to("/etc/passwd")

    assert read_manifest(tmp_path / "labels.csv") == b""
