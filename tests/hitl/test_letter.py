import math
from dataclasses import replace

import pytest

from hitl import agreement
from hitl.agreement import Measured
from hitl.annotators import NOTHING, Record
from hitl.drift import Drift
from hitl.letter import Lesson, Question, Sources, Taught, Without, file_name, letter_of, places, plain
from hitl.mistakes import Mistake
from tasks.edges import page

STEADY = Drift(NOTHING, 1.0)
LESSON = Lesson(
    Mistake("r0001", "i1", "dry", "wet", "consensus", 2, 3), "s1", {"note": "<b>rain</b>"}, None, "wet: rain", False
)


def record(who: str, right: int = 0, of: int = 0, *, agrees: Measured = NOTHING, by_round: Drift = STEADY) -> Record:
    return Record(
        vendor="acme",
        annotator_id=who,
        annotators=1,
        rounds=("r0001",),
        answers=40,
        skips=2,
        gold=agreement.share(right, of, 0.95),
        confusion=(),
        agrees=agrees,
        kappa=NOTHING,
        alpha=NOTHING,
        fleiss=NOTHING,
        seconds=Measured(77.7, 66.6, 88.8, 40),
        spread=1.0,
        by_round=by_round,
        by_position=STEADY,
    )


def sources(mine: Record, *others: Record) -> Sources:
    return Sources(
        round_id="r0001",
        when="now",
        record=mine,
        others=others,
        confidence=0.95,
        mistakes=0,
        lessons=(),
        questions=(),
        taught=Taught(10, 0, 0, 0, 0),
    )


def test_the_answers_are_compared_with_the_others_together_with_an_interval() -> None:
    said = plain(letter_of(sources(record("ann", 9, 10), record("bob", 18, 20), record("cem", 8, 10))))
    assert "you: 9 of 10 (90 %) [59.6 to 98.2 %]" in said
    assert "the others together: 26 of 30 (87 %)" in said
    assert "differ by no more than chance may make: +3.3 points" in said


@pytest.mark.parametrize(("right", "word"), [(39, "oftener"), (10, "less often")])
def test_a_difference_beyond_chance_is_said_plainly(right: int, word: str) -> None:
    others = [record(name, 20, 40) for name in ("bob", "cem", "dan")]
    assert f"yours are so {word} than the others'" in plain(letter_of(sources(record("ann", right, 40), *others)))


def test_one_other_person_is_not_told_of() -> None:
    said = plain(letter_of(sources(record("ann", 9, 10), record("bob", 5, 20), record("cem"))))
    assert "25" not in said and "the others together" not in said
    assert "Too few others answered" in said


def test_nothing_is_invented_where_nothing_is_known() -> None:
    made = letter_of(sources(record("ann")))
    assert [one.name for one in made.sections] == ["answers", "model"]
    assert "Nothing is known yet of how right your answers are" in plain(made)
    assert "Thank you for 40 answers in 1 round, and for saying 2 times that you could not tell" in plain(made)


def test_a_letter_says_nothing_of_speed_and_names_nobody_else() -> None:
    whole = sources(record("ann", 9, 10), record("bobby", 9, 10), record("cemal", 8, 10))
    made = letter_of(replace(whole, mistakes=1, lessons=(LESSON,)))
    for text in (plain(made), page.letter(made).decode()):
        assert not any(time in text for time in ("77.7", "66.6", "seconds"))
        assert "bobby" not in text and "cemal" not in text and "Leaderboard" not in text


def test_a_mistake_is_shown_with_how_that_is_known_and_the_guidelines_words() -> None:
    made = letter_of(replace(sources(record("ann", 9, 10)), mistakes=1, lessons=(LESSON,)))
    said = plain(made)
    assert "you answered: dry\n  it is: wet\n  how that is known: 2 of 3 others answered so" in said
    assert "the guideline says: “wet: rain”" in said
    html = page.letter(made).decode()
    assert "&lt;b&gt;rain&lt;/b&gt;" in html and "<b>" not in html
    bare = letter_of(replace(sources(record("ann", 9, 10)), mistakes=1, lessons=(replace(LESSON, passage=""),)))
    assert "the guideline says" not in plain(bare)


def test_what_the_labels_changed_is_told_as_it_was_measured() -> None:
    without = Without("accuracy", 0.9, 0.88, 0.02, -0.01, 0.05)
    said = plain(letter_of(replace(sources(record("ann")), taught=Taught(20, 12, 6, 5, 3, without))))
    assert "Of the 20 labels" in said and "6 of these on your answer alone" in said
    assert "takes 3 of them for your class" in said
    assert "reaches 88.0 % accuracy on the test set; with them it reaches 90.0 %" in said
    assert "+2.0 points of accuracy (95 % interval −1.0 to +5.0: no more than chance may make)" in said


@pytest.mark.parametrize(("change", "word"), [(-0.3, "Fewer of your answers"), (0.3, "well done")])
def test_a_drift_is_told_kindly(change: float, word: str) -> None:
    drifts = Drift(Measured(change, change - 0.1, change + 0.1, 40), 0.001)
    assert word in plain(letter_of(sources(record("ann", 9, 10, by_round=drifts))))


def test_questions_are_answered_by_whether_the_guideline_changed() -> None:
    asked = (Question("r0002", "i2", "? is dew wet", False), Question("r0001", "i1", "? and fog", True))
    said = plain(letter_of(replace(sources(record("ann")), questions=asked)))
    assert "you asked: ? is dew wet\n  the guideline: has not changed since" in said
    assert "you asked: ? and fog\n  the guideline: has changed since" in said


def test_those_whose_intervals_overlap_share_a_place_on_a_leaderboard() -> None:
    people = [record("zoe", 95, 100), record("ann", 90, 100), record("bob", 40, 100), record("cem")]
    assert [(place, one.annotator_id) for place, one in places(people)] == [(1, "ann"), (1, "zoe"), (3, "bob")]
    made = letter_of(replace(sources(people[0]), ranked=tuple(people)))
    assert made.sections[-1].title == "Leaderboard" and "Nobody is ranked" not in plain(made)


def test_a_file_is_called_after_its_annotator_and_no_two_are_called_alike() -> None:
    names = ["ann", "Ann", "ann/..", "../ann", "ann.", "Ünal", "", "CON", "a" * 500]
    files = [file_name(name) for name in names]
    assert files[0] == "ann" and len({one.lower() for one in files}) == len(names)
    assert all("/" not in one and not one.startswith(".") and one.isascii() and len(one) <= 64 for one in files)


def test_no_number_is_told_as_nan() -> None:
    assert "nan" not in plain(letter_of(sources(record("bob", 1, 2)))) and math.isnan(NOTHING.value)
