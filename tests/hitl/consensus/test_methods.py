from typing import get_args

import numpy as np
import pandas as pd
import pytest

from hitl.consensus import methods
from hitl.consensus.crowd import UNKNOWN, Crowd, crowd_of
from hitl.consensus.names import ConsensusName, MethodName
from tests.hitl.consensus.crowds import crowd

GOOD = [0.9, 0.85, 0.8, 0.75, 0.7, 0.65]
MIXED = [0.97, 0.95, *[0.52] * 6]
"""Two who know, and six who nearly guess."""


def right(table: pd.DataFrame, true: dict[str, str], method: MethodName) -> float:
    asked = crowd_of(table)
    found = methods.resolve(asked, method, nothing(asked)).posterior.argmax(axis=1)
    return float(np.mean([asked.classes[one] == true[name] for name, one in zip(asked.items, found, strict=True)]))


def nothing(asked: Crowd) -> np.ndarray:
    return np.full(len(asked.items), UNKNOWN)


def test_params_and_the_registry_name_the_same_methods() -> None:
    assert list(get_args(ConsensusName)) == list(methods.METHODS)
    assert get_args(MethodName) == ("auto", *methods.METHODS)
    assert methods.DOUBT.keys() == methods.METHODS.keys()


@pytest.mark.parametrize("method", methods.METHODS)
def test_probabilities_sum_to_one_and_the_order_of_rows_does_not_matter(method: ConsensusName) -> None:
    table, _ = crowd(1, able=GOOD, items=60, classes=3)
    asked, mixed = crowd_of(table), crowd_of(table.sample(frac=1, random_state=7))
    found = methods.resolve(asked, method, nothing(asked)).posterior
    assert np.allclose(found.sum(axis=1), 1)
    assert (found == methods.resolve(mixed, method, nothing(mixed)).posterior).all()


@pytest.mark.parametrize("method", methods.METHODS)
@pytest.mark.parametrize("rows", [[], [("a", "x", None)], [("a", "x", "cat")], [("a", "x", "cat"), ("a", "y", "dog")]])
def test_the_smallest_crowds_have_an_answer(method: ConsensusName, rows: list[tuple[str, str, str | None]]) -> None:
    asked = crowd_of(pd.DataFrame(rows, columns=["item_id", "annotator_id", "label"], dtype=object))
    found = methods.resolve(asked, method, nothing(asked)).posterior
    assert found.shape == asked.size
    assert np.isfinite(found).all()


@pytest.mark.parametrize("method", ["weighted", "dawid_skene"])
def test_those_who_know_outweigh_those_who_guess(method: ConsensusName) -> None:
    table, true = crowd(2, able=MIXED, overlap=8)
    assert right(table, true, method) > right(table, true, "majority") + 0.1


def test_by_majority_the_most_frequent_answer_is_likeliest() -> None:
    asked = crowd_of(crowd(3, able=MIXED, classes=3)[0])
    found = methods.resolve(asked, "majority", nothing(asked)).posterior
    most = asked.votes == asked.votes.max(axis=1, keepdims=True)
    assert (np.isclose(found, found.max(axis=1, keepdims=True)) == most).all()


def test_two_answers_an_item_do_not_make_a_class_vanish() -> None:
    # Dawid & Skene's own EM gives all items one class here: annotators who are often wrong, two answers an item.
    asked = crowd_of(crowd(4, able=[0.66] * 30, items=120, overlap=2)[0])
    found = methods.resolve(asked, "dawid_skene", nothing(asked)).posterior.argmax(axis=1)
    assert np.bincount(found, minlength=2).min() > 30


def test_an_item_of_known_class_keeps_it_and_teaches_who_is_able() -> None:
    table, true = crowd(5, able=[0.95, 0.3, 0.3], overlap=3, items=80)
    asked = crowd_of(table)
    known = asked.known({name: true[name] for name in asked.items[:40]})
    blind, taught = (methods.resolve(asked, "dawid_skene", one).posterior for one in (nothing(asked), known))
    assert (taught[:40].argmax(axis=1) == known[:40]).all()
    actual = asked.known(true)[40:]
    assert (taught[40:].argmax(axis=1) == actual).mean() > (blind[40:].argmax(axis=1) == actual).mean() + 0.3


def test_a_model_that_foretells_answers_has_a_say() -> None:
    table, true = crowd(6, able=[0.65] * 20, items=300, overlap=3)
    asked = crowd_of(table)
    actual = asked.known(true)
    knows = np.where(np.random.default_rng(0).random(300) < 0.9, actual, 1 - actual)
    found = methods.resolve(asked, "auto", nothing(asked), np.eye(2)[knows] * 0.8 + 0.1)
    alone = methods.resolve(asked, "dawid_skene", nothing(asked))
    assert found.method == "with_model"
    better = [(one.posterior.argmax(axis=1) == actual).mean() for one in (found, alone)]
    assert better[0] > better[1] + 0.05


def test_gold_is_learned_from_and_does_not_decide_anew_whether_a_model_has_a_say() -> None:
    table, true = crowd(6, able=[0.65] * 20, items=300, overlap=3)
    asked = crowd_of(table)
    actual = asked.known(true)
    knows = np.where(np.random.default_rng(0).random(300) < 0.9, actual, 1 - actual)
    known = np.where(np.arange(300) < 100, actual, UNKNOWN)
    found = methods.resolve(asked, "auto", nothing(asked), np.eye(2)[knows] * 0.8 + 0.1)
    taught, alone = methods.informed(found, asked, known), methods.resolve(asked, "dawid_skene", known).posterior
    assert (taught[:100].argmax(axis=1) == actual[:100]).all()
    better = [(one[100:].argmax(axis=1) == actual[100:]).mean() for one in (taught, alone)]
    assert better[0] > better[1] + 0.05


@pytest.mark.parametrize("sure", [0.5, 0.999])
def test_a_model_that_knows_nothing_is_left_out_however_sure_it_is(sure: float) -> None:
    asked = crowd_of(crowd(7, able=GOOD, items=200)[0])
    guess = np.random.default_rng(1).integers(2, size=200)
    found = methods.resolve(asked, "auto", nothing(asked), np.where(np.eye(2)[guess] == 1, sure, 1 - sure))
    alone = methods.resolve(asked, "dawid_skene", nothing(asked))
    assert found.method == "dawid_skene"
    assert "left out" in found.reason
    assert (found.posterior == alone.posterior).all()


def chosen(**crowd_options: object) -> str:
    return methods.chosen(crowd_of(crowd(8, **crowd_options)[0]), model=False)[0]  # type: ignore[arg-type]


def test_auto_goes_by_what_the_answers_can_carry() -> None:
    assert chosen(able=GOOD, overlap=1) == "majority"
    assert chosen(able=GOOD, overlap=2) == "dawid_skene"
    assert chosen(able=[0.8] * 300, overlap=2, items=100, classes=4) == "shared"


def test_auto_says_why() -> None:
    asked = crowd_of(crowd(9, able=GOOD, overlap=1, items=10)[0])
    found = methods.resolve(asked, "auto", nothing(asked))
    assert found.reason == "0 of 10 items have answers of two annotators or more, too few to compare annotators by"
