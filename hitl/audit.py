"""An audit's answers beside the lot's own, and the receipt that accepts the lot or sends it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from hitl import acceptance
from hitl.acceptance import Plan, Stop
from hitl.contract import SKIP, original
from hitl.errors import DataError, MomentError
from hitl.ledger import Facts
from hitl.visible import quoted

TOLD = ("audit", "kind", "of", "auditor", "verdict", "items", "errors", "skips", "rate")
"""What the ledger says of a receipt."""
SHORT = 12
"""Digits by which people call a delivery."""
_SHOWN = 40
_PROBLEMS = 20


class Unit(NamedTuple):
    """What is right or wrong: the label of an item, by its sent id, or the answer that one annotator gave it."""

    item_id: str
    label: str
    annotator_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the auditor says of an item, in which row of the file; "" is no answer yet."""

    row: int
    label: str
    comment: str = ""

    def confirms(self, label: str) -> bool:
        return label in (self.label, original(self.label))

    @property
    def is_skip(self) -> bool:
        return self.label == SKIP


Answers = Mapping[str, Answer]
"""By sent item id."""


def check(file: str, answers: Answers, units: Sequence[Unit], classes: Sequence[str]) -> None:
    """Raise DataError with every row that is not of this audit, or whose answer is no class."""
    asked, allowed = {unit.item_id for unit in units}, {*classes, SKIP, ""}
    wrong = [
        f"{file}, row {one.row}: item {quoted(item, _SHOWN)!r} was not drawn; leave it out"
        for item, one in answers.items()
        if item not in asked
    ]
    wrong += [
        f"{file}, row {one.row}: label {quoted(one.label, _SHOWN)!r} is none of {', '.join([*classes, SKIP])}"
        for one in answers.values()
        if not {one.label, original(one.label)} & allowed
    ]
    if wrong:
        more = [f"and {len(wrong) - _PROBLEMS} more"] if len(wrong) > _PROBLEMS else []
        raise DataError("\n".join([*wrong[:_PROBLEMS], *more]))


def decided(plan: Plan, units: Sequence[Unit], answers: Answers) -> Stop:
    """What the answers decide, in the order of the draw up to the first that is missing.

    A label that the auditor could not confirm counts as an error: what nobody can tell is not accepted as told.
    Raises MomentError that says where to go on when nothing is decided yet.
    """
    given = [answers.get(unit.item_id) for unit in units]
    answered = next((place for place, one in enumerate(given) if one is None or not one.label), len(units))
    wrong = [not cast(Answer, one).confirms(unit.label) for one, unit in zip(given[:answered], units, strict=False)]
    found = acceptance.stop(plan, wrong)
    if found is not None:
        return found
    following, late = given[answered], sum(1 for one in given[answered:] if one is not None and one.label)
    where = f"row {following.row}" if following else f"item {quoted(units[answered].item_id, _SHOWN)!r}"
    skipped = f" (it has no answer, and {late} after it have)" if late else ""
    raise MomentError(
        f"not decided yet after {answered} answers: go on at {where}{skipped}, in the order of the file; write {SKIP} "
        f"where it cannot be told. {plan.most} answers decide in any case"
    )


def receipt(
    drawn: Mapping[str, object], plan: Plan, units: Sequence[Unit], answers: Answers, *, auditor: str, at: str
) -> Facts:
    """The receipt of an audit: what was asked of the lot, what was found, and what to do next.

    `rate` holds the share of errors found, and the bounds of the lot's; each bound holds with the confidence.
    Raises MomentError as `decided` does.
    """
    found = decided(plan, units, answers)
    low, high = acceptance.interval(plan, found)
    counted = [answers[unit.item_id] for unit in units[: found.items]]
    told = {key: drawn[key] for key in ("audit", "round", "kind", "of", "lot", "error", "good", "confidence", "reason")}
    rate = {"found": found.errors / found.items, "low": low / plan.lot, "high": high / plan.lot}
    return {
        **told,
        "auditor": auditor,
        "closed_at": at,
        "verdict": found.verdict,
        "items": found.items,
        "errors": found.errors,
        "skips": sum(one.is_skip for one in counted),
        "rate": rate,
        "wrong": _wrong(units, answers, found.items),
        "next": _next(drawn, found),
    }


def _wrong(units: Sequence[Unit], answers: Answers, counted: int) -> list[Facts]:
    """What the auditor says otherwise, in the order of the draw; `counts` is false after what decided."""
    found: list[Facts] = []
    for number, unit in enumerate(units, start=1):
        one = answers.get(unit.item_id)
        if one is not None and one.label and not one.confirms(unit.label):
            said: Facts = {"auditor": original(one.label), "comment": one.comment, "counts": number <= counted}
            found.append({**unit._asdict(), **said})
    return found


def _next(drawn: Mapping[str, object], found: Stop) -> list[str]:
    """What a person does now."""
    if found.verdict == "accepted":
        return ["Nothing must be done: the lot stands as it is."]
    of, why = str(drawn["of"])[:SHORT], f'--reason "sent back by audit {drawn["audit"]}"'
    steps = [f"See what its withdrawal would change: hitl undo {drawn['kind']} {of} {why} --dry-run"]
    steps.append(f"Withdraw it: hitl undo {drawn['kind']} {of} {why}")
    if drawn["kind"] == "delivery":
        return [*steps, "Show this receipt to the vendor, and have the work done again: it comes as a new delivery."]
    return [*steps, "Its items then have no label; look at which annotators erred before they are asked again."]
