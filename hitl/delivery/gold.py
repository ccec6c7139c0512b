"""Whether answers to gold items look like an annotator at work or like chance.

A ratio of two plain stories: someone who is right nine times in ten, and someone who picks classes blindly. Blind
answers are what a sorted column, a swapped legend, a bot or a poisoned account leave behind, and no structure shows it.
A right answer says more where its class is rare: blind answers hardly ever meet that one.
At these odds (Wald's bound) an annotator at work is taken for a blind one less than once in a hundred.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

COMPETENT = 0.9
ODDS = 100.0
# Fewer answers than this prove nothing, whatever they are.
MINIMUM = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """One answer to a gold item beside the known one."""

    annotator_id: str
    answer: str
    known: str

    @property
    def right(self) -> bool:
        return self.answer == self.known


def fails(marks: Collection[Mark], classes: int) -> bool:
    """Whether these answers are far likelier from blind picking than from an annotator at work."""
    if len(marks) < MINIMUM:
        return False
    return weight(marks, classes) <= -math.log(ODDS) or _is_one_answer(marks)


def failing(marks: Iterable[Mark], classes: int) -> frozenset[str]:
    """The annotators whose answers fail, each judged alone."""
    people: dict[str, list[Mark]] = {}
    for mark in marks:
        people.setdefault(mark.annotator_id, []).append(mark)
    return frozenset(who for who, own in people.items() if fails(own, classes))


def whole_fails(marks: Collection[Mark], classes: int, suspects: frozenset[str]) -> bool:
    """Whether a whole file's answers fail and `suspects` do not explain it: without them the rest looks no better."""
    if not fails(marks, classes):
        return False
    rest = [mark for mark in marks if mark.annotator_id not in suspects]
    people = {mark.annotator_id for mark in marks}
    return len(people & suspects) * 2 > len(people) or not rest or weight(rest, classes) <= 0


def weight(marks: Collection[Mark], classes: int) -> float:
    """Log odds for an annotator at work: positive when the answers speak for one.

    Against blind answers that have the same shares of classes, so that one common class makes nobody look good or bad.
    """
    said, total = Counter(mark.answer for mark in marks), len(marks) + max(classes, 2)
    return sum(_odds(mark.right, (said[mark.known] + 1) / total) for mark in marks)


def _odds(right: bool, share: float) -> float:
    """What one answer adds, where blind answers name the known class so often; never against a right answer."""
    chance = min(share, COMPETENT)
    return math.log(COMPETENT / chance) if right else math.log((1 - COMPETENT) / (1 - chance))


def _is_one_answer(marks: Collection[Mark]) -> bool:
    """The same answer to everything, wrong three times or more: chance can hide it where one class is common."""
    wrong = sum(not mark.right for mark in marks)
    return wrong > 2 and len({mark.answer for mark in marks}) == 1
