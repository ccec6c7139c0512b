"""The rules of a delivery as plain values: what the page in the pack judges by, so that no rule is written twice.

JavaScript has neither Python's Unicode nor its casefold, and browsers differ in age: those come along as tables too.
"""

import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from itertools import groupby
from typing import Any

from hitl import contract, visible
from hitl.delivery import (
    answers,
    cells,
    echo,
    expectation,
    frame,
    header,
    intake_rules,
    judge,
    settle,
    sidecar,
    signature,
    vocabulary,
    wording,
)
from hitl.delivery.advice import ADVICE
from hitl.delivery.reasons import Reason

Values = dict[str, Any]
_JOINER = "joiner"
"""The kind of visible.JOINERS: format characters that are not hidden."""


def tables() -> Values:
    """Every constant, pattern, reason and text that `judge` goes by, ready for JSON."""
    return {
        "reasons": {str(reason): {"meaning": reason.meaning, "advice": ADVICE[reason]} for reason in Reason},
        "file": _file(),
        "columns": _columns(),
        "limits": _limits(),
        "patterns": _patterns(),
        "signatures": _signatures(),
        "expected": dict(wording.EXPECTED),
        "unicode": _unicode(),
    }


def _file() -> Values:
    return {
        "name": intake_rules.NAME.pattern,
        "archives": list(intake_rules.ARCHIVES),
        "least_limit": intake_rules.SIZE_LIMIT,
        "most_limit": intake_rules.SIZE_CEILING,
        "row_limit": intake_rules.ROW_SIZE,
        "manifest_suffix": intake_rules.MANIFEST_SUFFIX,
        "manifest_limit": intake_rules.MANIFEST_LIMIT,
    }


def _columns() -> Values:
    return {
        "required": list(contract.REQUIRED),
        "optional": list(contract.OPTIONAL),
        "redo": list(contract.REDO),
        "known": [contract.SUPERSEDES, *contract.REDO],
        "skip": contract.SKIP,
    }


def _limits() -> Values:
    return {
        "columns": header.MAX_COLUMNS,
        "field": frame.MAX_FIELD,
        "text": cells.MAX_TEXT,
        "seconds": cells.MAX_SECONDS,
        "skew_seconds": int(cells.CLOCK_SKEW.total_seconds()),
        "shown": judge.SHOWN,
        "shown_classes": answers.SHOWN_CLASSES,
        "fold": vocabulary.LONGEST,
        "slips": vocabulary.SLIPS,
        "few_bad_rows": settle.FEW_BAD_ROWS,
        "row_factor": expectation.ROW_FACTOR,
        "row_slack": expectation.ROW_SLACK,
        "number_digits": echo.MAX_DIGITS,
        "number_tolerance": echo.TOLERANCE,
        "json_digits": sys.int_info.default_max_str_digits,
    }


def _patterns() -> Values:
    """Regular expressions that mean the same in both languages: ASCII only, matched against the whole text."""
    return {
        "number": cells.NUMBER.pattern,
        "time": cells.TIME.pattern,
        "control": cells.CONTROL.pattern,
        "line_ends": echo.LINE_ENDS.pattern,
        "whole_float": vocabulary.WHOLE_FLOAT.pattern,
        "starters": "".join(sorted(contract.STARTERS)),
        "controls": "".join(sorted(contract.CONTROLS)),
        "quotes": vocabulary.QUOTES,
        "promises": list(sidecar.TEXTS),
    }


def _signatures() -> Values:
    """First bytes as text of one character a byte."""
    return {
        "bom": signature.BOM.decode("latin-1"),
        "archives": [start.decode("latin-1") for start in signature.ARCHIVES],
        "binaries": [start.decode("latin-1") for start in signature.BINARIES],
        "pages": [start.decode("latin-1") for start in signature.PAGES],
    }


@cache
def _unicode() -> Values:
    """Unicode as this Python knows it. `unassigned` is what a newer browser may know, and must not use."""
    spans = list(_spans())
    known = [char for kind, points in spans if kind not in ("Cn", "Co", "Cs") for char in map(chr, points)]
    folded = {char: char.casefold() for char in known if char.casefold() != char}
    return {
        "version": unicodedata.unidata_version,
        "space": "".join(filter(str.isspace, known)),
        "format": _edges(spans, {"Cf", _JOINER}),
        "hidden": _edges(spans, visible.HIDDEN),
        "unassigned": _edges(spans, {"Cn"}),
        "zeros": [ord(char) for char in known if unicodedata.decimal(char, -1) == 0],
        "fold_from": "".join(folded),
        "fold_to": list(folded.values()),
    }


def _spans() -> Iterator[tuple[str, range]]:
    """All code points in their order, neighbours of one kind together."""
    start = 0
    for kind, same in groupby(map(_kind, map(chr, range(sys.maxunicode + 1)))):
        end = start + sum(1 for _ in same)
        yield kind, range(start, end)
        start = end


def _kind(char: str) -> str:
    return _JOINER if char in visible.JOINERS else unicodedata.category(char)


def _edges(spans: Iterable[tuple[str, range]], kinds: Collection[str]) -> list[int]:
    """Where the code points of these kinds begin and end, in turns: [first, one after the last, ...]."""
    return [edge for kind, points in spans if kind in kinds for edge in (points.start, points.stop)]
