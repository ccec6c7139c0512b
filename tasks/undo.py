"""Undo: what a withdrawal would change, by judging again everything that came; and a rollback of the champion."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

from hitl.delivery.judgement import Judgement
from hitl.errors import MomentError
from hitl.layout import Workspace, round_number
from hitl.ledger import Facts
from hitl.state import Phase, RoundState, State
from hitl.withdrawal import Counts, Kind
from tasks import expected, journal
from tasks.edges import tables

_SHA256 = re.compile(r"[0-9a-f]{8,64}")


def named(state: State, kind: Kind, of: str) -> str:
    """What `of` means: the whole sha256 of a delivery or of decisions, an annotator's id, a round.

    Raises MomentError for none.
    """
    if kind == "round":
        return state.round(of).id
    if kind in ("annotator", "exclusion"):
        return of
    word = "file of decisions" if kind == "decision" else "delivery"
    known = {one.sha256 for a_round in state.rounds for one in a_round.arrivals}
    known = {cast(str, one["decision"]) for one in state.adjudicated} if kind == "decision" else known
    found = sorted(sha256 for sha256 in known if _SHA256.fullmatch(of) and sha256.startswith(of))
    if len(found) != 1:
        which = f"more than one {word} begins so" if found else f"no {word} begins so"
        place = "data/decisions" if kind == "decision" else "data/deliveries"
        raise MomentError(f"{of!r}: {which}; give 8 or more digits of its sha256 ({place}, or its receipt)")
    return found[0]


def undone_before(state: State, kind: Kind, of: str) -> Facts | None:
    """The facts of the newest undo of the same; None when there is none."""
    return next((one for one in reversed(state.undone) if (one["kind"], one["of"]) == (kind, of)), None)


def decide(workspace: Workspace, kind: Kind, of: str, reason: str) -> tuple[str, Facts] | None:
    """The round that the event `undone` is of, and its facts; None when nothing that stands would change.

    Changes nothing. Raises IntegrityError when a delivery that stands is not what it was.
    """
    before = journal.read(workspace)
    if kind == "decision":
        return _without_decisions(workspace, before, of, reason)
    after, changed = before_and_after(workspace, before, kind, of)
    if not changed:
        return None
    return changed[0], {
        "kind": kind,
        "of": of,
        "reason": reason,
        "standing": {name: _told(after.round(name).standing) for name in changed},
        "corrections": _corrections(before, after, changed),
        **_followed(before, round_number(changed[0])),
    }


def _followed(before: State, first: int) -> Facts:
    """What followed from rows that counted from round number `first` on: closings, models in use, batches."""
    void = [one.id for one in before.rounds[first:] if one.phase is Phase.CLOSED]
    return {
        "champion": before.champion,
        "rounds": void,
        "published": [_published(before, before.round(name)) for name in void],
        "batches": [one.id for one in before.rounds[first + 1 :] if one.done("selected")],
    }


def _without_decisions(workspace: Workspace, before: State, of: str, reason: str) -> tuple[str, Facts] | None:
    """As `decide`, for the file of decisions `of`: nothing was paid for it, so no money is to be corrected."""
    file = next((one for one in before.decisions() if one["decision"] == of), None)
    if file is None:
        return None
    first = round_number(cast(str, file["counts_from"]))
    return before.rounds[min(first, len(before.rounds) - 1)].id, {
        "kind": "decision",
        "of": of,
        "reason": reason,
        "standing": {},
        "corrections": {
            "annotations": 0,
            "amount": "0",
            "currency": journal.params(workspace).delivery.currency,
            "by_round": {},
        },
        **_followed(before, first),
    }


def before_and_after(workspace: Workspace, before: State, kind: Kind, of: str) -> tuple[State, list[str]]:
    """The state with the withdrawal, and the rounds of which something else stands then."""
    after = replace(before, rounds=tuple(one.less(kind, of) for one in before.rounds))
    changed = []
    for one in before.rounds:
        if not one.arrivals:
            continue
        stands = list(expected.judged_again(workspace, after, one.id))
        held = kind == "exclusion" and of in cast(Facts, one.facts.get("resolved", {}).get("held", {}))
        counted = {judged.sha256: (judged.accepted, judged.revised) for judged in stands}
        if (
            held
            or counted != one.standing
            or _answers(stands) != _answers(expected.standing(workspace, before, one.id))
        ):
            changed.append(one.id)
            after = _with(after, replace(after.round(one.id), rejudged=counted))
    return after, changed


def labels_changed(workspace: Workspace, other: Workspace, name: str) -> int:
    """How many items have another label, or none, in the round as the `other` workspace has it."""
    one, two = (_labels(each, name) for each in (workspace, other))
    return sum(one.get(item) != two.get(item) for item in one.keys() | two.keys())


def rollback(workspace: Workspace, reason: str) -> tuple[str, Facts]:
    """The round that the event `rolled_back` is of, and its facts.

    Raises MomentError where no champion came before.
    """
    state = journal.read(workspace)
    line = state.champions()
    if len(line) < 2:
        raise MomentError(f"no champion came before {line[-1] if line else 'now'}: there is nothing to go back to")
    return state.closed[-1].id, {"champion": line[-2], "previous": line[-1], "reason": reason}


def rolled_back(state: State, reason: str) -> tuple[str, Facts] | None:
    """What `rollback` gave when it was said with this reason, after the newest round closed; None when it was not."""
    newest = state.closed[-1] if state.closed else None
    if newest is None or not newest.rollbacks or newest.rollbacks[-1]["reason"] != reason:
        return None
    return newest.id, {key: newest.rollbacks[-1][key] for key in ("champion", "previous", "reason")}


def _labels(workspace: Workspace, name: str) -> dict[str, str]:
    found = tables.read_parquet(workspace.round(name) / "labels.parquet", ["item_id", "label"]).dropna()
    return dict(zip(found["item_id"], found["label"], strict=True))


def _with(state: State, one: RoundState) -> State:
    place = round_number(one.id)
    return replace(state, rounds=(*state.rounds[:place], one, *state.rounds[place + 1 :]))


def _answers(stands: Iterable[Judgement]) -> list[object]:
    return [(judged.sha256, tuple(judged.annotations)) for judged in stands]


def _told(standing: object) -> dict[str, list[int]]:
    return {sha256: list(both) for sha256, both in cast(dict[str, Counts], standing).items()}


def _corrections(before: State, after: State, changed: Sequence[str]) -> Facts:
    """What was accepted and paid and does not stand any more; below 0 where more stands than before."""
    by_round = {name: before.round(name).accepted - after.round(name).accepted for name in changed}
    exported = before.round(changed[0]).facts["exported"]
    return {
        "annotations": sum(by_round.values()),
        "amount": str(sum((before.round(name).spent - after.round(name).spent for name in changed), Decimal(0))),
        "currency": exported["currency"],
        "by_round": by_round,
    }


def _published(state: State, one: RoundState) -> Facts:
    was_champion = any(other.facts.get("judged", {}).get("champion") == one.id for other in state.rounds)
    return {"round": one.id, "model_id": one.facts["trained"]["model_id"], "was_champion": was_champion}
