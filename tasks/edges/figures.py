"""Draws the two figures that the round's report and MLflow show. Knows numbers and class names, no file, no round."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hitl.curve import CurvePoint

READABLE_CLASSES = 25  # above this many classes the numbers in the cells no longer fit
NAME_WIDTH = 24
DARK_CELL = 0.5
OTHER_COLORS = ("#8a8a8a", "#b5651d", "#3b7a57", "#7a3b6e")


def learning_curve(
    points: Sequence[CurvePoint],
    *,
    metric: str = "accuracy",
    beside: Mapping[str, Sequence[CurvePoint]] | None = None,
) -> Figure:
    """The metric over the number of labels, with its interval; other curves (by name) are drawn thinner beside it."""
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    _draw_curve(axes, points, color="#1f5fa8", name="this workspace")
    for color, (name, others) in zip(cycle(OTHER_COLORS), (beside or {}).items(), strict=False):
        _draw_curve(axes, others, color=color, name=name, thin=True)
    axes.set_xlabel("labels", parse_math=False)
    axes.set_ylabel(f"{metric} on the test set", parse_math=False)
    axes.grid(visible=True, alpha=0.25)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if beside:
        axes.legend(loc="lower right", frameon=False)
    return figure


def confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> Figure:
    """Counts of test items: a row is what the item is, a column what the model says, in the order of `classes`."""
    counts = np.asarray(matrix, dtype=np.int64).reshape(len(classes), len(classes))
    side = min(12.0, 2.4 + 0.42 * len(classes))
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(_shares(counts), cmap="Blues", vmin=0.0, vmax=1.0)
    size = 9 if len(classes) <= READABLE_CLASSES else 5
    names = [name if len(name) <= NAME_WIDTH else f"{name[:NAME_WIDTH]}…" for name in classes]
    axes.set_xticks(range(len(classes)), names, rotation=90, fontsize=size, parse_math=False)
    axes.set_yticks(range(len(classes)), names, fontsize=size, parse_math=False)
    axes.set_xlabel("the model says")
    axes.set_ylabel("the item is")
    if len(classes) <= READABLE_CLASSES:
        _write_counts(axes, counts, size)
    return figure


def png(figure: Figure, *, dpi: int = 120) -> bytes:
    """The figure as a PNG without a date or a version in it: equal figures give equal bytes."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def _draw_curve(axes: Axes, points: Sequence[CurvePoint], *, color: str, name: str, thin: bool = False) -> None:
    ordered = sorted(points, key=lambda point: point.labels)
    labels = [point.labels for point in ordered]
    values = [point.value for point in ordered]
    axes.plot(labels, values, "--" if thin else "o-", linewidth=1.2 if thin else 2.0, color=color, label=name)
    band = [(p.labels, p.low, p.high) for p in ordered if p.low is not None and p.high is not None]
    if band:
        at, low, high = zip(*band, strict=True)
        axes.fill_between(at, low, high, color=color, alpha=0.08 if thin else 0.18, linewidth=0)


def _write_counts(axes: Axes, counts: NDArray[np.int64], size: int) -> None:
    shares = _shares(counts)
    for row, column in np.argwhere(counts > 0):
        ink = "white" if shares[row, column] > DARK_CELL else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=ink, fontsize=size)


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares: NDArray[np.float64] = counts / totals
    return shares
