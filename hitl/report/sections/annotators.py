"""The annotators: how much each answered, and how far the answers can be trusted."""

import math
from collections.abc import Iterator
from statistics import median
from typing import cast

import numpy as np
import pandas as pd

from hitl.agreement import Measured, alpha_measured, right
from hitl.annotators import Record
from hitl.consensus.crowd import crowd_of
from hitl.drift import LEVEL
from hitl.ledger import Facts
from hitl.report.sections.parts import Badge, Cell, Section, Table, columns, limited
from hitl.report.sections.sources import Answer, Sources
from hitl.report.spelled import NONE, between, difference, many, part, percent
from hitl.visible import clipped

ANNOTATORS = 200
NAME = 40
CONFIDENCE = 0.95
"""Of the intervals in brackets."""
_MEANS = (
    "Shares have Wilson's interval. Of an annotator, kappa (Cohen) with the others of the same items; of a vendor, "
    "Krippendorff's alpha. Seconds are a median, with the median distance from it. A drift is told where chance alone "
    f"makes such a one in at most {100 * LEVEL:g} % of tests, of answers to gold items of the same class; there are "
    "two tests a record."
)


def section(sources: Sources) -> Section | None:
    """A row an annotator; None when nobody answered yet."""
    if not sources.said:
        return None
    mine: dict[str, list[Answer]] = {}
    for answers in sources.said.values():
        for one in answers:
            mine.setdefault(one.annotator_id, []).append(one)
    heads = columns(
        "annotator", "answers", "skips", "agrees with the label", "gold right", "seconds an item",
        number=("answers", "skips", "agrees with the label", "gold right", "seconds an item"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [_row(name, mine[name], sources) for name in sorted(mine)]
    kept, note = limited(rows, ANNOTATORS, "annotators")
    caption = (
        "Agreement counts the items that somebody else answered too; gold items count apart, with a 95 % interval in "
        "brackets."
    )
    return Section(
        "annotators", "Annotators", (f"{many(len(mine), 'annotator')} answered. {caption}", *_together(sources)),
        tables=(
            Table("Each annotator, in this round", heads, kept, note),
            *_so_far(sources.records),
            *_regraded(sources.regraded),
        ),
    )  # fmt: skip


def _together(sources: Sources) -> tuple[str, ...]:
    """How far the annotators agree beyond chance; nothing where no item has two answers."""
    said = [(one.item_id, one.annotator_id, one.label) for answers in sources.said.values() for one in answers]
    crowd = crowd_of(pd.DataFrame(said, columns=["item_id", "annotator_id", "label"], dtype=object))
    rule = sources.params.evaluate
    rng = np.random.default_rng(rule.seed)
    found = alpha_measured(crowd.votes, draws=rule.bootstrap, confidence=rule.confidence, rng=rng)
    if math.isnan(found.value):
        return ()
    span = f"{percent(rule.confidence, 0)} interval {found.low:.2f} to {found.high:.2f}"
    return (
        f"Krippendorff's alpha is {found.value:.2f} over {many(found.of, 'item')} with two answers or more ({span}): "
        "1 is perfect agreement, 0 that of chance. Hard items make it low among honest people too.",
    )


def _so_far(records: tuple[Record, ...]) -> Iterator[Table]:
    """How vendors and annotators did over all rounds, and what they took gold items for; nothing before any closed."""
    if not records:
        return
    heads = columns(
        "who", "rounds", "answers", "gold right", "agrees with the label", "kappa or alpha", "seconds an answer",
        "drift",
        number=("rounds", "answers", "gold right", "agrees with the label", "kappa or alpha", "seconds an answer"),
    )  # fmt: skip
    kept, note = limited([_record(one) for one in records], ANNOTATORS, "records")
    yield Table("All rounds so far, each vendor and its annotators", heads, kept, f"{note} {_MEANS}".strip())
    wrong = [(one, *cell) for one in records if one.annotator_id for cell in one.confusion if cell[0] != cell[1]]
    wrong.sort(key=lambda cell: (-cell[3], cell[0].vendor, str(cell[0].annotator_id), cell[1:3]))
    rows: list[tuple[Cell, ...]] = [
        (_who(one), clipped(known, NAME), clipped(said, NAME), f"{times:,}") for one, known, said, times in wrong
    ]
    if rows:
        heads = columns("who", "gold item is", "was taken for", "times", number=("times",))
        kept, note = limited(rows, ANNOTATORS, "confusions")
        yield Table("What gold items were taken for", heads, kept, note, folded=True)


def _regraded(found: Facts | None) -> Iterator[Table]:
    """What corrected gold changed: the answers, the people, and verdicts that would be others; receipts stand."""
    if found is None:
        return
    items, people, deliveries = (cast(list[Facts], found[name]) for name in ("items", "people", "deliveries"))
    heads = columns("gold item", "was known as", "is", code=("gold item",))
    rows: list[tuple[Cell, ...]] = [
        (*(clipped(str(one[name]), NAME) for name in ("item_id", "was")), clipped(str(one["label"] or NONE), NAME))
        for one in items
    ]
    yield Table("Gold that was corrected since the round before", heads, *limited(rows, ANNOTATORS, "items"))
    heads = columns("who", "right before", "right by now", number=("right before", "right by now"))
    rows = [
        (clipped(str(one["annotator_id"] or one["vendor"]), NAME), _graded(one["before"]), _graded(one["after"]))
        for one in people
    ]
    yield Table("Whose answers count otherwise by it", heads, *limited(rows, ANNOTATORS, "records"))
    heads = columns("delivery", "round", "was answered", "would be answered")
    rows = [
        tuple(clipped(str(one[name]), NAME) for name in ("file", "round", "verdict", "would_be")) for one in deliveries
    ]
    note = "Its receipt stands: it says what was known then."
    if rows:
        yield Table("Deliveries that would be answered otherwise by it", heads, tuple(rows[:ANNOTATORS]), note)


def _graded(found: object) -> str:
    told = cast(dict[str, int], found)
    return part(told["right"], told["of"])


def _record(one: Record) -> tuple[Cell, ...]:
    concord = one.alpha if one.annotator_id is None else one.kappa
    pace = f"{one.seconds.value:.1f} ± {one.spread:.1f}" if one.seconds.of else NONE
    return (
        _who(one),
        f"{len(one.rounds):,}",
        f"{one.answers:,}",
        _span(one.gold),
        _span(one.agrees),
        NONE if math.isnan(concord.value) else f"{concord.value:.2f} [{concord.low:.2f} to {concord.high:.2f}]",
        pace,
        _drift(one),
    )


def _who(one: Record) -> str:
    vendor = clipped(one.vendor, NAME)
    return (
        f"{vendor}, {many(one.annotators, 'annotator')}"
        if one.annotator_id is None
        else clipped(one.annotator_id, NAME)
    )


def _span(found: Measured) -> str:
    if not found.of:
        return NONE
    return f"{percent(found.value, 0)} of {found.of:,} [{between('accuracy', found.low, found.high)}]"


def _drift(one: Record) -> Cell:
    said = [
        f"{difference('accuracy', drift.change.value)} points {where} (p {drift.p:.4f})"
        for drift, where in ((one.by_round, "from round to round"), (one.by_position, "late in a session"))
        if drift.is_real
    ]
    return Badge("; ".join(said), "fair") if said else NONE


def _row(name: str, mine: list[Answer], sources: Sources) -> tuple[Cell, ...]:
    answers = [one for one in mine if one.label is not None]
    gold = [one for one in answers if one.item_id in sources.gold]
    shared = [one for one in answers if one.item_id not in sources.gold and _judged(one, sources)]
    agreed = part(sum(one.label == sources.labels[one.item_id] for one in shared), len(shared))
    times = [one.seconds for one in mine if one.seconds is not None]
    spent = f"{median(times):.1f}" if times else NONE
    return (
        clipped(name, NAME),
        f"{len(answers):,}",
        f"{len(mine) - len(answers):,}",
        agreed,
        _right(gold, sources),
        spent,
    )


def _right(gold: list[Answer], sources: Sources) -> str:
    found = right([str(one.label) for one in gold], [sources.gold[one.item_id] for one in gold], CONFIDENCE)
    told = part(sum(one.label == sources.gold[one.item_id] for one in gold), len(gold))
    return f"{told} [{between('accuracy', found.low, found.high)}]" if gold else told


def _judged(answer: Answer, sources: Sources) -> bool:
    """Whether the item got a label, and somebody else had a say in it."""
    others = [one for one in sources.said[answer.item_id] if one.label is not None]
    return len(others) > 1 and sources.labels.get(answer.item_id) is not None
