"""A column that was moved shows at the gold items, and careful work in an odd order does not."""

import numpy as np
import pytest

from hitl.contract import SKIP
from hitl.delivery.slip import Answer, filled_down, slipped

RNG = np.random.default_rng


def answered(
    seed: int, *, rows_an_item: int = 1, accuracy: float = 0.96, gold: int = 24
) -> tuple[list[Answer], dict[str, str]]:
    """Answers of two classes to 120 items in the order of their ids, and the gold among them."""
    rng = RNG(seed)
    truth = {f"i{n:03d}": str(rng.integers(2)) for n in range(120)}
    said = {"0": "1", "1": "0"}
    items = [item for item in truth for _ in range(rows_an_item)]
    rows = [(item, truth[item] if rng.random() < accuracy else said[truth[item]]) for item in items]
    return rows, {str(item): truth[item] for item in rng.choice(list(truth), gold, replace=False)}


def renamed(rows: list[Answer], items: list[str]) -> list[Answer]:
    """The answers of `rows` under other ids, in the order of both."""
    return [(item, answer) for item, (_, answer) in zip(items, rows, strict=True)]


@pytest.mark.parametrize("rows_an_item", [1, 2, 3])
@pytest.mark.parametrize("distance", [1, -1])
@pytest.mark.parametrize("seed", range(8))
def test_ids_that_slid_by_a_row_are_found(seed: int, distance: int, rows_an_item: int) -> None:
    rows, gold = answered(seed, rows_an_item=rows_an_item)
    items = [item for item, _ in rows]

    assert slipped(renamed(rows, items[distance:] + items[:distance]), gold, sorted(set(items)), 2)


@pytest.mark.parametrize("seed", range(8))
def test_ids_that_were_sorted_alone_are_found(seed: int) -> None:
    rows, gold = answered(seed, rows_an_item=2)
    order = RNG(seed).permutation(120)
    sent = [rows[2 * place + row] for place in order for row in (0, 1)]

    assert slipped(renamed(sent, sorted(item for item, _ in sent)), gold, dict(sent), 2)


@pytest.mark.parametrize("rows_an_item", [1, 2])
@pytest.mark.parametrize("accuracy", [0.97, 0.8])
def test_work_in_any_order_is_taken(accuracy: float, rows_an_item: int) -> None:
    for seed in range(40):
        rows, gold = answered(seed, rows_an_item=rows_an_item, accuracy=accuracy)
        pack = list(dict(rows))
        RNG(seed).shuffle(pack)
        by_label = sorted(rows, key=lambda row: row[1])
        begun_late = rows[40:] + rows[:40]
        for order in (rows, by_label, begun_late, rows[::-1]):
            assert not slipped(order, gold, pack, 2)
        assert not slipped(begun_late, gold, list(dict(rows)), 2)


def test_without_gold_nothing_is_said() -> None:
    rows, _ = answered(1)

    assert not slipped(renamed(rows, [item for item, _ in rows][::-1]), {}, dict(rows), 2)


def test_one_label_for_all_is_found_by_one_gold_item() -> None:
    rows = [(f"i{n}", "fine") for n in range(30)]
    gold = dict(rows[:5]) | {"i7": "crack"}

    assert filled_down(rows, gold)
    assert not filled_down(rows, dict(rows[:6]))
    assert not filled_down(rows, {"i7": "crack"})
    assert not filled_down(rows[:10], gold)
    assert not filled_down(rows, {**gold, "i30": "crack"})
    assert not filled_down([*rows, ("i30", SKIP)], gold)
