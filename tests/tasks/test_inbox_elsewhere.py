"""An inbox that lies where fsspec goes: the same answers, and a store that fails makes deliveries wait, no round."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from hitl.layout import Workspace
from tasks import inbox, journal
from tests.tasks import awaiting_round
from tests.tasks.awaiting_round import delivery


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryFileSystem]:
    """What an S3 is like: files under names, moved by a copy and a removal."""
    monkeypatch.setenv("HITL_INBOX", "memory://drop/acme")
    monkeypatch.setenv("HITL_OUTBOX", "memory://answers/acme")
    found = fsspec.filesystem("memory")
    found.mkdirs("/drop/acme")
    yield found
    found.store.clear()
    found.pseudo_dirs[:] = [""]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return awaiting_round.made(tmp_path / "w")


def take(workspace: Workspace) -> list[str]:
    return inbox.take(workspace, wait=lambda _: None)


def never(_: float) -> None:
    pytest.fail("there was nothing to wait for")


def names(store: MemoryFileSystem, folder: str) -> list[str]:
    return sorted(path.rsplit("/", 1)[1] for path in store.ls(folder, detail=False)) if store.exists(folder) else []


def test_a_file_is_taken_answered_and_put_away_there(workspace: Workspace, store: MemoryFileSystem) -> None:
    data = delivery("i0000", "i0001", "i0002") + b'"i0003","catt","ann",""\n'
    store.pipe_file("/drop/acme/a.csv", data)

    assert take(workspace) == ["a.csv: quarantine (R_LABEL_UNKNOWN), 3 of 4 rows accepted"]

    begins = f"a.csv.{hashlib.sha256(data).hexdigest()[:8]}"
    assert {f"{begins}.receipt.json", f"{begins}.redo.csv"} <= set(names(store, "/answers/acme"))
    assert store.cat_file("/drop/acme/done/a.csv") == data
    assert names(store, "/drop/acme") == ["done"]
    assert inbox.take(workspace, wait=never) == []


def test_a_file_that_is_written_again_between_the_looks_is_left(workspace: Workspace, store: MemoryFileSystem) -> None:
    store.pipe_file("/drop/acme/a.csv", delivery("i0000")[:40])
    said = inbox.take(workspace, wait=lambda _: store.pipe_file("/drop/acme/a.csv", delivery("i0000")))
    assert said == ["a.csv: still being written, left for the next advance"]
    assert take(workspace) == ["a.csv: accept, 1 of 1 rows accepted"]


def test_what_was_put_away_is_not_overwritten(workspace: Workspace, store: MemoryFileSystem) -> None:
    store.pipe_file("/drop/acme/done/a.csv", b"older")
    store.pipe_file("/drop/acme/a.csv", delivery("i0000"))
    take(workspace)
    assert store.cat_file("/drop/acme/done/a.csv") == b"older"
    assert len(names(store, "/drop/acme/done")) == 2


def test_names_that_a_store_takes_for_patterns_match_nothing(workspace: Workspace, store: MemoryFileSystem) -> None:
    for name in ("*.csv", "?.csv", "[a-z].csv", "x\ny.csv"):
        store.pipe_file(f"/drop/acme/{name}", b"x")
    store.pipe_file("/drop/acme/sub/inner.csv", delivery("i0001"))
    store.pipe_file("/drop/acme/a.csv", delivery("i0000"))

    said = take(workspace)

    assert sum("F_NAME_UNSAFE" in line for line in said) == 4
    assert [line for line in said if "accept," in line] == ["a.csv: accept, 1 of 1 rows accepted"]
    assert names(store, "/drop/acme/done") == ["a.csv"]
    assert store.exists("/drop/acme/sub/inner.csv")
    assert inbox.take(workspace, wait=never) == []


def test_a_store_that_fails_delays_deliveries_and_shows_no_password(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HITL_INBOX", "sftp://acme:secret@127.0.0.1:1/in")
    (said,) = take(workspace)
    assert "out of reach" in said
    assert "secret" not in said


def test_a_protocol_nobody_knows_is_said(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HITL_INBOX", "nonsense://in")
    assert "nonsense" in take(workspace)[0]


def test_a_folder_that_is_not_there_is_said(workspace: Workspace, store: MemoryFileSystem) -> None:
    store.rmdir("/drop/acme")
    assert "FileNotFoundError" in take(workspace)[0]


def test_a_store_that_cannot_move_keeps_the_file_and_its_answer(
    workspace: Workspace, store: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a bucket that we may only read."""

    def denied(*_: object) -> None:
        raise PermissionError("read only")

    monkeypatch.setattr(MemoryFileSystem, "rm_file", denied)
    monkeypatch.setattr("tasks.edges.remote_folder.RemoteFolder.write", written_at_once)
    store.pipe_file("/drop/acme/a.csv", delivery("i0000"))

    assert "cannot be moved to done" in take(workspace)[0]
    assert journal.read(workspace).round("r0001").accepted == 1
    assert inbox.take(workspace, wait=never) == []


def written_at_once(folder: object, name: str, data: bytes) -> None:
    fsspec.filesystem("memory").pipe_file(f"/answers/acme/{name}", data)
