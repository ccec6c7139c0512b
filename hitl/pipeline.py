"""The model that params.yaml describes: a scikit-learn Pipeline over the columns of the items."""

import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from hitl.errors import DataError, ParamsError
from hitl.params import EstimatorName, Kind, Model

Cells = npt.NDArray[Any] | pd.api.extensions.ExtensionArray
Prepared = npt.NDArray[np.float64] | npt.NDArray[np.object_]
"""A column as a model sees it: numbers (missing: NaN), or words (missing: "")."""
Rows: TypeAlias = Any
"""Items, one in a row: prepared inputs, or what a step of a model makes of them (an array, or a sparse matrix)."""


class Classifier(Protocol):
    """What we need of an estimator."""

    classes_: npt.NDArray[np.object_]

    def fit(self, X: pd.DataFrame, y: npt.NDArray[np.object_]) -> object: ...

    def predict_proba(self, X: Rows) -> npt.NDArray[np.float64]: ...


ESTIMATORS: Mapping[EstimatorName, Callable[..., object]] = {
    "logistic_regression": LogisticRegression,
    "hist_gradient_boosting": HistGradientBoostingClassifier,
    "random_forest": RandomForestClassifier,
}
_DEFAULTS: Mapping[EstimatorName, Mapping[str, object]] = {"logistic_regression": {"max_iter": 2000}}


def build(model: Model, features: Mapping[str, Kind]) -> Classifier:
    """An unfitted classifier for `features` (column -> kind).

    Raises ParamsError when the factory cannot be imported or the estimator does not take the options.
    """
    if model.factory is not None:
        return cast(Classifier, _factory(model.factory)())
    options = {**_DEFAULTS.get(model.estimator, {}), "random_state": model.seed, **model.options}
    try:
        estimator = ESTIMATORS[model.estimator](**options)
    except TypeError as error:
        raise ParamsError(f"params.yaml: model.options: {model.estimator}: {error}") from error
    dense = model.estimator == "hist_gradient_boosting"
    return cast(Classifier, Pipeline([("columns", _columns(features, dense)), ("estimator", estimator)]))


def inputs(frame: pd.DataFrame, features: Mapping[str, Kind]) -> pd.DataFrame:
    """The columns that a model sees, in the order of `features`: numbers as float64 (missing: NaN), words as objects.

    A missing category is a category of its own and a missing text is an empty one, both spelled "".
    """
    return pd.DataFrame(prepared({str(name): frame[name].array for name in frame}, features))


def prepared(columns: Mapping[str, Cells], features: Mapping[str, Kind]) -> dict[str, Prepared]:
    """The same columns as arrays by name, from the cells that a file keeps under each."""
    missing = [name for name in features if name not in columns]
    if missing:
        raise DataError(f"the items have no column {missing[0]!r}, which params.yaml names in data.columns")
    return {name: _cells(name, columns[name], kind) for name, kind in features.items()}


def together(columns: Mapping[str, Prepared]) -> pd.DataFrame:
    """Prepared columns as the frame that a model scores fastest: of numbers alone, one block that lies row by row."""
    if not columns or any(cells.dtype == object for cells in columns.values()):
        return pd.DataFrame(dict(columns), copy=False)
    return pd.DataFrame(np.stack(list(columns.values()), axis=1), columns=list(columns), copy=False)


def fit(model: Classifier, labeled: pd.DataFrame, features: Mapping[str, Kind]) -> Classifier:
    """`model`, fitted on the `features` and the `label` column of the labeled set.

    Raises ParamsError when the estimator refuses the value of an option, DataError for a text column without a word.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a model that stops early is judged like any other
            model.fit(inputs(labeled, features), labeled["label"].to_numpy(dtype=object))
    except InvalidParameterError as error:
        raise ParamsError(f"params.yaml: model.options: {error}") from error
    except ValueError as error:
        wordless = [name for name, kind in features.items() if kind == "text" and not _has_words(labeled[name])]
        if not wordless:
            raise
        raise DataError(
            f"no labeled item has a word in column {wordless[0]!r}, so nothing can be learned from it; "
            "make it `ignored` in data.columns of params.yaml"
        ) from error
    return model


def committee(model: Model, labeled: pd.DataFrame, features: Mapping[str, Kind], members: int) -> list[Classifier]:
    """The model fitted on `members` bootstrap draws of the labeled set: Breiman, "Bagging predictors" (1996).

    Every draw keeps an item of each class, so that no member is without one. The order of the rows counts.
    """
    found = []
    for member in range(members):
        drawn = labeled.iloc[_bootstrap(labeled["label"], np.random.default_rng([model.seed, member]))]
        found.append(fit(build(model, features), drawn, features))
    return found


def _bootstrap(labels: pd.Series, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    first = np.sort([rng.choice(places) for _, places in sorted(labels.groupby(labels).indices.items())])
    return np.concatenate([first, rng.integers(len(labels), size=len(labels) - len(first))]).astype(np.intp)


def at_once(model: Classifier) -> int:
    """How many items the model scores fastest together, by what was measured."""
    _, last = halves(model)
    return 4_096 if isinstance(last, HistGradientBoostingClassifier) else 16_384


def halves(model: Classifier) -> tuple[Callable[[pd.DataFrame], Rows], Classifier]:
    """What a fitted model makes of prepared inputs before its last step, and that step: together they are the model."""
    if not isinstance(model, Pipeline):
        return lambda frame: frame, model
    return model[:-1].transform if len(model) > 1 else lambda frame: frame, cast(Classifier, model[-1])


def aligned(model: Classifier, rows: Rows, classes: Sequence[str]) -> npt.NDArray[np.float64]:
    """The model's probabilities (n, classes) for prepared inputs, in the order of `classes`; 0 for a class unseen.

    For a model's last step, `rows` are what comes before it (`halves`).
    """
    found = np.zeros((rows.shape[0], len(classes)))
    if len(found):
        position = {name: index for index, name in enumerate(classes)}
        found[:, [position[str(name)] for name in model.classes_]] = model.predict_proba(rows)
    return found


def _cells(name: str, cells: Cells, kind: Kind) -> Prepared:
    if kind in ("numeric", "boolean") and isinstance(cells, np.ndarray) and cells.dtype.kind in "fiub":
        return cells.astype(np.float64)
    values = pd.Series(cells)
    if kind in ("numeric", "boolean"):
        try:
            return _booleans(values) if kind == "boolean" else np.asarray(values.astype("float64"), dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"column {name!r} is {kind} in data.columns of params.yaml, and a cell of it is not: {error}"
            ) from error
    return np.where(values.isna(), "", values.astype(object)).astype(object)


def _has_words(values: pd.Series) -> bool:
    return bool(values.dropna().astype(str).str.contains(r"\w\w").any())


def _booleans(values: pd.Series) -> npt.NDArray[np.float64]:
    return np.asarray(values.astype("boolean").astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))


def _columns(features: Mapping[str, Kind], dense: bool) -> ColumnTransformer:
    named = {
        kind: [name for name, its in features.items() if its == kind] for kind in ("numeric", "boolean", "categorical")
    }
    numbers = Pipeline(
        [("fill", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]
    )
    booleans = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=not dense)
    steps = [("numeric", numbers), ("boolean", booleans), ("categorical", words)]
    parts = [(kind, step, named[kind]) for kind, step in steps if named[kind]]
    texts = [
        (f"text:{name}", TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), name)
        for name, its in features.items()
        if its == "text"
    ]
    return ColumnTransformer([*parts, *texts], sparse_threshold=0.0 if dense else 0.3)


def _factory(name: str) -> Callable[[], object]:
    module, _, function = name.partition(":")
    try:
        return cast(Callable[[], object], getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError, ValueError) as error:
        raise ParamsError(
            f"params.yaml: model.factory: cannot import {name!r} ({error}); write module:function"
        ) from error
