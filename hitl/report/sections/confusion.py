"""Confusion and recall of a class, of the champion before and of this round's challenger, on the same test items."""

from collections import Counter
from collections.abc import Mapping, Sequence

from hitl.report.charts import change_chart
from hitl.report.sections.parts import Cell, Column, Heat, Section, Table, columns, limited
from hitl.report.sections.sources import Prediction, Sources, champion_before
from hitl.report.spelled import NONE, many, part, percent, signed
from hitl.visible import clipped

MATRIX_CLASSES = 16  # beyond this a matrix no longer fits a page; the list of confusions tells it
PAIRS = 25
RECALLS = 200
NAME = 40

Counts = Mapping[tuple[str, str], int]


def section(sources: Sources) -> Section | None:
    """Heat tables side by side (few classes) or the most frequent confusions (many), and the recall of each class."""
    if not sources.after:
        return None
    before, after = _counts(sources.before), _counts(sources.after)
    names = sources.params.data.classes
    tables: list[Table] = []
    if len(names) <= MATRIX_CLASSES:
        champion = champion_before(sources.state, sources.round_id)
        tables += [_matrix(f"Before: {champion}", before, names)] if before else []
        tables += [_matrix(f"{'After: ' if before else ''}{sources.round_id}", after, names)]
    else:
        tables += [_pairs(before, after)]
    tables += [_recalls(before, after, names)]
    return Section(
        "confusion", "What the model gets right and wrong", _moved(sources), tables=tuple(tables), beside=True
    )


def _counts(predictions: Sequence[Prediction]) -> Counts:
    return Counter((one.label, one.predicted) for one in predictions)


def _moved(sources: Sources) -> tuple[str, ...]:
    right = part(sum(one.label == one.predicted for one in sources.after), len(sources.after))
    said = f"{sources.round_id} gets {right} test items right."
    if not sources.before:
        return (said,)
    was = {one.item_id: one.label == one.predicted for one in sources.before}
    now = {one.item_id: one.label == one.predicted for one in sources.after}
    mended = sum(now[item] and not was[item] for item in now if item in was)
    broken = sum(was[item] and not now[item] for item in now if item in was)
    champion = champion_before(sources.state, sources.round_id)
    return (
        said,
        f"Against {champion}: {many(mended, 'item')} newly right, {many(broken, 'item')} newly wrong.",
    )


def _matrix(caption: str, counts: Counts, names: Sequence[str]) -> Table:
    totals = {name: sum(counts[name, other] for other in names if (name, other) in counts) for name in names}
    heads = (Column("is ↓ model says →"), *(Column(clipped(name, NAME), "heat") for name in names))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (clipped(name, NAME), *(_heat(counts.get((name, other), 0), totals[name], name == other) for other in names))
        for name in names
    )
    return Table(caption, heads, rows)


def _heat(count: int, total: int, right: bool) -> Heat:
    return Heat(f"{count:,}" if count else "·", count / total if total else 0.0, right)


def _pairs(before: Counts, after: Counts) -> Table:
    wrong = {pair: after.get(pair, 0) for pair in {*before, *after} if pair[0] != pair[1]}
    most = sorted(wrong, key=lambda pair: (-wrong[pair], -before.get(pair, 0), pair))
    rows: list[tuple[Cell, ...]] = [
        (clipped(a, NAME), clipped(b, NAME), str(before.get((a, b), 0)) if before else NONE, str(wrong[a, b]))
        for a, b in most
    ]
    kept, note = limited(rows, PAIRS, "confusions")
    heads = columns("the item is", "the model says", "before", "after", number=("before", "after"))
    return Table("Most frequent confusions", heads, kept, note)


def _recalls(before: Counts, after: Counts, names: Sequence[str]) -> Table:
    was, now = _recall(before), _recall(after)
    sizes = Counter(dict.fromkeys(names, 0))
    for (label, _), count in after.items():
        sizes[label] += count
    rows: list[tuple[Cell, ...]] = [_recall_row(name, sizes[name], was.get(name), now.get(name)) for name in names]
    kept, note = limited(rows, RECALLS, "classes")
    heads = columns(
        "class", "test items", "before", "after", "change", "", number=("test items", "before", "after", "change")
    )
    return Table("Recall: the share of each class's test items that the model finds", heads, kept, note)


def _recall(counts: Counts) -> dict[str, float]:
    totals: Counter[str] = Counter()
    for (label, _), count in counts.items():
        totals[label] += count
    return {label: counts.get((label, label), 0) / total for label, total in totals.items()}


def _recall_row(name: str, size: int, was: float | None, now: float | None) -> tuple[Cell, ...]:
    change = signed(100 * (now - was), 0) if was is not None and now is not None else NONE
    drawn: Cell = change_chart(was, now) if now is not None else ""
    spelled = [percent(share, 0) if share is not None else NONE for share in (was, now)]
    return (clipped(name, NAME), f"{size:,}", *spelled, change, drawn)
