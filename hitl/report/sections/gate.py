"""The gate: the gain with its paired interval, against the margin it had to clear."""

from typing import cast

from hitl.report.charts import gain_chart
from hitl.report.sections.headline import verdict
from hitl.report.sections.parts import Figure, Section
from hitl.report.sections.sources import Sources, champion_before
from hitl.report.spelled import difference, many, percent, unit


def section(sources: Sources) -> Section | None:
    """The verdict in words and as an interval; None before the gate judged."""
    judged = sources.facts("judged")
    if not judged:
        return None
    if judged["verdict"] == "first":
        return Section("gate", "Gate", words=(f"{verdict(sources)} There was no champion to compare it with.",))
    gain, low, high = (cast(float, judged[name]) for name in ("gain", "low", "high"))
    drawn = gain_chart(sources.metric, gain, low, high, sources.params.promote.margin)
    figure = Figure(drawn, _method(sources))
    return Section("gate", "Gate", words=(verdict(sources), _rule(sources, low)), figures=(figure,))


def _rule(sources: Sources, low: float) -> str:
    margin = sources.params.promote.margin
    met = "is" if low > margin else "is not"
    bound, bar = difference(sources.metric, low), difference(sources.metric, margin)
    return f"The lower bound of the gain ({bound}) has to be above the margin ({bar}); it {met}."


def _method(sources: Sources) -> str:
    champion = champion_before(sources.state, sources.round_id)
    items = many(len(sources.after), "test item") if sources.after else "the same test items"
    evaluate = sources.params.evaluate
    return (
        f"Gain of {sources.round_id} over {champion} in {unit(evaluate.metric)}, with its "
        f"{percent(evaluate.confidence, 0)} interval from {evaluate.bootstrap:,} paired bootstrap draws of {items}."
    )
