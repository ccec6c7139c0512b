"""A tool's export as the rows that a delivery has: the same judge reads them. Nothing is decided here about an answer.

The export itself is what is digested and kept; these rows are made of it anew each time it is read.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from hitl.contract import (
    ANNOTATOR_ID,
    COMMENT,
    ITEM_ID,
    LABEL,
    LABELED_AT,
    SECONDS,
    SKIP,
    TOOL_PLACE,
    TOOL_STATUS,
    csv_bytes,
)
from hitl.delivery.cells import MAX_SECONDS
from hitl.delivery.source import Source, Translated
from hitl.errors import DeliveryError
from hitl.formats import FORMATS, PLAIN as UNASKED, Annotation, Asked, Recognised, SeveralFields, recognised
from hitl.formats.annotation import name
from hitl.formats.document import Unreadable

AUTO, CSV = "auto", "csv"
HEADER = (ITEM_ID, LABEL, ANNOTATOR_ID, LABELED_AT, SECONDS, COMMENT, TOOL_STATUS, TOOL_PLACE)
Repeat = Literal["hold", "last", "keep"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How deliveries are read. `format` is AUTO, CSV (only our own), or the only tool whose exports are taken.

    `take` are statuses whose answers count although the tool marks them. `repeat` says what becomes of several answers
    by one annotator to one item in one delivery: all are held, the last counts, or each counts.
    """

    format: str = AUTO
    take: frozenset[str] = frozenset()
    repeat: Repeat = "hold"
    asked: Asked = UNASKED


PLAIN: Final = Reading()


class Refused(DeliveryError):
    """The file is a tool's export, and cannot be taken: says why, and which one can."""


@dataclass(frozen=True, slots=True)
class Came:
    """A delivery as it is to be judged, and the tool whose export it is: "" when it is no tool's."""

    source: Source
    tool: str = ""


def opened(source: Source, file: str, reading: Reading = PLAIN, *, limit: int = 1 << 24) -> Came:
    """The delivery in `source`: as it is when it is a CSV of ours, or no export that we know, else as rows.

    More rows than `limit` are not made: one more is enough to see that there are too many.
    Raises Refused when it is a tool's export that cannot be taken.
    """
    if reading.format == CSV:
        return Came(source)
    try:
        found = recognised(file, source)
    except Unreadable as error:
        if file.lower().endswith(".csv"):
            return Came(source)  # the judge says what is wrong with it
        raise Refused(str(error)) from error
    except DeliveryError as error:
        raise Refused(str(error)) from error
    if found is None or any(ANNOTATOR_ID in one.header for one in found.documents):
        return Came(source)
    if reading.format not in (AUTO, found.format.name):
        wanted = FORMATS[reading.format].title
        raise Refused(f"this is an export of {found.format.title}, and deliveries are exports of {wanted}")
    try:
        return Came(Translated(_rows(found, reading, limit), source), found.format.name)
    except (DeliveryError, SeveralFields) as error:
        raise Refused(str(error)) from error


def _rows(found: Recognised, reading: Reading, limit: int) -> bytes:
    """The rows as a CSV under HEADER; raises what reading raises, and SeveralFields."""
    told = list(islice(_annotations(found, reading), limit + 1))
    if reading.repeat == "last":
        told.sort(key=lambda one: one.updated_at or one.labeled_at)
    try:
        return csv_bytes([HEADER, *(_cells(one, reading.take) for one in told)])
    except UnicodeEncodeError as error:
        raise Unreadable(f"half a character ({error.object[error.start]!a}) in it: export it again") from error


def _annotations(found: Recognised, reading: Reading) -> Iterator[Annotation]:
    fields: dict[str, None] = {}
    for one in found.read(reading.asked):
        if isinstance(one, Annotation):
            if one.label_field:
                fields[one.label_field] = None
            yield one._replace(content=None)
    if len(fields) > 1:
        raise SeveralFields(list(fields))


def _cells(one: Annotation, take: frozenset[str]) -> list[str]:
    counts = one.status in ("labeled", "skipped", "empty") or one.status in take
    marked = one.origin if one.origin == "machine" else "" if counts else one.status
    if marked:
        label = ""
    elif one.status == "skipped":
        label = SKIP
    else:
        label = (
            one.labels[0] if len(one.labels) == 1 else json.dumps(one.labels, ensure_ascii=False) if one.labels else ""
        )
    timed = one.seconds is not None and 0 < one.seconds <= MAX_SECONDS
    seconds = f"{one.seconds:.6f}".rstrip("0").rstrip(".") if timed else ""
    return [name(one), label, one.annotator_id, one.labeled_at, seconds, one.comment, marked, one.place]
