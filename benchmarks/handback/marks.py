"""How a case or an order came out, and the counts of a run."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

MARKS = ("UNSAFE", "LOST", "ABSENT", "VERDICT", "REASON", "EXACT")
"""From the worst to the best."""

EXACT_SHARE = 0.97


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that was run: by which way, how it came out, and what is to say about it."""

    way: str
    id: str
    mark: str
    note: str = ""

    def line(self) -> str:
        return f"{self.mark:8}{self.id} ({self.way}): {self.note}"


def worst(marks: Iterable[Mark]) -> dict[str, str]:
    """The worst mark of each id, whichever way it was run."""
    found: dict[str, str] = {}
    for one in marks:
        found[one.id] = min(one.mark, found.get(one.id, "EXACT"), key=MARKS.index)
    return found


def counts(marks: Iterable[str]) -> str:
    """The counts as one line.

    >>> counts(["EXACT", "LOST", "EXACT"])
    'UNSAFE 0 LOST 1 ABSENT 0 VERDICT 0 REASON 0 EXACT 2'
    """
    counted = Counter(marks)
    return " ".join(f"{mark} {counted[mark]}" for mark in MARKS)


def is_good(marks: Iterable[str]) -> bool:
    """Whether nothing wrong was taken, nothing right thrown away, nothing left out, and nearly all exactly as asked."""
    counted = Counter(marks)
    bad = counted["UNSAFE"] + counted["LOST"] + counted["ABSENT"]
    return not bad and counted["EXACT"] >= EXACT_SHARE * counted.total()
