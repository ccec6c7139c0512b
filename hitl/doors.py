"""The three doors a table goes through, and what each asks of it: everything that must hold is on this page.

To ask more, add a rule to its door. Great Expectations does the asking (tasks/edges/expectations.py).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, get_args

import numpy as np

from hitl.errors import DataError, HitlError, IntegrityError
from hitl.params import Kind
from hitl.rules import MISSING, Finding, Rule

Door = Literal["incoming", "annotations", "labeled"]
DOORS: tuple[Door, ...] = get_args(Door)

TOLD = 5
"""Failing rows that a message names for each rule."""
A_DAY = 86_400  # seconds
# `\Z`, not `$`: "cat\n" must not pass. No capturing group: pandas warns of those.
TRIMMED = r"\A\S(?:(?s:.*)\S)?\Z"
SHA256 = r"\A[0-9a-f]{64}\Z"

_SOURCE = "mend the source file and run `hitl init` again"
_TAMPERED = "these rows passed the reader, so the file was changed since or this is a bug: `hitl verify` tells which"
_REBUILD = "run `hitl verify`: it names the file that is not what the ledger says"


def incoming(
    columns: Mapping[str, Kind], *, classes: Collection[str] = (), label: str = "label", apart: Collection[str] = ()
) -> tuple[Rule, ...]:
    """What must hold of a table before a workspace is made of it: of the pool, or with `classes` of a labeled one.

    `apart`: the item_ids of the tables that this one must share no item with.
    """
    return (
        Rule("rows", "has at least one row", _SOURCE, low=1),
        *_item_ids(_SOURCE),
        *(_is_finite(name) if kind == "numeric" else _is_there(name) for name, kind in columns.items()),
        *(_labels(label, classes, "mend the label, or add the class to data.classes") if classes else ()),
        *([Rule("apart", "is in no other set", _SOURCE, ("item_id",), values=frozenset(apart))] if apart else ()),
    )


def annotations(
    round_id: str,
    items: Collection[str],
    classes: Collection[str],
    *,
    annotators: Collection[str] = (),
    rows: int | None = None,
) -> tuple[Rule, ...]:
    """What must hold of a round's annotations before they are resolved into labels.

    `items` are the batch's; `annotators` the roster (empty: anybody); `rows` how many the receipts accepted.
    """
    return (
        *([] if rows is None else [Rule("rows", f"has {rows} rows, as accepted", _TAMPERED, low=rows, high=rows)]),
        *_filled_among("round", [round_id], f"is {round_id}"),
        *_filled_among("item_id", items, "is an item of the batch"),
        *([] if not annotators else _filled_among("annotator_id", annotators, "is on the roster")),
        *_filled_matching("annotator_id", TRIMMED, "has no white space around it"),
        *_filled_matching("delivery", SHA256, "is a sha256"),
        Rule("matches", "is a sha256, or missing", _TAMPERED, ("superseded_by",), pattern=SHA256),
        Rule("filled", "is filled", _TAMPERED, ("row",)),
        Rule("within", "counts from 1", _TAMPERED, ("row",), low=0),
        Rule("among", "is a class, or missing for a skip", _TAMPERED, ("label",), values=frozenset(classes)),
        Rule("among", "is a class, or missing", _TAMPERED, ("shown_class",), values=frozenset(classes)),
        Rule("within", "is above 0 and at most a day, or missing", _TAMPERED, ("seconds",), low=0, high=A_DAY),
        Rule("unique", "is there once", _TAMPERED, ("item_id", "annotator_id", "delivery")),
        Rule("unique", "is replaced once", _TAMPERED, ("item_id", "annotator_id", "superseded_by")),
        Rule("unique", "is there once", _TAMPERED, ("delivery", "row")),
    )


def labeled(classes: Collection[str], *, test: Collection[str], label: str = "label") -> tuple[Rule, ...]:
    """What must hold of the labeled set before a model is trained on it. `test`: the item_ids of the test set."""
    return (
        Rule("rows", "has at least two rows", _REBUILD, low=2),
        *_item_ids(_REBUILD),
        *_labels(label, classes, _REBUILD),
        Rule("distinct", "has at least two classes", "label items of another class", (label,), low=2),
        Rule("apart", "is not a test item", _REBUILD, ("item_id",), values=frozenset(test)),
    )


def refusal(door: Door, table: str, findings: Sequence[Finding]) -> HitlError | None:
    """The error that tells every failed rule of `table`, or None when all hold.

    IntegrityError where only tampering, a leak of test items or a bug can be the cause; DataError otherwise.
    """
    failed = [finding for finding in findings if not finding.success]
    if not failed:
        return None
    leak = door == "labeled" and any(finding.rule.check == "apart" for finding in failed)
    kind = IntegrityError if leak or door == "annotations" else DataError
    head = f"{table}: {len(failed)} of {len(findings)} rules do not hold"
    return kind("\n".join([head, *(_sentence(finding) for finding in failed)]))


def _sentence(finding: Finding) -> str:
    return f"  {finding.rule}: {finding.broken or _where(finding)}; {finding.rule.fix}"


def _where(finding: Finding) -> str:
    if not finding.count:
        return "it does not"
    items = finding.items or [MISSING] * len(finding.rows)
    named = [_row(*row) for row in zip(finding.rows, items, finding.values, strict=True)][:TOLD]
    more = f" and {finding.count - TOLD} more" if finding.count > TOLD else ""
    return f"not so for {', '.join(named)}{more}"


def _row(row: int, item: str, value: str) -> str:
    name = f"row {row}" if item == MISSING else f"item {item!r} (row {row})"
    return name if value == item else f"{name}: {value!r}"


def _item_ids(fix: str) -> tuple[Rule, ...]:
    return (
        Rule("filled", "is filled", fix, ("item_id",)),
        Rule("unique", "is there once", fix, ("item_id",)),
        Rule("matches", "has no white space around it", fix, ("item_id",), pattern=TRIMMED),
    )


def _labels(label: str, classes: Collection[str], fix: str) -> tuple[Rule, ...]:
    return (
        Rule("filled", "is filled", fix, (label,)),
        Rule("among", "is a class", fix, (label,), values=frozenset(classes)),
    )


def _is_finite(name: str) -> Rule:
    finite = float(np.finfo(np.float64).max)
    fix = "mend the cells (leave a missing number empty), or make the column ignored in data.columns"
    return Rule("within", "is a finite number, or missing", fix, (name,), low=-np.inf, high=finite)


def _is_there(name: str) -> Rule:
    return Rule("present", "is there", _SOURCE, (name,))


def _filled_among(name: str, values: Collection[str], says: str) -> tuple[Rule, ...]:
    return (
        Rule("filled", "is filled", _TAMPERED, (name,)),
        Rule("among", says, _TAMPERED, (name,), values=frozenset(values)),
    )


def _filled_matching(name: str, pattern: str, says: str) -> tuple[Rule, ...]:
    return (Rule("filled", "is filled", _TAMPERED, (name,)), Rule("matches", says, _TAMPERED, (name,), pattern=pattern))
