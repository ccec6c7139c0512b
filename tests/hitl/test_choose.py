from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from hitl import choose, shortlist

SIZE, RANDOM = 8, 3


def ids(count: int) -> npt.NDArray[np.object_]:
    return np.array([f"{number:05d}" for number in range(count)], dtype=object)


def candidates(utilities: list[float], *, seed: int = 0) -> pd.DataFrame:
    names = ids(len(utilities))
    return pd.DataFrame(
        {
            "item_id": names,
            "utility": np.array(utilities, dtype=float),
            "draw": choose.draw(names, seed=seed, round_number=1),
            "useful": True,
            "drawn": True,
            "model_class": "cat",
            "model_confidence": 0.5,
            "probabilities": [np.array([0.5, 0.5])] * len(names),
        }
    )


def chosen(scored: pd.DataFrame, cuts: list[int]) -> pd.DataFrame:
    """The batch of `scored` when it is shortlisted in parts cut at `cuts`."""
    limits = shortlist.Limits(useful=SIZE, drawn=RANDOM)
    places = [0, *sorted(cuts), len(scored)]
    cells = {str(name): column.to_numpy() for name, column in scored.assign(again=False).items()}
    parts = [
        shortlist.merged([{name: column[start:end] for name, column in cells.items()}], limits)
        for start, end in pairwise(places)
    ]
    found = pd.DataFrame(shortlist.merged(parts, limits))
    return choose.batch(found, size=SIZE, random=RANDOM, seen=len(scored))


@settings(max_examples=25)
@given(st.data())
def test_the_batch_does_not_depend_on_how_the_pool_is_cut_or_ordered(data: st.DataObject) -> None:
    # Few different utilities, so that there are many ties.
    scored = candidates(data.draw(st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=SIZE, max_size=40)))
    cuts = data.draw(st.lists(st.integers(0, len(scored)), max_size=4))
    order = data.draw(st.permutations(range(len(scored))))
    pd.testing.assert_frame_equal(chosen(scored.iloc[order], cuts), chosen(scored, []))


def test_the_most_useful_are_sent_and_ties_go_by_item_id() -> None:
    found = choose.batch(candidates([0.5, 0.9, 0.5, 0.5, 0.1]), size=3, random=0, seen=5)
    assert found["item_id"].tolist() == ["00001", "00000", "00002"]
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["reason"].unique().tolist() == ["uncertain"]
    assert found["selection_probability"].isna().all()


def test_the_random_slice_is_drawn_before_the_useful_are_picked() -> None:
    scored = candidates([0.1 * (number % 7) for number in range(50)])
    found = choose.batch(scored, size=10, random=4, seen=50)
    lucky = scored.sort_values("draw").head(4)["item_id"]
    assert set(found.loc[found["reason"] == "random", "item_id"]) == set(lucky)
    assert found["item_id"].is_unique
    assert found.loc[found["reason"] == "random", "selection_probability"].tolist() == [4 / 50] * 4


def test_a_random_strategy_draws_the_whole_batch() -> None:
    found = choose.batch(candidates([0.1] * 20), size=6, random=1, seen=20, all_random=True)
    assert found["reason"].tolist() == ["random"] * 6
    assert found["selection_probability"].tolist() == [6 / 20] * 6


def test_a_pool_smaller_than_the_batch_is_sent_whole() -> None:
    found = choose.batch(candidates([0.1, 0.2]), size=5, random=1, seen=2)
    assert sorted(found["item_id"]) == ["00000", "00001"]


def test_an_empty_pool_makes_an_empty_batch() -> None:
    assert len(choose.batch(candidates([]), size=5, random=2, seen=0)) == 0


def test_a_draw_is_of_the_item_the_seed_and_the_round_alone() -> None:
    names = ids(100)
    one = choose.draw(names, seed=1, round_number=1)
    assert choose.draw(names[::-1], seed=1, round_number=1)[::-1].tolist() == one.tolist()
    assert not np.isin(choose.draw(names, seed=2, round_number=1), one).any()
    assert not np.isin(choose.draw(names, seed=1, round_number=2), one).any()
    assert len(choose.draw(names[:0], seed=1, round_number=1)) == 0


@pytest.mark.parametrize("prefix", ["", "café-", "image/0/"])
def test_draws_are_uniform(prefix: str) -> None:
    names = np.array([f"{prefix}{number}" for number in range(20_000)], dtype=object)
    draws = choose.draw(names, seed=0, round_number=3)
    assert ((draws >= 0) & (draws < 1)).all()
    counts = np.histogram(draws, bins=20, range=(0, 1))[0]
    # Chi-squared with 19 degrees of freedom: more than 43.8 once in a thousand.
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8


def test_every_item_is_as_likely_as_every_other_in_the_random_slice() -> None:
    names = ids(10)
    times = np.zeros(10)
    for seed in range(2000):
        times[np.argsort(choose.draw(names, seed=seed, round_number=1))[:3]] += 1
    # Each is binomial(2000, 0.3): 600, give or take 20.5.
    assert np.abs(times - 600).max() < 4 * 20.5


def test_overlap_goes_to_its_share_of_the_items() -> None:
    names = list(ids(20))
    draws = choose.draw(ids(20), seed=0, round_number=1)
    found = choose.overlap(names, draws, annotators=3, share=0.25)
    assert sorted(found.values()) == [1] * 15 + [3] * 5
    assert list(found) == names
    assert {name for name, count in found.items() if count == 3} == {names[place] for place in np.argsort(draws)[:5]}


def test_what_nobody_answered_is_sent_again_before_anything_new() -> None:
    scored = candidates([0.1 * (number % 7) for number in range(50)])
    again = ["00049", "00007", "00030"]
    found = choose.batch(scored, size=10, random=4, seen=50, again=again)
    assert found["item_id"].tolist()[:3] == again
    assert found["reason"].value_counts().to_dict() == {"random": 4, "uncertain": 3, "reissued": 3}
    assert found["item_id"].is_unique
    fresh = scored[~scored["item_id"].isin(again)]
    lucky = fresh.sort_values("draw").head(4)["item_id"]
    assert set(found.loc[found["reason"] == "random", "item_id"]) == set(lucky)


def test_an_item_sent_again_is_no_part_of_what_the_random_slice_is_drawn_from() -> None:
    found = choose.batch(candidates([0.5] * 50), size=10, random=4, seen=50, again=["00001", "00002", "99999"])
    assert found.loc[found["reason"] == "random", "selection_probability"].tolist() == [4 / 48] * 4
    assert found.loc[found["reason"] != "random", "selection_probability"].isna().all()


@pytest.mark.parametrize("all_random", [True, False])
def test_more_unanswered_items_than_a_batch_holds_fill_it_and_the_rest_waits(all_random: bool) -> None:
    again = [f"{number:05d}" for number in range(20, 8, -1)]
    found = choose.batch(candidates([0.5] * 30), size=5, random=2, seen=30, all_random=all_random, again=again)
    assert found["item_id"].tolist() == again[:5]
    assert found["reason"].unique().tolist() == ["reissued"]


def test_who_waits_for_another_annotator_takes_a_seat_only_where_that_brings_more() -> None:
    scored = candidates([0.9, 0.8, 0.7, 0.1, 0.1]).assign(gain=[0.5, 0.4, 0.3, 0.45, 0.2])
    found = choose.batch(scored, size=3, random=0, seen=5, another={"00003", "00004"})
    assert dict(zip(found["item_id"], found["reason"], strict=True)) == {
        "00003": "overlap",
        "00000": "uncertain",
        "00001": "uncertain",
    }
    # Drawn at random or not, the seat is won alike, and the odds are those of the new items alone.
    found = choose.batch(scored, size=3, random=3, seen=5, another={"00003", "00004"}, all_random=True)
    assert found["reason"].value_counts().to_dict() == {"random": 2, "overlap": 1}
    assert found.loc[found["reason"] == "random", "selection_probability"].tolist() == [2 / 3, 2 / 3]


def test_where_no_new_item_is_left_all_who_wait_for_another_annotator_go() -> None:
    scored = candidates([0.9, 0.8]).assign(gain=[0.1, 0.2])
    found = choose.batch(scored, size=3, random=1, seen=2, another={"00000", "00001"})
    assert found["item_id"].tolist() == ["00001", "00000"]
