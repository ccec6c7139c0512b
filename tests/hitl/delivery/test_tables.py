"""The tables that the page judges by: plain values, and Python's own Unicode."""

import json
import re
import sys
import unicodedata
from bisect import bisect_right
from pathlib import Path

import pytest

from hitl import visible
from hitl.delivery.reasons import Reason
from hitl.delivery.tables import tables

PROGRAM = Path(__file__).parents[3] / "tasks" / "edges" / "check"
SCRIPT = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PROGRAM.glob("*.js")))
BEYOND_A_PAGE = {
    "F_DUPLICATE_DELIVERY",
    "F_ROUND_CLOSED",
    "F_GOLD_FAIL",
    "R_ID_OTHER_ROUND",
    "R_RELABEL_CONFLICT",
    "R_SUPERSEDES_UNKNOWN",
    "R_LABEL_RETIRED",
    "R_ANNOTATOR_GOLD_FAIL",
    "W_GOLD_MISSING",
    "F_EXPORT",
    "R_NOT_TAKEN",
}
"""What follows from earlier deliveries, other rounds, gold answers, where a file lies, or that a tool wrote it."""


def test_the_tables_are_plain_values() -> None:
    assert json.loads(json.dumps(tables(), allow_nan=False)) == tables()


def test_the_page_knows_every_code_that_a_pack_and_a_file_can_tell() -> None:
    used = set(re.findall(r'"([FRW]_[A-Z_]+)"', SCRIPT))
    assert used <= set(map(str, Reason))
    assert set(map(str, Reason)) - used <= BEYOND_A_PAGE
    assert used.isdisjoint(BEYOND_A_PAGE)


def test_no_telling_number_of_the_rules_is_typed_a_second_time() -> None:
    rules = {*tables()["limits"].values(), tables()["file"]["least_limit"], tables()["file"]["manifest_limit"]}
    day = 86_400  # of seconds: the calendar's, too
    telling = {str(number) for number in rules if number > 250 and number != day}
    assert len(telling) > 7
    assert telling.isdisjoint(re.findall(r"\d+", SCRIPT.replace("_", "")))


@pytest.mark.parametrize(("name", "kinds"), [("format", {"Cf"}), ("hidden", visible.HIDDEN), ("unassigned", {"Cn"})])
def test_the_runs_hold_exactly_the_characters_of_their_kind(name: str, kinds: set[str]) -> None:
    edges = tables()["unicode"][name]
    assert edges == sorted(edges)
    skipped = visible.JOINERS if name == "hidden" else ""
    for point, char in enumerate(map(chr, range(sys.maxunicode + 1))):
        belongs = unicodedata.category(char) in kinds and char not in skipped
        assert (bisect_right(edges, point) % 2 == 1) == belongs, hex(point)


def test_spaces_digits_and_folds_are_pythons() -> None:
    known = tables()["unicode"]
    folds = dict(zip(known["fold_from"], known["fold_to"], strict=True))
    zeros = set(known["zeros"])
    for point, char in enumerate(map(chr, range(sys.maxunicode + 1))):
        assert char.isspace() == (char in known["space"])
        assert char.casefold() == folds.get(char, char)
        digit = unicodedata.decimal(char, None)
        assert digit is None or point - int(digit) in zeros


def test_the_page_asks_for_no_table_that_is_not_there() -> None:
    asked = set(re.findall(r"RULES\.(\w+)\.(\w+)", SCRIPT))
    for names, table in re.findall(r"const \{ ([^}]+) \} = RULES\.(\w+);", SCRIPT):
        asked |= {(table, name.split(":")[0].strip()) for name in names.split(",")}
    assert ("columns", "redo") in asked
    assert {(table, name) for table, name in asked if name not in tables()[table]} == set()
