"""Settles what single rows cannot show: duplicates, conflicts, answers beyond the overlap, answers to gold items."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hitl.contract import ANNOTATOR_ID, ITEM_ID, LABEL, SKIP
from hitl.delivery import gold, slip
from hitl.delivery.answers import RowReader
from hitl.delivery.cells import RowFault
from hitl.delivery.expectation import Expectation
from hitl.delivery.judgement import Annotation
from hitl.delivery.reasons import Reason
from hitl.delivery.wording import expected

Key = tuple[str, str]

# One or two bad rows are never a fault of the whole file, however short it is.
FEW_BAD_ROWS = 2


@dataclass(slots=True)
class Rows:
    """Where the rows of one delivery stand.

    `sound` are the readable rows, `faults` those held (by row number), `claims` the answer that each (item, annotator)
    got, `torn` the keys with two answers, `revising` those that name the delivery whose answer they replace. `idle`
    counts the rows nobody has begun, `duplicate` those that are not new, and `bad` those that are wrong by themselves
    or beside the others of their file, whatever earlier deliveries said.
    """

    sound: list[Annotation] = field(default_factory=list)
    faults: dict[int, RowFault] = field(default_factory=dict)
    claims: dict[Key, str] = field(default_factory=dict)
    torn: set[Key] = field(default_factory=set)
    revising: set[Key] = field(default_factory=set)
    idle: int = 0
    duplicate: int = 0
    bad: int = 0


def read(reader: RowReader) -> Rows:
    """Every row of the reader's frame, each judged alone."""
    rows = Rows()
    for row, cells in reader.frame.records():
        reading = reader.read(row, cells)
        if reading.key is not None and rows.claims.setdefault(reading.key, reading.answer) != reading.answer:
            rows.torn.add(reading.key)
        if reading.supersedes and reading.key is not None and _is_origin(reading.key, reading.supersedes, reader):
            rows.revising.add(reading.key)
        if reading.fault is not None:
            rows.faults[row] = reading.fault
            rows.idle += reading.idle
        elif reading.annotation is not None:
            rows.sound.append(reading.annotation)
    return rows


def settle(rows: Rows, expectation: Expectation, supersedes: str) -> list[Annotation]:
    """The annotations that are new. The other sound rows become duplicates or faults in `rows`."""
    crowded, new = _crowded({*expectation.taken, *rows.claims}, expectation), dict[Key, Annotation]()
    rows.bad = len(rows.faults) - rows.idle + _at_odds(rows, expectation)
    for annotation in rows.sound:
        key, answer = (annotation.item_id, annotation.annotator_id), annotation.label or SKIP
        earlier = expectation.taken.get(key)
        if key in rows.torn:
            rows.faults[annotation.row] = _two_answers(answer)
        elif key in new or earlier == answer:
            rows.duplicate += 1
        elif earlier is not None and key not in rows.revising and not _is_revision(key, expectation, supersedes):
            rows.faults[annotation.row] = _second_thoughts(answer, earlier, expectation.origin.get(key, ""))
        elif earlier is None and annotation.item_id in crowded:
            rows.faults[annotation.row] = _too_many(annotation, expectation)
        else:
            new[key] = annotation
    return list(new.values())


def systematic(rows: Rows, delivered: int, expectation: Expectation) -> Iterator[Reason]:
    """The reasons to refuse the file whole: a fault in one row in so many is a fault in how the file was made.

    What earlier deliveries said does not count: else the same files would be taken in one order and refused in another.
    """
    strangers = sum(fault.reason is Reason.R_ID_OTHER_ROUND for fault in rows.faults.values())
    if strangers * 2 > delivered:
        yield Reason.F_WRONG_ROUND
    if rows.bad > max(FEW_BAD_ROWS, expectation.bad_row_share * (delivered - rows.idle)):
        yield Reason.F_TOO_MANY_BAD_ROWS
    marks = list(_marks(rows.claims.items(), expectation))
    if gold.whole_fails(marks, len(expectation.classes), suspects(rows, expectation)) or _is_slip(rows, expectation):
        yield Reason.F_GOLD_FAIL


def suspects(rows: Rows, expectation: Expectation) -> frozenset[str]:
    """The annotators of this delivery whose answers to gold items fail, their earlier ones in the round included."""
    marks = _marks({**expectation.taken, **rows.claims}.items(), expectation) if expectation.gold else ()
    return gold.failing(marks, len(expectation.classes)) & {annotator for _, annotator in rows.claims}


def suspicion(annotation: Annotation) -> RowFault:
    """The fault of every row by an annotator whose gold answers fail: all, so that no gold item is given away."""
    wanted = "answers better than chance; ask this annotator how they understood the guideline"
    return RowFault(Reason.R_ANNOTATOR_GOLD_FAIL, ANNOTATOR_ID, value=annotation.annotator_id, expected=wanted)


def warnings(rows: Rows, new: Iterable[Annotation], expectation: Expectation) -> Iterator[Reason]:
    """What else the vendor should know about a delivery that is taken."""
    keys = {*expectation.taken, *((each.item_id, each.annotator_id) for each in new)}
    if rows.duplicate:
        yield Reason.W_DUP_IDENTICAL
    if complete_items(expectation, keys) < len(expectation.items):
        yield Reason.W_MISSING_ITEMS
    missing = expectation.items.keys() - {item for item, _ in keys} if expectation.gold else set()
    if missing and missing <= expectation.gold.keys():
        yield Reason.W_GOLD_MISSING


def complete_items(expectation: Expectation, keys: Iterable[Key]) -> int:
    """How many items have all the annotations asked for, when these (item, annotator) pairs have been accepted."""
    answered: dict[str, int] = {}
    for item, _ in set(keys):
        answered[item] = answered.get(item, 0) + 1
    return sum(answered.get(item, 0) >= expectation.overlap_of(item) for item in expectation.items)


def _is_slip(rows: Rows, expectation: Expectation) -> bool:
    """Whether a slip of the hand explains the answers better: a column that was moved, or filled down from one cell."""
    answers = [(one.item_id, one.label or SKIP) for one in rows.sound]
    return slip.slipped(answers, expectation.gold, expectation.items, len(expectation.classes)) or slip.filled_down(
        answers, expectation.gold
    )


def _marks(answers: Iterable[tuple[Key, str]], expectation: Expectation) -> Iterator[gold.Mark]:
    for (item, annotator), answer in answers:
        if answer != SKIP and item in expectation.gold:
            yield gold.Mark(annotator, answer, expectation.gold[item])


def _at_odds(rows: Rows, expectation: Expectation) -> int:
    """How many sound rows say two things of an item, or are by more annotators than were asked, in this file alone."""
    crowded = _crowded(rows.claims, expectation)
    return sum(one.item_id in crowded or (one.item_id, one.annotator_id) in rows.torn for one in rows.sound)


def _crowded(keys: Iterable[Key], expectation: Expectation) -> frozenset[str]:
    """The items that more annotators answered than were asked; which of them to leave out would be a guess."""
    people: dict[str, int] = {}
    for item, _ in keys:
        people[item] = people.get(item, 0) + 1
    return frozenset(item for item, count in people.items() if count > expectation.overlap_of(item))


def _is_origin(key: Key, named: str, reader: RowReader) -> bool:
    """Whether `named` begins the sha256 of the delivery that gave the answer which stands."""
    return reader.expectation.origin.get(key, named).startswith(named)


def _is_revision(key: Key, expectation: Expectation, supersedes: str) -> bool:
    """Whether the vendor's manifest names the delivery that gave the earlier answer as superseded."""
    known = expectation.known is not None
    return known and bool(supersedes) and expectation.origin.get(key, supersedes) == supersedes


def _two_answers(answer: str) -> RowFault:
    return RowFault(Reason.R_DUP_CONFLICT, LABEL, value=answer, expected=expected("one_answer"))


def _second_thoughts(answer: str, earlier: str, origin: str) -> RowFault:
    wanted = expected("superseding", sha256=origin or "the sha256 of the earlier delivery", earlier=earlier)
    return RowFault(Reason.R_RELABEL_CONFLICT, LABEL, value=answer, expected=wanted)


def _too_many(annotation: Annotation, expectation: Expectation) -> RowFault:
    wanted = expected("overlap", count=expectation.overlap_of(annotation.item_id))
    return RowFault(Reason.R_DUP_CONFLICT, ITEM_ID, value=annotation.item_id, expected=wanted)
