from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import given, settings, strategies as st

from hitl.shortlist import Limits, Shortlist, kept, merged

LIMITS = Limits(useful=5, drawn=3)


def scored(utilities: list[float], again: list[int]) -> pd.DataFrame:
    count = len(utilities)
    return pd.DataFrame(
        {
            "item_id": np.array([f"{number:03d}" for number in range(count)], dtype=object),
            "draw": np.random.default_rng(0).random(count),
            "again": np.isin(np.arange(count), again),
            "utility": np.array(utilities),
        }
    )


def streamed(whole: pd.DataFrame, cuts: list[int], slack: float) -> pd.DataFrame:
    """The shortlist of `whole`, offered in parts by utilities that are off by as much as `slack`."""
    found = Shortlist(LIMITS, lambda items: items["seen:true"])
    for start, end in pairwise([0, *sorted(cuts), len(whole)]):
        part = whole.iloc[start:end]
        off = slack * np.where(part["item_id"].str.endswith(("1", "5", "6")), 1, -1)
        again = part["again"].to_numpy()
        near = found.worth((part["utility"] + off).to_numpy(), part["draw"].to_numpy(), ~again, slack)
        places = np.union1d(near, np.flatnonzero(again))
        some, said = part.iloc[places], (part["utility"] + off).to_numpy()[places]
        seen = {"true": some["utility"].to_numpy()}
        found.add(some["item_id"].to_numpy(dtype=object), some["draw"].to_numpy(), some["again"].to_numpy(), said, seen)
    return pd.DataFrame(found.items())


@settings(max_examples=20)
@given(st.data())
def test_a_shortlist_does_not_depend_on_how_the_pool_is_cut_nor_on_rounding(data: st.DataObject) -> None:
    utilities = data.draw(st.lists(st.sampled_from([0.1, 0.5, 0.52, 0.9]), min_size=1, max_size=40))
    whole = scored(utilities, data.draw(st.lists(st.integers(0, 40), max_size=3)))
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=4))
    found = streamed(whole, cuts, data.draw(st.sampled_from([0.0, 0.015, 0.2])))
    columns = ["item_id", "draw", "again", "utility", "useful", "drawn"]
    text = {"item_id": object}
    pd.testing.assert_frame_equal(found[columns].astype(text), kept(whole, LIMITS)[columns].astype(text))


@given(st.data())
def test_shortlists_of_parts_merge_into_that_of_the_whole(data: st.DataObject) -> None:
    whole = scored(data.draw(st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=1, max_size=40)), [2])
    owner = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(whole), max_size=len(whole))))
    cells = {str(name): whole[name].to_numpy() for name in whole}
    parts = [
        merged([{name: column[owner == number] for name, column in cells.items()}], LIMITS)
        for number in data.draw(st.permutations(range(4)))
    ]
    pd.testing.assert_frame_equal(pd.DataFrame(merged(parts, LIMITS)), kept(whole, LIMITS))


def test_ties_go_by_item_id_and_an_item_sent_again_takes_no_other_items_place() -> None:
    found = kept(scored([0.5] * 20, [9]), Limits(useful=2, drawn=0))
    assert found["item_id"].tolist() == ["000", "001", "009"]


def test_the_shortlist_of_a_long_stream_stays_short() -> None:
    rng, found, most = np.random.default_rng(1), Shortlist(LIMITS, lambda items: items["seen:true"]), 0
    for _ in range(50):
        utility, draw = rng.random(2_000), rng.random(2_000)
        places = found.worth(utility, draw, np.ones(2_000, dtype=bool), 0.0)
        most += len(places)
        names = np.array([f"{value:.9f}" for value in draw[places]], dtype=object)
        found.add(names, draw[places], np.zeros(len(places), dtype=bool), utility[places], {"true": utility[places]})
    assert most < 400
