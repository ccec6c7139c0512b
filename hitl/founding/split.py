"""Which items are asked about, learned from, tested on. Items of equal content never straddle test and the rest."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hitl.errors import DataError
from hitl.founding.classes import AT_LEAST
from hitl.founding.stratify import draw, draw_groups, quotas
from hitl.visible import quoted

GOLD = 50
"""Gold items that are drawn when nobody says how many."""
_PER_CLASS = 10

Ids = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Split:
    """The item ids of each set, sorted. Only gold may overlap another set (initial)."""

    initial: Ids
    test: Ids
    pool: Ids
    gold: Ids
    out: Ids
    notes: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        return {name: len(getattr(self, name)) for name in ("initial", "test", "pool", "gold", "out")}


def split(
    items: pd.DataFrame,
    *,
    test: float,
    initial: int | None,
    gold: int | None,
    hide: bool,
    rng: np.random.Generator,
) -> Split:
    """Splits `items` (columns item_id str, label str with "" for none, content uint64); the order of rows is nothing.

    Labeled items become test (the share `test`, stratified) and initial; the others are the pool. With `hide` every
    item has a label, `initial` of them (stratified) start and the rest is the pool. Without `hide`, labeled items
    beyond `initial` become gold. Raises DataError when a set cannot be made.
    """
    items = items.sort_values("item_id", ignore_index=True)
    labeled = items[items["label"] != ""].reset_index(drop=True)
    if hide and len(labeled) < len(items):
        raise DataError(
            f"--hide needs a label in every row, and {len(items) - len(labeled):,} of {len(items):,} have none; "
            "drop these rows, or leave out --hide and they are the pool"
        )
    chosen, notes = _test(labeled, test, rng)
    tested, rest = labeled[chosen], labeled[~chosen].reset_index(drop=True)
    first = _first(rest, initial, hide, rng)
    start, left = rest[first], rest[~first]
    unlabeled = items[items["label"] == ""]
    known = unlabeled["content"].isin(tested["content"])
    pool = left if hide else unlabeled[~known]
    _check_pool(len(pool), hide)
    golden, spare = _gold(start, left.iloc[:0] if hide else left, gold, rng)
    if known.any():
        notes.append(f"{known.sum():,} unlabeled items equal a test item in content: they are left out of the pool")
    if len(spare):
        notes.append(f"{len(spare):,} labeled items are neither initial nor gold: they are left out")
    out = pd.concat([unlabeled[known], spare])
    return Split(_ids(start), _ids(tested), _ids(pool), _ids(golden), _ids(out), tuple(notes))


def _test(labeled: pd.DataFrame, share: float, rng: np.random.Generator) -> tuple[NDArray[np.bool_], list[str]]:
    counts = _counts(labeled)
    # At least one of each class is tested, and enough of it are left to start with.
    shares = {name: max(0, min(max(round(share * count), 1), count - AT_LEAST)) for name, count in counts.items()}
    chosen = draw_groups(labeled["label"], labeled["content"], shares, rng)
    chosen = _spared(labeled, chosen)
    tested = set(labeled.loc[chosen, "label"])
    if len(tested) < 2:
        raise DataError(
            f"too few labeled items for a test set: {len(labeled):,} items of {len(counts)} classes, and a share of "
            f"{share:g} that leaves {AT_LEAST} of each class to start with tests {len(tested)} of the classes; "
            f"label at least {AT_LEAST + 2} items of each class"
        )
    untested = sorted(set(counts) - tested)
    notes = [f"the test set has no item of {', '.join(quoted(name, 40) for name in untested)}"] if untested else []
    return chosen, notes


def _spared(labeled: pd.DataFrame, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`chosen` without the contents whose rows bear several labels, where they would use up a class."""
    left = labeled.loc[~chosen, "label"].value_counts()
    short = [name for name in set(labeled["label"]) if left.get(name, 0) < AT_LEAST]
    if not short:
        return chosen
    back = labeled.loc[chosen & labeled["label"].isin(short).to_numpy(), "content"]
    return chosen & ~labeled["content"].isin(back).to_numpy()


def _first(rest: pd.DataFrame, initial: int | None, hide: bool, rng: np.random.Generator) -> NDArray[np.bool_]:
    counts = _counts(rest)
    least = AT_LEAST * len(counts)
    if initial is None:
        initial = max(least, min(_PER_CLASS * len(counts), len(rest) // 10)) if hide else len(rest)
    if initial < least:
        raise DataError(
            f"{initial} initial items are too few: {len(counts)} classes need {AT_LEAST} each "
            f"({', '.join(quoted(name, 20) for name in list(counts)[:5])}{', ...' if len(counts) > 5 else ''}); "
            f"ask for --initial {least} or more"
        )
    if hide and initial >= len(rest):
        raise DataError(
            f"nothing is left for the pool: {len(rest):,} items remain beside the test set and the initial set takes "
            f"{initial:,}; ask for a smaller --initial or a smaller --test"
        )
    return draw(rest["label"], quotas(counts, min(initial, len(rest)), floor=AT_LEAST), rng)


def _check_pool(rows: int, hide: bool) -> None:
    if rows == 0 and not hide:
        raise DataError(
            "nothing is left for the pool: every row has a label; add rows with an empty label, or rehearse on these "
            "with --hide"
        )


def _gold(
    start: pd.DataFrame, left: pd.DataFrame, wanted: int | None, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Gold items, and labeled items for which there is no use: those left over if any, or else some of the initial."""
    source = left if len(left) else start
    total = min(len(source), wanted if wanted is not None else len(left) or GOLD)
    chosen = draw(source["label"], quotas(_counts(source), total), rng)
    return source[chosen], left[~chosen] if len(left) else left


def _counts(items: pd.DataFrame) -> dict[str, int]:
    return {str(name): int(count) for name, count in items["label"].value_counts().sort_index().items()}


def _ids(items: pd.DataFrame) -> Ids:
    return np.sort(items["item_id"].to_numpy(dtype=object), kind="stable")
