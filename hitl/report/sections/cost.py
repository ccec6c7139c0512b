"""What the round cost, and what the budget still allows."""

from decimal import Decimal
from typing import cast

from hitl.report.sections.parts import Cell, Section, Table, columns
from hitl.report.sections.sources import Sources
from hitl.report.spelled import many, money


def section(sources: Sources) -> Section | None:
    """Annotations and money of this round and of all rounds; None before the pack went out."""
    if not sources.round.done("exported"):
        return None
    heads = columns("", "annotations", "amount", number=("annotations", "amount"))
    return Section("cost", "What it cost", _words(sources), tables=(Table("Paid and left", heads, _rows(sources)),))


def _words(sources: Sources) -> tuple[str, ...]:
    delivery = sources.params.delivery
    price = Decimal(str(sources.facts("exported").get("price", delivery.price)))
    said = [f"Each accepted annotation is paid {money(price, delivery.currency)}."]
    labels = cast(int, sources.facts("resolved").get("resolved", 0))
    if labels and sources.round.spent:
        each = money((sources.round.spent / labels).quantize(Decimal("0.001")), delivery.currency)
        said.append(f"That is {each} for each of {many(labels, 'new label')}.")
    return tuple(said)


def _rows(sources: Sources) -> tuple[tuple[Cell, ...], ...]:
    state, budget, currency = sources.state, sources.params.budget, sources.params.delivery.currency
    annotations = "no limit" if budget.annotations is None else f"{budget.annotations - state.annotations:,}"
    amount = "no limit" if budget.money is None else money(budget.money - state.spent, currency)
    return (
        (f"{sources.round_id}, asked for", f"{sources.round.expected:,}", ""),
        (f"{sources.round_id}, paid", f"{sources.round.accepted:,}", money(sources.round.spent, currency)),
        ("all rounds, paid", f"{state.annotations:,}", money(state.spent, currency)),
        ("budget left", annotations, amount),
    )
