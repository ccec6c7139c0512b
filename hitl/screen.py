"""What `hitl status` shows: the state as plain values, and the same as one screen that ends in what to do next."""

import shlex
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from hitl import budget, due, money, overlap, people
from hitl.awaited import UNKNOWN, Awaited, lines as lines_of
from hitl.ledger import Facts
from hitl.params import Params
from hitl.shortage import UNNAMED, shortage
from hitl.state import Phase, RoundState, State
from hitl.visible import clipped
from hitl.withdrawal import correction

_MOMENT = "%a %d %b %H:%M"
_LONGEST = 60


def view(
    state: State,
    params: Params,
    *,
    name: str,
    at: datetime,
    awaited: Awaited | None = None,
    annotators: Sequence[Facts] = (),
    regraded: Facts | None = None,
    guideline: Facts | None = None,
) -> Facts:
    """The state as JSON-able values: rounds, champion, spending, what is awaited, and the next thing to do.

    `awaited` is what the open round lacks and from whom, where that was looked for. `annotators` are the records of
    vendors and annotators as the last closing left them, `guideline` what it says of the guideline, and what they ask.
    """
    current = cast(RoundState, state.current)
    metric, stop = params.evaluate.metric, _stop(state, params)
    return {
        "workspace": name,
        "round": current.id,
        "phase": str(current.phase),
        "champion": _model(state, state.champion, metric),
        "rounds": [_round(one, metric) for one in state.rounds],
        "metric": metric,
        "spent": {
            "annotations": state.annotations,
            "amount": money.spelled(state.spent),
            "currency": params.delivery.currency,
        },
        "budget_left": budget.remaining(params, state),
        "corrections": [_correction(one) for one in state.undone],
        "awaiting": _awaiting(current, at, awaited),
        "annotators": list(annotators),
        "gold": {**_gold(state, params), "regraded": regraded},
        "guideline": guideline,
        "stop": stop.facts() if stop else None,
        "adjudication": len(overlap.for_adjudicator(params, state)),
        "held": _held(state),
        "another": _another(state, params),
        "doubted": _doubted(state),
        "next": next_step(state, params, at),
        "head": state.head,
    }


def next_step(state: State, params: Params, at: datetime) -> str:
    """What a person should do now, in one sentence."""
    current = cast(RoundState, state.current)
    if state.rebuilding:
        return f"{state.rebuilding[0].id} was cut short while it was rebuilt: run hitl close"
    if current.phase is Phase.OPENING:
        return f"{current.id} was cut short while opening: run hitl open"
    if current.phase is Phase.CLOSING:
        if len(state.rounds) == 1:
            return "run hitl open: the baseline is trained first"
        return f"{current.id} was cut short while closing: run hitl close"
    if current.phase is Phase.CLOSED:
        stop = _stop(state, params)
        return f"no more labels are asked for: {stop}" if stop else "run hitl open to send the next batch"
    if current.accepted >= current.expected:
        return f"every answer of {current.id} is in: run hitl close"
    return _waiting(current, params, at)


def _stop(state: State, params: Params) -> due.Stop | None:
    """Why no next round is opened; None where one is, and while one is not closed or closed anew."""
    is_between = cast(RoundState, state.current).phase is Phase.CLOSED and not state.rebuilding
    return due.why_not_open(params, state) if is_between else None


def _waiting(current: RoundState, params: Params, at: datetime) -> str:
    """What there is to do while answers are missing, and what happens at the deadline without anybody."""
    deadline, there = _deadline(current), f"{current.accepted} of {current.expected} answers"
    does = f"hitl advance closes {current.id} with {there} and sends again what nobody answered"
    if due.is_enough(current, params):
        over, until = f"the deadline of {current.id} is over", f"nothing for you to do until {deadline:{_MOMENT}} UTC"
        return f"{over}: {does}" if at >= deadline else f"{until}; then {does}"
    if at < deadline:
        return f"nothing for you to do until {deadline:{_MOMENT}} UTC, or until labels arrive: hitl ingest FILE"
    if not current.accepted:
        return f"the deadline of {current.id} is over and no answer is in: remind {_vendor(current)}"
    few = f"{there}, fewer than delivery.minimum_share asks for ({params.delivery.minimum_share:.0%})"
    return f"the deadline of {current.id} is over with {few}: remind {_vendor(current)}, or hitl close --partial"


def _deadline(current: RoundState) -> datetime:
    return datetime.fromisoformat(cast(str, current.facts["exported"]["deadline"]))


def _vendor(current: RoundState) -> str:
    """Whom the pack went to, by the name that it had then."""
    name = cast(str, current.facts["exported"].get("vendor", UNNAMED))
    return "the vendor" if name == UNNAMED else clipped(name, _LONGEST)


def text(shown: Facts) -> str:
    """The view as one screen."""
    champion = cast(Facts | None, shown["champion"])
    spent = cast(Facts, shown["spent"])
    left = "no limit" if shown["budget_left"] is None else f"{shown['budget_left']} annotations left"
    lines = [f"{shown['workspace']}   {shown['round']} {shown['phase']}", ""]
    lines.append(f"champion  {_champion(champion, cast(str, shown['metric']))}")
    lines.append(f"spent     {spent['annotations']} annotations, {spent['amount']} {spent['currency']} ({left})")
    undone = cast(list[Facts], shown["corrections"])
    lines += [f"undone    {one['kind']} {one['of']}, to correct: {correction(one)}" for one in undone]
    awaiting = cast(Facts | None, shown["awaiting"])
    if awaiting:
        lines.append(
            f"awaiting  {awaiting['missing']} of {awaiting['expected']} answers from {awaiting['whom']}, "
            f"since {awaiting['since']}, deadline {awaiting['deadline']}{' (over)' if awaiting['overdue'] else ''}"
        )
        lines += [f"          {line}" for line in lines_of(awaiting)]
    told = people.lines(cast(list[Facts], shown["annotators"]))
    lines += [f"{'people' if not place else '':<10}{line}" for place, line in enumerate(told)]
    if asked := _asked(cast(Facts | None, shown["guideline"])):
        lines.append(f"guideline {asked}")
    lines += _regraded(cast(Facts, shown["gold"]))
    if note := shortage(cast(Facts, shown["gold"])):
        lines.append(f"gold      {note}")
    lines += [f"held      {line}" for line in _waits(cast(list[Facts], shown["held"]))]
    if shown["adjudication"] or shown["doubted"]:
        lines.append(f"to settle {_to_settle(cast(int, shown['adjudication']), cast(int, shown['doubted'] or 0))}")
    lines += _overlapped(cast(dict[str, int], shown["another"]))
    lines += [
        "",
        *_table(cast(list[Facts], shown["rounds"]), cast(str, shown["metric"])),
        "",
        f"next      {shown['next']}",
    ]
    return "\n".join(lines)


def _another(state: State, params: Params) -> dict[str, int]:
    """How many items wait for another annotator, and how many of them are out in the open round."""
    current = cast(RoundState, state.current)
    is_out = current.done("selected") and not current.done("resolved")
    reasons = cast(dict[str, int], current.facts["selected"]["reasons"]) if is_out else {}
    return {"items": len(overlap.waiting(params, state)), "out": reasons.get(overlap.REASON, 0)}


def _overlapped(another: dict[str, int]) -> list[str]:
    if not another["items"]:
        return []
    waits = "1 item waits" if another["items"] == 1 else f"{another['items']} items wait"
    out = f", {another['out']} of them out now" if another["out"] else ""
    return [f"overlap   {waits} for another annotator{out}"]


def _asked(guideline: Facts | None) -> str:
    """What whoever writes the guideline should know, in a line; "" where there is nothing."""
    if guideline is None:
        return ""
    change, found = cast(Facts | None, guideline["change"]), cast(list[Facts], guideline["questions"])
    asking = sum(bool(one["asks"]) for one in found)
    said = [f"annotators remarked on {len(found)} items, and ask about {asking} of them"] if found else []
    if change is not None and change["is_real"]:
        said.append(
            f"answers shifted when it changed: {len(cast(list[Facts], change['doubtful']))} labels are doubtful"
        )
    return f"{'; '.join(said)} (hitl report)" if said else ""


def _regraded(gold: Facts) -> list[str]:
    found = cast(dict[str, list[object]] | None, gold["regraded"])
    if found is None:
        return []
    items, people, deliveries = (len(found[name]) for name in ("items", "people", "deliveries"))
    said = f"known answers corrected: {items}; records changed: {people}; verdicts that would be others: {deliveries}"
    return [f"gold      {said} (hitl report)"]


def _gold(state: State, params: Params) -> Facts:
    """How many gold items a batch hides by now, and how many are left that nobody at the vendor may know.

    None where that was not counted: before the first batch, or for another vendor.
    """
    packs = [one.facts for one in state.rounds if one.done("exported")]
    same = bool(packs) and packs[-1]["exported"].get("vendor", UNNAMED) == params.export.vendor
    left = packs[-1].get("selected", {}).get("gold_left") if same else None
    return {"wanted": budget.gold(params, params.query.batch), "left": left, "vendor": params.export.vendor}


def _held(state: State) -> list[Facts]:
    """Whose answers resolve.policy holds, in which rounds, how many (None: an older ledger does not say), and why."""
    found: dict[str, Facts] = {}
    for one in state.rounds:
        facts = one.facts.get("resolved", {})
        counts = cast(dict[str, int], facts.get("held_answers", {}))
        for who, why in cast(dict[str, str], facts.get("held", {})).items():
            if who not in state.cleared:
                before = found.get(who, {"rounds": [], "answers": 0})
                known, count = cast(int | None, before["answers"]), counts.get(who)
                found[who] = {
                    "annotator_id": who,
                    "rounds": [*cast(list[str], before["rounds"]), one.id],
                    "answers": None if known is None or count is None else known + count,
                    "why": why,
                }
    return [found[who] for who in sorted(found)]


def _waits(held: list[Facts]) -> list[str]:
    """A line for each annotator who is held, with the commands that decide; beyond SHOWN they are counted."""
    lines = []
    for one in held[: people.SHOWN]:
        who, rounds = clipped(str(one["annotator_id"]), _LONGEST), ", ".join(cast(list[str], one["rounds"]))
        count = "the answers" if one["answers"] is None else f"{one['answers']} answers"
        named = shlex.quote(str(one["annotator_id"]))
        lines.append(
            f"{count} of {who} in {rounds} count for nothing: hitl undo exclusion {named} --reason WHY lets them "
            f"count, hitl undo annotator {named} --reason WHY withdraws them"
        )
    return [*lines, *([f"and {len(held) - people.SHOWN} more: hitl report"] if len(held) > people.SHOWN else [])]


def _doubted(state: State) -> int | None:
    """How many labels are in doubt, as the newest closing left it; None where it did not look."""
    newest = next((one for one in reversed(state.rounds) if one.done("resolved")), None)
    return None if newest is None else cast(int | None, newest.facts["resolved"].get("doubted"))


def _to_settle(items: int, labels: int) -> str:
    waits = [f"{items} item{' waits' if items == 1 else 's wait'} for an adjudicator"] if items else []
    waits += [f"the model contradicts {labels} label{'' if labels == 1 else 's'}"] if labels else []
    return f"{', '.join(waits)}: hitl adjudicate"


def _correction(one: Facts) -> Facts:
    told = {key: one[key] for key in ("kind", "of", "at", "round", "reason", "rounds", "batches", "published")}
    return {**told, **cast(Facts, one["corrections"])}


def _round(one: RoundState, metric: str) -> Facts:
    metrics = cast(dict[str, float], one.facts.get("evaluated", {}).get("metrics", {}))
    return {
        "round": one.id,
        "phase": str(one.phase),
        "items": one.facts.get("selected", {}).get("items"),
        "accepted": one.accepted,
        "expected": one.expected,
        "labels": one.facts.get("trained", {}).get("labels"),
        "value": metrics.get(metric),
        "low": metrics.get(f"{metric}_low"),
        "high": metrics.get(f"{metric}_high"),
        "verdict": one.facts.get("judged", {}).get("verdict"),
        "unresolved": len(cast(list[str], one.facts.get("resolved", {}).get("unresolved", []))),
        "amount": money.spelled(one.spent),
    }


def _model(state: State, champion: str | None, metric: str) -> Facts | None:
    if champion is None:
        return None
    one = state.round(champion)
    metrics = cast(dict[str, float], one.facts["evaluated"]["metrics"])
    return {
        "round": champion,
        "model_id": one.facts["trained"]["model_id"],
        "value": metrics[metric],
        "since": one.at["judged"],
    }


def _awaiting(current: RoundState, at: datetime, awaited: Awaited | None) -> Facts | None:
    if current.phase is not Phase.AWAITING:
        return None
    deadline = _deadline(current)
    return {
        "whom": _vendor(current),
        "since": current.at["exported"],
        "deadline": current.facts["exported"]["deadline"],
        "overdue": at >= deadline,
        "days_left": round((deadline - at) / timedelta(days=1), 2),
        "expected": current.expected,
        "accepted": current.accepted,
        "missing": current.expected - current.accepted,
        **(awaited.facts() if awaited else UNKNOWN),
    }


def _champion(champion: Facts | None, metric: str) -> str:
    if champion is None:
        return "none yet"
    return f"the model of {champion['round']}, {metric} {cast(float, champion['value']):.4f}"


def _table(rounds: list[Facts], metric: str) -> list[str]:
    lines = [f"{'round':<7}{'phase':<10}{'answers':>12}{'labels':>9}{metric:>19}   {'interval':<16}{'verdict':<10}"]
    for one in rounds:
        answers = f"{one['accepted']}/{one['expected']}" if one["expected"] else "-"
        value = "-" if one["value"] is None else f"{cast(float, one['value']):.4f}"
        interval = "" if one["low"] is None else f"{cast(float, one['low']):.4f}-{cast(float, one['high']):.4f}"
        labels = one["labels"] or "-"
        line = f"{one['round']:<7}{one['phase']:<10}{answers:>12}{labels:>9}{value:>19}   {interval:<16}"
        lines.append(f"{line}{one['verdict'] or ''}".rstrip())
    return lines
