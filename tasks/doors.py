"""The guard at a door: a table passes whole, or the person who can mend it is told what is wrong with it."""

from collections.abc import Sequence

import pandas as pd

from hitl.doors import Door, refusal
from hitl.rules import Rule
from tasks.edges.expectations import check


def guard(door: Door, table: str, frame: pd.DataFrame, rules: Sequence[Rule]) -> dict[str, object]:
    """The facts of a `frame` that keeps all `rules`: {door, table, rules, rows, success}.

    `table` names it in messages, as its path in the workspace does. Raises DataError or, where only tampering,
    a leak of test items or a bug can be the cause, IntegrityError.
    """
    error = refusal(door, table, check(frame, rules))
    if error is not None:
        raise error
    return {"door": door, "table": table, "rules": len(rules), "rows": len(frame), "success": True}
