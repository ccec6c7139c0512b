"""Overlap that pays: which items without consensus go to one more annotator before they go to an adjudicator.

An item waits for one or for the other, never for both.
"""

from collections.abc import Mapping

from hitl.params import Params
from hitl.state import State, Unsettled

REASON = "overlap"
"""Why such an item is in a batch."""


def most(params: Params) -> int:
    """How many annotators an item may get over all rounds before an adjudicator; 0 where no item is asked again.

    A roster ends it sooner: nobody answers an item twice.
    """
    limit, roster = params.export.overlap_most, len(params.delivery.annotators)
    return 0 if limit is None else min(limit, roster or limit)


def waiting(params: Params, state: State) -> dict[str, Unsettled]:
    """The items that wait for another annotator: no label, no decision, and fewer answers than params allow."""
    limit = most(params)
    return {item: one for item, one in state.unsettled.items() if one.answers is not None and one.answers < limit}


def for_adjudicator(params: Params, state: State) -> dict[str, Unsettled]:
    """The other items without a label: they wait for an adjudicator."""
    others = waiting(params, state)
    return {item: one for item, one in state.unsettled.items() if item not in others}


def cost(params: Params) -> float:
    """The annotations that a new item asks for, on the average."""
    return 1 + params.export.overlap_share * (params.export.overlap - 1)


def barred(answered: Mapping[str, Mapping[str, str]], vendor: str) -> dict[str, list[str]]:
    """Who at this vendor may not answer an item again, by item; `answered` has the vendor of each who did."""
    found = {item: sorted(who for who, at in people.items() if at == vendor) for item, people in answered.items()}
    return {item: people for item, people in found.items() if people}
