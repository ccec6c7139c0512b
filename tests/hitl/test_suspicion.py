"""Crowds in which it is known who is honest: benchmarks/suspicion.py counts the same over many of them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nchypergeom_fisher

from hitl import suspicion
from hitl.suspicion import LEANS, LEVEL, Finding, findings, readable_in, spent

CLASSES, PEOPLE, EACH = 4, 9, 120
Row = dict[str, object]
Change = Callable[[Row, list[Row]], None]


def crowd(change: Change | None = None, *, seed: int = 0, able: float = 0.85, blind: float = 0.3) -> pd.DataFrame:
    """Three answers to each item by honest people; `change` makes of a row what somebody else would say of it.

    It gets the row and those of the item before it. p0 and p1 meet on most of their items.
    """
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for item in range(PEOPLE * EACH // 3):
        true = int(rng.integers(CLASSES))
        model = true if rng.random() < 0.6 else int(rng.integers(CLASSES))
        who = [0, 1, int(rng.integers(2, PEOPLE))] if item < EACH else sorted(rng.choice(range(2, PEOPLE), 3, False))
        shown, here = rng.random() >= blind, list[Row]()
        for person in who:
            said = true if rng.random() < able else int(rng.integers(CLASSES))
            row: Row = {"round": "r0001", "item_id": f"i{item}", "annotator_id": f"p{person}", "label": str(said)}
            row |= {"seconds": float(rng.lognormal(1.5, 0.5)), "model_class": str(model)}
            row |= {"shown_class": str(model) if shown else None, "true": str(true)}
            if change:
                change(row, here)
            here.append(row)
        rows += here
    return pd.DataFrame(rows)


def copies(row: Row, before: list[Row]) -> None:
    if row["annotator_id"] == "p1":
        row["label"] = before[0]["label"]


def follows(row: Row, before: list[Row]) -> None:
    if row["annotator_id"] == "p3" and row["shown_class"]:
        row["label"] = row["shown_class"]


def repeats(row: Row, before: list[Row]) -> None:
    if row["annotator_id"] == "p3":
        row["label"] = "2"


def hurries(row: Row, before: list[Row]) -> None:
    if row["annotator_id"] == "p3":
        row["seconds"] = 0.2


def guesses_unread(row: Row, before: list[Row]) -> None:
    hurries(row, before)
    if row["annotator_id"] == "p3":
        row["label"] = str(hash_of(row) % CLASSES)


def hash_of(row: Row) -> int:
    return sum(map(ord, str(row["item_id"]))) * 7919


@pytest.mark.parametrize(
    ("change", "kind", "who"),
    [
        (copies, "copying", ("p0", "p1")),
        (follows, "follows_hint", ("p3",)),
        (repeats, "constant", ("p3",)),
        (guesses_unread, "unread", ("p3",)),
    ],
)
def test_who_was_planted_is_found_and_nobody_else(change: Change, kind: str, who: tuple[str, ...]) -> None:
    found = findings(crowd(change), known={})
    assert kind in {one.kind for one in found if one.annotators == who}
    assert {one.annotators for one in found} == {who}


@pytest.mark.parametrize("able", [0.98, 0.85, 0.6])
def test_honest_people_are_not_flagged(able: float) -> None:
    assert not [one for seed in range(3) for one in findings(crowd(seed=seed, able=able), known={})]


def test_speed_alone_is_told_against_nobody() -> None:
    assert findings(crowd(hurries), known={}) == ()


def test_without_anybody_else_and_without_gold_nothing_is_said_of_haste() -> None:
    alone = crowd(guesses_unread).drop_duplicates("item_id")
    assert not [one for one in findings(alone, known={}) if one.kind == "unread"]


def test_items_that_show_it_are_those_on_which_others_say_otherwise() -> None:
    frame = crowd(copies)
    (found,) = findings(frame, known={})
    assert found.items
    for item in found.items:
        here = frame[frame["item_id"] == item]
        theirs = here["annotator_id"].isin(found.annotators)
        (said,) = set(here.loc[theirs, "label"])
        assert said not in set(here.loc[~theirs, "label"])


def test_what_is_known_of_an_item_outweighs_what_a_majority_says() -> None:
    frame = crowd(guesses_unread)
    known = dict(zip(frame["item_id"], frame["true"], strict=True))
    (found,) = findings(frame, known=known)
    own = frame[frame["annotator_id"] == "p3"]
    assert found.seen == int((own["label"] == own["true"]).sum())


def test_who_answers_what_the_model_takes_for_one_class_may_answer_one_class() -> None:
    alone = crowd(repeats).drop_duplicates("item_id")
    items = alone["item_id"]
    sure = pd.DataFrame(0.01, index=pd.Index(items), columns=[str(one) for one in range(CLASSES)])
    mine = alone.loc[alone["annotator_id"] == "p3", "item_id"]
    sure.loc[list(mine), "2"] = 0.97
    assert not [one for one in findings(alone, known={}, probabilities=sure) if one.kind == "constant"]


def test_the_order_of_rows_changes_nothing() -> None:
    frame = crowd(copies)
    assert findings(frame.sample(frac=1, random_state=3), known={}) == findings(frame, known={})


def test_a_stricter_level_flags_no_more() -> None:
    frame = crowd(repeats)
    assert set(findings(frame, known={}, level=1e-30)) < set(findings(frame, known={}))


def test_an_empty_table_raises_no_suspicion() -> None:
    assert findings(crowd().head(0), known={}) == ()


def test_the_level_is_spent_over_rounds_and_never_exceeded() -> None:
    assert sum(spent(number) for number in range(1, 10_000)) <= LEVEL
    assert spent(1) == LEVEL / 2


def test_the_hint_is_tested_by_fishers_noncentral_hypergeometric() -> None:
    chances = suspicion._noncentral(40, 25, 30)
    expected = nchypergeom_fisher.pmf(np.arange(31), 40, 25, 30, LEANS)
    assert chances == pytest.approx(expected, abs=1e-12)


def test_holm_adjusts_by_how_many_were_tried() -> None:
    tried = [Finding("constant", (name,), 0, 1.0, 1, p, ()) for name, p in (("a", 0.01), ("b", 0.04), ("c", 0.03))]
    assert [(one.annotators, round(one.adjusted, 6)) for one in suspicion._holm(tried)] == [
        (("a",), 0.03),
        (("c",), 0.06),
        (("b",), 0.06),
    ]


def test_a_long_text_takes_longer() -> None:
    assert readable_in(0) == 0.3
    assert readable_in(150) == 10.3
