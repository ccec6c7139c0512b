"""Crowds made up for tests: annotators of known ability answer items of known classes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def crowd(
    seed: int, *, able: Sequence[float], items: int = 200, classes: int = 2, overlap: int = 5
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Answers of annotators who are each right with the probability in `able`, and the true class of each item."""
    rng = np.random.default_rng(seed)
    true = rng.integers(classes, size=items)
    rows = []
    for item in range(items):
        for person in rng.choice(len(able), size=overlap, replace=False):
            right = rng.random() < able[person]
            said = true[item] if right else (true[item] + 1 + rng.integers(classes - 1)) % classes
            rows.append((f"i{item:03}", f"ann{person:02}", f"c{said}"))
    table = pd.DataFrame(rows, columns=["item_id", "annotator_id", "label"])
    return table, {f"i{item:03}": f"c{one}" for item, one in enumerate(true)}
