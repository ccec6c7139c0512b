"""The guideline: whether answers shifted when it changed, which older labels that makes doubtful, what people ask."""

from collections.abc import Mapping, Sequence
from typing import cast

from hitl.guideline import LEVEL
from hitl.ledger import Facts
from hitl.report.sections.parts import Section, Table, columns, limited
from hitl.report.sections.sources import Sources
from hitl.report.spelled import many, percent
from hitl.visible import clipped

SHOWN = 100
NAME = 40
COMMENT = 300
_DIGITS = 12


def section(sources: Sources) -> Section | None:
    """What is known of the guideline of now; None where it never changed and nobody asked anything."""
    found = sources.guideline
    if found is None or not (found["change"] or found["questions"]):
        return None
    change, asked = cast(Facts | None, found["change"]), cast(Sequence[Facts], found["questions"])
    words = [f"This round went out with guideline {str(found['guideline'])[:_DIGITS]}."]
    tables: list[Table] = []
    if change is not None:
        words.append(_said(change))
        tables += _shift(change)
    if asked:
        words.append(f"Annotators remarked on {many(len(asked), 'item')} under it: answer them in the next version.")
        tables.append(_questions(asked))
    return Section("guideline", "Guideline", tuple(words), tables=tuple(tables))


def _said(change: Facts) -> str:
    before, after = (", ".join(names) for names in cast(Sequence[Sequence[str]], change["rounds"]))
    began = f"It replaced {str(change['before'])[:_DIGITS]} ({before}) and was used in {after}."
    p = cast(float | None, change["p"])
    if p is None:
        return f"{began} No kind of item was asked about under both, so whether answers shifted cannot be told."
    test = (
        f"permutations of like items (gold of a class, or taken for a class by the model), p {p:.4f}; where nothing "
        f"shifts, this is said of at most {percent(LEVEL, 0)} of changes"
    )
    if not change["is_real"]:
        return f"{began} Answers to like items did not shift beyond chance ({test})."
    count = len(cast(Sequence[Facts], change["doubtful"]))
    return (
        f"{began} Answers to like items shifted ({test}). Whatever else changed at that time may be why, too. "
        f"{many(count, 'older label')} {'is' if count == 1 else 'are'} doubtful."
    )


def _shift(change: Facts) -> list[Table]:
    moved, doubtful = (cast(Sequence[Mapping[str, object]], change[name]) for name in ("moved", "doubtful"))
    if not moved:
        return []
    heads = columns("kind of item", "was given", "before", "after", "items", number=("before", "after", "items"))
    rows = [
        (
            clipped(str(one["kind"]), NAME),
            clipped(str(one["label"]), NAME),
            *(percent(cast(float, one[name]), 0) for name in ("before", "after")),
            " / ".join(f"{count:,}" for count in cast(Sequence[int], one["items"])),
        )
        for one in moved
    ]
    kept, note = limited([*rows], SHOWN, "shifts")
    tables = [Table("What shifted with the guideline", heads, kept, note)]
    old = [
        (*(clipped(str(one[name]), NAME) for name in ("item_id", "label", "kind")), str(one["round"]))
        for one in doubtful
    ]
    if old:
        kept, note = limited([*old], SHOWN, "labels")
        heads = columns("item", "label", "kind of item", "labeled in", code=("item",))
        tables.append(Table("Older labels that are doubtful now", heads, kept, note, folded=True))
    return tables


def _questions(asked: Sequence[Facts]) -> Table:
    rows = [
        (
            clipped(str(one["item_id"]), NAME),
            str(one["count"]),
            str(one["round"]),
            clipped(" · ".join(text for _, text in cast(Sequence[Sequence[str]], one["comments"])), COMMENT),
        )
        for one in asked
    ]
    kept, note = limited([*rows], SHOWN, "items")
    heads = columns("item", "comments", "round", "what they say, questions first", number=("comments",))
    return Table("What annotators ask and remark", heads, kept, note)
