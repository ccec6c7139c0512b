"""The annotators: how much each answered, and how far the answers can be trusted."""

from statistics import median

from hitl.report.sections.parts import Cell, Section, Table, columns, limited
from hitl.report.sections.sources import Answer, Sources
from hitl.report.spelled import NONE, many, part
from hitl.visible import clipped

ANNOTATORS = 200
NAME = 40


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
    caption = "Agreement counts the items that somebody else answered too; gold items count apart."
    return Section(
        "annotators", "Annotators", (f"{many(len(mine), 'annotator')} answered. {caption}",),
        tables=(Table("Each annotator", heads, kept, note),),
    )  # fmt: skip


def _row(name: str, mine: list[Answer], sources: Sources) -> tuple[Cell, ...]:
    answers = [one for one in mine if one.label is not None]
    gold = [one for one in answers if one.item_id in sources.gold]
    shared = [one for one in answers if one.item_id not in sources.gold and _judged(one, sources)]
    right = part(sum(one.label == sources.gold[one.item_id] for one in gold), len(gold))
    agreed = part(sum(one.label == sources.labels[one.item_id] for one in shared), len(shared))
    times = [one.seconds for one in mine if one.seconds is not None]
    spent = f"{median(times):.1f}" if times else NONE
    return (clipped(name, NAME), f"{len(answers):,}", f"{len(mine) - len(answers):,}", agreed, right, spent)


def _judged(answer: Answer, sources: Sources) -> bool:
    """Whether the item got a label, and somebody else had a say in it."""
    others = [one for one in sources.said[answer.item_id] if one.label is not None]
    return len(others) > 1 and sources.labels.get(answer.item_id) is not None
