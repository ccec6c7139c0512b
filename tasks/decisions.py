"""What adjudicators decided, as far as it stands: read from the files that the ledger names."""

import csv
from collections.abc import Iterable, Mapping
from typing import cast

from hitl.adjudication import Decision
from hitl.contract import csv_bytes
from hitl.errors import IntegrityError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.state import State
from tasks.edges import files

COLUMNS = ("item_id", "label", "adjudicator", "reason", "comment", "row")
_SKIPPED = ""
"""How a decision that nobody can tell is written: no class is called so."""


def written(decisions: Iterable[Decision], item_of: Mapping[str, str]) -> bytes:
    """Decisions as a CSV under the items' own ids, as they are read from now on."""
    rows: list[Iterable[object]] = [COLUMNS]
    for one in decisions:
        label = _SKIPPED if one.label is None else one.label
        rows.append([item_of[one.item_id], label, one.adjudicator, one.reason, one.comment, one.row])
    return csv_bytes(rows)


def history(workspace: Workspace, state: State, *, until: str | None = None) -> list[tuple[Facts, Decision]]:
    """Every decision that stands, the earliest first, each with the facts of its file.

    With `until`, those that count by the closing of that round. Raises IntegrityError when a file is not the ledger's.
    """
    return [(facts, one) for facts in state.decisions(until=until) for one in _of(workspace, facts)]


def newest(workspace: Workspace, state: State, *, until: str | None = None) -> dict[str, Decision]:
    """The decision that counts for each item: the last one."""
    return {one.item_id: one for _, one in history(workspace, state, until=until)}


def corrected(workspace: Workspace, state: State, gold: Mapping[str, str], *, until: str) -> dict[str, str]:
    """The known answers `gold`, as decisions that count by the closing of round `until` correct them.

    A gold item of which an adjudicator says that nobody can tell is none any more.
    """
    decided = newest(workspace, state, until=until) if gold.keys() & state.decided_items(until=until) else {}
    found = {item: decided[item].label if item in decided else label for item, label in gold.items()}
    return {item: label for item, label in found.items() if label is not None}


def _of(workspace: Workspace, facts: Facts) -> Iterable[Decision]:
    path = workspace.decisions / f"{facts['decision']}.decided.csv"
    files.must_be(path, cast(str, facts["decided_sha256"]))
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file, strict=True)
        if tuple(next(rows)) != COLUMNS:
            raise IntegrityError(f"{path} was written by another version of hitl: its columns are not {COLUMNS}")
        for item_id, label, adjudicator, reason, comment, row in rows:
            yield Decision(item_id, None if label == _SKIPPED else label, adjudicator, reason, comment, int(row))
