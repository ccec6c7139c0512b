"""A long ledger that one process checked is only read by the next, as long as not a byte of it changes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hitl import ledger
from hitl.errors import IntegrityError
from hitl.layout import Workspace
from hitl.ledger import Event
from tasks import journal
from tests.factories import a_round, baseline, delivery

LONG = [*baseline(), *a_round(1, *(delivery(f"d{number}") for number in range(journal.LONG)))]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    events: list[Event] = []
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for event, name, facts in LONG:
        events.append(ledger.extend(events, at=at, actor="me", event=event, round=name, facts=facts))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/ledger.jsonl").write_bytes(b"".join(map(ledger.line, events)))
    return Workspace(tmp_path)


def read_by_another_process(workspace: Workspace) -> object:
    journal._last.clear()
    return journal.read(workspace)


def test_what_was_checked_reads_the_same(workspace: Workspace) -> None:
    first = read_by_another_process(workspace)
    assert (workspace.local / "checked.json").is_file()
    assert read_by_another_process(workspace) == first
    journal.append(workspace, "refused", "r0001", delivery("late"))
    assert len(read_by_another_process(workspace).round("r0001").arrivals) == journal.LONG + 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("place", [40, -40])
def test_one_changed_byte_and_all_is_checked_anew(workspace: Workspace, place: int) -> None:
    read_by_another_process(workspace)
    data = bytearray(workspace.ledger.read_bytes())
    data[data.index(b'"actor":"me"', place % len(data) // 2) + 9] = ord("w")
    workspace.ledger.write_bytes(data)
    with pytest.raises(IntegrityError, match="the chain of hashes is broken"):
        read_by_another_process(workspace)


def test_a_torn_note_of_what_was_checked_is_worth_nothing(workspace: Workspace) -> None:
    first = read_by_another_process(workspace)
    (workspace.local / "checked.json").write_bytes(b'{"bytes": "many"}')
    assert read_by_another_process(workspace) == first
