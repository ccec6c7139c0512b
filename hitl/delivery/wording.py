"""What a held row is told it should have been: one wording for Python and for the page in the pack."""

from collections.abc import Mapping
from typing import Final

EXPECTED: Final[Mapping[str, str]] = {
    "cells": "{count} cells",
    "one_header": "one header, at the top",
    "whole_row": "the row whole, with a line end after it",
    "one_row_a_line": "one row a line",
    "item": "the item_id of batch.csv",
    "item_exact": "the item_id of batch.csv, letter for letter",
    "classes": "one of: {classes}{more}, or {skip}",
    "more_classes": " and {count} more",
    "annotator": "who gave this answer",
    "roster": "an annotator_id of the roster, letter for letter",
    "another": "the answer of somebody who has not answered this item before",
    "time": "a time such as 2026-11-21T09:00:00Z",
    "time_zone": "a time with its zone, such as 2026-11-21T09:00:00Z",
    "time_real": "a day and an hour that exist",
    "time_past": "a time before the delivery",
    "time_after_export": "a time after the pack was made",
    "seconds": "a plain number such as 12.5",
    "seconds_range": "more than 0, at most {limit}",
    "text_length": "{limit} characters at most",
    "text_plain": "text without control characters",
    "empty": "an empty cell",
    "one_answer": "one answer of this annotator for this item",
    "superseding": "{sha256} in a column supersedes, to replace what that delivery said: {earlier}",
    "delivery": "the sha256 of a delivery of this round, as its receipt has it (8 digits at least), or nothing",
    "overlap": "answers of {count} annotator(s) for this item, earlier ones included",
}
"""Templates: `{name}` is a place to fill, in Python and in JavaScript alike."""


def expected(name: str, **places: object) -> str:
    """The text called `name`, its places filled.

    >>> expected("cells", count=3)
    '3 cells'
    """
    return EXPECTED[name].format(**places)
