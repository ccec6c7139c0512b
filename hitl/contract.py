"""What pack and delivery agree on: the columns, the word for a skip, and how no cell can run as a formula."""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterable

ITEM_ID, LABEL, ANNOTATOR_ID = "item_id", "label", "annotator_id"
LABELED_AT, SECONDS, COMMENT = "labeled_at", "seconds", "comment"
MODEL_CLASS, MODEL_CONFIDENCE = "model_class", "model_confidence"
SUPERSEDES = "supersedes"  # the delivery (sha256) whose answer a row replaces; nobody need send it
TOOL_STATUS, TOOL_PLACE = "tool_status", "tool_place"
"""In rows made of a labeling tool's export: why the answer does not count, and where in the export it stands."""
CODE, EXPECTED, PROPOSED = "code", "expected", "proposed"

REQUIRED = (ITEM_ID, LABEL, ANNOTATOR_ID)
OPTIONAL = (LABELED_AT, SECONDS, COMMENT)
REDO = (CODE, EXPECTED, PROPOSED)
RESERVED = frozenset((*REQUIRED, *OPTIONAL, SUPERSEDES, MODEL_CLASS, MODEL_CONFIDENCE, TOOL_STATUS, TOOL_PLACE, *REDO))

SKIP = "<skip>"
"""What an annotator writes in the label column to say: I could not tell. No class may be called so."""

STARTERS = frozenset("=+-@'")
CONTROLS = frozenset("\t\r\n")
# Every spelling that NFKC makes = + - or @ of.
_INSIDE = re.compile('(?<=[;\t\r\n])(?=[ "]*[=+@\uff1d\ufe66\uff0b\ufe62\uff0d\ufe63\uff20\ufe6b-])')


def neutral(text: str) -> str:
    """`text` as it may stand in a file that people open in a spreadsheet: an apostrophe before what would run.

    Two different texts stay different, because a leading apostrophe gets one more.

    >>> neutral("=1+1"), neutral("plain"), neutral("'=1+1")
    ("'=1+1", 'plain', "''=1+1")
    """
    first = unicodedata.normalize("NFKC", text.lstrip()[:1])[:1]
    risky = first in STARTERS or text.lstrip(" ")[:1] in CONTROLS
    return f"'{text}" if risky and text else text


def inert(text: str) -> str:
    """`text` as it may stand in a file that a spreadsheet takes apart at the wrong places: `neutral` in each part.

    Where the list separator is a semicolon, Excel opens our file as one column, and a semicolon, a tab or a line end
    within our quotes begins a cell.

    >>> inert("=1;=2"), inert("one; two")
    ("'=1;'=2", 'one; two')
    """
    return neutral(_INSIDE.sub("'", text))


def original(text: str) -> str:
    """What `neutral` made `text` of; a text that it never wrote stays as it is.

    >>> original("'=1+1"), original("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and neutral(text[1:]) == text else text


def forms(text: str) -> frozenset[str]:
    """The spellings of one exported cell that are the same cell: as it is, neutralised, and with that undone.

    >>> sorted(forms("'=1"))
    ["''=1", "'=1", '=1']
    """
    return frozenset({text, neutral(text), original(text)})


def label_schema_sha256(classes: Iterable[str]) -> str:
    """One digest for a list of classes, in their order: what a delivery's manifest names as its label schema."""
    return hashlib.sha256("\n".join(classes).encode()).hexdigest()


def csv_bytes(rows: Iterable[Iterable[object]]) -> bytes:
    r"""Rows as every CSV of ours is written: UTF-8, LF, every field quoted.

    >>> csv_bytes([["item_id", "label"], ["7", "cat, or dog"]])
    b'"item_id","label"\n"7","cat, or dog"\n'
    """
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
