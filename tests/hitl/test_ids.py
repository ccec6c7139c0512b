from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hitl.ids import fractions, hashes, ids_of
from hitl.lookup import lookup

NAMES = st.lists(st.text(max_size=40), max_size=30)


@given(NAMES)
def test_ids_come_back_as_they_were(names: list[str]) -> None:
    assert ids_of(names).at(range(len(names))).tolist() == names


@given(NAMES, st.data())
def test_a_hash_depends_on_the_id_alone(names: list[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(names))))
    whole, moved = hashes(ids_of(names), 1), hashes(ids_of([names[place] for place in order]), 1)
    assert moved.tolist() == whole[order].tolist()
    assert len(set(whole.tolist())) == len(set(names))


@pytest.mark.parametrize("names", [["a", "a\0", "", "\0", "\0" * 8, "a" * 8, "a" * 8 + "\0"]])
def test_an_id_is_not_another_with_zeros_at_its_end(names: list[str]) -> None:
    assert len(set(hashes(ids_of(names), 1).tolist())) == len(names)


def test_hashes_do_not_change_from_one_version_to_the_next() -> None:
    found = hashes(ids_of(["item-00001", "é", ""]), "query", 0, 1)
    assert found.tolist() == [3248014455683970080, 2952561769249384604, 1091045561792368132]


def test_every_bit_of_a_hash_is_even_odds_and_another_under_another_key() -> None:
    ids = ids_of(f"item-{number:06d}" for number in range(20_000))
    one, other = hashes(ids, 1), hashes(ids, 2)
    for found in (one, one ^ other, one[1:] ^ one[:-1]):
        share = np.unpackbits(found.view(np.uint8)).reshape(-1, 64).mean(axis=0)
        assert np.abs(share - 0.5).max() < 4.5 * 0.5 / np.sqrt(len(found))
    assert ((fractions(one) >= 0) & (fractions(one) < 1)).all()


@given(st.lists(st.sampled_from(["a", "b", " b", "b ", "é", "e\u0301", "cc", "d" * 20]), max_size=12))
def test_a_lookup_finds_an_id_in_any_spelling_and_no_other(names: list[str]) -> None:
    found = lookup(["b", "é", "missing"], 7)
    ids = ids_of(names)
    there = found.has(ids, hashes(ids, 7))
    assert there.tolist() == [name.strip() in ("b", "é", "e\u0301") for name in names]
    assert not lookup([], 7).has(ids, hashes(ids, 7)).any()


def test_a_lookup_tells_ids_of_one_hash_apart() -> None:
    found, ids = lookup(["b", "d"], 7), ids_of(["a", "b", "c", "d"])
    one = np.uint64(2**63)
    table = np.ones_like(found.table)
    alike = replace(found, hashed=np.full(2, one), table=table)
    assert alike.has(ids, np.full(4, one)).tolist() == [False, True, False, True]
