import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from hitl.errors import DataError
from hitl.founding.split import Split, split
from hitl.founding.stratify import quotas


def items(labels: str, contents: list[int] | None = None) -> pd.DataFrame:
    """An item for each letter: its class, or none for a dot."""
    return pd.DataFrame(
        {
            "item_id": pd.Series([f"i{n:05d}" for n in range(len(labels))], dtype="str"),
            "label": pd.Series([letter.replace(".", "") for letter in labels], dtype="str"),
            "content": np.array(contents if contents is not None else range(len(labels)), dtype=np.uint64),
        }
    )


def parted(
    table: pd.DataFrame,
    *,
    test: float = 0.25,
    initial: int | None = None,
    gold: int | None = None,
    hide: bool = False,
    seed: int = 0,
) -> Split:
    return split(table, test=test, initial=initial, gold=gold, hide=hide, rng=np.random.default_rng(seed))


def classes(table: pd.DataFrame, ids: np.ndarray) -> dict[str, int]:
    return dict(table.set_index("item_id").loc[list(ids), "label"].value_counts())


def same(one: Split, other: Split) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in one.counts())


def test_labeled_rows_become_initial_and_test_and_the_others_the_pool() -> None:
    made = parted(items("a" * 40 + "b" * 20 + "." * 100))
    assert made.counts() == {"initial": 45, "test": 15, "pool": 100, "gold": 45, "out": 0}


def test_hide_keeps_some_of_each_class_and_pools_the_rest() -> None:
    table = items("a" * 80 + "b" * 20)
    made = parted(table, initial=10, hide=True)
    assert made.counts() == {"initial": 10, "test": 25, "pool": 65, "gold": 10, "out": 0}
    assert classes(table, made.initial) == {"a": 8, "b": 2}
    assert classes(table, made.test) == {"a": 20, "b": 5}


def test_the_initial_set_of_a_rehearsal_is_ten_a_class_unless_the_table_is_small() -> None:
    assert len(parted(items("ab" * 500), hide=True).initial) == 20
    assert len(parted(items("ab" * 50), hide=True).initial) == 7
    assert len(parted(items("ab" * 8), hide=True).initial) == 4


def test_a_rare_class_starts_with_two_and_is_tested() -> None:
    table = items("a" * 980 + "b" * 20)
    made = parted(table, hide=True)
    assert classes(table, made.initial) == {"a": 18, "b": 2}
    assert classes(table, made.test)["b"] == 5


def test_the_rarest_class_goes_to_the_initial_set_and_the_note_says_it_is_untested() -> None:
    made = parted(items("a" * 20 + "b" * 20 + "c" * 2 + "...."))
    assert made.notes == ("the test set has no item of c",)


def test_labeled_rows_beyond_the_initial_set_become_gold() -> None:
    made = parted(items("ab" * 20 + "...."), initial=6)
    assert made.counts() == {"initial": 6, "test": 10, "pool": 4, "gold": 24, "out": 0}
    assert not set(made.gold) & set(made.initial)


def test_gold_may_be_fewer_and_what_has_no_use_is_left_out_aloud() -> None:
    made = parted(items("ab" * 20 + "...."), initial=6, gold=4)
    assert made.counts() == {"initial": 6, "test": 10, "pool": 4, "gold": 4, "out": 20}
    assert "20 labeled items are neither initial nor gold" in made.notes[0]


def test_gold_of_a_rehearsal_is_a_part_of_the_initial_set() -> None:
    made = parted(items("ab" * 500), initial=200, hide=True)
    assert len(made.gold) == 50 and set(made.gold) <= set(made.initial)
    assert len(parted(items("ab" * 500), initial=200, gold=0, hide=True).gold) == 0


def test_an_unlabeled_item_equal_to_a_test_item_is_left_out_aloud() -> None:
    table = items("ab" * 20 + "." * 41, [*range(40), *range(40), 99])
    made = parted(table)
    assert len(made.out) == len(made.test) == 10 and len(made.pool) == 31
    assert made.notes == ("10 unlabeled items equal a test item in content: they are left out of the pool",)


def test_a_heap_of_equal_rows_is_not_most_of_the_test_set() -> None:
    table = items("a" * 100 + "b" * 100, [0] * 20 + list(range(1, 181)))
    for seed in range(5):
        made = parted(table, hide=True, seed=seed)
        assert not set(made.test) & set(table["item_id"][:20])


@settings(max_examples=60, deadline=None)
@given(st.text("aaab.", min_size=1, max_size=80), st.data(), st.booleans(), st.integers(0, 5))
def test_every_item_is_somewhere_once_and_no_content_straddles_the_test_set(
    labels: str, data: st.DataObject, hide: bool, seed: int
) -> None:
    labels = "aaaabbbb" + (labels.replace(".", "a") if hide else labels + ".")
    contents = data.draw(st.lists(st.integers(0, 60), min_size=len(labels), max_size=len(labels)))
    table = items(labels, contents)
    try:
        made = parted(table, hide=hide, seed=seed)
    except DataError:
        return
    everywhere = [*made.initial, *made.test, *made.pool, *made.out]
    if set(made.gold) - set(made.initial):
        everywhere += [*made.gold]
    assert sorted(everywhere) == list(table["item_id"])
    content = table.set_index("item_id")["content"]
    rest = [*made.initial, *made.pool, *made.gold]
    assert not set(content[list(made.test)]) & set(content[rest])
    assert min(classes(table, made.initial).values()) >= 2
    assert all(list(ids) == sorted(ids) for ids in (made.initial, made.test, made.pool, made.gold, made.out))


def test_the_seed_decides_and_the_order_of_rows_does_not() -> None:
    table = items("aab" * 30)
    assert same(parted(table, hide=True), parted(table.sample(frac=1, random_state=1), hide=True))
    assert not same(parted(table, hide=True), parted(table, hide=True, seed=1))


@pytest.mark.parametrize(
    ("labels", "options", "said"),
    [
        ("ab" * 20 + "..", {"hide": True}, "2 of 42 have none; drop these rows, or leave out --hide"),
        ("ab" * 20, {}, "nothing is left for the pool: every row has a label.*--hide"),
        ("ab" * 20, {"hide": True, "initial": 30}, "nothing is left for the pool: 30 items remain"),
        ("abc" * 20, {"hide": True, "initial": 5}, "3 classes need 2 each.*--initial 6"),
        ("aabb..", {}, "too few labeled items for a test set: 4 items of 2 classes"),
    ],
)
def test_a_split_that_cannot_be_is_refused_with_the_way_out(labels: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        parted(items(labels), **options)  # type: ignore[arg-type]


@given(st.dictionaries(st.text(min_size=1), st.integers(2, 1000), min_size=1), st.floats(0, 1), st.integers(0, 2))
def test_quotas_sum_to_the_total_within_their_bounds(counts: dict[str, int], part: float, floor: int) -> None:
    total = max(int(part * sum(counts.values())), floor * len(counts))
    found = quotas(counts, total, floor=floor)
    assert sum(found.values()) == total
    assert all(floor <= found[name] <= counts[name] for name in counts)
