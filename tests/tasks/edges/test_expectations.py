"""Great Expectations finds what the plain masks find: the same rows, for the same rules."""

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hitl.doors import annotations, incoming, labeled
from hitl.errors import DataError, IntegrityError
from hitl.rules import Rule, failures
from tasks.doors import guard
from tasks.edges.expectations import LONG, check

CLASSES = ("1", "1E5", "2020-01-01", "NA", "None", "$HOME", "true", "é")
TEXTS = st.sampled_from(
    [*CLASSES, "", " ", "a", "a ", "\u00a0a", "a\n", "a\nb", "0f" * 32, "0F" * 32, "<b>", "r0001", None]
)
NUMBERS = st.sampled_from(
    [None, np.nan, np.inf, -np.inf, -1.0, 0.0, 0.5, 1.0, 86_400.0, 86_400.5, 1.7976931348623157e308]
)
MIXED = st.one_of(TEXTS, NUMBERS)
EVERY_RULE = (
    *incoming({"x": "numeric", "y": "numeric", "gone": "numeric", "there": "text"}, classes=CLASSES, apart=["a", "1"]),
    *annotations("r0001", ["a", *CLASSES], CLASSES, annotators=["a", "1"], rows=3),
    *labeled(CLASSES, test=[]),
)


@st.composite
def dirty(draw: st.DrawFn) -> pd.DataFrame:
    """A table of at most 12 rows in which anything may be wrong; a column may be missing or of mixed types."""
    rows = draw(st.integers(0, 12))
    texts = ("item_id", "annotator_id", "label", "shown_class", "round", "delivery")
    kinds: dict[str, st.SearchStrategy[object]] = dict.fromkeys(texts, TEXTS)
    kinds |= {"x": NUMBERS, "y": MIXED, "seconds": NUMBERS, "row": st.one_of(st.none(), st.integers(-1, 3))}
    columns = {name: draw(st.lists(kind, min_size=rows, max_size=rows)) for name, kind in kinds.items()}
    index = draw(st.permutations(range(rows)))
    return pd.DataFrame(columns, index=index).drop(columns=draw(st.sampled_from([["round"], ["item_id"], []])))


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(frame=dirty())
def test_great_expectations_and_the_masks_find_the_same(frame: pd.DataFrame) -> None:
    found, expected = check(frame, EVERY_RULE), failures(EVERY_RULE, frame)
    assert found == expected
    assert [bool(one.broken) for one in found] == [bool(one.broken) for one in expected]


@pytest.mark.parametrize("rules", [incoming({}, apart=["a", "1"]), annotations("r0001", ["a", "1"], ["1"])])
def test_a_long_set_finds_the_same_as_a_short_one(rules: Sequence[Rule]) -> None:
    others = frozenset(f"other {number}" for number in range(LONG + 1))
    long = [Rule(one.check, one.says, one.fix, one.columns, one.values | others) for one in rules if one.values]
    frame = pd.DataFrame({"item_id": ["a", "b", None, "1", "other 7"], "label": ["1", None, "x", "1", "other 7"]})
    assert check(frame, long) == failures(long, frame)
    assert any(one.count for one in check(frame, long))


def test_an_empty_table_fails_only_the_rules_about_the_whole_table() -> None:
    empty = pd.DataFrame({"item_id": pd.Series(dtype="str"), "label": pd.Series(dtype="str")})
    failed = [one.rule.check for one in check(empty, labeled(CLASSES, test=["t"])) if not one.success]
    assert failed == ["rows", "distinct"]


def test_a_failing_row_is_named_by_its_item_and_its_number_whatever_the_index() -> None:
    frame = pd.DataFrame({"item_id": ["x", "y", "z"], "label": ["1", "cat", None]}, index=[7, 7, 7])
    finding = next(one for one in check(frame, labeled(CLASSES, test=[])) if one.rule.check == "among")
    assert (finding.count, finding.rows, finding.items, finding.values) == (1, (2,), ("y",), ("cat",))


def test_asking_prints_nothing_and_writes_nothing_to_the_table(capfd: pytest.CaptureFixture[str]) -> None:
    frame = pd.DataFrame({"item_id": ["x", None], "label": ["1", "cat"]})
    before = frame.copy(deep=True)
    check(frame, labeled(CLASSES, test=[]))
    assert capfd.readouterr() == ("", "")
    pd.testing.assert_frame_equal(frame, before)


def test_a_table_that_keeps_all_rules_passes_with_its_facts() -> None:
    frame = pd.DataFrame({"item_id": ["x", "y"], "label": ["1", "NA"]})
    facts = guard("labeled", "data/labeled.parquet", frame, labeled(CLASSES, test=["t"]))
    assert facts == {"door": "labeled", "table": "data/labeled.parquet", "rules": 8, "rows": 2, "success": True}


def test_a_table_that_breaks_a_rule_is_refused() -> None:
    frame = pd.DataFrame({"item_id": ["x", "t"], "label": ["1", "cat"]})
    with pytest.raises(
        DataError, match=r"pool: 1 of 7 rules .*\n  label is a class: not so for item 't' \(row 2\): 'cat'"
    ):
        guard("incoming", "pool", frame, incoming({}, classes=CLASSES, apart=["q"]))
    with pytest.raises(IntegrityError, match="item_id is not a test item: not so for item 't'"):
        guard("labeled", "labeled", frame, labeled(CLASSES, test=["t"]))


def test_great_expectations_is_imported_by_asking_alone() -> None:
    code = "import sys, tasks.doors; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
