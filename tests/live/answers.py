"""What a push or a pull came to, as the tests of every tool ask for it."""

from collections.abc import Mapping
from typing import cast

from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import expected, journal
from tasks.pull import pull


def taken(workspace: Workspace) -> Mapping[tuple[str, str], str]:
    """Every answer that stands, by sent id and annotator."""
    return dict(expected.now(workspace, journal.read(workspace), journal.now()).taken)


def pulled(workspace: Workspace, tool: str) -> Facts:
    [answer] = pull(workspace, tool)
    return answer.receipt


def counts(receipt: Facts) -> tuple[int, int, int]:
    found = cast(Mapping[str, int], receipt["rows"])
    return found["accepted"], found["quarantined"], found["duplicate"]


def pushed_to(facts: Facts) -> int:
    return cast(int, facts["project"])
