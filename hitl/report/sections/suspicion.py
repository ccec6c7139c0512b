"""Suspicion: what honest work would hardly give, how hardly, the items that show it, and what followed."""

from collections.abc import Mapping
from typing import Any, cast

from hitl.ledger import Facts
from hitl.report.sections.parts import Cell, Section, Table, columns
from hitl.report.sections.sources import Sources
from hitl.report.spelled import many, percent
from hitl.suspicion import LEVEL, Finding, says
from hitl.visible import clipped, quoted

NAME = 40
ITEMS = 12


def section(sources: Sources) -> Section | None:
    """A row a finding; None where nothing is suspicious, or nothing was tested."""
    facts = sources.facts("resolved")
    told = cast(list[Facts], facts.get("suspicion", []))
    if not told:
        return None
    heads = columns("who", "what was seen", "items that show it", "what followed")
    rows = tuple(_row(_finding(one), facts, sources) for one in told)
    said = (
        f"{many(len(told), 'finding')}, for a person to look at: how likely honest work would give such answers. It "
        f"accuses nobody: all tests together flag anybody honest in at most {percent(LEVEL, 0)} of workspaces, and "
        "speed alone is never told against anybody. hitl undo exclusion ANNOTATOR lets held or withdrawn answers "
        "count; hitl undo annotator ANNOTATOR withdraws them."
    )
    return Section("suspicion", "Suspicious answers", (said,), tables=(Table("Findings", heads, rows, cards=True),))


def _finding(told: Facts) -> Finding:
    names = {key: tuple(cast(list[str], told[key])) for key in ("annotators", "items")}
    return Finding(**cast(Mapping[str, Any], {**told, **names}))


def _row(one: Finding, facts: Facts, sources: Sources) -> tuple[Cell, ...]:
    more = len(one.items) - ITEMS
    items = ", ".join(quoted(item, NAME) for item in one.items[:ITEMS]) + (f" and {more} more" if more > 0 else "")
    who = " and ".join(clipped(name, NAME) for name in one.annotators)
    return who, says(one), items, _followed(one, facts, sources)


def _followed(one: Finding, facts: Facts, sources: Sources) -> str:
    held = cast(Mapping[str, str], facts["held"])
    if all(who in sources.state.cleared for who in one.annotators):
        return "nothing: a person said that these answers count"
    if not any(who in held for who in one.annotators):
        return "nothing: resolve.policy notes it"
    if facts["policy"] == "exclude" and len(one.annotators) == 1:
        return "held, and withdrawn when the round was closed"
    return "held: these answers count for nothing until a person decides"
