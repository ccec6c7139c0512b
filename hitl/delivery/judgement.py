"""The answer to one delivery: a verdict, and exactly one outcome for every row in it."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["accept", "quarantine", "reject"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One accepted answer; `label` is None for a skip, `row` its data row in the file, from 1."""

    item_id: str
    annotator_id: str
    label: str | None
    labeled_at: str | None
    seconds: float | None
    comment: str | None
    row: int


@dataclass(frozen=True, slots=True)
class Held:
    """One row kept back: where, what, why, and a certain fix if there is one. `cells` are the row as delivered."""

    row: int
    column: str
    value: str
    code: str
    expected: str
    proposed: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What `judge` found. delivered = accepted + quarantined + duplicate, and `held` has one entry a quarantined row.

    A rejected file that could be read has all its rows in `held`; one that could not has no rows at all.
    `supersedes` is the delivery (sha256) whose answers an accepted annotation may revise, "" if none.
    """

    round: str
    sha256: str
    file: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    duplicate: int = 0
    annotations: tuple[Annotation, ...] = ()
    held: tuple[Held, ...] = ()
    header: tuple[str, ...] = ()
    supersedes: str = ""

    @property
    def accepted(self) -> int:
        return len(self.annotations)

    @property
    def quarantined(self) -> int:
        return len(self.held)

    @property
    def delivered(self) -> int:
        """Data rows in the file that are not blank: the sum of the three outcomes, always."""
        return self.accepted + self.quarantined + self.duplicate


def refused(reason: str, *, round_id: str, file: str, sha256: str = "") -> Judgement:
    """The judgement of a file that was never read: a link, a wrong name, too large, still being written."""
    return Judgement(round=round_id, sha256=sha256, file=file, verdict="reject", reasons=(reason,))
