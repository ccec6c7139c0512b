"""The few items that a batch may be chosen from, out of a stream of any length: only what is kept takes memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl.choose import SEEN
from hitl.pipeline import Prepared

DECIMALS = 9
"""Utilities are compared to this many decimals: the last bits of a sum depend on the processor and on how many items
were looked at together. Items that are equal so far go by item_id."""
_PENDING = 8_192
_DECIDING = ("item_id", "utility", "draw", "again")
Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Cells = Mapping[str, npt.NDArray[Any]]
"""Items by column: pandas is slow where there are many columns of few items."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many items are kept: the `useful` of greatest utility, the `drawn` of least draw, and all of `again`."""

    useful: int
    drawn: int


def kept(frame: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """The items of `frame` (item_id, utility, draw, again, ...) within the limits, sorted by item_id.

    An item that is sent `again` is kept whatever its numbers, and takes no other item's place. Adds `useful` and
    `drawn`: what each is kept for.
    """
    places, useful, drawn = _within({name: frame[name].to_numpy() for name in _DECIDING}, limits)
    return frame.iloc[places].assign(useful=useful, drawn=drawn).reset_index(drop=True)


@dataclass(slots=True)
class Shortlist:
    """Keeps of the items that are offered those within `limits`; holds a few times as many, whatever is offered.

    `exact` gives the utilities (n,) of kept items, as `add` takes them: it is asked where those offered may be off.
    """

    limits: Limits
    exact: Callable[[Cells], npt.NDArray[np.float64]]
    _kept: Cells = field(default_factory=dict)
    _pending: list[Cells] = field(default_factory=list)
    _waiting: int = 0
    _top: Floats = field(default_factory=lambda: np.empty(0))
    _least: Floats = field(default_factory=lambda: np.empty(0))
    _slack: float = 0.0

    def worth(
        self, utility: Floats, draw: Floats, allowed: npt.NDArray[np.bool_], slack: float
    ) -> npt.NDArray[np.intp]:
        """The places of the items that may be kept, by utilities that are off by at most `slack`; sorted."""
        self._slack = max(self._slack, slack)
        self._top = _greatest(self._top, np.where(allowed, utility, -np.inf), self.limits.useful)
        self._least = -_greatest(-self._least, np.where(allowed, -draw, -np.inf), self.limits.drawn)
        low = self._top.min() if len(self._top) >= self.limits.useful > 0 else -np.inf
        high = self._least.max() if len(self._least) >= self.limits.drawn > 0 else np.inf
        useful = (utility >= low - 2 * self._slack - 10.0**-DECIMALS) & (self.limits.useful > 0)
        drawn = (draw <= high) & (self.limits.drawn > 0)
        return np.flatnonzero((useful | drawn) & allowed)

    def add(
        self,
        item_ids: npt.NDArray[np.object_],
        draw: Floats,
        again: npt.NDArray[np.bool_],
        utility: Floats,
        seen: dict[str, Prepared],
    ) -> None:
        """Take items, by what a model sees of each."""
        cells = {"item_id": item_ids, "draw": draw, "again": again, "utility": utility}
        self._pending.append({**cells, **{SEEN + name: column for name, column in seen.items()}})
        self._waiting += len(item_ids)
        if self._waiting > _PENDING + 2 * self.limits.useful:
            self._settle()

    def items(self) -> Cells:
        """The items that are kept: item_id, draw, again, utility, and what a model sees of each; sorted by item_id.

        Without any item there is no column.
        """
        self._settle()
        return self._kept

    def _settle(self) -> None:
        if not self._pending:
            return
        new = _joined(self._pending)
        new["utility"] = np.round(self.exact(new) if self._slack else new["utility"], DECIMALS)
        self._kept = merged([new, self._kept], self.limits)
        self._pending, self._waiting = [], 0


def merged(parts: Sequence[Cells], limits: Limits) -> Cells:
    """The items of several shortlists within the limits: the same, however the pool was cut among them."""
    found = [items for items in parts if items]
    if not found:
        return {}
    whole = _joined(found)
    places, useful, drawn = _within(whole, limits)
    return {**{name: column[places] for name, column in whole.items()}, "useful": useful, "drawn": drawn}


def seen_of(items: pd.DataFrame | Cells) -> dict[str, Prepared]:
    """What a model sees of the items of a shortlist, by name."""
    names = [str(name) for name in items if str(name).startswith(SEEN)]
    return {name.removeprefix(SEEN): np.asarray(items[name]) for name in names}


def _within(items: Cells, limits: Limits) -> tuple[Places, Flags, Flags]:
    """The places of the items within the limits, sorted by item_id, and which of these are useful, and drawn."""
    order = np.argsort(items["item_id"], kind="stable")
    fresh = order[~items["again"][order]]
    useful, drawn = np.zeros((2, len(order)), dtype=np.bool_)
    useful[fresh[np.argsort(-items["utility"][fresh], kind="stable")[: limits.useful]]] = True
    drawn[fresh[np.argsort(items["draw"][fresh], kind="stable")[: limits.drawn]]] = True
    places = order[(items["again"] | useful | drawn)[order]]
    return places, useful[places], drawn[places]


def _joined(parts: Sequence[Cells]) -> dict[str, npt.NDArray[Any]]:
    """Each column of the first of `parts`, as long as all of them."""
    return {name: np.concatenate([items[name] for items in parts]) for name in parts[0]}


def _greatest(so_far: Floats, new: Floats, count: int) -> Floats:
    """The `count` greatest numbers of both."""
    if len(so_far) >= count:
        new = new[new > so_far.min()] if count else new[:0]
    joined = np.concatenate([so_far, new[np.isfinite(new)]])
    return joined if len(joined) <= count else np.partition(joined, len(joined) - count)[len(joined) - count :]
