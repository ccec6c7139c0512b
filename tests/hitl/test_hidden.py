from collections import Counter

import numpy as np
import pytest

from hitl import choose, hidden
from hitl.hidden import Sent


def items(labels: str) -> dict[str, str]:
    return {f"g{number:03d}": label for number, label in enumerate(labels)}


def picked(table: dict[str, str], size: int, number: int = 1, **more: object) -> list[str]:
    ids = np.array(list(table), dtype=object)
    draws = choose.draw(ids, seed=0, round_number=number, purpose="gold")
    return hidden.gold_items(table, size=size, draws=dict(zip(ids, draws, strict=True)), **more)  # type: ignore[arg-type]


def test_every_class_has_its_turn_before_one_comes_again() -> None:
    table = items("aaaaaaaabc")
    assert sorted(table[one] for one in picked(table, 3)) == ["a", "b", "c"]


def test_over_the_rounds_no_item_comes_twice_and_every_class_has_its_turn() -> None:
    table, sent = items("aaaabbbbccccdddd"), []
    for number in range(1, 6):
        left = {item: label for item, label in table.items() if item not in sent}
        sent += picked(left, 3, number, before=[table[one] for one in sent])
    assert len(set(sent)) == len(sent) == 15
    assert min(Counter(table[one] for one in sent[:4]).values()) == 1 and len({table[one] for one in sent[:6]}) == 4


def test_a_class_that_people_get_wrong_is_sent_oftener_and_no_class_never() -> None:
    table = items("a" * 100 + "b" * 100 + "c" * 100)
    errors = hidden.hard([("a", "a", 98), ("b", "b", 98), ("c", "b", 49), ("c", "c", 49)], "abc")
    found = Counter(table[one] for one in picked(table, 30, errors=errors))
    assert found["c"] > 2 * found["a"] and min(found.values()) >= 5


def test_no_more_is_sent_than_there_is() -> None:
    assert picked(items("ab"), 5) == ["g000", "g001"]
    assert picked({}, 5) == []


def test_the_draw_alone_says_which_items_of_a_class_are_sent() -> None:
    table = items("aabb" * 10)
    back = dict(reversed(table.items()))
    assert picked(table, 6) == picked(back, 6) != picked(table, 6, 2)


def test_what_went_to_the_vendor_is_known_there_unless_all_who_answered_it_are_gone() -> None:
    answered = {"g1": frozenset({"ann"}), "g2": frozenset({"bob"})}
    sent = [Sent("acme", frozenset({"g1", "g2", "g3"}), answered), Sent("best", frozenset({"g4"}), answered)]
    assert hidden.seen(sent, vendor="acme", annotators=()) == {"g1", "g2", "g3"}
    assert hidden.seen(sent, vendor="acme", annotators=("ann", "cem")) == {"g1", "g3"}
    assert hidden.seen([Sent("acme", frozenset({"g2"}), None)], vendor="acme", annotators=("ann",)) == {"g2"}


@pytest.mark.parametrize(
    ("gold_row", "said"),
    [
        ({"item_id": "L-{}", "note": "x"}, ["an item_id like A-99"]),
        ({"item_id": "p{}", "note": ""}, ["an empty note"]),
        ({"item_id": "p{}", "note": "x"}, []),
    ],
)
def test_what_only_gold_items_have_in_common_is_told(gold_row: dict[str, str], said: list[str]) -> None:
    rows = [{"item_id": f"p{number}", "note": "x"} for number in range(10, 40)]
    known = [{name: value.format(number) for name, value in gold_row.items()} for number in range(60, 65)]
    assert hidden.tells(rows + known, [row["item_id"] for row in known]) == said


def test_where_gold_is_like_the_rest_nothing_is_told() -> None:
    rng, told = np.random.default_rng(0), 0
    for _ in range(200):
        rows = [{"item_id": f"i{n:02d}", "note": "x" * int(rng.integers(2))} for n in range(40)]
        told += bool(hidden.tells(rows, {f"i{n:02d}" for n in rng.choice(40, 8, replace=False)}))
    assert told <= 2
