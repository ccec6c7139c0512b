import re

import pytest

from hitl.curve import CurvePoint
from hitl.report.terminal import curve

POINTS = [
    CurvePoint("r0000", 30, 0.72, 0.67, 0.77),
    CurvePoint("r0001", 60, 0.81, 0.77, 0.85),
    CurvePoint("r0002", 90, 0.82, 0.78, 0.86, promoted=False),
    CurvePoint("r0003", 120, 0.90, 0.87, 0.93),
]
RANDOM = [CurvePoint("", 60, 0.77), CurvePoint("", 90, 0.79), CurvePoint("", 120, 0.80)]


def test_every_model_and_every_comparison_is_drawn() -> None:
    drawn, legend = curve(POINTS, random=RANDOM).rsplit("\n", 1)
    assert (drawn.count("●"), drawn.count("○"), drawn.count("◆")) == (3, 1, 3)
    assert legend.strip().split("   ") == [
        "● accuracy after so many labels",
        "○ not promoted",
        "│ interval",
        "◆ random choice",
    ]


def test_a_better_model_stands_higher() -> None:
    rows = curve(POINTS).splitlines()
    columns = [(row.index("●"), number) for number, row in enumerate(rows[:-1]) if "●" in row]
    assert [number for _, number in sorted(columns)] == sorted((number for _, number in columns), reverse=True)


def test_the_axes_are_named_in_the_units_of_the_metric() -> None:
    drawn = curve(POINTS)
    assert "70.0 %" in drawn
    assert "90.0 %" in drawn
    assert re.search(r"40 +60 +80 +100 +120", drawn)
    assert "0.800 " in curve(POINTS, metric="macro_f1")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "no-such-encoding"])
def test_a_terminal_that_cannot_spell_the_marks_gets_ascii(encoding: str) -> None:
    assert curve(POINTS, random=RANDOM, encoding=encoding).isascii()


def test_there_is_no_colour_unless_it_is_asked_for() -> None:
    assert "\x1b" not in curve(POINTS, random=RANDOM)
    painted = curve(POINTS, random=RANDOM, colour=True)
    assert re.sub("\x1b\\[[0-9]*m", "", painted) == curve(POINTS, random=RANDOM)
    assert painted.count("\x1b[0m") == painted.count("\x1b[3")


@pytest.mark.parametrize(("width", "height"), [(72, 18), (40, 8), (120, 30)])
def test_it_stays_within_its_width_and_height(width: int, height: int) -> None:
    lines = curve(POINTS, width=width, height=height).splitlines()
    assert max(len(line) for line in lines[:-1]) <= width
    assert len(lines) <= height
    assert not any(line != line.rstrip() for line in lines)


def test_one_model_alone_can_be_drawn() -> None:
    assert curve(POINTS[:1]).count("●") == 2
    assert curve([CurvePoint("r0000", 30, 0.5)]).count("●") == 2


def test_models_that_are_all_alike_can_be_drawn() -> None:
    same = [CurvePoint(f"r{index:04d}", 30, 1.0, 1.0, 1.0) for index in range(3)]
    assert "100.0 %" in curve(same)


def test_without_a_model_there_is_no_curve() -> None:
    assert curve([]) == ""
