"""A run reveals what it picks, pays for it, and measures; the same seed gives the same run."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hitl import rehearsal
from hitl.errors import DataError
from hitl.founding.first_params import NO_OVERRIDES, first_params
from hitl.founding.items import items_of
from hitl.params import Resolve
from hitl.pipeline import Classifier
from hitl.rehearsal import Known, Loop, Places, Run, Setting, known_of, play

RANDOM, DEFAULT = Setting("random", 15), Setting("diverse", 15)


def known(rows: int = 150, *, most: int = 1_000) -> Known:
    """Items of two numbers in three groups that overlap a little, one of them small."""
    rng = np.random.default_rng(3)
    owner = rng.choice(3, rows, p=[0.5, 0.4, 0.1])
    points = np.array([[0, 0], [4, 0], [0, 4]])[owner] + rng.normal(size=(rows, 2)).round(4)
    frame = pd.DataFrame(points.astype(str), columns=["x", "y"]).assign(label=np.array(["a", "b", "c"])[owner])
    items = items_of(frame, label="label")
    return known_of(items, first_params(items, seed=0, overrides=NO_OVERRIDES)[0], most=most)[0]


def played(setting: Setting, seed: int = 0, *, until: int = 0, items: Known | None = None) -> Run:
    items = items or known()
    return play(items, setting, seed, full=rehearsal.full_quality(items, seed), until=until)


@pytest.mark.parametrize("setting", [RANDOM, DEFAULT, Setting("vote_entropy", 40), Setting("k_center", 40)])
def test_a_run_to_the_end_of_the_pool_knows_every_label(setting: Setting) -> None:
    run = played(setting, until=10_000)
    initial, pool, test = rehearsal.divided(known(), 0)
    assert len(initial) == 6 and len({*initial, *pool, *test}) == 150
    assert run.labels[0] == 6 and run.labels[-1] == run.annotations[-1] == 6 + len(pool)
    assert {b - a for a, b in zip(run.labels[:-2], run.labels[1:-1], strict=True)} == {setting.batch}
    assert run.quality[-1] == run.full


def test_a_run_ends_once_the_quality_is_reached_and_held() -> None:
    run = played(DEFAULT)
    at = run.place(rehearsal.BEST)
    assert at is not None and len(run.labels) == at + rehearsal.HOLDS
    assert min(run.quality[at:]) >= rehearsal.BEST * run.full


def test_the_same_seed_gives_the_same_run_and_another_another() -> None:
    assert played(DEFAULT, 1) == played(DEFAULT, 1)
    assert played(RANDOM, 1, until=40).quality != played(RANDOM, 2, until=40).quality


def test_overlap_is_paid_and_a_wrong_answer_is_learned() -> None:
    def wrong(truth: Mapping[str, str], wanted: Mapping[str, int], rng: np.random.Generator) -> pd.DataFrame:
        """The first item is given another class, the second splits its annotators, the rest are right."""
        said = {item_id: [label] * wanted[item_id] for item_id, label in truth.items()}
        first, *rest = said
        said[first] = ["a" if truth[first] != "a" else "b"] * wanted[first]
        said.update({item_id: ["a", "b"] for item_id in rest[:1]})
        rows = [(item_id, f"p{at}", one) for item_id, every in said.items() for at, one in enumerate(every)]
        return pd.DataFrame(rows, columns=["item_id", "annotator_id", "label"])

    items = known()
    by_majority = items.params.model_copy(update={"resolve": Resolve(method="majority")})
    items = replace(items, params=by_majority)
    run = play(items, Setting("random", 15, overlap=2, noise=0.1), 0, full=9.9, until=50, say=wrong)
    assert run.annotations[:3] == (6, 36, 66)
    assert run.labels[:3] == (6, 20, 34)  # one of each batch came to no label
    assert run.annotations[-1] == 6 + 2 * len(rehearsal.divided(items, 0)[1])


def test_somebody_else_may_pick() -> None:
    def first(loop: Loop, model: Classifier) -> Places:
        assert sorted(loop.labeled) == loop.labeled.tolist() and len(loop.given) == len(loop.labeled)
        return loop.pool[:15]

    items = known()
    run = play(items, DEFAULT, 0, full=9.9, until=0, pick=first)
    assert run.labels[:2] == (6, 21)


def test_fewer_rows_keep_every_class() -> None:
    some = known(most=60)
    assert len(some.table) == 60
    assert set(some.table["label"]) == {"a", "b", "c"}


def test_a_test_set_of_its_own_is_never_picked() -> None:
    items = known()
    kept = np.arange(150) % 5 == 0
    initial, pool, test = rehearsal.divided(replace(items, test=kept), 4)
    assert test.tolist() == np.flatnonzero(kept).tolist()
    assert not set(test) & {*initial, *pool}
    assert items.table["label"].iloc[initial].value_counts().to_dict() == {"a": 2, "b": 2, "c": 2}


def test_too_few_labels_are_refused_with_a_way_out() -> None:
    items = known()
    with pytest.raises(DataError, match=r"too few labels are known .*rehearse on a labeled file"):
        rehearsal.known_in(items.table, np.arange(150) > 2, items.params)
    with pytest.raises(DataError, match=r"3 initial items are too few: 2 of each class make 6 \(--initial\)"):
        rehearsal.known_in(items.table, np.arange(150) > 99, items.params, initial=3)
