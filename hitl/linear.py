"""Linear models, folded into one matrix: class by class they score a pool faster than scikit-learn's own code.

A pipeline of imputers and scalers before a logistic regression is one affine map of the columns, so its probabilities
are those of one product of matrices. `fast` takes it in float32 and tells how far off that may be, `exact` in float64.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from hitl.pipeline import Classifier

Floats = npt.NDArray[np.floating[Any]]
Columns = Mapping[str, Floats]
TOLERATED = 1e-2
"""Where float32 cannot promise logits this near, float64 is used: with columns of large values that hardly vary."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A classifier whose logits are `weights` (classes, columns) @ columns + `bias`, over columns without gaps.

    `fill` stands for a missing number of each column (NaN: no number does). `rows` tells where the model's classes
    stand among `classes` classes.
    """

    names: tuple[str, ...]
    weights: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]
    fill: npt.NDArray[np.float64]
    rows: tuple[int, ...]
    classes: int

    def fast(self, columns: Columns) -> tuple[Floats, float]:
        """The probabilities (classes, n) of items, and how far each logit may be from the truth."""
        found, slack = self._product(columns, np.float32)
        return (found, slack) if slack <= TOLERATED else self._product(columns, np.float64)

    def exact(self, columns: Columns) -> npt.NDArray[np.float64]:
        """The probabilities (classes, n), column after column in float64: whatever else is asked, the same bits."""
        # With one more, for what is alone einsum adds up in another order.
        cells = np.zeros((len(self.names), len(columns[self.names[0]]) + 1))
        for at, name in enumerate(self.names):
            cells[at, :-1] = columns[name]
        cells = np.where(np.isnan(cells), self.fill[:, None], cells)
        logits = np.einsum("ck,kn->cn", self.weights, cells) + self.bias[:, None]
        return np.asarray(self._placed(_softmax(logits)[:, :-1]), dtype=np.float64)

    def _product(self, columns: Columns, dtype: type[np.floating[Any]]) -> tuple[Floats, float]:
        cells = np.empty((len(self.names), len(columns[self.names[0]])), dtype=dtype)
        with np.errstate(invalid="ignore", over="ignore"):  # what is no number is named later
            for at, name in enumerate(self.names):
                cells[at] = columns[name]
            reach = np.maximum(cells.max(axis=1, initial=0), -cells.min(axis=1, initial=0))
            for at in np.flatnonzero(np.isnan(reach)).tolist():
                cells[at, np.isnan(cells[at])] = self.fill[at]
                reach[at] = np.abs(cells[at]).max(initial=0)
            logits = self.weights.astype(dtype) @ cells
            logits += self.bias.astype(dtype)[:, None]
            return self._placed(_softmax(logits)), self._slack(reach, dtype)

    def _slack(self, reach: Floats, dtype: type[np.floating[Any]]) -> float:
        """A bound on what rounding does to a logit (Higham, "Accuracy and stability of numerical algorithms", 3.1)."""
        largest = float((np.abs(self.weights) @ reach.astype(np.float64) + np.abs(self.bias)).max())
        unit = float(np.finfo(dtype).eps) / 2
        error = (len(self.names) + 4) * unit * largest + 8 * unit  # the last for exp and the quotient
        return error if np.isfinite(error) else np.inf

    def _placed(self, found: Floats) -> Floats:
        if self.rows == tuple(range(self.classes)):
            return found
        placed = np.zeros((self.classes, found.shape[1]), dtype=found.dtype)
        placed[list(self.rows)] = found
        return placed


@dataclass(frozen=True, slots=True)
class _Affine:
    """What the steps before the model make of each of its inputs: (filled - shift) / scale."""

    names: tuple[str, ...]
    fill: npt.NDArray[np.float64]
    shift: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]


def folded(model: Classifier, names: Sequence[str], classes: Sequence[str]) -> Linear | None:
    """`model`, fitted on the columns `names`, as one matrix; None where it is not such a model."""
    *steps, last = [step for _, step in model.steps] if isinstance(model, Pipeline) else [cast(Any, model)]
    if type(last) is not LogisticRegression or not names or not _softmaxed(last):
        return None
    count = len(names)
    affine: _Affine | None = _Affine(tuple(names), np.full(count, np.nan), np.zeros(count), np.ones(count))
    for step in steps:
        affine = affine and _after(affine, step)
    if affine is None or last.coef_.shape[1] != len(affine.names):
        return None
    coefficients, intercepts = np.asarray(last.coef_, dtype=np.float64), np.asarray(last.intercept_, dtype=np.float64)
    if len(coefficients) == 1:  # of two classes only the second has a row
        coefficients, intercepts = np.vstack([0 * coefficients, coefficients]), np.append(0.0, intercepts)
    weights = coefficients / affine.scale
    positions = {name: index for index, name in enumerate(classes)}
    return Linear(
        names=affine.names,
        weights=weights,
        bias=intercepts - weights @ affine.shift,
        fill=affine.fill,
        rows=tuple(positions[str(name)] for name in last.classes_),
        classes=len(classes),
    )


def _softmaxed(model: LogisticRegression) -> bool:
    return len(model.classes_) == 2 or model.solver != "liblinear"


def _after(affine: _Affine, step: object) -> _Affine | None:
    """`affine` and then `step`; None for a step that is no such map."""
    match step:
        case Pipeline():
            done: _Affine | None = affine
            for _, inner in step.steps:
                done = done and _after(done, inner)
            return done
        case SimpleImputer() if not step.add_indicator and pd.isna(step.missing_values):
            return _imputed(affine, np.asarray(step.statistics_))
        case StandardScaler():
            shift = step.mean_ if step.with_mean else 0.0
            scale = step.scale_ if step.with_std else 1.0
            # (x - shift) / scale, of which x is (filled - affine.shift) / affine.scale
            return _Affine(affine.names, affine.fill, affine.shift + affine.scale * shift, affine.scale * scale)
        case ColumnTransformer() if step.remainder == "drop":
            return _side_by_side(affine, [(one, list(names)) for _, one, names in step.transformers_])
        case _:
            return None


def _imputed(affine: _Affine, statistics: npt.NDArray[Any]) -> _Affine | None:
    if statistics.dtype.kind not in "fiub" or np.isnan(statistics).any() or np.any(affine.scale != 1):
        return None
    fill = np.where(np.isnan(affine.fill), statistics, affine.fill)
    return _Affine(affine.names, fill, affine.shift, affine.scale)


def _side_by_side(affine: _Affine, parts: list[tuple[object, list[str]]]) -> _Affine | None:
    place = {name: index for index, name in enumerate(affine.names)}
    done: list[_Affine] = []
    for step, names in parts:
        if step == "drop":
            continue
        if not all(name in place for name in names):
            return None
        at = [place[name] for name in names]
        inner = _after(_Affine(tuple(names), affine.fill[at], affine.shift[at], affine.scale[at]), step)
        if inner is None:
            return None
        done.append(inner)
    joined = (np.concatenate([getattr(one, name) for one in done]) for name in ("fill", "shift", "scale"))
    return _Affine(tuple(name for one in done for name in one.names), *joined)


def _softmax(logits: Floats) -> Floats:
    logits -= logits.max(axis=0)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    return logits
