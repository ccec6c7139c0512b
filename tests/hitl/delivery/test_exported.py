"""A pack's items are found and read again without being held, whatever is in their cells."""

import random

import pytest

from hitl.delivery.exported import Elsewhere, Exported
from hitl.delivery.index import Index

CELLS = ("plain", "two\nlines", 'a "quote"', "caf\u00e9", "=1+1", "a,b", "\r", "")
ITEMS = {f"i{n:03d}": {"text": CELLS[n % len(CELLS)], "more": str(n)} for n in range(300)} | {"=x": {}, "\u00e9": {}}


@pytest.mark.parametrize("seed", range(3))
def test_an_item_is_read_again_in_any_order(seed: int) -> None:
    exported, order = Exported.of(ITEMS), random.Random(seed).sample(sorted(ITEMS), len(ITEMS))

    assert list(exported) == list(ITEMS)
    for item in order:
        assert exported.item(exported.place(item)) == item
        assert exported[item]["text"] == ITEMS[item].get("text", "")


def test_a_stranger_is_none_of_them() -> None:
    exported = Exported.of(ITEMS)

    assert (exported.place("i300"), "i300" in exported) == (-1, False)
    with pytest.raises(KeyError):
        exported["i300"]


def test_the_same_cells_have_the_same_print() -> None:
    prints = Exported.of({"a": {"x": "1", "y": "2"}, "b": {"x": "1", "y": "3"}}).prints(("x",))

    assert prints[0] == prints[1] == hash(("1",))


def test_a_walk_finds_hashes_in_and_out_of_their_order() -> None:
    index = Index([10, -20, 30, 30, 50])

    assert list(index.walk([10, -20, -20, 50, 7, 10, 30])) == [0, 1, 1, 4, -1, 0, 2]
    assert sorted(index.places(30)) == [2, 3]


def test_an_item_belongs_to_the_last_round_it_went_out_in() -> None:
    rounds = Elsewhere({"r0001": Exported.of({"a": {}, "b": {}}), "r0002": Exported.of({"b": {}})})

    assert dict(rounds) == {"a": "r0001", "b": "r0002"}
