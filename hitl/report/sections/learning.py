"""The learning curve up to this round."""

from hitl.curve import CurvePoint, learning_curve
from hitl.report.charts import curve_chart
from hitl.report.sections.parts import Cell, Figure, Section, Table, columns
from hitl.report.sections.sources import Sources
from hitl.report.spelled import between, measured, opening, percent, words


def section(sources: Sources) -> Section | None:
    """The curve as a drawing and as numbers; None before any model was measured."""
    points = tuple(one for one in learning_curve(sources.state, sources.metric) if one.round <= sources.round_id)
    if not points:
        return None
    random = sources.comparison[: len(points) - 1]  # one a round after the baseline
    name = words(sources.metric)
    caption = (
        f"{opening(name)} on the test set. The band is the {percent(sources.params.evaluate.confidence, 0)} "
        "bootstrap interval of each model."
    )
    if random:
        caption += (
            " Diamonds: as many items chosen at random instead, the mean of several runs with the least and the most."
        )
    figure = Figure(curve_chart(points, random, sources.metric), caption)
    return Section("learning", "Learning curve", figures=(figure,), tables=(_numbers(points, random, sources.metric),))


def _numbers(points: tuple[CurvePoint, ...], random: tuple[CurvePoint, ...], metric: str) -> Table:
    rows = [_row(one, metric, "promoted" if one.promoted else "not promoted") for one in points]
    rows += [_row(one, metric, "chosen at random") for one in random]
    heads = columns("round", "labels", words(metric), "interval", "model", number=("labels", words(metric), "interval"))
    return Table("The curve in numbers", heads, tuple(rows), folded=True)


def _row(point: CurvePoint, metric: str, said: str) -> tuple[Cell, ...]:
    interval = between(metric, point.low, point.high)
    return (point.round or "comparison", f"{point.labels:,}", measured(metric, point.value), interval, said)
