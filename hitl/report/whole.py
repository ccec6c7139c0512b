"""The report of a round: from its values to all that the page shows. Knows no file, template or clock."""

from collections.abc import Callable
from dataclasses import dataclass

from hitl.report.sections import (
    annotators,
    batch,
    confusion,
    corrections,
    cost,
    deliveries,
    gate,
    guideline,
    headline,
    learning,
    provenance,
    resolved,
    suspicion,
)
from hitl.report.sections.headline import Tile
from hitl.report.sections.parts import Section
from hitl.report.sections.sources import Sources
from hitl.report.spelled import moment
from hitl.visible import clipped

NAME = 80
SECTIONS: tuple[Callable[[Sources], Section | None], ...] = (
    corrections.section,
    learning.section,
    gate.section,
    confusion.section,
    batch.section,
    deliveries.section,
    resolved.section,
    resolved.pool,
    annotators.section,
    guideline.section,
    suspicion.section,
    cost.section,
    provenance.section,
)
"""In the order of the page. A section that has nothing to say yet returns None."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the page shows. `when` is the time of the ledger's last event, so equal ledgers give equal pages."""

    workspace: str
    round: str
    when: str
    verdict: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]


def report_of(sources: Sources) -> Report:
    """The report of `sources.round_id`; raises MomentError when there is no such round."""
    made = (section(sources) for section in SECTIONS)
    return Report(
        workspace=clipped(sources.workspace, NAME),
        round=sources.round.id,
        when=moment(sources.state.last_at),
        verdict=headline.verdict(sources),
        tiles=headline.tiles(sources),
        sections=tuple(one for one in made if one is not None),
    )
