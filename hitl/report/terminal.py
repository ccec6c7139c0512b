"""A learning curve in plain characters. Whoever prints it knows the terminal: its encoding, its colours."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from hitl.curve import CurvePoint
from hitl.report.spelled import measured, words
from hitl.report.svg import Scale, ticks

_INKS = {"dot": "\x1b[34m", "ring": "\x1b[34m", "random": "\x1b[33m"}
_PLAIN = "\x1b[0m"
_UNICODE = {
    "line": "·",
    "band": "│",
    "dot": "●",
    "ring": "○",
    "random": "◆",
    "side": "┤",
    "corner": "└",
    "foot": "─",
    "notch": "┬",
}
_ASCII = {
    "line": ".",
    "band": "|",
    "dot": "*",
    "ring": "o",
    "random": "x",
    "side": "|",
    "corner": "+",
    "foot": "-",
    "notch": "+",
}


def curve(
    points: Sequence[CurvePoint],
    *,
    random: Sequence[CurvePoint] | None = None,
    metric: str = "accuracy",
    width: int = 72,
    height: int = 18,
    encoding: str = "utf-8",
    colour: bool = False,
) -> str:
    """The curve of `points` with their intervals, and of `random` beside it, in `height` lines of at most `width`.

    Falls back to ASCII when `encoding` cannot spell the marks; escape codes only with `colour`. "" without points.
    """
    if not points:
        return ""
    marks = _marks(encoding, colour=colour)
    every = [*points, *(random or ())]
    bounds = [bound for one in every for bound in (one.value, one.low, one.high) if bound is not None]
    least, most = min(bounds), max(bounds)
    levels = [one for one in ticks(least, most, 5) if least <= one <= most] or [least, most]
    gutter = max(len(measured(metric, level)) for level in levels) + 2
    wide, high = max(width - gutter - 1, 20), max(height - 4, 5)
    reach = (min(one.labels for one in every), max(one.labels for one in every))
    x, y = Scale(reach[0], reach[1], 1, wide - 2), Scale(least, most, high - 1, 0)
    grid = _drawn(points, random or (), x, y, marks, [[" "] * wide for _ in range(high)])
    lines = _framed(grid, levels, y, metric, gutter, marks) + _foot(reach, x, wide, gutter, marks)
    return "\n".join([*lines, " " * gutter + _legend(points, random or (), metric, marks)])


def _marks(encoding: str, *, colour: bool) -> dict[str, str]:
    marks = _UNICODE if _spells(encoding, "".join(_UNICODE.values())) else _ASCII
    return {name: f"{_INKS[name]}{mark}{_PLAIN}" if colour and name in _INKS else mark for name, mark in marks.items()}


def _spells(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _drawn(
    points: Sequence[CurvePoint],
    random: Sequence[CurvePoint],
    x: Callable[[float], float],
    y: Callable[[float], float],
    marks: dict[str, str],
    grid: list[list[str]],
) -> list[list[str]]:
    for a, b in pairwise(points):
        for column in range(round(x(a.labels)), round(x(b.labels)) + 1):
            share = (column - x(a.labels)) / max(x(b.labels) - x(a.labels), 1)
            grid[round(y(a.value + min(max(share, 0.0), 1.0) * (b.value - a.value)))][column] = marks["line"]
    for one in points:
        if one.low is not None and one.high is not None:
            for row in range(round(y(one.high)), round(y(one.low)) + 1):
                grid[row][round(x(one.labels))] = marks["band"]
    for one in random:
        grid[round(y(one.value))][round(x(one.labels))] = marks["random"]
    for one in points:
        grid[round(y(one.value))][round(x(one.labels))] = marks["dot" if one.promoted else "ring"]
    return grid


def _framed(
    grid: list[list[str]], levels: Sequence[float], y: Scale, metric: str, gutter: int, marks: dict[str, str]
) -> list[str]:
    named = {round(y(level)): measured(metric, level) for level in levels}
    return [
        f"{named.get(row, ''):>{gutter - 1}} {marks['side']}{''.join(cells)}".rstrip() for row, cells in enumerate(grid)
    ]


def _foot(reach: tuple[int, int], x: Scale, wide: int, gutter: int, marks: dict[str, str]) -> list[str]:
    line, text = [marks["foot"]] * wide, [" "] * (wide + 12)
    inside = [one for one in ticks(reach[0], reach[1], 6) if reach[0] <= one <= reach[1]] or [float(reach[0])]
    free = 0
    for one in inside:
        said, at = f"{one:g}", round(x(one))
        start = max(at - len(said) // 2, 0)
        if start >= free:
            line[at], free = marks["notch"], start + len(said) + 1
            text[start : start + len(said)] = said
    below = "".join(text).rstrip()
    return [f"{' ' * gutter}{marks['corner']}{''.join(line)}", f"{' ' * gutter} {below}"]


def _legend(points: Sequence[CurvePoint], random: Sequence[CurvePoint], metric: str, marks: dict[str, str]) -> str:
    said = [f"{marks['dot']} {words(metric)} after so many labels"]
    said += [f"{marks['ring']} not promoted"] if not all(one.promoted for one in points) else []
    said += [f"{marks['band']} interval"] if any(one.low is not None for one in points) else []
    said += [f"{marks['random']} random choice"] if random else []
    return "   ".join(said)
