"""The answer to one delivery: a verdict, and exactly one outcome for every row in it."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

Verdict = Literal["accept", "quarantine", "reject"]
One = TypeVar("One")


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
    """One row kept back: where, what, why, and a certain fix if there is one. `cells` are the row as delivered.

    `place` is where the answer stands in the export of a tool, "" in a CSV of ours.
    """

    row: int
    column: str
    value: str
    code: str
    expected: str
    proposed: str
    cells: tuple[str, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Retold(Collection[One]):
    """So many rows of a delivery, read again from it each time they are asked for."""

    count: int
    tell: Callable[[], Iterator[One]]

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[One]:
        return self.tell() if self.count else iter(())

    def __contains__(self, one: object) -> bool:
        return any(one == other for other in self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What `judge` found. Every row delivered was accepted, quarantined, or a duplicate.

    `annotations` tells the accepted rows and `held` the quarantined ones, in the order of the file, as often as they
    are asked for; they read the delivery again, so it must still be there. `revised` counts the accepted rows that
    replace an earlier answer, `complete` the items that have all their answers now. A rejected file that could be read
    has all its rows in `held`; one that could not has no rows at all.
    `supersedes` is the delivery (sha256) that the vendor's manifest says this one revises, "" if none; `source` is
    what it says this one is the latest state of.
    `note` says in words what no code can, `tool` whose export it is (a name in `hitl.formats`), "" for a CSV of ours.
    """

    round: str
    sha256: str
    file: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    revised: int = 0
    complete: int = 0
    annotations: Iterable[Annotation] = ()
    held: Iterable[Held] = ()
    header: tuple[str, ...] = ()
    supersedes: str = ""
    note: str = ""
    tool: str = ""
    source: str = ""

    @property
    def delivered(self) -> int:
        """Data rows in the file that are not blank: the sum of the three outcomes, always."""
        return self.accepted + self.quarantined + self.duplicate


def refused(reason: str, *, round_id: str, file: str, sha256: str = "", note: str = "") -> Judgement:
    """The judgement of a file that was never read: a link, a wrong name, too large, still being written."""
    return Judgement(round=round_id, sha256=sha256, file=file, verdict="reject", reasons=(reason,), note=note)
