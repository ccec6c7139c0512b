from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from hitl.curve import CurvePoint
from hitl.report.charts import bar_chart, change_chart, curve_chart, gain_chart, share_chart
from hitl.report.svg import Svg, element, ticks

SVG = "{http://www.w3.org/2000/svg}"


def point(index: int, value: float, wide: float | None) -> CurvePoint:
    low, high = (value - wide, value + wide) if wide is not None else (None, None)
    return CurvePoint(f"r{index:04d}", 30 * index + 30, value, low, high, promoted=index != 1)


def points(*values: float, wide: float | None = 0.05) -> list[CurvePoint]:
    return [point(index, value, wide) for index, value in enumerate(values)]


@given(st.text(st.characters(exclude_categories=["Cs", "Cn"])))
def test_any_text_and_attribute_is_well_formed(text: str) -> None:
    read = ET.fromstring(element("text", text, class_=text).markup)
    assert read.tag == "text"
    assert not list(read)


@pytest.mark.parametrize(
    "chart",
    [
        curve_chart(points(0.7, 0.8, 0.9), points(0.75), "accuracy"),
        curve_chart(points(0.7), (), "macro_f1"),
        curve_chart(points(0.7, 0.8), (), "accuracy", foretold=[point(1, 0.2, 0.1), point(9, 0.85, 0.15)]),
        curve_chart(points(0.5, 0.5, wide=None), (), "accuracy"),
        gain_chart("accuracy", 0.02, -0.01, 0.05, 0.01),
        gain_chart("macro_f1", 0.0, 0.0, 0.0, 0.0),
        share_chart(0.9, 0.6, 0.98),
        change_chart(None, 1.0),
        change_chart(0.2, 0.1),
        bar_chart(0.5, "half"),
    ],
)
def test_every_chart_is_well_formed_stays_in_its_box_and_says_what_it_shows(chart: Svg) -> None:
    read = ET.fromstring(chart.markup)
    _, _, width, height = map(float, read.attrib["viewBox"].split())
    assert read.attrib["role"] == "img"
    assert read.attrib["aria-label"]
    for one in read.iter():
        for names, limit in ((("x", "x1", "x2", "cx"), width), (("y", "y1", "y2", "cy"), height)):
            assert all(0 <= float(one.attrib[name]) <= limit for name in names if name in one.attrib)


def test_promoted_models_are_full_dots_and_others_rings() -> None:
    read = ET.fromstring(curve_chart(points(0.7, 0.8, 0.9), (), "accuracy").markup)
    marks = [one.attrib["class"] for one in read.findall(f"{SVG}circle")]
    assert marks == ["dot", "ring", "dot"]


def test_what_was_expected_is_bracketed_and_a_broken_line_goes_to_what_is_to_come() -> None:
    read = ET.fromstring(
        curve_chart(points(0.7, 0.8), (), "accuracy", foretold=[point(1, 0.7, 0.1), point(2, 0.85, 0.1)]).markup
    )
    brackets = [one for one in read.findall(f"{SVG}polyline") if one.attrib["class"] == "foretold"]
    (coming,) = (one for one in read.findall(f"{SVG}line") if one.attrib["class"] == "foretold coming")
    assert len(brackets) == 2
    last = [one for one in read.findall(f"{SVG}circle") if one.attrib["class"] in ("dot", "ring")][-1]
    assert (coming.attrib["x1"], coming.attrib["y1"]) == (last.attrib["cx"], last.attrib["cy"])


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e6), st.integers(2, 10))
def test_ticks_hold_the_whole_range_and_are_not_too_many(low: float, span: float, wanted: int) -> None:
    found = ticks(low, low + span, wanted)
    if len(found) > 1:
        step = found[1] - found[0]
        assert found[0] <= low + 1e-6 * step
        assert found[-1] >= low + span - 1e-6 * step
        assert len(found) <= wanted + 2
