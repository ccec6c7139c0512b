import json
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from hitl.annotators import COLUMNS, Record, records, records_of, told

GOLD = {f"g{n}": ("cat", "dog")[n % 2] for n in range(20)}


def row(item_id: str, who: str, label: str | None, place: int = 0, **more: object) -> dict[str, object]:
    return {
        "round": "r0001",
        "item_id": item_id,
        "annotator_id": who,
        "label": label,
        "labeled_at": None,
        "seconds": None,
        "delivery": "d",
        "row": place,
        **more,
    }


def found(
    rows: list[dict[str, object]], labels: Mapping[str, str] | None = None, vendors: Mapping[str, str] | None = None
) -> dict[tuple[str, str | None], Record]:
    came_to = pd.DataFrame(
        [("r0001", item, label) for item, label in (labels or {}).items()], columns=["round", "item_id", "label"]
    )
    made = records(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        gold=GOLD,
        labels=came_to,
        vendors=vendors or {"r0001": "acme", "r0002": "acme"},
        confidence=0.95,
        draws=100,
        seed=0,
    )
    return {(one.vendor, one.annotator_id): one for one in made}


def test_accuracy_on_gold_and_what_was_confused_are_those_of_each_and_of_all() -> None:
    rows = [row(item, "ann", known) for item, known in GOLD.items()]
    rows += [row(item, "bob", "cat") for item in GOLD] + [row("x", "bob", None)]
    by = found(rows)
    assert (by["acme", "ann"].gold.value, by["acme", "bob"].gold.value, by["acme", None].gold.value) == (1, 0.5, 0.75)
    assert by["acme", "bob"].confusion == (("cat", "cat", 10), ("dog", "cat", 10))
    assert (by["acme", "bob"].answers, by["acme", "bob"].skips, by["acme", None].annotators) == (20, 1, 2)
    assert by["acme", "ann"].gold.low == pytest.approx(0.8389, abs=1e-4)  # Wilson, of 20 of 20


def test_people_of_two_vendors_are_different_people_whatever_they_are_called() -> None:
    rows = [row("g0", "ann", "cat"), row("g0", "ann", "dog", round="r0002")]
    by = found(rows, vendors={"r0001": "acme", "r0002": "best"})
    assert (by["acme", "ann"].gold.value, by["best", "ann"].gold.value) == (1.0, 0.0)


def test_agreement_counts_what_others_answered_too_and_is_beyond_chance() -> None:
    rows = [row(f"i{n}", who, ("cat", "dog")[n % 2]) for n in range(10) for who in ("ann", "bob")]
    rows += [row(f"i{n}", "cem", ("cat", "dog")[n // 5]) for n in range(10)] + [row("alone", "ann", "cat")]
    by = found(rows, labels={f"i{n}": ("cat", "dog")[n % 2] for n in range(10)} | {"alone": "cat"})
    assert (by["acme", "ann"].agrees.value, by["acme", "ann"].agrees.of) == (1.0, 10)
    assert by["acme", "cem"].kappa.value < 0.4 < by["acme", "ann"].kappa.value
    assert 0 < by["acme", None].alpha.value < 1 and by["acme", None].fleiss.of == 10
    assert math.isnan(by["acme", "ann"].alpha.value) and math.isnan(by["acme", None].kappa.value)


def test_the_pace_is_a_median_with_a_spread_that_a_page_left_open_does_not_move() -> None:
    times = [8.0, 9.0, 10.0, 11.0, 40_000.0]
    one = found([row(f"i{n}", "ann", "cat", seconds=seconds) for n, seconds in enumerate(times)])["acme", "ann"]
    assert (one.seconds.value, one.spread, one.seconds.of) == (10.0, 1.0, 5)


def tired(session: int, place: int) -> str | None:
    """One who is wrong in the second half of each session."""
    known = GOLD[f"g{place}"]
    return known if place < 10 else {"cat": "dog", "dog": "cat"}[known]


def test_who_tires_in_every_session_is_found_by_the_times_or_by_the_order_of_rows() -> None:
    timed = [
        row(f"g{place}", "ann", tired(day, place), labeled_at=f"2026-11-{day:02d}T09:{place:02d}:00Z", delivery="d")
        for day in (3, 4)
        for place in range(20)
    ]
    plain = [row(f"g{n}", "bob", tired(day, n), n, delivery=f"d{day}") for day in (3, 4) for n in range(20)]
    by = found(timed + plain)
    for who in ("ann", "bob"):
        assert by["acme", who].by_position.is_real
        assert by["acme", who].by_position.change.value == -1.0


def test_who_gets_worse_from_round_to_round_is_found_and_a_pause_begins_a_session() -> None:
    rows = [row(item, "ann", known) for item, known in GOLD.items()]
    rows += [row(item, "ann", "cat", round="r0002") for item in GOLD]
    one = found(rows)["acme", "ann"]
    assert one.by_round.change.value == -0.5 and one.by_round.is_real
    paused = [
        row("g0", "bob", "cat", labeled_at="2026-11-03T09:00:00Z"),
        row("g1", "bob", "cat", labeled_at="2026-11-03T10:00:00Z"),
    ]
    assert found(paused)["acme", "bob"].by_position.change.of == 0


def test_the_order_of_rows_and_the_names_of_deliveries_change_nothing() -> None:
    rng = np.random.default_rng(1)
    rows = [
        row(f"g{n}", who, ("cat", "dog")[int(rng.integers(2))], n, seconds=float(rng.integers(5, 50)))
        for n in range(20)
        for who in ("ann", "bob", "cem")
    ]
    other = [{**one, "delivery": "z"} for one in rng.permutation(np.array(rows, dtype=object))]
    assert told(found(rows).values()) == told(found(other).values())


def test_records_survive_json() -> None:
    by = found([row(item, who, "cat", seconds=2.5) for item in GOLD for who in ("ann", "bob")])
    values = json.loads(json.dumps(told(by.values()), allow_nan=False))
    assert told(records_of(values)) == values
    assert records_of(values)[0].gold.of == 40


def test_nobody_is_no_record() -> None:
    assert found([]) == {}
