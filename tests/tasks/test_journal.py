"""What one process read of a long ledger the next one takes over, as long as not a byte of it changes."""

import ast
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hitl import ledger, state
from hitl.errors import IntegrityError
from hitl.layout import Workspace
from hitl.ledger import Event
from hitl.state import Later, State
from tasks import journal, verify
from tests.factories import a_round, baseline, delivery, undone

SPLIT = a_round(2, *(delivery(f"e{number}", accepted=number) for number in range(9)))
LONG = [
    *baseline(),
    *a_round(1, *(delivery(f"d{number}") for number in range(journal.LONG))),
    *SPLIT[:8],
    ("refused", "r0001", {"delivery": "late", "reasons": ["F_ROUND_CLOSED"]}),
    *SPLIT[8:],
    undone("annotator", "bob", "r0001", "r0002", r0001={"d1": [30, 2], "d2": [1, 0]}),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    events: list[Event] = []
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for event, name, facts in LONG:
        events.append(ledger.extend(events, at=at, actor="me", event=event, round=name, facts=facts))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/ledger.jsonl").write_bytes(b"".join(map(ledger.line, events)))
    return Workspace(tmp_path)


def card(workspace: Workspace) -> Path:
    return workspace.local / "state.json"


def read_by_another_process(workspace: Workspace) -> State:
    journal._last.clear()
    return journal.read(workspace)


def is_taken_over(found: State) -> bool:
    return isinstance(found.round("r0001").deliveries, Later)


def by_the_ledger(workspace: Workspace) -> State:
    return state.fold(ledger.parse(workspace.ledger.read_bytes()))


def changed(path: Path, before: bytes, after: bytes) -> None:
    data = path.read_bytes()
    assert before in data
    path.write_bytes(data.replace(before, after, 1))


def test_what_was_read_is_taken_over_and_reads_the_same(workspace: Workspace) -> None:
    first = read_by_another_process(workspace)
    again = read_by_another_process(workspace)
    assert not is_taken_over(first)
    assert is_taken_over(again)
    assert again == first == by_the_ledger(workspace)
    assert (again.annotations, again.spent, again.taken) == (first.annotations, first.spent, first.taken)
    assert journal.events(workspace) == ledger.parse(workspace.ledger.read_bytes())


def test_what_came_since_is_folded_on_top(workspace: Workspace) -> None:
    read_by_another_process(workspace)
    read_by_another_process(workspace)
    new = journal.append(workspace, "refused", "r0001", delivery("late"))
    assert new.seq == len(LONG)
    for found in (journal.read(workspace), read_by_another_process(workspace)):
        assert found == by_the_ledger(workspace)
        assert len(found.round("r0001").arrivals) == journal.LONG + 2
    assert journal.left_by(workspace, "refused", "r0001") == found
    assert journal.left_by(workspace, "closed", "r0001").round("r0001").refused == ()


@pytest.mark.parametrize("place", [40, -40])
def test_one_changed_byte_and_all_is_checked_anew(workspace: Workspace, place: int) -> None:
    read_by_another_process(workspace)
    data = bytearray(workspace.ledger.read_bytes())
    data[data.index(b'"actor":"me"', place % len(data) // 2) + 9] = ord("w")
    workspace.ledger.write_bytes(data)
    with pytest.raises(IntegrityError, match="the chain of hashes is broken"):
        read_by_another_process(workspace)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b'{"bytes": "many"}'),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b"[" * 100_000),
        lambda path: path.write_bytes(b""),
        lambda path: changed(path, b'"phase":"rebuilding"', b'"phase":"closed"'),
        lambda path: changed(path, b'"counts":[32000', b'"counts":[32001'),
        lambda path: changed(path, b'"places":[[', b'"places":[[1'),
        lambda path: changed(path, b'"bytes":', b'"bytes":1'),
        lambda path: changed(path, b'"code_sha256":"', b'"code_sha256":"0'),
    ],
)
def test_a_state_that_was_changed_is_worth_nothing(workspace: Workspace, spoil: Callable[[Path], None]) -> None:
    first = read_by_another_process(workspace)
    spoil(card(workspace))
    found = read_by_another_process(workspace)
    assert not is_taken_over(found)
    assert found == first
    assert is_taken_over(read_by_another_process(workspace))


def test_a_ledger_that_was_cut_back_is_read_anew(workspace: Workspace) -> None:
    read_by_another_process(workspace)
    data = workspace.ledger.read_bytes()
    workspace.ledger.write_bytes(data[: data.rindex(b"\n", 0, -1) + 1])
    found = read_by_another_process(workspace)
    assert not is_taken_over(found)
    assert found == by_the_ledger(workspace)


def test_of_other_code_nothing_is_taken_over(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    read_by_another_process(workspace)
    monkeypatch.setattr(journal, "_FOLD", journal._FOLD[1:])
    journal._code_sha256.cache_clear()
    assert not is_taken_over(read_by_another_process(workspace))
    journal._code_sha256.cache_clear()


def test_all_code_that_makes_a_state_counts() -> None:
    known = {one.__name__ for one in journal._FOLD}
    for one in journal._FOLD:
        tree = ast.parse(Path(str(one.__file__)).read_text(encoding="utf-8"))
        used = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        assert {name for name in used if name.startswith("hitl")} <= {*known, "hitl.errors"}


def test_verify_and_what_undoes_history_ask_the_ledger_alone(workspace: Workspace) -> None:
    read_by_another_process(workspace)
    assert is_taken_over(read_by_another_process(workspace))
    assert not is_taken_over(journal.read_anew(workspace))
    assert not is_taken_over(journal.read(workspace))
    assert is_taken_over(read_by_another_process(workspace))
    assert verify._moves(workspace) == []
    assert not is_taken_over(journal.read(workspace))


def test_a_folder_that_cannot_be_written_is_read_all_the_same(workspace: Workspace) -> None:
    workspace.local.write_bytes(b"in the way")
    assert read_by_another_process(workspace) == by_the_ledger(workspace)
