"""Shares of a total for each class, and draws that keep to them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def quotas(counts: Mapping[str, int], total: int, *, floor: int = 0) -> dict[str, int]:
    """How many of each class make `total`, in proportion to `counts`, none below `floor` nor above its count.

    The sum is `total` where the bounds allow it. Largest remainders first, ties by class name.

    >>> quotas({"ham": 866, "spam": 134}, 10, floor=2)
    {'ham': 8, 'spam': 2}
    """
    whole = sum(counts.values())
    ideal = {name: total * count / whole for name, count in counts.items()}
    shares = {name: min(max(int(ideal[name]), floor), count) for name, count in counts.items()}
    while sum(shares.values()) != total:
        step = 1 if sum(shares.values()) < total else -1
        open_ = [name for name in sorted(counts) if (shares[name] < counts[name] if step > 0 else shares[name] > floor)]
        if not open_:
            break
        shares[max(open_, key=lambda name: step * (ideal[name] - shares[name]))] += step
    return shares


def draw(labels: pd.Series, shares: Mapping[str, int], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A mask over `labels` with `shares` of each class drawn at random."""
    chosen = np.zeros(len(labels), dtype=np.bool_)
    for name in sorted(shares):
        places = np.flatnonzero(labels == name)
        chosen[rng.permutation(places)[: shares[name]]] = True
    return chosen


def draw_groups(
    labels: pd.Series, groups: pd.Series, shares: Mapping[str, int], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """A mask over `labels` with about `shares` of each class, never more, where rows of one group stay together.

    A group counts for the class of its first row. Groups of more than a tenth of a share come last: one heap of equal
    rows must not be most of what is drawn.
    """
    first = pd.DataFrame({"label": labels.to_numpy(), "group": groups.to_numpy()}).groupby("group", sort=False)
    table = first["label"].agg(["first", "size"])
    taken: list[object] = []
    for name in sorted(shares):
        sizes = table.loc[table["first"] == name, "size"]
        sizes = sizes.iloc[rng.permutation(len(sizes))]
        large = sizes > max(1, shares[name] / 10)
        sizes = pd.concat([sizes[~large], sizes[large]])
        taken += list(sizes.index[_filling(sizes.tolist(), shares[name])])
    return np.asarray(groups.isin(taken), dtype=np.bool_)


def _filling(sizes: list[int], total: int) -> list[int]:
    """Places of the sizes that, taken in order wherever they still fit, fill `total`."""
    places = []
    for place, size in enumerate(sizes):
        if total == 0:
            break
        if size <= total:
            places.append(place)
            total -= size
    return places
