"""The records of annotators in a few lines, for the status: of JSON-able values alone, so nothing heavy is needed."""

from collections.abc import Sequence
from typing import cast

from hitl.ledger import Facts
from hitl.visible import clipped

SHOWN = 8
"""Annotators that are shown; the others are counted."""
_LONGEST = 24


def lines(records: Sequence[Facts]) -> list[str]:
    """A line for each vendor where there are several, then one for each annotator, those least right on gold first."""
    vendors = [one for one in records if one["annotator_id"] is None]
    people = sorted((one for one in records if one["annotator_id"] is not None), key=_by_gold)
    more = [f"and {len(people) - SHOWN} more: hitl report"] if len(people) > SHOWN else []
    told = [(_name(one, len(vendors)), one) for one in [*(vendors if len(vendors) > 1 else []), *people[:SHOWN]]]
    width = max((len(name) for name, _ in told), default=0)
    return [*(f"{name:<{width}}  {_line(one)}" for name, one in told), *more]


def _by_gold(one: Facts) -> tuple[bool, float, str]:
    gold = cast(Facts, one["gold"])["value"]
    return gold is None, cast(float, gold or 0.0), str(one["annotator_id"])


def _name(one: Facts, vendors: int) -> str:
    who = one["annotator_id"]
    if who is None:
        return f"{clipped(str(one['vendor']), _LONGEST)} ({one['annotators']})"
    of = f" ({clipped(str(one['vendor']), _LONGEST)})" if vendors > 1 else ""
    return clipped(str(who), _LONGEST) + of


def _line(one: Facts) -> str:
    gold, seconds = cast(Facts, one["gold"]), cast(Facts, one["seconds"])
    parts = [f"{one['answers']} answers"]
    if gold["of"]:
        share, low, high = (100 * cast(float, gold[name]) for name in ("value", "low", "high"))
        parts.append(f"gold {share:.0f} % right ({low:.0f} to {high:.0f}, of {gold['of']})")
    else:
        parts.append("no gold yet")
    if seconds["of"]:
        parts.append(f"{cast(float, seconds['value']):.0f} s each")
    return ", ".join([*parts, *drifts(one)])


def drifts(one: Facts) -> list[str]:
    """Which drift is beyond chance, in words; empty where none is."""
    from_to = {"by_round": "from round to round", "by_position": "within a session"}
    said = []
    for name, words in from_to.items():
        found = cast(Facts, one[name])
        change = cast(Facts, found["change"])["value"]
        if found["is_real"] and change is not None:
            said.append(f"gets {'worse' if cast(float, change) < 0 else 'better'} {words}")
    return said
