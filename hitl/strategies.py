"""Query strategies: a utility for every item of the pool, and how a batch is made of the items it keeps.

Utility is higher = pick sooner. To add a strategy, write a function (here, or in `hitl.spread`), add it to STRATEGIES,
and name it in `hitl.params.StrategyName`.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl import spread
from hitl.budget import random_slice
from hitl.errors import DataError
from hitl.params import Params, StrategyName
from hitl.shortlist import Limits
from hitl.spread import Places, Shortlisted, Spread

Floats = npt.NDArray[np.floating[Any]]
Utility = Callable[[Floats, Floats], Floats]
"""(probabilities (classes, n), draw (n,) uniform in [0, 1)) -> utility (n,).

Probabilities lie class by class, so that each step is one over all items: that is several times faster than item by
item, and costs next to nothing beside the model. Those of a committee are (members, classes, n)."""
Reasons = Callable[[Shortlisted, Places, int], list[str]]
"""(items, places picked, size of the batch) -> why each was picked."""
MEMBERS = 5
"""Models of a committee."""
POOL = 1_000
"""Items drawn at random that stand for the whole pool."""


def least_confident(probabilities: Floats, draw: Floats) -> Floats:
    """How little the model believes its own answer: 1 - the greatest probability, in [0, 1).

    Lewis & Gale, "A sequential algorithm for training text classifiers" (SIGIR 1994).
    """
    return np.asarray(1.0 - probabilities.max(axis=0, initial=0.0))


def margin(probabilities: Floats, draw: Floats) -> Floats:
    """How close the two best answers are: 1 - (first - second), in [0, 1].

    Scheffer, Decomain & Wrobel, "Active hidden Markov models for information extraction" (IDA 2001).
    """
    first, second = probabilities[0].copy(), np.zeros_like(probabilities[0])
    for other in probabilities[1:]:
        np.maximum(second, np.minimum(first, other), out=second)
        np.maximum(first, other, out=first)
    return np.asarray(1.0 - (first - second))


def entropy(probabilities: Floats, draw: Floats) -> Floats:
    """How spread the answer is: Shannon's entropy, in nats.

    Shannon, "A mathematical theory of communication" (1948); Settles, "Active learning literature survey" (2009).
    """
    logs = np.log(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    return np.asarray(-(probabilities * logs).sum(axis=0))


def random(probabilities: Floats, draw: Floats) -> Floats:
    """The item's own draw: every item is as likely as every other. The yardstick for the rest."""
    return np.array(draw)


def vote_entropy(probabilities: Floats, draw: Floats) -> Floats:
    """How divided the answers of a committee are: the entropy of its members' votes, in nats.

    Dagan & Engelson, "Committee-based sampling for training probabilistic classifiers" (ICML 1995). The committee is
    the model fitted on 5 bootstrap draws of the labeled set: Abe & Mamitsuka, "Query learning strategies using boosting
    and bagging" (ICML 1998).
    """
    winners, classes = probabilities.argmax(axis=1), np.arange(probabilities.shape[1])
    shares = (winners[:, None, :] == classes[:, None]).mean(axis=0)
    return entropy(shares, draw)


def consensus_divergence(probabilities: Floats, draw: Floats) -> Floats:
    """How far a committee's members are from what they say together: mean Kullback-Leibler divergence, in nats.

    McCallum & Nigam, "Employing EM and pool-based active learning for text classification" (ICML 1998). The committee
    is that of `vote_entropy`.
    """
    each = np.mean([entropy(one, draw) for one in probabilities], axis=0)
    with np.errstate(invalid="ignore"):  # what is no number is an error later, which names the item
        return np.asarray(np.maximum(entropy(probabilities.mean(axis=0), draw) - each, 0))


def _unsure(items: Shortlisted, places: Places, size: int) -> list[str]:
    return ["uncertain"] * len(places)


def _unlike(items: Shortlisted, places: Places, size: int) -> list[str]:
    return ["diverse"] * len(places)


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to choose a batch.

    For each of its items, the `useful` items of greatest `utility` are kept, and `drawn` more that are drawn from the
    pool at random. Of these `spread` makes the batch; without one, the most useful are taken. `reason` is what the
    items are then picked for.
    """

    utility: Utility
    committee: bool = False
    useful: int = 1
    drawn: int = 0
    spread: Spread | None = None
    reasons: Reasons = _unsure

    def slope(self, classes: int) -> float:
        """How far a utility moves at most when every logit moves by 1: entropies are the steepest."""
        return 1.0 if self.utility in (margin, least_confident, random) else 2 * (1 + math.log(classes))

    @property
    def says(self) -> str:
        """What a person reads about it."""
        return inspect.getdoc(self.spread or self.utility) or ""

    def picked(self, items: Shortlisted, size: int, rng: np.random.Generator) -> Places:
        """The places of the `size` items that make the batch, or of all that there are, the first picked first."""
        if self.spread is None or not len(items.utility):
            first = np.empty(0, dtype=np.intp)
        elif self.useful:
            first = self.spread(items, size, rng)
        else:
            first = spread.among(self.spread, items, np.flatnonzero(items.drawn), size, rng)
        rest = np.setdiff1d(np.arange(len(items.utility)), first)
        return np.concatenate([first, rest[np.argsort(-items.utility[rest], kind="stable")]])[:size].astype(np.intp)


def _of_the_default(items: Shortlisted, places: Places, size: int) -> list[str]:
    rare, covering = len(spread.rare(items, size)), 2 * spread.covering(items, size)
    return (["rare"] * rare + ["diverse"] * covering + ["uncertain"] * len(places))[: len(places)]


STRATEGIES: Mapping[StrategyName, Strategy] = {
    "diverse": Strategy(margin, useful=5, drawn=5, spread=spread.diverse, reasons=_of_the_default),
    "margin": Strategy(margin),
    "least_confident": Strategy(least_confident),
    "entropy": Strategy(entropy),
    "vote_entropy": Strategy(vote_entropy, committee=True),
    "consensus_divergence": Strategy(consensus_divergence, committee=True),
    "density_weighted": Strategy(entropy, useful=10, spread=spread.density_weighted),
    "k_center": Strategy(random, useful=0, drawn=50, spread=spread.k_center, reasons=_unlike),
    "badge": Strategy(random, useful=0, drawn=50, spread=spread.badge, reasons=_unlike),
    "typiclust": Strategy(random, useful=0, drawn=50, spread=spread.typiclust, reasons=_unlike),
    "random": Strategy(random),
}


def utility(strategy: StrategyName, probabilities: Floats, draw: Floats, name: Callable[[int], str]) -> Floats:
    """The utility (n,) of items with `probabilities` (classes, n), or (members, classes, n) for a committee.

    Raises DataError at an item with a probability that is not finite; `name` gives the id of the one at a place.
    """
    one = STRATEGIES[strategy]
    found = one.utility(probabilities, draw)
    plain = one.utility in (random, vote_entropy)  # the others are no number wherever a probability is none
    every = tuple(range(probabilities.ndim - 1))
    finite = np.isfinite(probabilities).all(axis=every) if plain else np.isfinite(found)
    if not finite.all():
        first = int(np.flatnonzero(~finite)[0])
        raise DataError(
            f"the model gave item {name(first)!r} a probability that is not a number "
            f"({probabilities[..., first].tolist()}); look at that item's columns, or at the model in params.yaml"
        )
    return found


def limits(params: Params) -> Limits:
    """How many items of the pool the strategy's batch is chosen from."""
    strategy, size, drawn = STRATEGIES[params.query.strategy], params.query.batch, random_slice(params)
    # The random slice may take items off the top, so that many more are kept.
    return Limits(
        useful=strategy.useful * size + drawn if strategy.useful else 0, drawn=max(drawn, POOL, strategy.drawn * size)
    )


def picked(
    params: Params,
    candidates: pd.DataFrame,
    size: int,
    *,
    features: npt.NDArray[np.float32],
    labeled: npt.NDArray[np.float32],
    labels: pd.Series,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The `size` of the candidates that the strategy makes a batch of, or all that there are, each with its `reason`.

    `candidates` are as `choose.CANDIDATE_COLUMNS` has them, sorted by item_id, and `features` (n, d) their points;
    `labeled` (m, d) are those of the labeled set, and `labels` (m,) its labels.
    """
    if not len(candidates):
        return candidates.assign(reason=[])
    strategy, counts = STRATEGIES[params.query.strategy], labels.value_counts()
    items = Shortlisted(
        features=features,
        probabilities=np.stack(candidates["probabilities"].tolist()),
        utility=candidates["utility"].to_numpy(),
        useful=candidates["useful"].to_numpy(),
        drawn=candidates["drawn"].to_numpy(),
        labeled=labeled,
        counts=counts.reindex(params.data.classes, fill_value=0).to_numpy().astype(np.int64),
    )
    places = strategy.picked(items, size, rng)
    return candidates.iloc[places].assign(reason=strategy.reasons(items, places, size))
