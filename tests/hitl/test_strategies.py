"""Every strategy of the registry keeps the laws of a strategy; each known one has its known values."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays

from hitl import strategies
from hitl.errors import DataError
from hitl.params import StrategyName
from hitl.strategies import STRATEGIES, Floats, utility

NAMES = tuple(STRATEGIES)
COMMITTEES = tuple(name for name in NAMES if STRATEGIES[name].committee)
DRAWS = tuple(name for name in NAMES if STRATEGIES[name].utility is strategies.random)
SURE, TORN, FLAT = [0.98, 0.01, 0.01], [0.49, 0.48, 0.03], [1 / 3, 1 / 3, 1 / 3]


def name_of(place: int) -> str:
    return f"i{place}"


def asked(name: StrategyName, probabilities: Floats) -> Floats:
    """The probabilities as the strategy takes them: those of a committee are of three members, the second unlike."""
    return np.stack([probabilities, probabilities[::-1], probabilities]) if name in COMMITTEES else probabilities


def draws(count: int) -> Floats:
    return np.random.default_rng(0).random(count)


@st.composite
def probabilities(draw: st.DrawFn) -> Floats:
    shape = draw(st.tuples(st.integers(2, 6), st.integers(0, 20)))
    raw = draw(arrays.arrays(float, shape, elements=st.floats(0, 1))) + 1e-6
    return raw / raw.sum(axis=0)


@pytest.mark.parametrize("name", NAMES)
@given(given_probabilities=probabilities())
def test_a_strategy_gives_one_finite_number_an_item(name: StrategyName, given_probabilities: Floats) -> None:
    count = given_probabilities.shape[1]
    given_probabilities = asked(name, given_probabilities)
    found = utility(name, given_probabilities, draws(count), name_of)
    assert found.shape == (count,)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", NAMES)
@given(given_probabilities=probabilities(), data=st.data())
def test_an_items_utility_does_not_depend_on_its_neighbours(
    name: StrategyName, given_probabilities: Floats, data: st.DataObject
) -> None:
    count = given_probabilities.shape[1]
    given_probabilities = asked(name, given_probabilities)
    order = np.array(data.draw(st.permutations(range(count))), dtype=int)
    whole = utility(name, given_probabilities, draws(count), name_of)
    moved = utility(name, given_probabilities[..., order], draws(count)[order], name_of)
    assert moved.tolist() == whole[order].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_a_strategy_writes_to_none_of_its_arguments(name: StrategyName) -> None:
    table, drawn = asked(name, np.array([SURE, TORN]).T), draws(2)
    table.flags.writeable = drawn.flags.writeable = False
    found = utility(name, table, drawn, name_of)
    assert not np.shares_memory(found, drawn)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {*DRAWS, *COMMITTEES}))
def test_what_the_model_is_less_sure_of_is_picked_sooner(name: StrategyName) -> None:
    sure, torn, flat = utility(name, np.array([SURE, TORN, FLAT]).T, draws(3), name_of)
    assert sure < torn < flat


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_an_item_whose_probability_is_no_number_is_named(name: StrategyName, wrong: float) -> None:
    with pytest.raises(DataError, match="item 'i1' a probability that is not a number"):
        utility(name, asked(name, np.array([SURE, [wrong, 0.5, 0.5]]).T), draws(2), name_of)


@pytest.mark.parametrize(
    ("name", "row", "known"),
    [
        ("least_confident", [0.7, 0.2, 0.1], 0.3),
        ("least_confident", [1.0, 0.0, 0.0], 0.0),
        ("margin", [0.7, 0.2, 0.1], 0.5),
        ("margin", [0.5, 0.5, 0.0], 1.0),
        ("entropy", [1 / 3, 1 / 3, 1 / 3], np.log(3)),
        ("entropy", [0.5, 0.5, 0.0], np.log(2)),
        ("entropy", [1.0, 0.0, 0.0], 0.0),
    ],
)
def test_known_values(name: StrategyName, row: list[float], known: float) -> None:
    (found,) = utility(name, np.array([row]).T, draws(1), name_of)
    assert found == pytest.approx(known)


def test_random_is_the_items_own_draw() -> None:
    assert utility("random", np.array([SURE, TORN]).T, draws(2), name_of).tolist() == draws(2).tolist()


def test_params_offers_every_strategy_and_no_other() -> None:
    assert set(get_args(StrategyName)) == set(STRATEGIES)


def test_a_committee_is_torn_where_its_members_answer_differently() -> None:
    agreed, split = [0.9, 0.1], [0.1, 0.9]
    members = np.array([[agreed, agreed, split], [agreed, split, split]]).transpose(0, 2, 1)
    torn = utility("vote_entropy", members, draws(3), name_of)
    assert torn == pytest.approx([0, np.log(2), 0])
    far = utility("consensus_divergence", members, draws(3), name_of)
    # By hand: the entropy of the mean (0.5, 0.5) less the mean entropy of (0.9, 0.1).
    assert far == pytest.approx([0, np.log(2) + 0.9 * np.log(0.9) + 0.1 * np.log(0.1), 0])


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_says_where_it_comes_from(name: StrategyName) -> None:
    assert name == "random" or "(" in STRATEGIES[name].says
