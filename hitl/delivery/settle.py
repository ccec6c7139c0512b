"""Settles what single rows cannot show: duplicates, conflicts, answers beyond the overlap, answers to gold items."""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Final

from hitl.contract import ANNOTATOR_ID, ITEM_ID, LABEL
from hitl.delivery import trust
from hitl.delivery.answers import Reading
from hitl.delivery.cells import RowFault
from hitl.delivery.claims import ANSWER, REVISING, TAKEN, TORN
from hitl.delivery.expectation import Expectation
from hitl.delivery.reasons import Code, Reason
from hitl.delivery.rows import Outcome, Rows
from hitl.delivery.sidecar import Sidecar
from hitl.delivery.wording import expected

# One or two bad rows are never a fault of the whole file, however short it is.
FEW_BAD_ROWS = 2

REASONS: Final[Mapping[Outcome, Reason]] = {
    Outcome.TORN: Reason.R_DUP_CONFLICT,
    Outcome.CHANGED: Reason.R_RELABEL_CONFLICT,
    Outcome.CROWDED: Reason.R_DUP_CONFLICT,
    Outcome.SUSPECT: Reason.R_ANNOTATOR_GOLD_FAIL,
}


def settle(rows: Rows, expectation: Expectation, promises: Sidecar) -> None:
    """Finds which NEW rows are not: those that repeat, contradict or crowd others."""
    contested = map(rows.claims.contested.__getitem__, rows.items)
    for row in compress(range(len(rows.items)), contested):
        if rows.outcomes[row] != Outcome.FAULT:
            rows.outcomes[row] = _settled(rows, row, expectation, promises)
            crowded = rows.claims.is_crowded(rows.items[row]) and not rows.keeps
            rows.at_odds += rows.outcomes[row] == Outcome.TORN or crowded


def _settled(rows: Rows, row: int, expectation: Expectation, promises: Sidecar) -> Outcome:
    item, annotator = rows.items[row], rows.people[row]
    slot, said = rows.claims.slot(item, annotator), rows.claims.said
    answer, earlier = said[slot] & ANSWER, rows.taken.said(item, annotator)
    if expectation.reading.repeat == "last" and rows.answers[row] != answer:
        return Outcome.SAME
    if said[slot] & TORN:
        return Outcome.TORN
    if said[slot] & TAKEN or earlier == answer:
        return Outcome.SAME
    if earlier and not (said[slot] & REVISING or _is_revision(rows, row, expectation, promises)):
        return Outcome.CHANGED
    if not earlier and not rows.keeps and _is_crowded(rows, item):
        return Outcome.CROWDED
    said[slot] |= TAKEN
    return Outcome.NEW


def systematic(rows: Rows, expectation: Expectation) -> Iterator[Reason]:
    """The reasons to refuse the file whole: a fault in one row in so many is a fault in how the file was made.

    What earlier deliveries said does not count: else the same files would be taken in one order and refused in another.
    """
    delivered = len(rows.outcomes)
    if rows.reasons[Reason.R_ID_OTHER_ROUND] * 2 > delivered:
        yield Reason.F_WRONG_ROUND
    bad = rows.reasons.total() - rows.idle + rows.at_odds
    if bad > max(FEW_BAD_ROWS, expectation.bad_row_share * (delivered - rows.idle)):
        yield Reason.F_TOO_MANY_BAD_ROWS
    if trust.whole_fails(rows, expectation):
        yield Reason.F_GOLD_FAIL


def suspect(rows: Rows, expectation: Expectation) -> None:
    """Finds which NEW rows are SUSPECT: all of an annotator whose gold answers fail, so that no gold is given away."""
    failing = {rows.taken.people[name] for name in trust.failing(rows, expectation)}
    if failing:
        for row in compress(range(len(rows.people)), map(failing.__contains__, rows.people)):
            if rows.outcomes[row] == Outcome.NEW:
                rows.outcomes[row] = Outcome.SUSPECT


def fault(rows: Rows, number: int, reading: Reading) -> RowFault:
    """Why a row is held."""
    if reading.fault is not None:
        return reading.fault
    item, annotator = rows.items[number], rows.people[number]
    match rows.outcomes[number]:
        case Outcome.TORN:
            return RowFault(Reason.R_DUP_CONFLICT, LABEL, value=reading.answer, expected=expected("one_answer"))
        case Outcome.CHANGED:
            origin = rows.taken.origin(item, annotator) or "the sha256 of the earlier delivery"
            earlier = list(rows.taken.answers)[rows.taken.said(item, annotator) - 1]
            wanted = expected("superseding", sha256=origin, earlier=earlier)
            return RowFault(Reason.R_RELABEL_CONFLICT, LABEL, value=reading.answer, expected=wanted)
    item_id, name = reading.key or ("", "")
    if rows.outcomes[number] == Outcome.CROWDED:
        wanted = expected("overlap", count=rows.taken.asked(item))
        return RowFault(Reason.R_DUP_CONFLICT, ITEM_ID, value=item_id, expected=wanted)
    wanted = "answers better than chance; ask this annotator how they understood the guideline"
    return RowFault(Reason.R_ANNOTATOR_GOLD_FAIL, ANNOTATOR_ID, value=name, expected=wanted)


def reasons(rows: Rows) -> list[Code]:
    """Why rows are held, in the order of the codes."""
    return sorted({*rows.reasons, *(reason for outcome, reason in REASONS.items() if rows.count(outcome))})


@dataclass(slots=True)
class Progress:
    """How far the round is once the NEW rows are taken; `revised` counts those that replace an earlier answer."""

    complete: int
    answered: int
    revised: int = 0


def progress(rows: Rows) -> Progress:
    """What the NEW rows of a delivery add to what was taken before."""
    taken, found = rows.taken, Progress(rows.taken.complete, rows.taken.answered)
    added, touched, starts = array("I", bytes(4 * len(taken.touched))), taken.touched, taken.pairs.starts
    new = map(Outcome.NEW.__eq__, rows.outcomes)
    for item, annotator in compress(zip(rows.items, rows.people, strict=True), new):
        if touched[item] and taken.said(item, annotator):
            found.revised += 1
            continue
        added[item] += 1
        count = added[item] + (len(list(taken.told(item))) if touched[item] else 0)
        found.answered += count == 1
        found.complete += count == starts[item + 1] - starts[item]
    return found


def warnings(rows: Rows, progress: Progress, expectation: Expectation) -> Iterator[Reason]:
    """What else the vendor should know about a delivery that is taken."""
    items = rows.taken.exported
    if rows.count(Outcome.SAME):
        yield Reason.W_DUP_IDENTICAL
    if progress.complete < len(items):
        yield Reason.W_MISSING_ITEMS
    if expectation.gold and 0 < len(items) - progress.answered == sum(_unanswered(rows, expectation)):
        yield Reason.W_GOLD_MISSING


def _unanswered(rows: Rows, expectation: Expectation) -> Iterator[bool]:
    """For each gold item of the pack whether nobody has answered it yet."""
    new = {item for item, outcome in zip(rows.items, rows.outcomes, strict=True) if outcome == Outcome.NEW}
    places = filter(lambda place: place >= 0, map(rows.taken.exported.place, expectation.gold))
    return (not rows.taken.touched[place] and place not in new for place in places)


def _is_crowded(rows: Rows, item: int) -> bool:
    """Whether more annotators answered the item than were asked; which of them to leave out would be a guess."""
    people = {who for who, _ in rows.taken.pairs.people(item)} | {who for who, _ in rows.claims.people(item)}
    return len(people) > rows.taken.asked(item)


def _is_revision(rows: Rows, row: int, expectation: Expectation, promises: Sidecar) -> bool:
    """Whether the manifest names the delivery that gave the earlier answer as superseded, or the source of both."""
    if expectation.known is None or not (promises.supersedes or promises.source):
        return False
    origin = rows.taken.origin(rows.items[row], rows.people[row])
    if promises.supersedes and origin in ("", promises.supersedes):
        return True
    return promises.source != "" and expectation.sources.get(origin) == promises.source
