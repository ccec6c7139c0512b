"""What a corrected gold answer changes: who is more or less often right by it. Receipts stay what they were."""

from collections.abc import Mapping, Sequence

from hitl.annotators import Record
from hitl.ledger import Facts


def corrected(before: Mapping[str, str], after: Mapping[str, str]) -> list[Facts]:
    """The gold items whose known class is another now, sorted: item_id, was, label (None: no gold any more)."""
    return [
        {"item_id": item, "was": label, "label": after.get(item)}
        for item, label in sorted(before.items())
        if after.get(item) != label
    ]


def regraded(before: Sequence[Record], after: Sequence[Record]) -> list[Facts]:
    """Whose answers to gold count otherwise, those who lost most first.

    Of each: vendor, annotator_id (None: the vendor as a whole), how many were right of how many `before` and `after`.
    """
    now = {(one.vendor, one.annotator_id): one for one in after}
    pairs = [(one, now.get((one.vendor, one.annotator_id))) for one in before]
    changed = [(one, two) for one, two in pairs if two is not None and one.confusion != two.confusion]
    changed.sort(key=lambda pair: (_right(pair[1]) - _right(pair[0]), pair[0].vendor, pair[0].annotator_id or ""))
    return [
        {
            "vendor": one.vendor,
            "annotator_id": one.annotator_id,
            "before": {"right": _right(one), "of": one.gold.of},
            "after": {"right": _right(two), "of": two.gold.of},
        }
        for one, two in changed
    ]


def _right(one: Record) -> int:
    return sum(times for known, said, times in one.confusion if known == said)
