"""Every way to make a batch of a shortlist keeps the same laws; each does what its source says."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from hitl import spread
from hitl.params import StrategyName
from hitl.spread import Places, Shortlisted
from hitl.strategies import STRATEGIES

NAMES: tuple[StrategyName, ...] = get_args(StrategyName)


def shortlisted(count: int, *, labeled: int = 12, classes: int = 3, seed: int = 0) -> Shortlisted:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), count)
    top = np.sort(probabilities, axis=1)
    return Shortlisted(
        features=rng.normal(size=(count, 5)).astype(np.float32),
        probabilities=probabilities,
        utility=1 - (top[:, -1] - top[:, -2]),
        useful=np.arange(count) % 2 == 0,
        drawn=np.arange(count) % 3 == 0,
        labeled=rng.normal(size=(labeled, 5)).astype(np.float32),
        counts=np.full(classes, labeled // classes),
    )


def picked(name: StrategyName, items: Shortlisted, size: int) -> Places:
    return STRATEGIES[name].picked(items, size, np.random.default_rng(1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("count", "size"), [(0, 5), (1, 5), (40, 0), (40, 8), (40, 40), (40, 50)])
def test_a_batch_has_as_many_items_as_asked_for_or_as_there_are_each_once(
    name: StrategyName, count: int, size: int
) -> None:
    found = picked(name, shortlisted(count), size)
    assert len(found) == len(set(found.tolist())) == min(size, count)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("labeled", [0, 2])
def test_a_batch_is_made_with_few_labels_or_none(name: StrategyName, labeled: int) -> None:
    cold = replace(shortlisted(40, labeled=labeled), counts=np.array([labeled, 0, 0]))
    found = picked(name, cold, 8)
    assert len(set(found.tolist())) == 8
    assert len(STRATEGIES[name].reasons(cold, found, 8)) == 8


@pytest.mark.parametrize("name", NAMES)
def test_the_same_items_give_the_same_batch_and_stay_as_they_are(name: StrategyName) -> None:
    items = shortlisted(60)
    for part in (items.features, items.probabilities, items.utility, items.labeled):
        part.flags.writeable = False
    assert picked(name, items, 9).tolist() == picked(name, items, 9).tolist()


@pytest.mark.parametrize("name", NAMES)
def test_equal_items_make_a_batch_too(name: StrategyName) -> None:
    items = shortlisted(30)
    same = replace(items, features=np.ones_like(items.features), utility=np.full(30, 0.5))
    assert len(set(picked(name, same, 7).tolist())) == 7


def plainly_farthest(points: np.ndarray, others: np.ndarray, size: int) -> list[int]:
    found: list[int] = []
    for _ in range(size):
        centres = np.vstack([others, points[found]]).astype(float)
        far = ((points[:, None, :].astype(float) - centres) ** 2).sum(axis=2).min(axis=1)
        far[found] = -1
        found.append(int(far.argmax()))
    return found


@pytest.mark.parametrize("near", [3, 20, 5_000])
def test_k_center_picks_what_the_plain_greedy_rule_picks(near: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "_NEAR", near)
    items = shortlisted(300)
    found = spread.k_center(items, 60, np.random.default_rng(0))
    assert found.tolist() == plainly_farthest(items.features, items.labeled, 60)


def test_badge_draws_by_the_squared_distance_of_the_gradients() -> None:
    items = shortlisted(6, classes=2)
    errors = items.probabilities - np.eye(2)[items.probabilities.argmax(axis=1)]
    gradients = np.einsum("nc,nd->ncd", errors, items.features).reshape(6, -1)
    first = int((gradients**2).sum(axis=1).argmax())
    odds = ((gradients - gradients[first]) ** 2).sum(axis=1)
    seconds = [spread.badge(items, 2, np.random.default_rng(seed))[1] for seed in range(3_000)]
    shares = np.bincount(seconds, minlength=6) / 3_000
    assert np.abs(shares - odds / odds.sum()).max() < 4 * 0.5 / np.sqrt(3_000)


def test_badge_later_picks_are_drawn_as_if_all_distances_were_new(monkeypatch: pytest.MonkeyPatch) -> None:
    items = shortlisted(5, classes=2)
    often = [spread.badge(items, 3, np.random.default_rng(seed)).tolist() for seed in range(3_000)]
    monkeypatch.setattr(spread, "_AT_ONCE", 1)  # looks at all distances after every pick
    always = [spread.badge(items, 3, np.random.default_rng(seed)).tolist() for seed in range(3_000)]
    for place in (1, 2):
        ours, theirs = (np.bincount([one[place] for one in some], minlength=5) for some in (often, always))
        assert np.abs(ours - theirs).max() < 4 * np.sqrt(2 * 0.25 * 3_000)


def test_typiclust_takes_the_middle_of_clusters_without_a_label_the_largest_first() -> None:
    rng, centres = np.random.default_rng(0), np.array([[0, 0], [50, 0], [0, 50]])
    owner = np.repeat([0, 1, 2], [30, 20, 10])
    points = (centres[owner] + rng.normal(size=(60, 2))).astype(np.float32)
    items = replace(
        shortlisted(60), features=points, labeled=centres[:1].astype(np.float32), drawn=np.ones(60, dtype=bool)
    )
    found = spread.typiclust(items, 2, rng)
    assert owner[found].tolist() == [1, 2]
    assert np.linalg.norm(points[found] - centres[[1, 2]], axis=1).max() < 1.5


def test_typiclust_meets_the_clusters_of_many_items_by_a_few_of_them() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(60, 64)) * 1.5
    points = (centres[rng.integers(60, size=6_000)] + rng.normal(size=(6_000, 64))).astype(np.float32)
    items = replace(shortlisted(6_000), features=points, labeled=points[:0], drawn=np.ones(6_000, dtype=bool))
    found = spread.typiclust(items, 60, rng)
    owner = np.linalg.norm(points[found][:, None] - centres, axis=2).argmin(axis=1)
    assert len(set(owner.tolist())) > 50


def test_an_outlier_waits_where_density_counts() -> None:
    items = shortlisted(40)
    features = np.abs(items.features) + 5
    features[0] = -9
    odd = replace(items, features=features, utility=np.full(40, 0.5), useful=np.ones(40, dtype=bool))
    assert picked("density_weighted", odd, 40)[-1] == 0


def test_the_default_sends_no_near_duplicates() -> None:
    items = shortlisted(40)
    features = items.features.copy()
    features[2:20:2] = features[0] + 1e-4
    twins = replace(items, features=features, useful=np.arange(40) % 2 == 0, utility=np.linspace(1, 0.9, 40))
    found = spread.diverse(twins, 6, np.random.default_rng(0))
    assert len(found) == 6
    assert len(set(found.tolist()) & set(range(0, 20, 2))) == 1
    known = replace(twins, labeled=np.vstack([items.labeled, features[:1]]))
    assert not set(spread.diverse(known, 6, np.random.default_rng(0)).tolist()) & set(range(0, 20, 2))


def test_the_default_looks_for_a_class_with_few_labels_and_says_so() -> None:
    items = replace(shortlisted(60), counts=np.array([30, 30, 1]))
    found = picked("diverse", items, 10)
    likely = int(items.probabilities[:, 2].argmax())
    assert found[0] == likely
    assert STRATEGIES["diverse"].reasons(items, found, 10) == ["rare"] + ["uncertain"] * 9


def test_half_of_the_default_is_what_margin_alone_would_take() -> None:
    items = shortlisted(60)
    found, useful = picked("diverse", items, 10), np.flatnonzero(items.useful)
    assert found[:5].tolist() == useful[np.argsort(-items.utility[useful])][:5].tolist()
    assert STRATEGIES["diverse"].reasons(items, found, 10) == ["uncertain"] * 10


def test_two_thirds_of_the_default_cover_the_pool_while_labels_are_few() -> None:
    items = replace(shortlisted(60), drawn=np.arange(60) % 2 == 1, counts=np.array([2, 2, 2]))
    found = picked("diverse", items, 10)
    assert spread.covering(items, 10) == 3
    others = [STRATEGIES["diverse"].picked(items, 10, np.random.default_rng(seed))[3:6] for seed in range(9)]
    assert len({tuple(one.tolist()) for one in others}) > 5
    assert (
        found[:3].tolist()
        == spread.among(spread.typiclust, items, np.flatnonzero(items.drawn), 3, np.random.default_rng(1)).tolist()
    )
    assert items.drawn[found[:6]].all()
    assert items.useful[found[6:]].all()
    assert STRATEGIES["diverse"].reasons(items, found, 10) == ["diverse"] * 6 + ["uncertain"] * 4


def test_the_default_asks_for_nothing_that_the_model_is_much_surer_of() -> None:
    sure = replace(shortlisted(60), useful=np.ones(60, dtype=bool), utility=np.where(np.arange(60) < 12, 0.9, 0.4))
    assert max(picked("diverse", sure, 10)) < 12


def test_the_default_is_more_spread_than_the_most_useful_alone() -> None:
    items = replace(shortlisted(400), useful=np.ones(400, dtype=bool))
    top = np.argsort(-items.utility)[:100]
    some = replace(items, useful=np.isin(np.arange(400), top))
    ours = [STRATEGIES["diverse"].picked(some, 20, np.random.default_rng(seed)) for seed in range(10)]
    assert all(set(one.tolist()) <= set(top.tolist()) for one in ours)

    def reach(places: Places) -> float:
        far = ((items.features[top][:, None, :] - items.features[places]) ** 2).sum(axis=2).min(axis=1)
        return float(far.mean())

    assert np.mean([reach(one) for one in ours]) < 0.95 * reach(top[:20])


def test_the_nearest_is_found() -> None:
    items = shortlisted(300)
    plain = ((items.features[:, None, :] - items.labeled) ** 2).sum(axis=2).argmin(axis=1)
    assert spread.nearest(items.features, items.labeled).tolist() == plain.tolist()
