"""The few items that a batch may be chosen from, out of a stream of any length: only what is kept takes memory."""

from collections.abc import Callable, Sequence
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
Floats = npt.NDArray[np.floating[Any]]


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
    fresh = frame[~frame["again"]]
    top = fresh.sort_values(["utility", "item_id"], ascending=[False, True]).index[: limits.useful]
    drawn = fresh.sort_values(["draw", "item_id"]).index[: limits.drawn]
    places = frame.index[frame["again"]].union(top).union(drawn)
    found = frame.loc[places].assign(useful=places.isin(top), drawn=places.isin(drawn))
    return found.sort_values("item_id", ignore_index=True)


@dataclass(slots=True)
class Shortlist:
    """Keeps of the items that are offered those within `limits`; holds a few times as many, whatever is offered.

    `exact` gives the utilities (n,) of kept items, as `add` takes them.
    """

    limits: Limits
    exact: Callable[[pd.DataFrame], npt.NDArray[np.float64]]
    _frame: pd.DataFrame | None = None
    _pending: list[pd.DataFrame] = field(default_factory=list)
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
        self, item_ids: npt.NDArray[np.object_], draw: Floats, again: npt.NDArray[np.bool_], seen: dict[str, Prepared]
    ) -> None:
        """Take items, by what a model sees of each."""
        columns = {"item_id": item_ids, "draw": draw, "again": again}
        self._pending.append(pd.DataFrame({**columns, **{SEEN + name: cells for name, cells in seen.items()}}))
        self._waiting += len(item_ids)
        if self._waiting > _PENDING + 2 * self.limits.useful:
            self._settle()

    def items(self) -> pd.DataFrame:
        """The items that are kept: item_id, draw, again, utility, and what a model sees of each; sorted by item_id."""
        self._settle()
        return pd.DataFrame() if self._frame is None else self._frame

    def _settle(self) -> None:
        if not self._pending:
            return
        new = pd.concat(self._pending, ignore_index=True)
        new["utility"] = np.round(self.exact(new), DECIMALS)
        self._frame = merged([new] if self._frame is None else [self._frame, new], self.limits)
        self._pending, self._waiting = [], 0


def merged(frames: Sequence[pd.DataFrame], limits: Limits) -> pd.DataFrame:
    """The items of several shortlists within the limits: the same, however the pool was cut among them."""
    found = [frame for frame in frames if len(frame)]
    return kept(pd.concat(found, ignore_index=True), limits) if found else pd.DataFrame()


def seen_of(frame: pd.DataFrame) -> dict[str, Prepared]:
    """What a model sees of the items of a shortlist, by name."""
    names = [str(name) for name in frame if str(name).startswith(SEEN)]
    return {name.removeprefix(SEEN): frame[name].to_numpy() for name in names}


def _greatest(so_far: Floats, new: Floats, count: int) -> Floats:
    """The `count` greatest numbers of both."""
    if len(so_far) >= count:
        new = new[new > so_far.min()] if count else new[:0]
    joined = np.concatenate([so_far, new[np.isfinite(new)]])
    return joined if len(joined) <= count else np.partition(joined, len(joined) - count)[len(joined) - count :]
