"""The drawings of a report: a learning curve, an interval against its bar, a change from before to after."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise

from hitl.consensus.calibration import Bin
from hitl.curve import CurvePoint
from hitl.report.spelled import difference, measured, unit, words
from hitl.report.svg import Scale, Svg, drawing, element, ticks

_WIDTH, _HEIGHT = 640, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 34, 46
_INKS = ("blue", "orange", "green", "red", "amber", "soft")
"""Colours that the page's style names."""


def curve_chart(
    points: Sequence[CurvePoint], comparison: Sequence[CurvePoint], metric: str, *, foretold: Sequence[CurvePoint] = ()
) -> Svg:
    """The metric over the labels: a band for the interval, full dots for promoted models, diamonds for random choice.

    `foretold` is what was to be expected, drawn as brackets; a broken line goes to what is not measured yet. `points`
    must not be empty.
    """
    every = [*points, *comparison, *foretold]
    bounds = [bound for one in every for bound in (one.value, one.low, one.high) if bound is not None]
    levels = ticks(min(bounds), max(bounds), 5) if max(bounds) > min(bounds) else (bounds[0] - 0.05, bounds[0] + 0.05)
    found = ticks(min(one.labels for one in every), max(one.labels for one in every), 6)
    counts = [one for one in found if one == round(one)]
    reach = max(counts[-1] - counts[0], 1)
    x = Scale(counts[0] - 0.02 * reach, counts[-1] + 0.02 * reach, _LEFT, _WIDTH - _RIGHT)
    y = Scale(levels[0], levels[-1], _HEIGHT - _BOTTOM, _TOP)
    parts = [*_axes(x, y, counts, levels, metric), _band(points, x, y), *_lines(points, x, y)]
    parts += [_whisker(one, x, y) for one in comparison if one.low is not None and one.high is not None]
    parts += [mark for one in foretold for mark in _bracket(one, x, y, points[-1])]
    parts += [_diamond(x(one.labels), y(one.value)) for one in comparison]
    parts += [_dot(one, x, y, metric) for one in points]
    title = f"Learning curve: {words(metric)} on the test set against the number of labels. {_told(points, metric)}"
    marks = _legend(points, comparison, foretold)
    return drawing(*parts, *marks, width=_WIDTH, height=_HEIGHT, title=title, class_="chart")


@dataclass(frozen=True, slots=True)
class Traced:
    """A named curve: its values `at` so many annotations, and between which bounds others ran."""

    name: str
    at: tuple[float, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def traced_chart(traced: Sequence[Traced], metric: str, *, goal: float, title: str) -> Svg:
    """Several curves of the metric over the annotations, and the line of a goal.

    The first has its band, the others their lower bound as a dotted line.

    `traced` must not be empty.
    """
    every = [*traced[0].high, *(value for one in traced for value in (*one.low, *one.values)), goal]
    levels = ticks(min(every), max(every), 5) if max(every) > min(every) else (every[0] - 0.05, every[0] + 0.05)
    counts = [one for one in ticks(traced[0].at[0], traced[0].at[-1], 6) if one == round(one)]
    x = Scale(min(counts[0], traced[0].at[0]), max(counts[-1], traced[0].at[-1]), _LEFT, _WIDTH - _RIGHT)
    y = Scale(levels[0], levels[-1], _HEIGHT - _BOTTOM, _TOP)
    first = traced[0]
    above = [f"{x(at):.1f},{y(high):.1f}" for at, high in zip(first.at, first.high, strict=True)]
    below = [f"{x(at):.1f},{y(low):.1f}" for at, low in zip(first.at[::-1], first.low[::-1], strict=True)]
    band = element("polygon", points=" ".join(above + below), class_="band")
    parts = [*_axes(x, y, counts, levels, metric, "annotations"), band]
    parts += [element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y(goal), y2=y(goal), class_="goal")]
    shift = _LEFT
    for one, ink in zip(traced, cycle(_INKS), strict=False):
        line, worst = (
            " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in zip(one.at, values, strict=True))
            for values in (one.values, one.low)
        )
        style = f"stroke: var(--{ink}); fill: none"
        parts += [element("polyline", points=worst, class_="worst", style=style)] if one is not first else []
        parts += [element("polyline", points=line, class_="curve", style=style)]
        mark = element("line", x1=0, x2=16, y1=14, y2=14, class_="curve", style=style)
        parts += [element("g", mark, _text(one.name, 22, 19, anchor="start"), transform=f"translate({shift} 0)")]
        shift += 44 + 8 * len(one.name)
    said = "; ".join(f"{one.name} ends at {measured(metric, one.values[-1])}" for one in traced)
    spoken = f"{title}: {words(metric)} against annotations. {said}"
    return drawing(*parts, width=_WIDTH, height=_HEIGHT, title=spoken, class_="chart")


def gain_chart(metric: str, gain: float, low: float, high: float, margin: float) -> Svg:
    """The gain with its interval, beside the line of no gain and the line of the margin."""
    ends = ticks(min(low, 0.0, margin), max(high, 0.0, margin), 5)
    x = Scale(ends[0], ends[-1], 44, 596)
    parts = [element("line", x1=x(one), x2=x(one), y1=34, y2=96, class_="grid") for one in ends]
    parts += [_text(difference(metric, one), x(one), 116) for one in ends]
    parts += [_mark(x(0.0), "" if margin else "no gain", "zero")]
    parts += [_mark(x(margin), "margin", "margin")] if margin else []
    parts += [element("line", x1=x(low), x2=x(high), y1=66, y2=66, class_="interval")]
    parts += [element("line", x1=x(end), x2=x(end), y1=56, y2=76, class_="interval thin") for end in (low, high)]
    parts += [element("circle", cx=x(gain), cy=66, r=7, class_="dot"), _text(f"gain in {unit(metric)}", 320, 138)]
    title = f"Gain {difference(metric, gain)} ({difference(metric, low)} to {difference(metric, high)}) {unit(metric)}"
    return drawing(*parts, width=640, height=146, title=title, class_="chart")


def share_chart(estimate: float, low: float, high: float) -> Svg:
    """A share between 0 and 1 with its interval."""
    x = Scale(0.0, 1.0, 44, 596)
    parts = [element("line", x1=x(one / 5), x2=x(one / 5), y1=10, y2=58, class_="grid") for one in range(6)]
    parts += [_text(f"{20 * one} %", x(one / 5), 78) for one in range(6)]
    parts += [element("line", x1=x(low), x2=x(high), y1=34, y2=34, class_="interval")]
    parts += [element("line", x1=x(end), x2=x(end), y1=24, y2=44, class_="interval thin") for end in (low, high)]
    parts += [element("circle", cx=x(estimate), cy=34, r=7, class_="dot")]
    title = f"{100 * estimate:.1f} percent, interval {100 * low:.1f} to {100 * high:.1f}"
    return drawing(*parts, width=640, height=86, title=title, class_="chart")


def reliability_chart(bins: Sequence[Bin]) -> Svg:
    """How often we were right (a dot with its interval) against how sure we were; on the line, both are the same."""
    x, y = Scale(0.0, 1.0, _LEFT, _WIDTH - _RIGHT), Scale(0.0, 1.0, _HEIGHT - _BOTTOM, _TOP)
    levels = [one / 5 for one in range(6)]
    parts = [element("line", x1=x(0.0), x2=x(1.0), y1=y(one), y2=y(one), class_="grid") for one in levels]
    parts += [_text(f"{100 * one:.0f} %", x(one), _HEIGHT - _BOTTOM + 20) for one in levels]
    parts += [_text(f"{100 * one:.0f} %", _LEFT - 8, y(one) + 4, "end") for one in levels]
    parts += [element("line", x1=x(0.0), x2=x(1.0), y1=y(0.0), y2=y(1.0), class_="zero")]
    for one in bins:
        at = x(one.confidence)
        parts += [element("line", x1=at, x2=at, y1=y(one.low), y2=y(one.high), class_="interval thin")]
        parts += [element("circle", cx=at, cy=y(one.right), r=5, class_="dot")]
    said = "; ".join(f"{100 * one.confidence:.0f} percent sure, {100 * one.right:.0f} right" for one in bins)
    title = f"Share right against confidence, on gold: {said}"
    return drawing(*parts, width=_WIDTH, height=_HEIGHT, title=title, class_="chart")


def change_chart(before: float | None, after: float) -> Svg:
    """A share before (a ring) and after (a dot) on one line from 0 to 1."""
    x = Scale(0.0, 1.0, 7, 133)
    track = element("line", x1=7, x2=133, y1=9, y2=9, class_="grid")
    dot = element("circle", cx=x(after), cy=9, r=5, class_="dot")
    title = f"{100 * after:.0f} percent"
    if before is None:
        return drawing(track, dot, width=140, height=18, title=title, class_="change")
    move = element("line", x1=x(before), x2=x(after), y1=9, y2=9, class_="up" if after >= before else "down")
    ring = element("circle", cx=x(before), cy=9, r=4.5, class_="ring")
    title = f"from {100 * before:.0f} to {title}"
    return drawing(track, move, ring, dot, width=140, height=18, title=title, class_="change")


def bar_chart(share: float, title: str) -> Svg:
    """A bar of `share` (0 to 1) of its full width."""
    bar = element("rect", x=0, y=3, width=140 * share, height=12, rx=2, class_="bar")
    return drawing(bar, width=140, height=18, title=title, class_="change")


def _axes(
    x: Scale, y: Scale, counts: Sequence[float], levels: Sequence[float], metric: str, across: str = "labels"
) -> list[Svg]:
    foot = _HEIGHT - _BOTTOM
    lines = [element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y(one), y2=y(one), class_="grid") for one in levels]
    lines += [element("line", x1=x(one), x2=x(one), y1=foot, y2=foot + 5, class_="axis") for one in counts]
    lines += [element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=foot, y2=foot, class_="axis")]
    lines += [_text(_level(metric, one), _LEFT - 8, y(one) + 5, anchor="end") for one in levels]
    lines += [_text(f"{one:g}", x(one), foot + 21) for one in counts]
    return [*lines, _text(across, (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6)]


def _level(metric: str, value: float) -> str:
    return measured(metric, value).replace(".0 %", " %")


def _band(points: Sequence[CurvePoint], x: Scale, y: Scale) -> Svg:
    whole = [(one.labels, one.low, one.high) for one in points if one.low is not None and one.high is not None]
    upper = [f"{x(labels):.1f},{y(high):.1f}" for labels, _, high in whole]
    lower = [f"{x(labels):.1f},{y(low):.1f}" for labels, low, _ in reversed(whole)]
    return element("polygon", points=" ".join(upper + lower), class_="band")


def _lines(points: Sequence[CurvePoint], x: Scale, y: Scale) -> list[Svg]:
    return [
        element("line", x1=x(a.labels), y1=y(a.value), x2=x(b.labels), y2=y(b.value), class_="curve")
        for a, b in pairwise(points)
    ]


def _dot(point: CurvePoint, x: Scale, y: Scale, metric: str) -> Svg:
    tip = element("title", f"{point.round}: {measured(metric, point.value)} with {point.labels} labels")
    kind = "dot" if point.promoted else "ring"
    return element("circle", tip, cx=x(point.labels), cy=y(point.value), r=5.5, class_=kind)


def _whisker(point: CurvePoint, x: Scale, y: Scale) -> Svg:
    low, high = point.low or 0.0, point.high or 0.0
    return element("line", x1=x(point.labels), x2=x(point.labels), y1=y(low), y2=y(high), class_="whisker")


def _bracket(expected: CurvePoint, x: Scale, y: Scale, last: CurvePoint) -> list[Svg]:
    """What was expected of a round, and a line to it where it is still to come."""
    at, low, high = x(expected.labels), y(expected.low or 0.0), y(expected.high or 0.0)
    ends = f"{at - 5:.1f},{low:.1f} {at:.1f},{low:.1f} {at:.1f},{high:.1f} {at - 5:.1f},{high:.1f}"
    found = [element("polyline", points=ends, class_="foretold")]
    if expected.labels > last.labels:
        line = {"x1": x(last.labels), "y1": y(last.value), "x2": at, "y2": y(expected.value)}
        found.append(element("line", **line, class_="foretold coming"))
    return found


def _diamond(x: float, y: float) -> Svg:
    corners = f"{x:.1f},{y - 6:.1f} {x + 6:.1f},{y:.1f} {x:.1f},{y + 6:.1f} {x - 6:.1f},{y:.1f}"
    return element("polygon", points=corners, class_="random")


def _legend(
    points: Sequence[CurvePoint], comparison: Sequence[CurvePoint], foretold: Sequence[CurvePoint]
) -> list[Svg]:
    marks: list[tuple[Svg, str]] = [(element("circle", cx=8, cy=14, r=5.5, class_="dot"), "promoted")]
    if not all(one.promoted for one in points):
        marks += [(element("circle", cx=8, cy=14, r=5.5, class_="ring"), "not promoted")]
    if comparison:
        marks += [(_diamond(8, 14), "labels chosen at random")]
    if foretold:
        marks += [(element("polyline", points="5,8 10,8 10,20 5,20", class_="foretold"), "expected")]
    parts, at = [], _LEFT
    for mark, said in marks:
        parts += [element("g", mark, _text(said, 20, 19, anchor="start"), transform=f"translate({at} 0)")]
        at += 56 + 8 * len(said)
    return parts


def _mark(x: float, said: str, kind: str) -> Svg:
    line = element("line", x1=x, x2=x, y1=28, y2=100, class_=kind)
    anchor = "start" if x < 120 else "end" if x > 520 else "middle"
    return element("g", line, _text(said, x, 18, anchor=anchor)) if said else line


def _text(said: str, x: float, y: float, anchor: str = "middle") -> Svg:
    return element("text", said, x=x, y=y, text_anchor=anchor)


def _told(points: Sequence[CurvePoint], metric: str) -> str:
    first, last = points[0], points[-1]
    return (
        f"From {measured(metric, first.value)} with {first.labels} labels "
        f"to {measured(metric, last.value)} with {last.labels}."
    )
