import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from hitl.errors import IntegrityError
from hitl.ledger import GENESIS, canonical, complete, digest, extend, head, line, parse
from tests.factories import a_round, baseline, events, ledger_bytes, told

TOLD = [*baseline(), *a_round(1, until="exported")]
DATA = ledger_bytes(*TOLD)


def test_what_was_written_is_read_back() -> None:
    assert parse(DATA) == events(*TOLD)


def test_an_empty_ledger_has_no_events() -> None:
    assert parse(b"") == ()
    assert head(()) == GENESIS


def test_each_event_is_chained_to_the_one_before() -> None:
    found = parse(DATA)
    assert [event.prev for event in found] == [GENESIS, *(event.hash for event in found[:-1])]
    assert head(found) == found[-1].hash


def test_the_moment_of_an_event_is_told_in_utc() -> None:
    cet = datetime(2026, 11, 2, 9, 0, tzinfo=timezone(timedelta(hours=1)))
    event = extend((), at=cet, actor="ada", event="created", round="r0000", facts={})
    assert event.at == "2026-11-02T08:00:00Z"


def test_a_line_is_one_line_whatever_the_facts_say() -> None:
    (event,) = events(told("created", "r0000", note="a\nb\u2028c"))
    assert line(event).count(b"\n") == 1
    assert parse(line(event)) == (event,)


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_torn_last_line_did_not_happen(cut: int) -> None:
    assert parse(DATA[:-cut]) == events(*TOLD)[:-1]
    assert complete(DATA[:-cut]) == ledger_bytes(*TOLD[:-1])


@given(st.data())
def test_a_flipped_bit_is_found_and_located(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(DATA) - 2), label="byte")
    flipped = bytearray(DATA)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7), label="bit")
    number = DATA[:place].count(b"\n") + 1
    with pytest.raises(IntegrityError, match=rf"data/ledger\.jsonl, line {number}[ :]"):
        parse(bytes(flipped))


@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param(lambda text: text.replace(b":", b": ", 1), id="a space"),
        pytest.param(lambda text: text.replace(b'{"actor":"ada",', b'{"actor":"eve","actor":"ada",'), id="a key twice"),
        pytest.param(lambda text: text.replace(b"ada", b"\\u0061da"), id="an escape"),
    ],
)
def test_the_same_event_spelled_otherwise_is_a_change(spelled: object) -> None:
    with pytest.raises(IntegrityError, match="line 1"):
        parse(spelled(DATA))  # type: ignore[operator]


@pytest.mark.parametrize("text", [b"null\n", b"[1]\n", b"{}\n", b"\n", b'{"seq": NaN}\n', b"\xff\n", b'"\\ud800"\n'])
def test_a_line_that_is_no_event_is_refused_by_its_number(text: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"line 1: not an event .*git checkout"):
        parse(text)


def test_a_number_that_json_does_not_know_is_no_fact() -> None:
    first = json.loads(DATA.split(b"\n")[0])
    torn = json.dumps({**first, "facts": {"share": float("nan")}}).encode() + b"\n"
    with pytest.raises(IntegrityError, match="line 1"):
        parse(torn)


def test_a_removed_line_is_found() -> None:
    lines = DATA.splitlines(keepends=True)
    with pytest.raises(IntegrityError, match=r"line 3 "):
        parse(b"".join(lines[:2] + lines[3:]))


def test_two_lines_that_changed_places_are_found() -> None:
    lines = DATA.splitlines(keepends=True)
    with pytest.raises(IntegrityError, match=r"line 2 "):
        parse(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": "é"}) == digest({"b": "é", "a": 1})
    assert canonical({"b": "é", "a": 1.5}) == '{"a":1.5,"b":"é"}'.encode()
