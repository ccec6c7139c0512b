"""Whether a round may close: all answers are in, or its deadline is over and enough of them are."""

from datetime import datetime
from typing import cast

from hitl.params import Params
from hitl.state import RoundState


def why_not_close(current: RoundState, params: Params, at: datetime) -> str | None:
    """Why the exported round cannot close at `at`, and the way out; None when it can."""
    deadline = cast(str, current.facts["exported"]["deadline"])
    missing = current.expected - current.accepted
    if missing <= 0:
        return None
    if is_enough(current, params) and at >= datetime.fromisoformat(deadline):
        return None
    return (
        f"{current.id} still waits for {missing} of {current.expected} answers (deadline {deadline}); "
        "ingest the missing ones, or close without them: hitl close --partial"
    )


def is_enough(current: RoundState, params: Params) -> bool:
    """Whether so many answers are in that the round closes at its deadline without the others."""
    return current.accepted > 0 and current.accepted / current.expected >= params.delivery.minimum_share
