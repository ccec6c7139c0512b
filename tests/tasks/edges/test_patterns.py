"""Regular expressions of a user's own mask what they match, and never keep an export waiting."""

import re

import pytest

from hitl.errors import ParamsError
from tasks.edges.patterns import places


def test_every_match_is_found_as_python_finds_it() -> None:
    text = "Kunde K-12, \U0001f600 k\u00e4ufer K-345"
    found = places([r"\bK-\d+", r"(?i)(?<=\s)K\u00c4\w+"], [text, "none"])
    assert [text[start:end] for start, end in found[text]] == ["K-12", "K-345", "k\u00e4ufer"]
    assert found["none"] == []


def test_without_patterns_or_texts_there_is_nothing_to_find() -> None:
    assert places([], ["a"]) == places(["a"], []) == {}


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)*b", "(.*a){12}b"])
def test_a_pattern_that_never_ends_is_named(pattern: str) -> None:
    with pytest.raises(ParamsError, match=re.escape(f"privacy.mask_patterns: {pattern!r} takes more than")) as caught:
        places(["x", pattern], ["short", "a" * 5_000 + "c"], seconds=0.2)
    assert "aaaa" not in str(caught.value)


def test_what_python_cannot_put_in_a_file_is_searched_too() -> None:
    assert places(["x"], ["\ud800x\0"]) == {"\ud800x\0": [(1, 2)]}
