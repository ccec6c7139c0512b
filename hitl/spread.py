"""Which of the shortlisted items make a batch together: those that are unlike each other and what is labeled already.

Every function here takes Shortlisted, a size and a generator, and returns the places of at most that many items, the
first picked first. All are deterministic, given the items in one order and the generator.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

Floats = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.intp]
Distances = Callable[[Places, Places], npt.NDArray[np.float32]]
"""(places of some items, places of others) -> squared distances (some, others)."""

FEW = 3
"""Fewer labels a class than so many, and a model's doubts say little: two thirds of the batch then cover the pool."""
RARE_SHARE = 0.1
"""The share of a batch that goes at most to classes with few labels."""
FALL = 0.5
"""Less utility than this share of what the last item has that margin alone would take, and an item is no candidate."""
ALIKE = 0.05
"""Items nearer to each other than this share of the spread of the shortlist are near-duplicates."""
_CLUSTERS, _NEIGHBOURS = 500, 20
_AT_ONCE, _NEAR = 32, 4_096
_EXACT_ROWS, _ROUGH_ROWS = 20_000, 5_000


@dataclass(frozen=True, slots=True)
class Shortlisted:
    """n items that a batch may be chosen from, sorted by item_id, and m that are labeled.

    `features` (n, d) and `labeled` (m, d) as the model sees them, dense; `probabilities` (n, classes); `utility` (n,);
    `counts` (classes,) of the labels there are. `useful` (n,) are those that were kept for their utility, and `drawn`
    (n,) those that stand for the whole pool, having been drawn from it at random; an item may be both.
    """

    features: npt.NDArray[np.float32]
    probabilities: npt.NDArray[np.float64]
    utility: npt.NDArray[np.float64]
    useful: npt.NDArray[np.bool_]
    drawn: npt.NDArray[np.bool_]
    labeled: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int64]


Spread = Callable[[Shortlisted, int, np.random.Generator], Places]


def k_center(items: Shortlisted, size: int, rng: np.random.Generator) -> Places:
    """Always the item that is farthest from every labeled and every picked one, so that none in the pool is far off.

    Sener & Savarese, "Active learning for convolutional neural networks: a core-set approach" (ICLR 2018), greedy:
    Gonzalez, "Clustering to minimize the maximum intercluster distance" (1985). The picks are those of the plain greedy
    rule; between looks at all items only the farthest few are kept up to date.
    """
    points = items.features
    return farthest_first(points, _nearest(points, items.labeled), size, _between(points))


def badge(items: Shortlisted, size: int, rng: np.random.Generator) -> Places:
    """k-means++ seeding over the gradients that the model's own answers would cause in its last layer.

    Ash et al., "Deep batch active learning by diverse, uncertain gradient lower bounds" (ICLR 2020). A gradient is the
    outer product of (probabilities - answer) and the features, so distances follow from the two factors alone.
    """
    errors = (items.probabilities - np.eye(items.probabilities.shape[1])[items.probabilities.argmax(axis=1)]).astype(
        np.float32
    )
    norms = (errors**2).sum(axis=1) * (items.features**2).sum(axis=1)

    def distances(some: Places, others: Places) -> npt.NDArray[np.float32]:
        crossed = (errors[some] @ errors[others].T) * (items.features[some] @ items.features[others].T)
        return np.asarray(np.maximum(norms[some][:, None] + norms[others] - 2 * crossed, 0))

    return seeded(norms, size, distances, rng)


def typiclust(items: Shortlisted, size: int, rng: np.random.Generator) -> Places:
    """The most typical item of each cluster that has no label yet, the largest clusters first: for the cold start.

    Hacohen, Dekel & Weinshall, "Active learning on a budget: opposite strategies suit high and low budgets" (ICML
    2022). Typical is who is near to its neighbours: the inverse of the mean distance to the 20 nearest in the cluster.
    """
    points = np.vstack([items.features, items.labeled])
    clusters = min(len(items.labeled) + size, _CLUSTERS, len(points))
    if not size or not len(items.features):
        return np.empty(0, dtype=np.intp)
    member = _roughly_clustered(points, clusters, rng)
    typical, covered = (
        _typicality(points, member, clusters),
        np.bincount(member[len(items.features) :], minlength=clusters),
    )
    member, sizes = member[: len(items.features)], np.bincount(member[: len(items.features)], minlength=clusters)
    best_first = np.lexsort((-typical[: len(items.features)], member))
    turn = np.empty(len(member), dtype=np.int64)
    turn[best_first] = np.arange(len(member)) - (np.cumsum(sizes) - sizes)[member[best_first]]
    order = np.lexsort((np.arange(len(member)), -sizes[member], covered[member] + turn))
    return np.asarray(order[:size])


def density_weighted(items: Shortlisted, size: int, rng: np.random.Generator) -> Places:
    """Entropy times the mean similarity (cosine) to items drawn from the pool, so that outliers wait.

    Settles & Craven, "An analysis of active learning strategies for sequence labeling tasks" (EMNLP 2008), beta = 1.
    """
    unit = _unit(items.features - items.features[items.drawn].mean(axis=0))
    density = (1 + unit @ unit[items.drawn].mean(axis=0)) / 2
    order = _by(items.utility * density)
    return order[items.useful[order]][:size]


def diverse(items: Shortlisted, size: int, rng: np.random.Generator) -> Places:
    """The default: half of the batch the items of greatest margin utility, half the middles of clusters of the next.

    Those are as many clusters as places among 5 x batch items, less what has not half the utility of the last item that
    margin alone would take: Zhdanov, "Diverse mini-batch active learning" (2019), k-means weighted by utility. An item
    that is nearly the same as a more useful or a labeled one is put aside.

    Up to a tenth goes to classes with few labels, each to the item that the model most believes to be of it. While
    there are fewer than 3 labels a class, the model's doubts say little: then a third of the batch is the most typical
    items of clusters of the pool (`typiclust`), a third is drawn at random, and only the rest is as above.
    """
    first, third = rare(items, size), covering(items, size)
    pool = np.setdiff1d(np.flatnonzero(items.drawn), first)
    first = np.concatenate([first, among(typiclust, items, pool, third, rng)])
    first = np.concatenate([first, rng.permutation(np.setdiff1d(pool, first))[:third]]).astype(np.intp)
    useful, left = np.setdiff1d(np.flatnonzero(items.useful), first), size - len(first)
    useful = useful[distinct(items.features[useful], items.utility[useful], items.labeled)]
    useful = useful[_by(items.utility[useful])]
    last = items.utility[useful[:left]].min(initial=np.inf)
    led, rest = useful[: left - left // 2], useful[left - left // 2 :]
    rest = np.sort(rest[items.utility[rest] >= FALL * last])
    return np.concatenate([first, led, among(middles, items, rest, left // 2, rng)]).astype(np.intp)


def covering(items: Shortlisted, size: int) -> int:
    """How many of the default's batch are the most typical of the pool, and as many are drawn from it at random.

    They come after those of `rare`, the typical ones first.
    """
    scarce = rare(items, size)
    there = len(np.setdiff1d(np.flatnonzero(items.drawn), scarce))
    return min((size - len(scarce)) // 3, there // 2) if cold(items) else 0


def cold(items: Shortlisted) -> bool:
    """Whether there are too few labels for the model's doubts to say much."""
    return bool(items.counts.sum() < FEW * len(items.counts))


def rare(items: Shortlisted, size: int) -> Places:
    """For each class with few labels, the fewest first, the item that the model most believes to be of it.

    Few are less than half of what the classes would have if all had as many. At most RARE_SHARE of the places.
    """
    few = np.flatnonzero(items.counts * 2 < items.counts.mean())
    few = few[np.argsort(items.counts[few], kind="stable")][: int(size * RARE_SHARE)]
    found: list[int] = []
    for its in few.tolist():
        believed = items.probabilities[:, its].copy()
        believed[found] = -1
        best = int(believed.argmax()) if len(believed) else -1
        if best >= 0 and believed[best] > 0:
            found.append(best)
    return np.array(found, dtype=np.intp)


def middles(items: Shortlisted, size: int, rng: np.random.Generator) -> Places:
    """The item nearest to the middle of each of `size` clusters, weighted by utility; the most useful first."""
    if size >= len(items.features):
        return _by(items.utility)
    if not size:
        return np.empty(0, dtype=np.intp)
    weights = np.maximum(items.utility - items.utility.min(), 0) + 1e-6
    found = _clustered(items.features, weights, size, rng)
    off = ((items.features - found.cluster_centers_[found.labels_]) ** 2).sum(axis=1)
    order = np.lexsort((off, found.labels_))
    heads = order[np.flatnonzero(np.diff(found.labels_[order], prepend=-1))]
    return np.asarray(heads[_by(items.utility[heads])])


def distinct(features: Floats, utility: Floats, labeled: Floats) -> npt.NDArray[np.bool_]:
    """Which items (n,) are no near-duplicates of a more useful one, nor of a labeled one."""
    if not len(features):
        return np.zeros(0, dtype=np.bool_)
    order = _by(utility)
    points = (features[order] - features.mean(axis=0)).astype(np.float32)
    limit = ALIKE**2 * float((points**2).sum(axis=1).mean())
    keep = _nearest(points, labeled - features.mean(axis=0)) > limit
    for start in range(0, len(points), 1_000):
        near = _squared(points[start : start + 1_000], points) <= limit
        for place in range(start, min(start + 1_000, len(points))):
            row = near[place - start, :place]
            keep[place] = keep[place] and not (row & keep[:place]).any()
    found = np.empty(len(points), dtype=np.bool_)
    found[order] = keep
    return found


def farthest_first(points: Floats, distance: Floats, size: int, between: Distances) -> Places:
    """The places of `size` points, each the farthest from those before it; `distance` (n,) is from what came earlier.

    Distances only shrink. So the farthest few, kept up to date, are the farthest of all as long as one of them is
    farther than all others were when last looked at.
    """
    distance = distance.copy()
    picked: list[int] = []
    pending: list[int] = []
    near, bound = np.empty(0, dtype=np.intp), np.inf
    while len(picked) < min(size, len(points)):
        best = int(near[distance[near].argmax()]) if len(near) else -1
        if best < 0 or distance[best] <= bound or len(pending) >= _AT_ONCE * 8:
            distance = _refreshed(distance, pending, between)
            pending = []
            near, bound = _farthest(distance)
            best = int(distance.argmax())
        picked.append(best)
        pending.append(best)
        fresh = between(near, np.array([best]))[:, 0]
        distance[near] = np.minimum(distance[near], fresh)
        distance[best] = -1.0
    return np.array(picked, dtype=np.intp)


def seeded(norms: Floats, size: int, distances: Distances, rng: np.random.Generator) -> Places:
    """`size` places by k-means++: the first of greatest norm, each next with odds as its squared distance to these.

    Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding" (SODA 2007). A distance that was not looked
    at for a while can only be too large: a place drawn by it is taken with odds as the true one to it, which is the
    same as drawing by the true distances.
    """
    if not len(norms) or not size:
        return np.empty(0, dtype=np.intp)
    picked, pending = [int(norms.argmax())], [int(norms.argmax())]
    distance = np.full(len(norms), np.inf)
    while len(picked) < min(size, len(norms)):
        distance = _refreshed(distance, pending, distances)
        distance[picked] = 0.0
        pending, total = [], np.cumsum(distance, dtype=np.float64)
        if total[-1] <= 0:  # all that is left equals what is picked
            left = np.setdiff1d(np.arange(len(norms)), picked)
            return np.array([*picked, *left[: size - len(picked)]], dtype=np.intp)
        for _ in range(4 * _AT_ONCE):
            place = min(int(np.searchsorted(total, rng.random() * total[-1], side="right")), len(norms) - 1)
            others = np.array(pending, dtype=np.intp)
            true = min(distance[place], distances(np.array([place]), others).min(initial=np.inf))
            if place not in pending and rng.random() * distance[place] < true:
                picked.append(place)
                pending.append(place)
            if len(pending) >= _AT_ONCE or len(picked) >= size:
                break
    return np.array(picked, dtype=np.intp)


def _refreshed(distance: Floats, pending: list[int], between: Distances) -> Floats:
    """The distances after the `pending` picks, block by block, so that what is worked on stays small."""
    for start in range(0, len(pending), _AT_ONCE):
        some = np.array(pending[start : start + _AT_ONCE], dtype=np.intp)
        for first in range(0, len(distance), 8_192):
            part = np.arange(first, min(first + 8_192, len(distance)))
            distance[part] = np.minimum(distance[part], between(part, some).min(axis=1))
    distance[np.array(pending, dtype=np.intp)] = -1.0
    return distance


def _farthest(distance: Floats) -> tuple[Places, float]:
    """The places of the farthest few, sorted, and how far the farthest of the others is."""
    if len(distance) <= _NEAR:
        return np.arange(len(distance)), -np.inf
    order = np.argpartition(distance, len(distance) - _NEAR - 1)
    return np.sort(order[len(distance) - _NEAR :]), float(distance[order[len(distance) - _NEAR - 1]])


def _between(points: Floats) -> Distances:
    norms = (points**2).sum(axis=1)

    def between(some: Places, others: Places) -> npt.NDArray[np.float32]:
        return np.asarray(np.maximum(norms[some][:, None] + norms[others] - 2 * (points[some] @ points[others].T), 0))

    return between


def _squared(some: Floats, others: Floats) -> Floats:
    norms = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    return np.asarray(np.maximum(norms - 2 * (some @ others.T), 0))


def _nearest(points: Floats, others: Floats) -> Floats:
    """The squared distance of each point to the nearest of the others (n,); without others all are as far."""
    found = np.full(len(points), np.inf if not len(others) else 0, dtype=np.float32)
    for start in range(0, len(points) if len(others) else 0, 4_096):
        part = points[start : start + 4_096]
        nearest = np.full(len(part), np.inf, dtype=np.float32)
        for first in range(0, len(others), 4_096):
            nearest = np.minimum(nearest, _squared(part, others[first : first + 4_096]).min(axis=1))
        found[start : start + 4_096] = nearest
    return found


def nearest(points: Floats, others: Floats) -> Places:
    """The place of the nearest of the others for each point (n,)."""
    blocks = [_squared(points[start : start + 256], others).argmin(axis=1) for start in range(0, len(points), 256)]
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.intp)


def _clustered(points: Floats, weights: Floats, clusters: int, rng: np.random.Generator) -> KMeans | MiniBatchKMeans:
    seed = int(rng.integers(2**31))
    if len(points) <= _EXACT_ROWS:
        kmeans = KMeans(clusters, n_init=1, max_iter=20, random_state=seed)
    else:
        kmeans = MiniBatchKMeans(clusters, n_init=1, max_iter=20, random_state=seed, batch_size=4_096)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct items than clusters
        return kmeans.fit(points, sample_weight=weights)


def _roughly_clustered(points: Floats, clusters: int, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """The cluster of each point (n,): many points go to the centres that a few of them, drawn at random, have.

    What is typical of a cluster does not hang on where exactly it ends, and seeding is most of what k-means costs.
    """
    if len(points) <= _ROUGH_ROWS:
        return np.asarray(_clustered(points, np.ones(len(points)), clusters, rng).labels_)
    some = points[np.sort(rng.choice(len(points), min(len(points), 10 * clusters), replace=False))]
    kmeans = KMeans(clusters, init=some[_greedily_seeded(some, clusters, rng)], n_init=1, max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(kmeans.fit(some).predict(points))


def _greedily_seeded(points: Floats, size: int, rng: np.random.Generator) -> Places:
    """`size` places by k-means++, each the one of a few drawn that leaves all points nearest.

    So begins scikit-learn's KMeans as well, but its checks at every step cost more than the step.
    """
    norms, tries = (points**2).sum(axis=1), 2 + int(np.log(size))
    distance, picked = np.full(len(points), np.inf, dtype=points.dtype), []
    drawn = rng.integers(len(points), size=1)
    while True:
        far = np.maximum(norms[drawn, None] + norms - 2 * (points[drawn] @ points.T), 0)
        far = np.minimum(far, distance)
        best = int(far.sum(axis=1).argmin())
        distance = far[best]
        picked.append(int(drawn[best]))
        if len(picked) == size:
            return np.array(picked, dtype=np.intp)
        total = np.cumsum(distance, dtype=np.float64)
        drawn = np.minimum(np.searchsorted(total, rng.random(tries) * total[-1], side="right"), len(points) - 1)


def _typicality(points: Floats, member: npt.NDArray[np.int32], clusters: int) -> Floats:
    found, order = np.zeros(len(points)), np.argsort(member, kind="stable")
    ends = np.cumsum(np.bincount(member, minlength=clusters))
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        places = order[begin:end]
        count = min(_NEIGHBOURS, len(places) - 1)
        for part in np.array_split(places, len(places) // 1_000 + 1) if count > 0 else []:
            far = np.sqrt(_squared(points[part], points[places]))
            found[part] = -np.partition(far, count, axis=1)[:, : count + 1].sum(axis=1) / count
    return found


def among(spread: Spread, items: Shortlisted, places: Places, size: int, rng: np.random.Generator) -> Places:
    """What `spread` picks of the items at `places` alone."""
    if not len(places) or not size:
        return np.empty(0, dtype=np.intp)
    some = Shortlisted(
        features=items.features[places],
        probabilities=items.probabilities[places],
        utility=items.utility[places],
        useful=items.useful[places],
        drawn=items.drawn[places],
        labeled=items.labeled,
        counts=items.counts,
    )
    return np.asarray(places[spread(some, size, rng)])


def _by(values: Floats) -> Places:
    """The places by value, the greatest first; ties in their order."""
    return np.argsort(-values, kind="stable")


def _unit(points: Floats) -> Floats:
    return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12))
