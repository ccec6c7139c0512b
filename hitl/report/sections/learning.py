"""The learning curve up to this round, and what was and is to be expected of a round."""

from hitl import due
from hitl.curve import CurvePoint, learning_curve
from hitl.expectation import Expectation
from hitl.prospect import Foretold, Prospect, foretold, prospect, size
from hitl.report.charts import curve_chart
from hitl.report.sections.parts import Cell, Figure, Section, Table, columns
from hitl.report.sections.sources import Sources
from hitl.report.spelled import between, difference, many, measured, opening, percent, unit, words


def section(sources: Sources) -> Section | None:
    """The curve as a drawing and as numbers; None before any model was measured."""
    state, metric = sources.state.until(sources.round_id), sources.metric
    points = learning_curve(state, metric)
    if not points:
        return None
    random = sources.comparison[: len(points) - 1]  # one a round after the baseline
    name = words(metric)
    caption = (
        f"{opening(name)} on the test set. The band is the {percent(sources.params.evaluate.confidence, 0)} "
        "bootstrap interval of each model."
    )
    if random:
        caption += (
            " Diamonds: as many items chosen at random instead, the mean of several runs with the least and the most."
        )
    past = foretold(sources.params, state)
    items = 0 if due.impossible(sources.params, state) else size(sources.params, state)
    coming = prospect(sources.params, state, items)
    known = coming.expected(sources.params.evaluate.confidence)
    brackets = [_bracket(one.round, one.expectation) for one in past]
    brackets += [_bracket(coming.round, known)] if known else []
    if brackets:
        caption += " Brackets: what was to be expected of a round before its labels came."
    figure = Figure(curve_chart(points, random, metric, foretold=brackets), caption)
    said = (_coming(coming, known, metric), *([_past(past)] if past else []))
    numbers = _numbers(points, random, metric, {one.round: one.expectation for one in past})
    return Section("learning", "Learning curve", said, figures=(figure,), tables=(numbers,))


def _bracket(round_id: str, known: Expectation) -> CurvePoint:
    return CurvePoint(round_id, known.labels, known.value, known.low, known.high)


def _coming(coming: Prospect, known: Expectation | None, metric: str) -> str:
    if not known:
        return f"{opening(coming.why_unknown() or '')}."
    gain = f"{difference(metric, known.gain_low)} to {difference(metric, known.gain_high)}"
    rise = f"{difference(metric, known.rise_low)} to {difference(metric, known.rise_high)}"
    return (
        f"{coming.round} is expected to reach {measured(metric, known.value)} "
        f"({between(metric, known.low, known.high)}) with {many(known.labels, 'label')}: a gain of "
        f"{difference(metric, known.gain)} ({gain}) {unit(metric)} over the model of {coming.points[-1].round}. The "
        f"curve itself goes up by {difference(metric, known.rise)} ({rise}); the rest is how far one model lies off it."
    )


def _past(past: tuple[Foretold, ...]) -> str:
    right, confidence = sum(one.is_right for one in past), past[0].expectation.confidence
    return (
        f"So far {right} of {many(len(past), 'round')} measured within what was to be expected; an interval is to hold "
        f"{percent(confidence, 0)} of them."
    )


def _numbers(
    points: tuple[CurvePoint, ...], random: tuple[CurvePoint, ...], metric: str, past: dict[str, Expectation]
) -> Table:
    rows = [_row(one, metric, "promoted" if one.promoted else "not promoted", past.get(one.round)) for one in points]
    rows += [_row(one, metric, "chosen at random", None) for one in random]
    figures = ("labels", words(metric), "interval", "expected")
    heads = columns("round", "labels", words(metric), "interval", "expected", "model", number=figures)
    return Table("The curve in numbers", heads, tuple(rows), folded=True)


def _row(point: CurvePoint, metric: str, said: str, known: Expectation | None) -> tuple[Cell, ...]:
    interval = between(metric, point.low, point.high)
    expected = between(metric, known.low, known.high) if known else between(metric, None, None)
    return (point.round or "comparison", f"{point.labels:,}", measured(metric, point.value), interval, expected, said)
