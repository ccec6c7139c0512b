"""Whether a slip of the hand shows at the gold items: an id column that slid or was sorted alone, one label for all.

A column that slid by one row can leave most answers right, where an item has two rows or there are two classes: too
many for blind answers. So the accident is undone on trial. When the answers then look like an annotator at work, and
far more so than as delivered, it did happen.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from hitl.contract import SKIP
from hitl.delivery.gold import MINIMUM, ODDS, Mark, weight

Answer = tuple[str, str]
"""An item and what was answered, a row."""

ODD_ORDER_ODDS = 30.0
"""Odds that are enough where the order of the ids is odd already: sorted, or the pack's own begun in its middle."""
FARTHEST = 3
"""Rows that a column slides at most: those of one item."""
MANY = 20
"""So many rows of one class are no small part of a batch."""
LONGEST = 100_000
"""Rows of a file whose order is looked at; a longer one has gold enough to be told by its answers alone."""


def slipped(rows: Sequence[Answer], gold: Mapping[str, str], pack: Iterable[str], classes: int) -> bool:
    """Whether the ids of `rows`, in the order of the file, slid or were sorted alone; `pack` is the order sent out."""
    before = list(_marks(rows, gold))
    if len(before) < MINIMUM:
        return False
    slides = [*_slides(rows, gold)]
    if len(rows) > LONGEST:
        return any(_is_better(after, before, classes, ODDS * len(slides)) for after in slides)
    sent = {item: place for place, item in enumerate(pack)}
    odds = ODDS * (len(slides) + 1)
    sorted_odds = ODD_ORDER_ODDS if _is_odd([item for item, _ in rows], sent) else odds
    return _is_better(_as_sent(rows, gold, sent), before, classes, sorted_odds) or any(
        _is_better(after, before, classes, odds) for after in slides
    )


def filled_down(rows: Sequence[Answer], gold: Mapping[str, str]) -> bool:
    """Whether all rows say the same of all the gold, although not all of the gold is that."""
    if len(gold) < MINIMUM or len(rows) < MANY or any(answer != rows[0][1] for _, answer in rows):
        return False
    return gold.keys() <= {item for item, _ in rows} and any(known != rows[0][1] for known in gold.values())


def _is_better(after: Sequence[Mark], before: Sequence[Mark], classes: int, odds: float) -> bool:
    """Whether the marks `after` look like an annotator at work, and so much more than those `before`."""
    if len(after) < MINIMUM:
        return False
    found, needed = weight(after, classes), math.log(odds)
    return found >= min(needed, math.log(ODDS)) and found - weight(before, classes) >= needed


def _slides(rows: Sequence[Answer], gold: Mapping[str, str]) -> Iterator[list[Mark]]:
    """The marks with every id moved some rows down, and up."""
    known = [row for row, (item, _) in enumerate(rows) if item in gold]
    for distance in range(1, FARTHEST + 1):
        for there in (distance, -distance):
            moved = ((rows[row][0], rows[row + there][1]) for row in known if 0 <= row + there < len(rows))
            yield list(_marks(moved, gold))


def _as_sent(rows: Sequence[Answer], gold: Mapping[str, str], sent: Mapping[str, int]) -> list[Mark]:
    """The marks with the ids in the order of the pack, as often as they come."""
    count = Counter(item for item, _ in rows)
    ordered = (item for item in sent for _ in range(count[item]))
    return list(_marks(zip(ordered, (answer for _, answer in rows), strict=True), gold))


def _is_odd(items: Sequence[str], sent: Mapping[str, int]) -> bool:
    """Whether the ids are sorted, and were not so sent; or begin in the middle of the pack and end where they began."""
    places = [sent[item] for item in items]
    falls = sum(after < before for before, after in pairwise(places))
    in_text_order = all(before <= after for before, after in pairwise(items))
    return falls > 0 and (in_text_order or (falls == 1 and places[-1] <= places[0]))


def _marks(rows: Iterable[Answer], gold: Mapping[str, str]) -> Iterator[Mark]:
    return (Mark("", answer, gold[item]) for item, answer in rows if item in gold and answer != SKIP)
