"""The corrections: what was withdrawn of this round or before it, and what was paid and published by then."""

from collections.abc import Mapping
from typing import cast

from hitl.ledger import Facts
from hitl.report.sections.parts import Cell, Section, Table, columns
from hitl.report.sections.sources import Sources
from hitl.report.spelled import NONE, moment
from hitl.visible import clipped, quoted

VALUE = 200


def section(sources: Sources) -> Section | None:
    """Every undo that concerns the round; None where there is none."""
    found = [one for one in sources.state.undone if _concerns(one, sources.round_id)]
    if not found:
        return None
    names = ("when", "what", "why", "withdrawn here", "to correct in all", "models published")
    heads = columns(*names, number=("withdrawn here", "to correct in all"))
    said = "The round is shown as if what was withdrawn had never come. What was paid and published stands here."
    rows = tuple(_row(one, sources.round_id) for one in found)
    return Section("corrections", "Corrections", (said,), tables=(Table("Withdrawn", heads, rows, cards=True),))


def _concerns(one: Facts, round_id: str) -> bool:
    return round_id in cast(list[str], one["rounds"]) or round_id in _by_round(one)


def _by_round(one: Facts) -> Mapping[str, int]:
    return cast(Mapping[str, int], cast(Facts, one["corrections"])["by_round"])


def _row(one: Facts, round_id: str) -> tuple[Cell, ...]:
    owed = cast(Facts, one["corrections"])
    published = [str(model["model_id"])[:12] for model in cast(list[Facts], one["published"])]
    return (
        moment(str(one["at"])),
        clipped(f"{one['kind']} {quoted(str(one['of']), VALUE)}", VALUE),
        quoted(str(one["reason"]), VALUE),
        f"{_by_round(one).get(round_id, 0):,}",
        f"{owed['annotations']:,}, {owed['amount']} {owed['currency']}",
        ", ".join(published) or NONE,
    )
