"""What vendors leave is taken when it is whole, answered once, and put away; nothing else is touched."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hitl.layout import Workspace
from tasks import inbox, journal, receipts
from tests.tasks import awaiting_round
from tests.tasks.awaiting_round import delivery

Wait = Callable[[float], object]


@pytest.fixture(autouse=True)
def no_folder_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HITL_INBOX", "HITL_OUTBOX"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = awaiting_round.made(tmp_path / "w")
    made.inbox.mkdir()
    return made


def at_once(seconds: float) -> None:
    """A wait in which nothing happens."""
    assert 1 <= seconds <= 5


def never(seconds: float) -> None:
    pytest.fail("there was nothing to wait for")


def take(workspace: Workspace, wait: Wait = at_once) -> list[str]:
    return inbox.take(workspace, wait=wait)


def put(workspace: Workspace, name: str, data: bytes, *, at: int = 1_000_000) -> Path:
    path = workspace.inbox / name
    path.write_bytes(data)
    os.utime(path, (at, at))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def sha8(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]


def receipt(workspace: Workspace, name: str, data: bytes) -> dict:
    return json.loads((workspace.outbox / f"{name}.{sha8(data)}.receipt.json").read_text(encoding="utf-8"))


def test_a_whole_file_is_taken_answered_and_put_away(workspace: Workspace) -> None:
    data = delivery("i0000", "i0001")
    put(workspace, "a.csv", data)

    assert take(workspace) == ["a.csv: accept, 2 of 2 rows accepted"]

    assert receipt(workspace, "a.csv", data)["verdict"] == "accept"
    assert names(workspace.inbox) == ["done"]
    assert (workspace.inbox / "done" / "a.csv").read_bytes() == data
    assert journal.read(workspace).taken == {hashlib.sha256(data).hexdigest()}


def test_where_nothing_is_new_nothing_is_waited_for(workspace: Workspace) -> None:
    put(workspace, "a.csv", delivery("i0000"))
    take(workspace)
    assert take(workspace, never) == []


def test_no_inbox_is_no_delivery(tmp_path: Path) -> None:
    assert take(awaiting_round.made(tmp_path / "w"), never) == []


def test_held_rows_come_back_in_a_redo_file(workspace: Workspace) -> None:
    data = delivery("i0000", "i0001", "i0002") + b'"i0003","catt","ann",""\n'
    put(workspace, "a.csv", data)

    assert take(workspace) == ["a.csv: quarantine (R_LABEL_UNKNOWN), 3 of 4 rows accepted"]

    redo = workspace.outbox / f"a.csv.{sha8(data)}.redo.csv"
    assert b"R_LABEL_UNKNOWN" in redo.read_bytes()
    assert names(workspace.inbox / "done") == ["a.csv"]


def test_a_rejected_file_lies_under_refused(workspace: Workspace) -> None:
    put(workspace, "a.csv", b"nothing,here\n1,2\n")
    take(workspace)
    assert names(workspace.inbox) == ["refused"]
    assert receipt(workspace, "a.csv", b"nothing,here\n1,2\n")["verdict"] == "reject"


def test_a_file_refused_unread_leaves_the_count_of_complete_items(workspace: Workspace) -> None:
    put(workspace, "a.csv", delivery("i0000"), at=1)
    put(workspace, "b.zip", b"x", at=2)
    take(workspace)
    (path,) = workspace.outbox.glob("b.zip.*.receipt.json")
    assert json.loads(path.read_text())["items"] == {"expected": 4, "complete": 1, "missing": 3}


def test_the_oldest_is_taken_first(workspace: Workspace) -> None:
    put(workspace, "a.csv", delivery("i0000", label="dog"), at=2_000_000)
    put(workspace, "z.csv", delivery("i0000", label="cat"), at=1_000_000)

    said = take(workspace)

    assert [line.split(":")[0] for line in said] == ["z.csv", "a.csv"]
    assert "R_RELABEL_CONFLICT" in said[1]


def test_two_looks_share_one_wait_however_many_files(workspace: Workspace) -> None:
    waits: list[float] = []
    for number in range(4):
        put(workspace, f"{number}.csv", delivery(f"i{number:04d}"))

    take(workspace, waits.append)

    assert waits == [2.0]
    assert journal.read(workspace).round("r0001").accepted == 4


def test_a_file_that_grows_between_the_looks_is_left_and_taken_when_it_is_whole(workspace: Workspace) -> None:
    whole = delivery("i0000", "i0001", "i0002")
    path = put(workspace, "a.csv", whole[:50])

    # The same time and length of name: only its size and bytes tell.
    said = take(workspace, lambda _: put(workspace, "a.csv", whole[:90]))
    assert said == ["a.csv: still being written, left for the next advance"]
    assert path.is_file()
    assert names(workspace.outbox) == []

    put(workspace, "a.csv", whole)
    assert take(workspace) == ["a.csv: accept, 3 of 3 rows accepted"]


def test_a_file_changed_in_place_is_left_though_size_and_time_are_the_same(workspace: Workspace) -> None:
    path = put(workspace, "a.csv", delivery("i0000", label="cat"))

    def rewrite(_: float) -> None:
        with path.open("r+b") as file:
            file.write(delivery("i0000", label="dog"))
        os.utime(path, (1_000_000, 1_000_000))

    assert take(workspace, rewrite) == ["a.csv: still being written, left for the next advance"]
    assert not journal.read(workspace).taken


def test_a_slow_writer_is_waited_for_over_many_advances(workspace: Workspace) -> None:
    """Another process appends a piece during each wait: no part of the file is ever taken."""
    data = delivery("i0000", "i0001", "i0002", "i0003")
    pieces = [data[start : start + 40] for start in range(0, len(data), 40)]
    script = (
        "import sys\n"
        "for piece in sys.stdin:\n"
        "    with open(sys.argv[1], 'ab') as file: file.write(bytes.fromhex(piece.strip()))\n"
        "    print(flush=True)\n"
    )
    command = [sys.executable, "-c", script, str(workspace.inbox / "a.csv")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdin
        assert writer.stdout

        def append(_: float = 0.0) -> None:
            writer.stdin.write(pieces.pop(0).hex().encode() + b"\n")
            writer.stdin.flush()
            writer.stdout.readline()  # until the piece is in the file

        append()
        while pieces:
            assert take(workspace, append) == ["a.csv: still being written, left for the next advance"]
            assert names(workspace.inbox) == ["a.csv"]
        writer.stdin.close()
    assert take(workspace) == ["a.csv: accept, 4 of 4 rows accepted"]


def test_a_file_that_comes_during_the_wait_is_for_the_next_advance(workspace: Workspace) -> None:
    put(workspace, "a.csv", delivery("i0000"))
    said = take(workspace, lambda _: put(workspace, "b.csv", delivery("i0001")))
    assert [line.split(":")[0] for line in said] == ["a.csv"]
    assert names(workspace.inbox) == ["b.csv", "done"]


@pytest.mark.parametrize(
    "name",
    [
        "a.csv.part",
        "a.csv.filepart",
        ".a.csv.swp",
        "a.csv.tmp",
        "~$a.csv",
        ".hidden.csv",
        "a.csv.crdownload",
        "a.CSV.PART",
    ],
)
def test_the_work_of_other_programs_is_passed_over_without_a_word(workspace: Workspace, name: str) -> None:
    path = put(workspace, name, delivery("i0000"))
    assert take(workspace, never) == []
    assert path.is_file()


def test_a_manifest_goes_with_its_csv(workspace: Workspace) -> None:
    data = delivery("i0000")
    put(workspace, "a.csv", data)
    put(workspace, "a.csv.manifest.json", json.dumps({"file_sha256": "0" * 64}).encode())

    assert take(workspace) == ["a.csv: reject (F_MANIFEST_HASH), 0 of 1 rows accepted"]
    assert names(workspace.inbox / "refused") == ["a.csv", "a.csv.manifest.json"]


def test_a_manifest_waits_for_its_csv_and_no_csv_for_a_manifest(workspace: Workspace) -> None:
    put(workspace, "a.csv.manifest.json", b"{}")
    assert take(workspace, never) == []
    put(workspace, "b.csv", delivery("i0000"))
    assert take(workspace) == ["b.csv: accept, 1 of 1 rows accepted"]
    assert names(workspace.inbox) == ["a.csv.manifest.json", "done"]


def test_a_manifest_that_a_kill_left_behind_follows_its_csv(workspace: Workspace) -> None:
    data = delivery("i0000")
    manifest = json.dumps({"file_sha256": hashlib.sha256(data).hexdigest()}).encode()
    put(workspace, "a.csv", data)
    put(workspace, "a.csv.manifest.json", manifest)
    assert take(workspace) == ["a.csv: accept, 1 of 1 rows accepted"]
    left = workspace.inbox / "a.csv.manifest.json"
    (workspace.inbox / "done" / left.name).rename(left)

    assert take(workspace, never) == []
    assert names(workspace.inbox) == ["done"]
    assert names(workspace.inbox / "done") == ["a.csv", "a.csv.manifest.json"]


def test_a_manifest_that_came_after_the_answer_waits_for_a_new_csv(workspace: Workspace) -> None:
    data = delivery("i0000")
    put(workspace, "a.csv", data)
    put(workspace, "a.csv.manifest.json", b"{}")
    take(workspace)
    put(workspace, "a.csv.manifest.json", b"{}", at=4_000_000_000)

    assert take(workspace, never) == []
    assert names(workspace.inbox) == ["a.csv.manifest.json", "done"]


def test_a_manifest_that_comes_between_the_looks_is_waited_for(workspace: Workspace) -> None:
    put(workspace, "a.csv", delivery("i0000"))
    said = take(workspace, lambda _: put(workspace, "a.csv.manifest.json", b"{"))
    assert said == ["a.csv: still being written, left for the next advance"]
    assert "F_MANIFEST_INVALID" in take(workspace)[0]


def test_a_manifest_that_is_a_link_is_none_that_can_be_trusted(workspace: Workspace) -> None:
    put(workspace, "a.csv", delivery("i0000"))
    (workspace.inbox / "a.csv.manifest.json").symlink_to("/dev/zero")
    assert take(workspace) == ["a.csv: reject (F_MANIFEST_INVALID), 0 of 1 rows accepted"]


def test_known_bytes_under_another_name_are_answered_as_a_duplicate(workspace: Workspace) -> None:
    data = delivery("i0000")
    put(workspace, "a.csv", data)
    take(workspace)
    ledger = workspace.ledger.read_bytes()

    put(workspace, "b.csv", data)

    assert take(workspace) == ["b.csv: reject (F_DUPLICATE_DELIVERY), 0 of 1 rows accepted"]
    assert receipt(workspace, "b.csv", data)["reasons"] == ["F_DUPLICATE_DELIVERY"]
    assert names(workspace.inbox / "done") == ["a.csv", "b.csv"]
    assert workspace.ledger.read_bytes() == ledger


def test_known_bytes_under_their_own_name_keep_their_answer(workspace: Workspace) -> None:
    data = delivery("i0000")
    put(workspace, "a.csv", data)
    take(workspace)
    put(workspace, "a.csv", data)

    assert take(workspace, never) == []

    assert receipt(workspace, "a.csv", data)["verdict"] == "accept"
    assert names(workspace.inbox / "done") == [f"a.{sha8(data)}.csv", "a.csv"]


def test_nothing_that_was_put_away_is_overwritten(workspace: Workspace) -> None:
    (workspace.inbox / "done").mkdir()
    put(workspace, "done/a.csv", b"older")
    data = delivery("i0000")
    put(workspace, "a.csv", data)

    take(workspace)

    assert (workspace.inbox / "done/a.csv").read_bytes() == b"older"
    assert (workspace.inbox / f"done/a.{sha8(data)}.csv").read_bytes() == data


def test_a_late_file_is_answered_though_its_round_is_closed(workspace: Workspace) -> None:
    put(workspace, "a.csv", delivery("i0000"))
    take(workspace)
    journal.append(workspace, "validated", "r0001", {"answered": 1})
    data = delivery("i0001")
    put(workspace, "late.csv", data)

    assert "F_ROUND_CLOSED" in take(workspace)[0]
    assert receipt(workspace, "late.csv", data)["verdict"] == "reject"


def test_by_hand_the_answer_goes_out_and_the_file_stays(workspace: Workspace, tmp_path: Path) -> None:
    data = delivery("i0000")
    (tmp_path / "mine.csv").write_bytes(data)
    receipts.ingested(workspace, tmp_path / "mine.csv")
    assert receipt(workspace, "mine.csv", data)["verdict"] == "accept"
    assert (tmp_path / "mine.csv").is_file()


def test_a_file_refused_and_then_accepted_has_the_last_answer(workspace: Workspace) -> None:
    data = delivery("i0000")
    put(workspace, "a.csv", data)
    put(workspace, "a.csv.manifest.json", b"{")
    take(workspace)
    put(workspace, "a.csv", data)

    take(workspace)

    assert receipt(workspace, "a.csv", data)["verdict"] == "accept"
    assert names(workspace.inbox / "done") == ["a.csv"]


def test_an_outbox_out_of_reach_makes_the_file_wait_with_its_answer(workspace: Workspace) -> None:
    data = delivery("i0000")
    put(workspace, "a.csv", data)
    workspace.outbox.write_text("a file where the folder should be")

    (said,) = take(workspace)

    assert "out of reach" in said
    assert names(workspace.inbox) == ["a.csv"]
    workspace.outbox.unlink()
    assert take(workspace) == ["a.csv: reject (F_DUPLICATE_DELIVERY), 0 of 1 rows accepted"]
    assert receipt(workspace, "a.csv", data)["verdict"] == "accept"
    assert names(workspace.inbox) == ["done"]


def test_many_files_are_counted_and_not_listed(workspace: Workspace) -> None:
    for number in range(30):
        put(workspace, f"{number:02d}.csv", b"nothing,here\n" + b"1,2\n" * (number + 1))
    said = take(workspace)
    assert len(said) == 21
    assert said[-1] == "and 10 more files: 10 reject"


# What is no delivery


def hostile(workspace: Workspace, outside: Path) -> dict[str, str]:
    """Everything in an inbox that must not be followed, opened, unpacked or believed; the reason for each."""
    folder = workspace.inbox
    (folder / "passwd.csv").symlink_to("/etc/passwd")
    (folder / "outside.csv").symlink_to(outside)
    (folder / "zero.csv").symlink_to("/dev/zero")
    (folder / "nowhere.csv").symlink_to("/no/such/file")
    os.mkfifo(folder / "pipe.csv")
    (folder / "to-pipe.csv").symlink_to("pipe.csv")
    (folder / "x.csv").mkdir()
    (folder / "x.csv" / "inner.csv").write_bytes(delivery("i0000"))
    with zipfile.ZipFile(folder / "slip.zip", "w") as archive:
        archive.writestr("../../../slipped.csv", "x")
    with (folder / "sparse.csv").open("wb") as file:
        file.truncate(2 << 30)
    odd = ["two\nlines.csv", "\u202evsc.exe", "$(touch pwned).csv", "a;b|c&d.csv", "-rf.csv", "..csv.csv", "é.csv"]
    odd += ["<img src=x>.csv", "\udcff.csv", "%2e%2e%2fa.csv", "back\\slash.csv", "\x1b[2J.csv"]
    for name in odd:
        (folder / name).write_bytes(delivery("i0000"))
    return {
        **dict.fromkeys(
            ["passwd.csv", "outside.csv", "zero.csv", "nowhere.csv", "pipe.csv", "to-pipe.csv", "x.csv"],
            "F_NOT_REGULAR",
        ),
        "slip.zip": "F_ARCHIVE",
        "sparse.csv": "F_TOO_LARGE",
        **{name: "F_NAME_UNSAFE" for name in odd if not name.startswith(".")},
    }


def test_what_is_no_plain_file_is_refused_unread_once_and_touches_nothing(workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_bytes(delivery("i0000"))
    wanted = hostile(workspace, outside)
    before = {path: path.read_bytes() for path in (outside, workspace.ledger)}

    said = take(workspace)

    found = [json.loads(path.read_text(encoding="utf-8")) for path in workspace.outbox.glob("*.receipt.json")]
    assert sorted(one["file"] for one in found) == sorted(ascii(name)[1:-1] for name in wanted)
    assert {one["file"]: one["reasons"] for one in found} == {ascii(k)[1:-1]: [v] for k, v in wanted.items()}
    assert {one["verdict"] for one in found} == {"reject"}
    assert len(said) == len(wanted) if len(wanted) <= inbox.LISTED else inbox.LISTED + 1
    assert all(line.isascii() and line.isprintable() for line in said)
    assert {path: path.read_bytes() for path in before} == before
    assert names(tmp_path) == ["outside.csv", "w"]

    papers = names(workspace.outbox)
    assert all(name.isascii() and name.isprintable() and "/" not in name for name in papers)
    assert take(workspace, never) == []
    assert names(workspace.outbox) == papers
    assert names(workspace.inbox) == ["..csv.csv", "refused"]
    assert (workspace.inbox / "refused" / "x.csv" / "inner.csv").is_file()
    assert (workspace.inbox / "refused" / "passwd.csv").is_symlink()


@pytest.mark.parametrize("shelf", ["done", "refused"])
@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_link_where_our_own_folder_should_be_leads_nowhere(
    workspace: Workspace, tmp_path: Path, shelf: str, kind: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    path = workspace.inbox / shelf
    path.symlink_to(tmp_path / "elsewhere") if kind == "link" else path.write_text("x")
    put(workspace, "good.csv", delivery("i0000"))
    put(workspace, "bad.csv", b"x,y\n1,2\n")

    take(workspace)
    take(workspace)

    assert names(tmp_path / "elsewhere") == []
    assert names(workspace.inbox) == ["done", "refused"]
    assert names(workspace.inbox / "done") == ["good.csv"]
    assert "bad.csv" in names(workspace.inbox / "refused")


def test_the_inbox_may_be_elsewhere(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "a.csv").write_bytes(delivery("i0000"))
    monkeypatch.setenv("HITL_INBOX", f"file://{tmp_path / 'drop'}")
    monkeypatch.setenv("HITL_OUTBOX", str(tmp_path / "answers"))

    assert take(workspace) == ["a.csv: accept, 1 of 1 rows accepted"]
    assert names(tmp_path / "drop" / "done") == ["a.csv"]
    assert names(tmp_path / "answers") == [f"a.csv.{sha8(delivery('i0000'))}.receipt.{end}" for end in ("html", "json")]


def test_an_inbox_that_is_not_there_delays_deliveries_only(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HITL_INBOX", f"file://{tmp_path / 'unmounted'}")
    (said,) = take(workspace, never)
    assert "out of reach" in said
    assert "No such file" in said


# Killed anywhere

CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.truncate"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def taken_by_a_process_that_dies(workspace: Workspace, calls: int) -> bool:
    """Whether another process, killed before its call number `calls` that changes a disk, got to its end."""
    child = os.fork()
    if child == 0:
        left = calls

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in CHANGES or (event == "open" and int(arguments[2] or 0) & WRITES):  # type: ignore[call-overload]
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            take(workspace)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_killed_at_any_call_it_goes_on_and_loses_and_doubles_nothing(tmp_path: Path) -> None:
    good, bad, again = delivery("i0000", "i0001"), b"x,y\n1,2\n", delivery("i0000", "i0001")
    first = awaiting_round.made(tmp_path / "first")
    first.inbox.mkdir()
    put(first, "good.csv", good, at=1)
    put(first, "good.csv.manifest.json", b'{"rows": 2}', at=1)
    put(first, "bad.csv", bad, at=2)
    put(first, "again.csv", again, at=3)
    calls, ended = 0, False
    while not ended:
        calls += 1
        workspace = Workspace(tmp_path / str(calls))
        shutil.copytree(first.root, workspace.root)
        ended = taken_by_a_process_that_dies(workspace, calls)

        take(workspace)

        state = journal.read(workspace).round("r0001")
        assert [one["delivery"] for one in state.deliveries] == [hashlib.sha256(good).hexdigest()]
        assert [one["delivery"] for one in state.refused] == [hashlib.sha256(bad).hexdigest()]
        assert receipt(workspace, "good.csv", good)["verdict"] == "accept"
        assert receipt(workspace, "bad.csv", bad)["verdict"] == "reject"
        assert receipt(workspace, "again.csv", again)["reasons"] == ["F_DUPLICATE_DELIVERY"]
        assert (
            len([name for name in names(workspace.outbox) if name.endswith(".json") and not name.startswith(".")]) == 3
        )
        assert [name for name in names(workspace.inbox) if name != "good.csv.manifest.json"] == ["done", "refused"]
        assert [name for name in names(workspace.inbox / "done") if "manifest" not in name] == ["again.csv", "good.csv"]
        assert names(workspace.inbox / "refused") == ["bad.csv"]
        assert take(workspace, never) == []
    assert calls > 30
