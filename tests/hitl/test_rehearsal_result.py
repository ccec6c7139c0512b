"""What a few runs come to, by hand: medians, worst seeds, and words that claim no more than the seeds say."""

import pytest

from hitl.params import Query
from hitl.rehearsal import Run, Setting
from hitl.rehearsal_page import page_of
from hitl.rehearsal_result import advice, facts, least, lines, needed, recommended, text

FULL = 0.8


def run(strategy: str, seed: int, reached: int | None, *, batch: int = 10, noise: float = 0.0) -> Run:
    """A run at half of full-data quality until it has `reached` so many annotations, and at all of it from there."""
    paid = tuple(range(10, 210, batch))
    quality = tuple(FULL if reached is not None and one >= reached else FULL / 2 for one in paid)
    return Run(Setting(strategy, batch, 1, noise), seed, paid, paid, quality, FULL)  # type: ignore[arg-type]


RANDOM = [run("random", seed, at) for seed, at in enumerate([100, 120, 140, 160])]
OURS = [run("diverse", seed, at) for seed, at in enumerate([50, 60, 70, 180])]


def test_a_quality_that_is_not_held_is_not_reached() -> None:
    lucky = Run(Setting("margin", 10), 0, (10, 20, 30, 40, 50), (10, 20, 30, 40, 50), (0.1, 0.8, 0.7, 0.8, 0.8), FULL)
    assert lucky.needed(0.99) == 40
    assert lucky.needed(0.5) == 20


def test_a_seed_that_never_got_there_counts_as_more_than_any() -> None:
    found = needed([run("margin", 0, 50), run("margin", 1, 60), run("margin", 2, None)], 0.99)
    assert (found.median, found.worst, found.reached) == (60, None, 2)
    assert needed([run("margin", 0, None)], 0.99).median is None


def test_a_line_tells_median_worst_and_what_is_saved_against_the_same_seed() -> None:
    ours, random = lines([*RANDOM, *OURS])
    assert (ours.setting.strategy, random.setting.strategy) == ("diverse", "random")
    assert (ours.best.median, ours.best.worst, random.best.median) == (65, 180, 130)
    assert ours.saved == (0.5, 1 - 180 / 160, 0.5)
    assert ours.rounds == 6
    assert ours.worst_gain < 0 < ours.gain
    assert random.gain == 0


def test_the_area_is_the_mean_quality_up_to_the_end_asked_for() -> None:
    flat = Run(Setting("margin", 10), 0, (10, 20, 30), (10, 20, 30), (0.2, 0.4, 0.6), FULL)
    assert flat.area(30) == pytest.approx(0.4)
    assert flat.area(20) == pytest.approx(0.3)
    assert flat.area(10) == pytest.approx(0.2)


def test_of_settings_as_good_the_one_with_fewest_rounds_is_recommended() -> None:
    large = [run("diverse", seed, at, batch=20) for seed, at in enumerate([50, 70, 70, 190])]
    beside = [run("random", seed, at, batch=20) for seed, at in enumerate([110, 130, 150, 170])]
    found = lines([*RANDOM, *OURS, *beside, *large])
    assert least(found).setting == Setting("diverse", 10)  # 70 is more than 5 % above 65
    near = [run("diverse", seed, at) for seed, at in enumerate([50, 70, 70, 190])]
    assert least(lines([*RANDOM, *near, *beside, *large])).setting == Setting("diverse", 20)


@pytest.mark.parametrize(
    ("margin", "taken"),
    [
        ([40, 50, 60, 170, 70, 80, 120, 190], "margin"),  # better in 6 of 8 seeds
        ([40, 50, 60, 170, 70, 110, 120, 190], "diverse"),  # in 5, and its median is better all the same
        ([40, 50, 60, 170], "diverse"),  # in all of them, and they are too few
    ],
)
def test_another_strategy_than_now_has_to_be_clearly_better(margin: list[int], taken: str) -> None:
    ours = [run("diverse", seed, at) for seed, at in enumerate([50, 60, 70, 180, 80, 90, 110, 180][: len(margin)])]
    runs = [*(run("margin", seed, at) for seed, at in enumerate(margin)), *ours]
    runs += [run("random", seed, 190) for seed in range(len(margin))]
    found = lines(runs)
    assert recommended(runs, found, 0.0, Query(strategy="diverse")).setting.strategy == taken
    assert recommended(runs, found, 0.0, Query(strategy="badge")).setting.strategy == least(found).setting.strategy
    said = " ".join(advice(runs, found, Query(), metric="accuracy", tested=500, commonest=0.5))
    assert ("The numbers of margin are better, but not clearly" in said) == (least(found).setting.strategy != taken)


def test_the_advice_says_what_to_set_what_it_saves_and_where_it_is_uncertain() -> None:
    runs = [*RANDOM, *OURS, *(run("margin", seed, at) for seed, at in enumerate([50, 70, 80, 150]))]
    said = " ".join(advice(runs, lines(runs), Query(), metric="accuracy", tested=80, commonest=0.5))
    assert 'Set query.strategy to "diverse" and query.batch to 10.' in said
    assert "65 annotations in 6 rounds (median; worst seed 180): 50 % fewer than random choice needs" in said
    assert "(in single seeds 50 % fewer to 12 % more)" in said
    assert "do not clearly tell it from margin (better than it in 2 of 4 (50 %) of the seeds)" in said
    assert "4 seeds say little" in said and "A test set of 80 items cannot tell 99 %" in said


def test_where_nothing_reaches_the_quality_the_advice_says_so() -> None:
    runs = [run(name, seed, None) for name in ("random", "diverse") for seed in range(5)]
    said = " ".join(advice(runs, lines(runs), Query(), metric="accuracy", tested=500, commonest=0.5))
    assert "No setting reaches 99 %" in said
    assert facts(runs, lines(runs))[0]["annotations_to_99"] == {"median": None, "worst": None, "seeds_reached": 0}


def test_where_nothing_can_be_learned_the_advice_says_so() -> None:
    said = advice([*RANDOM, *OURS], lines([*RANDOM, *OURS]), Query(), metric="accuracy", tested=500, commonest=FULL)
    assert "no better than who always says the commonest class (80.0 % of the items)" in said[0]


def test_where_the_initial_items_get_there_the_advice_says_that_nothing_can_be_told() -> None:
    runs = [run(name, 0, 10) for name in ("random", "diverse")]
    said = " ".join(advice(runs, lines(runs), Query(), metric="accuracy", tested=500, commonest=0.5))
    assert "nothing tells the settings apart" in said
    assert "1 seed says little" in said


def test_each_noise_level_gets_its_own_advice() -> None:
    runs = [*RANDOM, *OURS, *(run(name, seed, 190, noise=0.2) for name in ("random", "diverse") for seed in range(4))]
    said = advice(runs, lines(runs), Query(), metric="accuracy", tested=500, commonest=0.5)
    assert [one.split(":")[0] for one in said if one.startswith("Where")] == [
        "Where annotators err in 0 % of the answers",
        "Where annotators err in 20 % of the answers",
    ]


def test_the_table_and_the_page_have_a_row_and_a_curve_for_each_setting() -> None:
    runs = [*RANDOM, *OURS]
    found = lines(runs)
    assert [row.split()[0] for row in text(found).splitlines()] == ["strategy", "diverse", "random"]
    sizes = {"initial": 10, "pool": 190, "test": 80, "seeds": 4}
    page = page_of("a <b>.csv", runs, found, ["Set it."], Query(), metric="accuracy", sizes=sizes)
    (figure,) = next(one for one in page.sections if one.name == "curves").figures
    assert figure.drawing.markup.count("<polyline") == 3  # a curve each, and the worst seed of random choice
    assert page.verdict == "Set it."
