"""What scikit-activeml and small-text pick, by the probabilities of the loop's own model and the points it sees."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl.rehearsal import Fitted, Loop, Pick, Places


def skactiveml(name: str) -> Pick:
    """A pool strategy of scikit-activeml that takes a classifier."""
    from skactiveml import pool
    from skactiveml.base import SkactivemlClassifier

    class Answering(SkactivemlClassifier):
        """Says of the candidates what our model says of them."""

        def __init__(
            self,
            said: object = None,
            classes: object = None,
            missing_label: float = np.nan,
            cost_matrix: object = None,
            random_state: int | None = None,
        ) -> None:
            super().__init__(classes, missing_label, cost_matrix, random_state)
            self.said = said

        def fit(self, X: object, y: object, **extra: object) -> "Answering":
            self.classes_ = np.arange(np.shape(self.said)[1])
            return self

        def predict_proba(self, X: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
            said = np.asarray(self.said)
            if len(X) != len(said):
                raise ValueError(f"asked of {len(X)} items, not of the {len(said)} candidates")
            return said

        def predict(self, X: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
            return self.predict_proba(X).argmax(axis=1)

    def pick(loop: Loop, model: Fitted) -> Places:
        classes, points = loop.params.data.classes, model.points(loop.pool, loop.labeled)
        codes = pd.Index(classes).get_indexer(pd.Index(loop.given)).astype(float)
        clf = Answering(model.says(loop.pool, classes), np.arange(len(classes))).fit(None, None)
        size = min(loop.params.query.batch, len(loop.pool))
        y = np.concatenate([np.full(len(loop.pool), np.nan), codes])
        strategy = getattr(pool, name)(random_state=loop.params.query.seed * 1_000 + loop.number)
        chosen = strategy.query(np.vstack(points), y, clf=clf, fit_clf=False, batch_size=size)
        return loop.pool[np.sort(chosen)]

    return pick


def small_text(name: str) -> Pick:
    """A strategy of small-text that asks a classifier for probabilities."""
    from small_text.query_strategies import strategies

    def pick(loop: Loop, model: Fitted) -> Places:
        said = model.says(loop.pool, loop.params.data.classes)
        size = min(loop.params.query.batch, len(loop.pool))

        class Answering:
            def predict_proba(self, dataset: object) -> npt.NDArray[np.float64]:
                return said

        every = np.arange(len(loop.pool))
        np.random.seed(loop.params.query.seed * 1_000 + loop.number)  # noqa: NPY002 - it knows no other generator
        chosen = getattr(strategies, name)().query(Answering(), every[:, None], every, every[:0], every[:0], n=size)
        return loop.pool[np.sort(chosen)]

    return pick


PICKS: Mapping[str, Callable[[], Pick]] = {
    "scikit-activeml Falcun": partial(skactiveml, "Falcun"),
    "scikit-activeml Badge": partial(skactiveml, "Badge"),
    "small-text BreakingTies": partial(small_text, "BreakingTies"),
}
