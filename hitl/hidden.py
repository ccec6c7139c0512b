"""Which gold items a batch hides: none that its annotators may know, and more of the classes that people get wrong."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

EVEN = 0.5
"""The part of the gold items that is spread evenly over the classes; the rest goes where people err."""
LEVEL = 0.001
"""A trait tells gold apart where so many of them would have it by chance at most this often, over all traits."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The gold items of an earlier pack: whom it went to, and who answered them (None: that is not known for sure)."""

    vendor: str
    items: frozenset[str]
    answered: Mapping[str, frozenset[str]] | None


def seen(sent: Iterable[Sent], *, vendor: str, annotators: Collection[str]) -> frozenset[str]:
    """The gold items that somebody at `vendor` may know: all that went there in a pack.

    Where `annotators` says who works now, those that were answered by others alone are new to everybody.
    """
    known: set[str] = set()
    for one in sent:
        if one.vendor == vendor:
            known |= {item for item in one.items if _may_know(one, item, frozenset(annotators))}
    return frozenset(known)


def _may_know(one: Sent, item: str, annotators: frozenset[str]) -> bool:
    who = one.answered.get(item) if one.answered is not None else None
    return not annotators or not who or bool(who & annotators)


def hard(confusion: Iterable[tuple[str, str, int]], classes: Sequence[str]) -> dict[str, float]:
    """How often gold items of each class are answered wrong, by what they were taken for (known, said, times).

    With one wrong and one right answer more (Laplace), so that of a class nobody met yet half is expected.
    """
    of, wrong = Counter(dict.fromkeys(classes, 2)), Counter(dict.fromkeys(classes, 1))
    for known, said, times in confusion:
        of[known] += times
        wrong[known] += times if said != known else 0
    return {name: wrong[name] / of[name] for name in classes}


def gold_items(
    gold: Mapping[str, str],
    *,
    size: int,
    draws: Mapping[str, float],
    before: Collection[str] = (),
    errors: Mapping[str, float] | None = None,
) -> list[str]:
    """The ids of at most `size` items of `gold` (item -> class), sorted.

    Seats go to classes one by one by Webster's rule (Sainte-Lague), an EVEN part to all alike and the rest by `errors`;
    the items of `before`, one for each time that a class was sent, count as seats. So each class has its turn over the
    rounds, and a hard one has more. Within a class the least of `draws` goes first, and ties between classes by it too.
    """
    waiting: dict[str, list[str]] = {}
    for item in sorted(gold, key=lambda item: (draws[item], item), reverse=True):
        waiting.setdefault(gold[item], []).append(item)
    weights, seats, chosen = _weights(waiting, errors or {}), Counter(before), list[str]()
    while len(chosen) < size and waiting:
        best = min(
            waiting,
            key=lambda name: (-weights[name] / (2 * seats[name] + 1), draws[waiting[name][-1]], waiting[name][-1]),
        )
        chosen.append(waiting[best].pop())
        seats[best] += 1
        if not waiting[best]:
            del waiting[best]
    return sorted(chosen)


def _weights(classes: Collection[str], errors: Mapping[str, float]) -> dict[str, float]:
    found = {name: errors.get(name, 0.5) for name in classes}
    total = sum(found.values())
    return {
        name: EVEN / len(found) + (1 - EVEN) * (error / total if total else 1 / len(found))
        for name, error in found.items()
    }


def tells(rows: Sequence[Mapping[str, str]], gold: Collection[str]) -> list[str]:
    """By what somebody who sees the rows could tell gold items from the others, in words; empty where by nothing.

    The shape of the id (its kinds of characters), and which cells are empty: such things differ where gold was labeled
    in another place than the pool. `rows` have item_id and the columns that go out, `gold` those ids that are gold.
    Each trait is tested exactly (one-sided, Fisher), and chance finds one at most in LEVEL of all packs.
    """
    hidden = np.array([row["item_id"] in gold for row in rows], dtype=bool)
    traits = _traits(rows)
    if not hidden.any() or hidden.all():
        return []
    return [words for words, has in traits.items() if _chance(has, hidden) <= LEVEL / len(traits)]


def _traits(rows: Sequence[Mapping[str, str]]) -> dict[str, npt.NDArray[np.bool_]]:
    names = [name for name in (rows[0] if rows else {}) if name != "item_id"]
    found: dict[str, npt.NDArray[np.bool_]] = {}
    shapes = [_shape(row["item_id"]) for row in rows]
    for shape in sorted(set(shapes)):
        found[f"an item_id like {shape}"] = np.array([one == shape for one in shapes])
    for name in names:
        empty = np.array([not row[name].strip() for row in rows])
        found[f"an empty {name}"], found[f"a {name} that is not empty"] = empty, ~empty
    return {words: has for words, has in found.items() if has.any() and not has.all()}


def _shape(item_id: str) -> str:
    """The kinds of characters in it, each as often as it stands: `AB-09` and `XY-12` have one shape."""
    return "".join(
        "9" if one.isdigit() else ("a" if one.islower() else "A") if one.isalpha() else one for one in item_id
    )


def _chance(has: npt.NDArray[np.bool_], hidden: npt.NDArray[np.bool_]) -> float:
    """How likely so many or more of the hidden ones have the trait, whichever of all they are."""
    rows, with_it, drawn, both = len(has), int(has.sum()), int(hidden.sum()), int((has & hidden).sum())
    ways = sum(comb(with_it, n) * comb(rows - with_it, drawn - n) for n in range(both, min(with_it, drawn) + 1))
    return ways / comb(rows, drawn)
