"""Whether answers to gold items look like an annotator at work or like chance.

A ratio of two plain stories: someone who is right nine times in ten, and someone who picks classes blindly. Blind
answers are what a sorted column, a swapped legend, a bot or a poisoned account leave behind, and no structure shows it.
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
# Where one class is nearly everything, blind answers cannot be told from good ones; the odds must stay finite.
_COMMON = 0.75


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
    return _weight(marks, classes) <= -math.log(ODDS) or _is_one_answer(marks)


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
    return len(people & suspects) * 2 > len(people) or not rest or _weight(rest, classes) <= 0


def _weight(marks: Collection[Mark], classes: int) -> float:
    """Log odds for an annotator at work: positive when the answers speak for one."""
    chance = _chance(marks, classes)
    right = sum(mark.right for mark in marks)
    for_right, for_wrong = math.log(COMPETENT / chance), math.log((1 - COMPETENT) / (1 - chance))
    return right * for_right + (len(marks) - right) * for_wrong


def _chance(marks: Collection[Mark], classes: int) -> float:
    """How often blind answers with these shares of classes would be right: more often when one class is common."""
    answers, known = Counter(mark.answer for mark in marks), Counter(mark.known for mark in marks)
    met = sum(count * known[answer] for answer, count in answers.items()) / len(marks) ** 2
    return min(max(met, 1 / max(classes, 2)), _COMMON)


def _is_one_answer(marks: Collection[Mark]) -> bool:
    """The same answer to everything, wrong three times or more: chance can hide it where one class is common."""
    wrong = sum(not mark.right for mark in marks)
    return wrong > 2 and len({mark.answer for mark in marks}) == 1
