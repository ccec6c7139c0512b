"""Gold: which items a batch may hide, and what is known of them by now."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import pandas as pd

from hitl import choose, hidden
from hitl.firewall import leaks
from hitl.hidden import Sent
from hitl.layout import Workspace, round_number
from hitl.ledger import Facts
from hitl.params import Params
from hitl.shortage import UNNAMED
from hitl.state import RoundState, State
from tasks import annotators, decisions, expected, firewall
from tasks.edges import tables


@dataclass(frozen=True, slots=True)
class Gold:
    """The gold items with their columns and labels of now, those chosen for a batch, and how many are then left.

    `left` counts those that nobody at the vendor may know, after this batch.
    """

    items: pd.DataFrame
    chosen: tuple[str, ...]
    left: int

    @property
    def rows(self) -> pd.DataFrame:
        """The chosen items, sorted by item_id."""
        return self.items[self.items["item_id"].isin(self.chosen)].sort_values("item_id")


NONE = Gold(pd.DataFrame(columns=["item_id", "label"]), (), 0)
"""Of a batch that hides none."""


def chosen(workspace: Workspace, params: Params, state: State, round_id: str, *, size: int) -> Gold:
    """The gold items that the batch of a round hides, `size` where there are so many.

    None is among them that the vendor's annotators may know; there are more of hard classes.
    """
    items = tables.read_parquet(workspace.gold)
    items = items[~items["item_id"].isin(leaks(items, firewall.wall(workspace, params)))]
    items = _as_corrected(workspace, state, items, round_id)
    state = replace(state, rounds=state.rounds[: round_number(round_id)])  # chosen again, a round does not know itself
    sent = list(_sent(workspace, params, state))
    known = hidden.seen(sent, vendor=params.export.vendor, annotators=params.delivery.annotators)
    label = dict(zip(items["item_id"], items["label"], strict=True))
    new = {item: name for item, name in label.items() if item not in known}
    ids = items["item_id"].to_numpy(dtype=object)
    draws = choose.draw(ids, seed=params.query.seed, round_number=round_number(round_id), purpose="gold")
    found = hidden.gold_items(
        new,
        size=size,
        draws=dict(zip(ids, draws.tolist(), strict=True)),
        before=[label[item] for one in sent for item in one.items if item in label],
        errors=hidden.hard(_confusion(workspace, state), params.data.classes),
    )
    return Gold(items, tuple(found), len(new) - len(found))


def _as_corrected(workspace: Workspace, state: State, items: pd.DataFrame, round_id: str) -> pd.DataFrame:
    """The gold items with the answers that adjudicators corrected; without those of which one said nobody can tell."""
    known = dict(zip(items["item_id"], items["label"], strict=True))
    known = decisions.corrected(workspace, state, known, until=round_id)
    return items[items["item_id"].isin(list(known))].assign(label=lambda table: table["item_id"].map(known))


def _sent(workspace: Workspace, params: Params, state: State) -> Iterator[Sent]:
    for one in state.rounds:
        if one.done("exported"):
            items = frozenset(expected.gold(workspace, one.id))
            vendor = str(one.facts["exported"].get("vendor", UNNAMED))
            yield Sent(vendor, items, _answered(workspace, one, items) if params.delivery.annotators else None)


def _answered(workspace: Workspace, one: RoundState, items: frozenset[str]) -> dict[str, frozenset[str]] | None:
    """Who answered the gold items of a round; None where somebody's answers are out, or were withdrawn."""
    if not one.done("validated") or one.is_touched:
        return None
    path = workspace.round(one.id) / "annotations.parquet"
    told = tables.read_parquet(path, ["item_id", "annotator_id"])
    told = told[told["item_id"].isin(list(items))]
    return {str(item): frozenset(who) for item, who in told.groupby("item_id")["annotator_id"]}


def _confusion(workspace: Workspace, state: State) -> list[tuple[str, str, int]]:
    """What gold items were taken for, by all vendors so far."""
    vendors: list[Facts] = [one for one in annotators.newest(workspace, state) if one["annotator_id"] is None]
    cells = [cell for one in vendors for cell in cast(list[list[object]], one["confusion"])]
    return [(str(known), str(said), cast(int, times)) for known, said, times in cells]
