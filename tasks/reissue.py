"""Re-issue: items that went out and that nobody answered go out again, before new ones are asked about."""

from hitl import choose
from hitl.layout import Workspace
from hitl.state import State
from tasks.edges import tables


def waiting(workspace: Workspace, state: State) -> list[str]:
    """The items of earlier packs that nobody answered, those sent first before the others; gold is never among them.

    Nor is what an adjudicator settled all the same, as far as it counted by the last closing.
    """
    validated = [one.id for one in state.rounds if one.done("validated")]
    said = [_annotated(workspace, one) for one in validated]
    settled = state.decided_items(until=validated[-1]) if validated else frozenset()
    return choose.unanswered([sent(workspace, one) for one in validated], settled.union(*said))


def sent(workspace: Workspace, round_id: str) -> list[str]:
    """The items of the pool that were selected for a round."""
    batch = tables.read_parquet(workspace.round(round_id) / "batch.parquet", ["item_id", "reason"])
    return list(batch.loc[batch["reason"] != "gold", "item_id"])


def answered(workspace: Workspace, state: State) -> frozenset[str]:
    """The items that may not be picked again: labeled, annotated or decided in an earlier round, or in the test set."""
    apart = [
        set(tables.read_parquet(path, ["item_id"])["item_id"])
        for path in (workspace.labeled, workspace.test, workspace.initial)
    ]
    said = [_annotated(workspace, one.id) for one in state.rounds if one.done("validated")]
    return state.decided_items().union(*apart, *said)


def _annotated(workspace: Workspace, round_id: str) -> set[str]:
    return set(tables.read_parquet(workspace.round(round_id) / "annotations.parquet", ["item_id"])["item_id"])
