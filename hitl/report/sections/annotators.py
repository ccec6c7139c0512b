"""The annotators: how much each answered, and how far the answers can be trusted."""

import math
from statistics import median

import numpy as np
import pandas as pd

from hitl.agreement import alpha_measured, right
from hitl.consensus.crowd import crowd_of
from hitl.report.sections.parts import Cell, Section, Table, columns, limited
from hitl.report.sections.sources import Answer, Sources
from hitl.report.spelled import NONE, between, many, part, percent
from hitl.visible import clipped

ANNOTATORS = 200
NAME = 40
CONFIDENCE = 0.95
"""Of the intervals in brackets."""


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
        tables=(Table("Each annotator", heads, kept, note),),
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
