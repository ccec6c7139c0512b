import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from hitl.errors import IntegrityError
from hitl.ledger import complete, parse
from tasks.edges import verifier
from tests.factories import a_round, baseline, ledger_bytes

DATA = ledger_bytes(*baseline(), *a_round(1, until="exported"))
SOURCE = Path(verifier.__file__).read_text(encoding="utf-8")


def test_a_sound_ledger_has_no_problem() -> None:
    events, problems = verifier.chain(DATA)
    assert (len(events), problems) == (DATA.count(b"\n"), [])


def test_a_flipped_bit_in_any_byte_is_found_on_its_line() -> None:
    for place in range(len(DATA)):
        flipped = bytearray(DATA)
        flipped[place] ^= 1 << (place % 8)
        _, problems = verifier.chain(bytes(flipped))
        assert problems[0].line == DATA[:place].count(b"\n") + 1, place


@given(st.data())
def test_it_finds_a_chain_sound_exactly_when_hitl_itself_does(data: st.DataObject) -> None:
    lines = DATA.splitlines(keepends=True)
    order = data.draw(st.lists(st.sampled_from(range(len(lines))), max_size=len(lines)))
    prefix = data.draw(st.integers(0, len(lines)))
    told = b"".join([*lines[:prefix], *(lines[index] for index in order)])
    events, problems = verifier.chain(told)
    try:
        found = parse(told)
    except IntegrityError:
        assert problems
    else:
        assert not problems
        assert [event["hash"] for event in events] == [event.hash for event in found]


@given(place=st.integers(1, len(DATA) - 1))
def test_a_write_that_was_cut_leaves_a_line_that_is_named(place: int) -> None:
    _, problems = verifier.chain(DATA[:place])
    torn = complete(DATA[:place]) != DATA[:place]
    assert [one.line for one in problems] == ([DATA[:place].count(b"\n") + 1] if torn else [])


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"seq":1}', b"\xff", b"null", b'"\\ud800"', b'{"seq":NaN}', b""])
def test_a_line_that_is_no_event_is_a_problem_and_no_error(text: bytes) -> None:
    _, problems = verifier.chain(DATA + text + b"\n")
    assert [one.line for one in problems] == [DATA.count(b"\n") + 1]


@pytest.mark.parametrize("file", ["../outside.csv", "/etc/hostname"])
def test_a_ledger_cannot_send_it_out_of_the_workspace(file: str, tmp_path: Path) -> None:
    by = {"seq": 0, "event": "created", "round": "r0000"}
    (problem,) = verifier.changed(tmp_path, [verifier.Named(file, "0" * 64, by)])
    assert "outside the workspace" in problem.says


def test_it_is_python_3_9_and_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 9))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
