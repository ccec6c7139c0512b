"""The files of a pack as bytes and plain values: the batch, how to check an answer to it, and what was promised.

Only columns that params allow a vendor to see come in here; nothing is looked up, so nothing else can leave.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from hitl.contract import (
    ANNOTATOR_ID,
    COMMENT,
    ITEM_ID,
    LABEL,
    LABELED_AT,
    MODEL_CLASS,
    MODEL_CONFIDENCE,
    RESERVED,
    SECONDS,
    SKIP,
    csv_bytes,
    forms,
    inert,
    label_schema_sha256,
    neutral,
    original,
)
from hitl.delivery.cells import MAX_SECONDS
from hitl.errors import DataError
from hitl.ledger import stamp

ANSWERS = (LABEL, ANNOTATOR_ID, LABELED_AT, SECONDS, COMMENT)

_TIME_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SHOWN = 20


def columns_of(columns: Sequence[str], *, show_prediction: bool) -> tuple[str, ...]:
    """The header of batch.csv. Raises DataError when a visible column has the name of one that the pack adds."""
    taken = [column for column in columns if column in RESERVED]
    if taken:
        raise DataError(f"export.columns: {', '.join(taken)} means something else in a pack; rename it in your data")
    shown = (MODEL_CLASS, MODEL_CONFIDENCE) if show_prediction else ()
    return (ITEM_ID, *columns, *shown, *ANSWERS)


def batch_csv(
    rows: Iterable[Mapping[str, str]],
    columns: Sequence[str],
    *,
    show_prediction: bool,
    numeric: Collection[str] = (),
) -> bytes:
    """The batch as CSV, one row an item in the order given, the answer columns empty. UTF-8, LF, every field quoted.

    A cell or name that a spreadsheet would run gets an apostrophe, and so does what would be a cell of its own where a
    spreadsheet separates at semicolons; plain numbers in `numeric` columns are left as they are.
    Raises DataError when an answer could not be assigned to one item, or a cell holds a NUL.
    """
    header, rows = columns_of(columns, show_prediction=show_prediction), list(rows)
    check_ids([row[ITEM_ID] for row in rows])
    plain = frozenset((*numeric, MODEL_CONFIDENCE))
    lines = (["" if name in ANSWERS else cell(row, name, plain) for name in header] for row in rows)
    return csv_bytes([map(neutral, header), *lines])


def exported_items(batch: bytes) -> dict[str, dict[str, str]]:
    """What a batch.csv of ours sent out: each item_id, and its visible cells as they were written."""
    rows = csv.DictReader(io.StringIO(batch.decode(), newline=""), strict=True)
    return {
        original(row[ITEM_ID]): {name: row[name] for name in row if name not in (ITEM_ID, *ANSWERS)} for row in rows
    }


def datapackage(columns: Sequence[str], classes: Sequence[str], *, show_prediction: bool = False) -> dict[str, object]:
    """A Frictionless description of batch.csv with which a vendor's own tools can check it, filled in or not."""
    header = columns_of(columns, show_prediction=show_prediction)
    schema = {"fields": [_field(name, classes) for name in header], "missingValues": [""]}
    dialect = {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "header": True, "lineTerminator": "\n"}
    batch = {
        "name": "batch",
        "path": "batch.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": dialect,
        "schema": schema,
    }
    return {"name": "pack", "profile": "tabular-data-package", "resources": [batch]}


def manifest(
    *,
    round_id: str,
    batch_id: str,
    classes: Sequence[str],
    default_overlap: int,
    overlap: Mapping[str, int],
    exported_at: datetime,
    deadline: datetime,
    files: Mapping[str, str],
    guideline_sha256: str,
    annotators: Sequence[str] = (),
    answered: Mapping[str, Sequence[str]] | None = None,
    bad_row_share: float = 0.2,
    reading: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """What MANIFEST.json says: all that is needed to judge a delivery for this pack, but for what must stay secret.

    `overlap` names only the items that differ from `default_overlap`; `files` maps each name to its sha256. `reading`
    says how the exports of labeling tools are read. `answered` names, for each item that is there again, who answered
    it in an earlier round: it asks for somebody else.
    """
    return {
        "round": round_id,
        "batch_id": batch_id,
        "classes": list(classes),
        "skip": SKIP,
        "label_schema_sha256": label_schema_sha256(classes),
        "instructions_sha256": guideline_sha256,
        "overlap": {"default": default_overlap, "items": dict(sorted(overlap.items()))},
        "annotators": list(annotators),
        **({"answered": {item: list(who) for item, who in sorted(answered.items())}} if answered else {}),
        "bad_row_share": bad_row_share,
        **({"reading": dict(reading)} if reading else {}),
        "exported_at": stamp(exported_at),
        "deadline": stamp(deadline),
        "files": dict(sorted(files.items())),
    }


def check_ids(ids: Sequence[str]) -> None:
    """Raises DataError with the list when two ids are one after what spreadsheets and careless hands do to cells."""
    seen: dict[str, int] = {}
    merged = [item for place, item in enumerate(ids) if not item.strip() or _is_claimed(item, place, seen)]
    if merged:
        named = ", ".join(map(repr, merged[:_SHOWN])) + (", ..." if len(merged) > _SHOWN else "")
        raise DataError(f"{len(merged)} item ids are empty or equal to another but for spaces or accents: {named}")


def cell(row: Mapping[str, str], name: str, plain: Collection[str]) -> str:
    """The cell of column `name` as a spreadsheet may open it; a number in a `plain` column stays as it is.

    Raises DataError where it holds a NUL.
    """
    text = row[name]
    if "\0" in text:
        raise DataError(f"item {row[ITEM_ID]!r}, column {name!r}: a NUL character cannot go into a CSV; remove it")
    return text if name in plain and _NUMBER.fullmatch(text) else inert(text)


def _is_claimed(item: str, place: int, seen: dict[str, int]) -> bool:
    """Whether a spelling of `item` belongs to an item at another place already; enters the others for this one."""
    owners = [seen.setdefault(unicodedata.normalize("NFC", form).strip(), place) for form in forms(item)]
    return set(owners) != {place}


def _field(name: str, classes: Sequence[str]) -> dict[str, object]:
    own: dict[str, dict[str, object]] = {
        ITEM_ID: {"constraints": {"required": True}},
        LABEL: {"constraints": {"enum": [*classes, SKIP]}, "description": f"the class, or {SKIP}: I cannot tell"},
        LABELED_AT: {"constraints": {"pattern": _TIME_PATTERN}, "description": "RFC 3339 with its zone"},
        SECONDS: {"type": "number", "constraints": {"minimum": 0, "maximum": MAX_SECONDS}},
    }
    return {"name": neutral(name), "type": "string", **own.get(name, {})}
