"""Records for tests: a ledger that tells of whole rounds, and the text of a params.yaml."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import yaml

from hitl.delivery.receipt import payable
from hitl.layout import round_id
from hitl.ledger import Event, Facts, extend, line
from hitl.params import Params, parse

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
Told = tuple[str, str, Facts]
"""An event to tell: its name, its round, its facts."""

OPENING = ("opened", "trained", "scored", "selected", "exported")
CLOSING = ("validated", "resolved", "trained", "evaluated", "judged", "reported", "closed")
BASELINE = ("created", "trained", "evaluated", "judged", "closed")


def events(*told: Told, at: datetime = MONDAY) -> tuple[Event, ...]:
    """The events told, chained, a minute apart from `at` on."""
    past: list[Event] = []
    for number, (event, name, facts) in enumerate(told):
        when = at + timedelta(minutes=number)
        past.append(extend(past, at=when, actor="ada", event=event, round=name, facts=facts))
    return tuple(past)


def ledger_bytes(*told: Told) -> bytes:
    return b"".join(line(event) for event in events(*told))


def baseline() -> list[Told]:
    """The events of a workspace whose baseline is closed."""
    return [told(event, "r0000") for event in BASELINE]


def a_round(number: int, *deliveries: Facts, until: str = "closed", **facts: Facts) -> list[Told]:
    """The events of round `number` up to and with `until`; `facts` replace parts of those of an event."""
    name = round_id(number)
    before = [told(event, name, **facts.get(event, {})) for event in OPENING]
    taken = [("delivered", name, delivery) for delivery in deliveries]
    after = [told(event, name, **facts.get(event, {})) for event in CLOSING]
    whole = [*before, *taken, *after]
    last = max(index for index, one in enumerate(whole) if one[0] == until)
    return whole[: last + 1]


def told(event: str, name: str, **facts: object) -> Told:
    """The event with its usual facts, some replaced by `facts`."""
    return event, name, {**_usual(event, name), **facts}


def delivery(sha256: str = "d1", *, accepted: int = 32, revised: int = 0) -> Facts:
    """The facts of a delivery of which `accepted` rows were taken, `revised` of them in place of earlier ones."""
    rows = {"delivered": accepted, "accepted": accepted, "quarantined": 0, "duplicate": 0}
    paid = payable(accepted - revised, Decimal("0.05"), "EUR")
    about = {"delivery": sha256, "file": f"{sha256}.csv", "verdict": "accept"}
    return {**about, "rows": rows, "revised": revised, "payable": paid}


def undone(kind: str, of: str, *rounds: str, of_round: str = "r0001", **standing: dict[str, list[int]]) -> Told:
    """An undo that makes `rounds` void; `standing` has what stands of each round then, by delivery."""
    owed = {"annotations": 32, "amount": "1.60", "currency": "EUR", "by_round": {of_round: 32}}
    facts: Facts = {"kind": kind, "of": of, "reason": "a bot", "champion": "r0000", "rounds": list(rounds)}
    told_too: Facts = {"standing": standing, "corrections": owed, "published": [], "batches": []}
    return "undone", of_round, {**facts, **told_too}


def params(**sections: Any) -> Params:
    """Parameters of two classes and one numeric column; `sections` are laid over them."""
    return parse(params_text(**sections))


def params_text(**sections: Any) -> str:
    """The text of a params.yaml; keys of `sections` replace those of the section of that name."""
    usual: dict[str, Any] = {
        "data": {"id": "id", "label": "species", "classes": ["cat", "dog"], "columns": {"weight": "numeric"}},
        "query": {"batch": 30},
        "delivery": {"price": 0.05, "currency": "EUR"},
    }
    merged = {name: {**usual.get(name, {}), **sections.get(name, {})} for name in {**usual, **sections}}
    return yaml.safe_dump(merged, sort_keys=False, allow_unicode=True)


def _usual(event: str, name: str) -> Facts:
    number = int(name[1:])
    metrics = {"accuracy": 0.8 + number / 100, "accuracy_low": 0.75, "accuracy_high": 0.9}
    facts: dict[str, Facts] = {
        "created": {
            "counts": {"initial": 30, "test": 50, "pool": 500, "gold": 10, "out": 0},
            "classes": ["cat", "dog"],
        },
        "opened": {"params_sha256": "p", "strategy": "margin"},
        "trained": {
            "labels": 30 + 30 * number,
            "model_id": f"model{number}",
            "labeled_sha256": "l",
            "params_sha256": "p",
        },
        "scored": {"rows": 500, "candidates_sha256": "c"},
        "selected": {"items": 32, "reasons": {"gold": 2, "random": 3, "uncertain": 27}, "batch_sha256": "b"},
        "exported": {
            "items": 32,
            "annotations": 32,
            "deadline": "2026-11-09T09:00:00Z",
            "price": "0.05",
            "currency": "EUR",
        },
        "validated": {"rows": 32, "answered": 30},
        "resolved": {"resolved": 30, "unresolved": [], "skipped": 0},
        "evaluated": {"metrics": metrics},
        "undone": undone("round", name)[2],
        "judged": {"verdict": "promoted" if number else "first", "champion": name, "challenger": name},
    }
    return facts.get(event, {})
