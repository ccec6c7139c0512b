"""Gold answers tell blind picking from work, and are slow to accuse."""

import numpy as np
import pytest

from hitl.delivery.gold import Mark, failing, fails, whole_fails


def marks(right: int, wrong: int, *, who: str = "ann", classes: int = 4) -> list[Mark]:
    known = [f"c{n % classes}" for n in range(right + wrong)]
    said = [one if n < right else f"c{(n + 1) % classes}" for n, one in enumerate(known)]
    return [Mark(who, answer, one) for answer, one in zip(said, known, strict=True)]


@pytest.mark.parametrize(("right", "wrong"), [(0, 5), (1, 4), (7, 21)])
def test_blind_answers_fail(right: int, wrong: int) -> None:
    assert fails(marks(right, wrong), 4)


@pytest.mark.parametrize(("right", "wrong"), [(0, 4), (3, 2), (20, 8), (5, 0), (0, 0)])
def test_few_answers_or_mostly_right_ones_do_not(right: int, wrong: int) -> None:
    assert not fails(marks(right, wrong), 4)


def test_one_answer_to_everything_fails_even_where_that_class_is_common() -> None:
    assert fails([Mark("ann", "c0", "c0")] * 12 + [Mark("ann", "c0", "c1")] * 3, 2)


def test_one_blind_annotator_does_not_condemn_the_file() -> None:
    answers = marks(0, 8, who="ann") + marks(8, 0, who="bob")

    assert failing(answers, 4) == {"ann"}
    assert not whole_fails(answers, 4, frozenset({"ann"}))


def test_when_everybody_fails_the_file_does() -> None:
    answers = marks(1, 7, who="ann") + marks(2, 6, who="bob")

    assert whole_fails(answers, 4, failing(answers, 4))


def test_a_careful_annotator_is_accused_less_than_once_in_a_hundred() -> None:
    rng = np.random.default_rng(7)
    rights = rng.binomial(10, 0.9, size=2000)

    accused = sum(fails(marks(int(right), 10 - int(right)), 4) for right in rights)

    assert accused < 20
