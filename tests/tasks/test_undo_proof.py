"""Undo is as if it had never been: random histories with what is undone, against those in which it never came.

25 of them in the test run; `make prove` plays HISTORIES=500.
"""

import itertools
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hitl.contract import SKIP
from hitl.layout import Workspace
from hitl.rules import failures
from tests import histories
from tests.histories import Again, Close, Decide, File, Move, Open, Played, Rollback, Undo

HISTORIES = int(os.environ.get("HISTORIES", "25"))
MEMORY = Path("/dev/shm")
_numbers = itertools.count()

ROW = st.tuples(
    st.integers(0, 11),
    st.sampled_from(["right"] * 6 + ["wrong"] * 3 + [SKIP, "", "damp"]),
    st.sampled_from([*histories.PEOPLE, "ann", "zoe"]),
    st.booleans(),
)
MANY = st.builds(
    File,
    st.lists(ROW, min_size=1, max_size=16).map(tuple),
    st.none() | st.integers(0, 12),
    st.booleans(),
)
CROWD = st.builds(
    lambda item, first, second: File(
        (
            *((other, "right", "cem", False) for other in range(12) if other != item),
            (item, "right", first, False),
            (item, "wrong", second, False),
        )
    ),
    st.integers(0, 11),
    *[st.sampled_from(["ann", "bob"])] * 2,
)
"""A file in which two people answer an item that may be for one: without the first, the second one's answer counts."""
FILE = MANY | MANY | CROWD
KINDS = ["delivery", "annotator", "delivery", "annotator", "round", "decision"]
UNDO = st.builds(Undo, st.sampled_from(KINDS), st.integers(0, 8))
SETTLED = st.tuples(st.integers(0, 35), st.sampled_from([*histories.CLASSES, SKIP]), st.sampled_from(["eve", "ann"]))
DECIDE = st.builds(Decide, st.lists(SETTLED, min_size=1, max_size=8).map(tuple))
AGAIN = st.builds(Again, st.integers(0, 12))


@st.composite
def a_round(draw: st.DrawFn) -> list[Move]:
    came: list[Move] = draw(st.lists(FILE, min_size=1, max_size=3))
    more: list[Move] = draw(st.lists(FILE | AGAIN | UNDO | DECIDE, max_size=2))
    after: list[Move] = draw(st.lists(st.just(Rollback()) | UNDO | FILE | DECIDE, max_size=2))
    return [Open(), *came, *more, Close(), *after]


@st.composite
def moves(draw: st.DrawFn) -> dict[int, Move]:
    rounds = draw(st.lists(a_round(), min_size=1, max_size=histories.ROUNDS))
    told: list[Move] = [move for one in rounds for move in one]
    if draw(st.booleans()):
        told = told[: max(index for index, move in enumerate(told) if isinstance(move, Close))]
    told += draw(st.lists(UNDO, min_size=1, max_size=3))
    told += draw(st.lists(FILE, max_size=1))
    return _sound(dict(enumerate(told)))


def _sound(told: dict[int, Move]) -> dict[int, Move]:
    """Without references to files that did not come before."""
    came: list[int] = []
    for place, move in told.items():
        if isinstance(move, File):
            replaced = came[move.replaced % len(came)] if came and move.replaced is not None else None
            told[place] = File(move.rows, replaced, move.by_row)
            came.append(place)
        if isinstance(move, Again):
            told[place] = Again(came[move.place % len(came)])
    return told


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(histories.template(tmp_path_factory.mktemp("packs")))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the rules at the doors ourselves: Great Expectations says the same (another test) and takes a second."""
    monkeypatch.setattr("tasks.doors.check", lambda frame, rules: failures(rules, frame))


@settings(max_examples=HISTORIES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(told=moves())
def test_undo_is_as_if_it_had_never_been(packs: Workspace, tmp_path: Path, quick: None, told: dict[int, Move]) -> None:
    folder = (MEMORY if MEMORY.is_dir() else tmp_path) / f"hitl-{os.getpid()}-{next(_numbers)}"
    try:
        with_it = Played(histories.begun(packs.root, folder / "with"), packs)
        histories.play(with_it, told)
        never = histories.as_if_never(told, with_it)
        digests = {place: sha256 for place, (_, sha256) in with_it.sent.items()}
        without = histories.play(Played(histories.begun(packs.root, folder / "without"), packs, digests), never)

        assert histories.outcome(with_it.workspace) == histories.outcome(without.workspace)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
