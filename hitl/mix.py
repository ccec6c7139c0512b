"""What a batch is made of, beside the pool: by class, and by what its columns say."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TOLD = 10
MANY = 20
"""A column with more different values than so many is no mix that a person reads."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the batch and of the pool (from 0 to 1) has `value` under `name`."""

    name: str
    value: str
    batch: float
    pool: float


def mix(found: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> tuple[Share, ...]:
    """The shares that differ most, of (values in the batch, values in the pool) by name; the largest difference first.

    >>> mix({"town": (["a", "a"], ["a", "b"])})[0]
    Share(name='town', value='a', batch=1.0, pool=0.5)
    """
    shares = [one for name, (batch, pool) in found.items() if batch and pool for one in _shares(name, batch, pool)]
    return tuple(sorted(shares, key=lambda one: (-abs(one.batch - one.pool), one.name, one.value))[:TOLD])


def _shares(name: str, batch: Sequence[str], pool: Sequence[str]) -> list[Share]:
    ours, theirs = Counter(batch), Counter(pool)
    values = sorted(ours.keys() | theirs.keys())
    if len(values) > MANY and name != "class":
        return []
    return [Share(name, value, ours[value] / len(batch), theirs[value] / len(pool)) for value in values]
