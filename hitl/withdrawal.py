"""Withdrawals: what an undo takes out of what came, so that a round is as if those rows had never come."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from hitl.ledger import Facts

Kind = Literal["delivery", "annotator", "round", "decision", "exclusion"]
"""What can be undone; without an exclusion the answers of its annotator count again."""
CLOSED = "F_ROUND_CLOSED"

Counts = tuple[int, int]
"""Of a delivery that stands, the rows accepted, and those of them that replace an earlier answer."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A delivery as it was answered, taken or refused; `withdrawn` whole, or `without` the rows of these annotators."""

    facts: Facts
    withdrawn: bool = False
    without: frozenset[str] = frozenset()

    @property
    def sha256(self) -> str:
        return cast(str, self.facts["delivery"])

    @property
    def may_stand(self) -> bool:
        """Whether it counts, or would where others were withdrawn; what came too late never does."""
        return not self.withdrawn and CLOSED not in cast(list[str], self.facts.get("reasons", []))

    def less(self, kind: Kind, of: str, round_id: str) -> "Arrived":
        """What is left of it, in round `round_id`, without a delivery (sha256), an annotator, a round, an exclusion.

        What adjudicators decided is no delivery: to withdraw that leaves it as it is.
        """
        if kind == "exclusion":
            return replace(self, without=self.without - {of})
        if kind == "annotator":
            return replace(self, without=self.without | {of})
        return replace(self, withdrawn=self.withdrawn or of in (self.sha256, round_id))


def counts(delivery: Facts) -> Counts:
    """The counts of a delivery as its receipt told them."""
    return cast(Mapping[str, int], delivery["rows"])["accepted"], cast(int, delivery.get("revised", 0))


def correction(owed: Facts) -> str:
    """What was paid for rows that were withdrawn since, in words."""
    return f"{owed['annotations']} annotations, {owed['amount']} {owed['currency']}"
