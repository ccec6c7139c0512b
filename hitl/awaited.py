"""What an open round still waits for, and from whom: items and people, by the answers that stand."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from hitl.delivery.expectation import Expectation
from hitl.ledger import Facts
from hitl.visible import clipped

UNKNOWN: Facts = {"annotators": None, "silent": None, "items_missing": None, "missing_items": None}
"""What is said of a round that was not looked into."""
NAMED = 100
"""So many items are named in the facts; the others are counted."""
SHOWN = 5
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Awaited:
    """The answers that stand, by annotator (0 for one of the roster who sent none), and the items that lack some.

    Items have the ids under which they were sent, sorted.
    """

    answers: Mapping[str, int]
    missing: tuple[str, ...]

    def facts(self) -> Facts:
        """The same as JSON-able values, with who of the roster has sent nothing yet; the first NAMED items only."""
        return {
            "annotators": dict(self.answers),
            "silent": [who for who, count in self.answers.items() if not count],
            "items_missing": len(self.missing),
            "missing_items": list(self.missing[:NAMED]),
        }


def awaited(wanted: Expectation) -> Awaited:
    """What is missing of `wanted`, after the deliveries that it says were taken."""
    people, items = Counter(who for _, who in wanted.taken), Counter(item_id for item_id, _ in wanted.taken)
    return Awaited(
        answers={who: people[who] for who in sorted({*wanted.annotators, *people})},
        missing=tuple(sorted(one for one in wanted.items if items[one] < wanted.overlap_of(one))),
    )


def lines(said: Facts) -> list[str]:
    """The facts for a person, the first few people and items only; nothing of a round that was not looked into."""
    answers = cast(Mapping[str, int], said["annotators"] or {})
    silent, missing = cast(Sequence[str], said["silent"] or ()), cast(Sequence[str], said["missing_items"] or ())
    sent = [f"{clipped(who, _LONGEST)} {count}" for who, count in answers.items() if count]
    people = [f"answers of {_few(sent)}"] if sent else []
    people += [f"nothing yet from {_few(silent)}"] if silent else []
    count = cast(int, said["items_missing"])
    items = [f"{count} items lack answers: {_few(missing, count)}"] if missing else []
    return [*(["; ".join(people)] if people else []), *items]


def _few(names: Sequence[str], count: int | None = None) -> str:
    count = len(names) if count is None else count
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    return ", ".join(clipped(one, _LONGEST) for one in names[:SHOWN]) + more
