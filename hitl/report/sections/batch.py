"""The batch: why these items, what the model thought of them, what people said."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import mean
from typing import cast

from hitl.report.charts import bar_chart
from hitl.report.png import thumbnail
from hitl.report.sections.parts import (
    Badge,
    Cell,
    Column,
    Picture,
    Section,
    Table,
    columns,
    limited,
)
from hitl.report.sections.sources import Answer, BatchItem, Sources
from hitl.report.spelled import NONE, many, part, percent
from hitl.visible import clipped

ITEMS = 200
CLASSES = 100
TEXT = 160
NAME = 40
_WHY = {
    "uncertain": "the model was least sure of these",
    "diverse": "chosen to cover the pool, whatever the model makes of them",
    "rare": "the model's best guess at a class with few labels",
    "random": "drawn at random, to estimate accuracy on the whole pool",
    "gold": "answer known: a check on the annotators",
    "reissued": "sent out before, and nobody answered",
    "overlap": "no consensus yet: one more annotator was asked",
}

_HINTS: tuple[tuple[Callable[[BatchItem], bool], str], ...] = (
    (lambda one: one.utility is not None, "Utility: how much the strategy wants the item; the higher, the sooner."),
    (
        lambda one: one.selection_probability is not None,
        "Chance: how likely each item of the pool was to be drawn at random.",
    ),
    (
        lambda one: one.nearest_item is not None,
        "Nearest to: the labeled item most like it as the model sees them, and its label.",
    ),
)


def section(sources: Sources) -> Section | None:
    """Counts per reason and class, and the items; None when the round has no batch."""
    if not sources.batch:
        return None
    strategy = sources.facts("opened").get("strategy", sources.params.query.strategy)
    said = (
        f"{many(len(sources.batch), 'item')} went out, chosen by the query strategy {clipped(str(strategy), NAME)!r}."
    )
    tables = (_reasons(sources), _classes(sources), *_mix(sources), _items(sources))
    return Section("batch", "The batch", (said, *_masked(sources)), tables=tables, beside=True)


def _masked(sources: Sources) -> tuple[str, ...]:
    counts = cast(Mapping[str, int], sources.facts("exported").get("masked", {}))
    listed = ", ".join(f"{name} in {many(count, 'cell')}" for name, count in counts.items())
    return (f"Masked in the vendor's copy: {listed}.",) if listed else ()


def _reasons(sources: Sources) -> Table:
    found = Counter(one.reason for one in sources.batch)
    rows = tuple(_reason(name, sources) for name in sorted(found, key=lambda name: (-found[name], name)))
    heads = columns(
        "reason", "items", "why", "mean confidence", "people confirmed the model", number=("items", "mean confidence")
    )
    return Table("Why these items", heads, rows)


def _reason(name: str, sources: Sources) -> tuple[Cell, ...]:
    items = [one for one in sources.batch if one.reason == name]
    sure = [one.model_confidence for one in items if one.model_confidence is not None]
    settled = [one for one in items if sources.labels.get(one.item_id) is not None and one.model_class is not None]
    right = sum(sources.labels[one.item_id] == one.model_class for one in settled)
    confirmed = part(right, len(settled))
    return (
        clipped(name, NAME),
        f"{len(items):,}",
        _WHY.get(name, ""),
        percent(mean(sure), 0) if sure else NONE,
        confirmed,
    )


def _classes(sources: Sources) -> Table:
    model = Counter(one.model_class for one in sources.batch)
    people = Counter(sources.labels.get(one.item_id) for one in sources.batch)
    most = max([1, *model.values(), *people.values()])
    rows: list[tuple[Cell, ...]] = [
        (
            clipped(name, NAME),
            f"{model[name]:,}",
            f"{people[name]:,}",
            bar_chart(people[name] / most, f"{people[name]} labels"),
        )
        for name in sources.params.data.classes
    ]
    kept, note = limited(rows, CLASSES, "classes")
    heads = columns("class", "the model said", "it became", "", number=("the model said", "it became"))
    return Table("Classes", heads, kept, note, folded=len(rows) > 20)


def _mix(sources: Sources) -> tuple[Table, ...]:
    """Where the batch is made of other items than the pool; nothing when that is not known."""
    if not sources.mix:
        return ()
    rows = tuple(
        (clipped(one.name, NAME), clipped(one.value, NAME), percent(one.batch, 0), percent(one.pool, 0))
        for one in sources.mix
    )
    heads = columns("", "is", "in the batch", "in the pool", number=("in the batch", "in the pool"))
    note = "The largest differences. The pool is told by items drawn from it at random; a class is what the model said."
    return (Table("How the batch differs from the pool", heads, rows, note),)


def _items(sources: Sources) -> Table:
    ordered = sorted(sources.batch, key=_order)
    names = ("item", "shown", "why", "the model said", "people said", "label")
    heads = tuple(Column(name, "content" if name == "shown" else "text") for name in names)
    said = [f"The first {ITEMS} of {len(ordered):,} items are shown."] if len(ordered) > ITEMS else []
    said += [saying for is_there, saying in _HINTS if any(map(is_there, ordered))]
    note = " ".join(said)
    rows = tuple(_item(one, sources) for one in ordered[:ITEMS])
    return Table("Items in the order they were picked", heads, rows, note, cards=True)


def _item(item: BatchItem, sources: Sources) -> tuple[Cell, ...]:
    utility = f" · utility {item.utility:.3f}" if item.utility is not None else ""
    odds = f" · chance {_chance(item.selection_probability)}" if item.selection_probability is not None else ""
    near = f" · nearest to {clipped(item.nearest_item, NAME)}" if item.nearest_item is not None else ""
    near += f" ({clipped(item.nearest_label, NAME)})" if item.nearest_label is not None else ""
    sure = f" ({percent(item.model_confidence, 0)})" if item.model_confidence is not None else ""
    thought = f"{clipped(item.model_class, NAME)}{sure}" if item.model_class is not None else NONE
    said = _said(sources.said.get(item.item_id, ()))
    shown = content(item.item_id, sources)
    return (
        clipped(item.item_id, NAME),
        shown,
        f"{clipped(item.reason, NAME)}{utility}{odds}{near}",
        thought,
        said,
        _label(item, sources),
    )


def _chance(probability: float) -> str:
    """A chance in percent, with digits enough to be told from none."""
    return f"{100 * probability:.2g} %" if probability < 1 else "100 %"


def pictured(batch: Iterable[BatchItem], labels: Mapping[str, str | None]) -> frozenset[str]:
    """The items whose content the page shows: the first of the batch, and the first that nobody settled."""
    first = sorted(batch, key=_order)[:ITEMS]
    unsettled = sorted(item_id for item_id, label in labels.items() if label is None)
    return frozenset(one.item_id for one in first) | frozenset(unsettled[:ITEMS])


def content(item_id: str, sources: Sources) -> Cell:
    """An item as its annotators saw it: its image, or the start of its text, or its columns by name."""
    image = sources.params.data.image
    if image is not None and item_id in sources.pixels:
        uri = thumbnail(sources.pixels[item_id], width=image.width, height=image.height, maximum=image.maximum)
        return Picture(uri, f"item {clipped(item_id, NAME)}, {image.width} by {image.height} pixels")
    values = sources.shown.get(item_id, {})
    if len(values) == 1:
        return clipped(next(iter(values.values())), TEXT)
    return clipped(" · ".join(f"{name}: {value[:TEXT]}" for name, value in values.items()), TEXT)


def _order(item: BatchItem) -> tuple[int, str]:
    return item.rank, item.item_id


def _said(answers: Sequence[Answer]) -> str:
    """Who said what, those who agree together: `ann, bob: cat · cy: skip`."""
    names: dict[str | None, list[str]] = {}
    for one in answers:
        names.setdefault(one.label, []).append(clipped(one.annotator_id, NAME))
    said = (f"{', '.join(who)}: {'skip' if label is None else clipped(label, NAME)}" for label, who in names.items())
    return " · ".join(said) or "nothing"


def _label(item: BatchItem, sources: Sources) -> Cell:
    label = sources.labels.get(item.item_id)
    if label is None:
        return Badge("no label", "bad") if sources.labels else NONE
    if item.model_class is not None and label != item.model_class:
        return Badge(f"{clipped(label, NAME)} (corrected)", "fair")
    return Badge(clipped(label, NAME), "good")
