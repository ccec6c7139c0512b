"""Query strategies: each ranks items by the model's probabilities. Utility is higher = pick sooner.

To add one, write a function, add it to STRATEGIES, and name it in `hitl.params.StrategyName`.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from hitl.errors import DataError
from hitl.params import StrategyName

Floats = npt.NDArray[np.float64]
Strategy = Callable[[Floats, Floats], Floats]
"""(probabilities (n, classes), draw (n,) uniform in [0, 1)) -> utility (n,)."""


def least_confident(probabilities: Floats, draw: Floats) -> Floats:
    """How little the model believes its own answer: 1 - the greatest probability, in [0, 1).

    Lewis & Gale, "A sequential algorithm for training text classifiers" (SIGIR 1994).
    """
    return np.asarray(1.0 - probabilities.max(axis=1, initial=0.0), dtype=np.float64)


def margin(probabilities: Floats, draw: Floats) -> Floats:
    """How close the two best answers are: 1 - (first - second), in [0, 1].

    Scheffer, Decomain & Wrobel, "Active hidden Markov models for information extraction" (IDA 2001).
    """
    top = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(1.0 - (top[:, 1] - top[:, 0]), dtype=np.float64)


def entropy(probabilities: Floats, draw: Floats) -> Floats:
    """How spread the answer is: Shannon's entropy, in nats.

    Shannon, "A mathematical theory of communication" (1948); Settles, "Active learning literature survey" (2009).
    """
    logs = np.log(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    return np.asarray(-(probabilities * logs).sum(axis=1), dtype=np.float64)


def random(probabilities: Floats, draw: Floats) -> Floats:
    """The item's own draw: every item is as likely as every other. The yardstick for the rest."""
    return np.array(draw, dtype=np.float64)


STRATEGIES: Mapping[StrategyName, Strategy] = {
    "margin": margin,
    "least_confident": least_confident,
    "entropy": entropy,
    "random": random,
}


def utility(strategy: StrategyName, probabilities: Floats, draw: Floats, item_ids: npt.NDArray[np.object_]) -> Floats:
    """The utility (n,) of items with `probabilities` (n, classes); raises DataError at one that is not finite."""
    finite = np.isfinite(probabilities).all(axis=1)
    if not finite.all():
        first = int(np.flatnonzero(~finite)[0])
        raise DataError(
            f"the model gave item {item_ids[first]!r} a probability that is not a number "
            f"({probabilities[first].tolist()}); look at that item's columns, or at the model in params.yaml"
        )
    return STRATEGIES[strategy](probabilities, draw)
