"""Awaited: what is missing of the open round and from whom, found by judging its deliveries again."""

from typing import cast

from hitl import awaited as deciding
from hitl.awaited import Awaited
from hitl.errors import HitlError
from hitl.layout import Workspace
from hitl.state import Phase, RoundState, State
from tasks import expected, journal

ROWS = 30_000
"""More rows than this take longer to read than a glance at the status may: then only the counts are told."""


def awaited(workspace: Workspace, state: State) -> Awaited | None:
    """What the open round waits for; None when none is open, it is too large to glance at, or its files are gone."""
    current = cast(RoundState, state.current)
    if current.phase is not Phase.AWAITING or _rows(state) > ROWS:
        return None
    try:
        return deciding.awaited(expected.now(workspace, state, journal.now()))
    except (HitlError, OSError):
        return None  # a clone without the open round's files: the ledger still tells how many answers are missing


def _rows(state: State) -> int:
    """Rows to be read: of every pack, and of the open round's deliveries."""
    delivered = (cast(dict[str, int], one["rows"])["delivered"] for one in state.rounds[-1].deliveries)
    return sum(delivered) + sum(cast(int, one.facts.get("exported", {}).get("items", 0)) for one in state.rounds)
