"""From annotations to labels: what was settled, what goes to adjudication, and the estimate on the pool."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from hitl import overlap
from hitl.consensus.calibration import Bin, error
from hitl.label_errors import InDoubt
from hitl.ledger import Facts
from hitl.report.charts import reliability_chart, share_chart
from hitl.report.sections.batch import content
from hitl.report.sections.parts import Cell, Column, Figure, Section, Table, columns, limited
from hitl.report.sections.sources import Sources
from hitl.report.spelled import between, many, part, percent
from hitl.visible import clipped

ITEMS = 200
NAME = 40

_SETTLED = "hitl adjudicate writes what waits to a file, and takes the decisions back."
_ASKED = "They go out again before new items where one more answer is expected to bring more."


def section(sources: Sources) -> Section | None:
    """Counts and the items without a label; None before annotations became labels."""
    facts = sources.facts("resolved")
    if not facts:
        return None
    open_items = sorted(item_id for item_id, label in sources.labels.items() if label is None)
    agreement = cast(float | None, facts.get("agreement"))
    gold = cast(Mapping[str, int], facts.get("gold", {}))
    settled, skips = (many(cast(int, facts[key]), noun) for key, noun in (("resolved", "item"), ("skipped", "skip")))
    said = [f"{settled} got a label, {many(len(open_items), 'item')} did not; {skips}."]
    said += (
        [f"Two annotators of the same item agree {percent(agreement, 0)} of the time."] if agreement is not None else []
    )
    if facts.get("adjudicated"):
        said.append(f"Adjudicators settled {many(cast(int, facts['adjudicated']), 'item')} since the round before.")
    if gold.get("answered"):
        said += [f"Gold answers right: {part(gold['correct'], gold['answered'])}."]
    said += [f"Method: {facts['method']} ({facts['why']})."] if facts.get("method") else []
    again = _again(facts, sources)
    settling = [item_id for item_id in open_items if item_id not in again]
    said += _overlapped(facts, sources, again)
    said += [] if settling else ["Nothing goes to adjudication."]
    if sources.doubted is not None:
        count = many(len(sources.doubted), "label")
        said.append(f"Of all labels so far {count} {'is' if len(sources.doubted) == 1 else 'are'} in doubt.")
    tables = (
        *_open("Items for adjudication", settling, sources, _SETTLED),
        *_open("Items for another annotator", sorted(again), sources, _ASKED),
        *_doubted(sources.doubted or ()),
    )
    return Section("labels", "Labels", tuple(said), _reliability(facts), tables)


def _again(facts: Facts, sources: Sources) -> frozenset[str]:
    """The items without a label that wait for another annotator, by all the answers that they have."""
    answers, most = cast(Mapping[str, int], facts.get("answers", {})), overlap.most(sources.params)
    return frozenset(item_id for item_id, count in answers.items() if count < most)


def _overlapped(facts: Facts, sources: Sources, again: Collection[str]) -> list[str]:
    """What became of the items that were asked about again, and how many are to be."""
    pooled = cast(list[str], facts.get("pooled", []))
    settled = sum(sources.labels.get(item) is not None for item in pooled)
    said = [f"Of {many(len(pooled), 'item')} asked about again {settled} got a label by all their answers."]
    waits = f"{many(len(again), 'item')} without one wait{'s' if len(again) == 1 else ''} for another annotator"
    return (said if pooled else []) + ([f"{waits}, before an adjudicator."] if again else [])


def pool(sources: Sources) -> Section | None:
    """How often the model is right on the pool, from the random slice; None when nothing can be said."""
    facts = cast(Mapping[str, float | None], sources.facts("resolved").get("pool_accuracy", {}))
    estimate, low, high = facts.get("estimate"), facts.get("low"), facts.get("high")
    if estimate is None or low is None or high is None:
        return None
    sure = percent(sources.params.evaluate.confidence, 0)
    said = (
        f"Of {many(int(facts['items'] or 0), 'item')} drawn at random from the pool, the model that chose this batch "
        f"was right on {percent(estimate)} ({sure} interval {between('accuracy', low, high)}). "
        "No other item may stand for the pool: the rest were picked because they are hard."
    )
    figure = Figure(share_chart(estimate, low, high), f"Estimated accuracy on the pool, with its {sure} interval.")
    return Section("pool", "Accuracy on the pool", (said,), (figure,))


def _reliability(facts: Facts) -> tuple[Figure, ...]:
    """Confidence beside the share right, where gold told it."""
    bins = [Bin(**one) for one in cast(list[dict[str, Any]], facts.get("reliability", []))]
    if not bins:
        return ()
    items = many(sum(one.items for one in bins), "gold item")
    caption = (
        f"How often the crowd was right on {items}, against how sure we were of it; each dot is a group of items with "
        f"the 95 % interval of its share. Off the line by {percent(error(tuple(bins)))} on average."
    )
    return (Figure(reliability_chart(bins), caption),)


def _open(title: str, open_items: list[str], sources: Sources, what_now: str) -> tuple[Table, ...]:
    if not open_items:
        return ()
    heads = (Column("item"), Column("shown", "content"), Column("people said"))
    rows: list[tuple[Cell, ...]] = [
        (clipped(item_id, NAME), content(item_id, sources), _votes(item_id, sources)) for item_id in open_items[:ITEMS]
    ]
    note = f"The first {ITEMS} of {len(open_items):,} items are shown." if len(open_items) > ITEMS else ""
    return (Table(title, heads, tuple(rows), f"{note} {what_now}".strip(), cards=True),)


def _doubted(found: Sequence[InDoubt]) -> tuple[Table, ...]:
    if not found:
        return ()
    rows: list[tuple[Cell, ...]] = [
        (*(clipped(text, NAME) for text in (one.item_id, one.label, one.instead)), percent(one.sure, 0))
        for one in found
    ]
    kept, note = limited(rows, ITEMS, "labels")
    said = "By models that did not learn them (confident learning); hitl adjudicate puts them into its file."
    heads = columns("item", "its label", "a model says", "probability", number=("probability",))
    return (Table("Labels in doubt, the worst first", heads, kept, f"{note} {said}".strip()),)


def _votes(item_id: str, sources: Sources) -> str:
    said = sources.said.get(item_id, ())
    votes = Counter("skip" if one.label is None else clipped(one.label, NAME) for one in said)
    return " · ".join(f"{votes[name]} × {name}" for name in sorted(votes, key=lambda name: (-votes[name], name)))
