import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from hitl import pipeline
from hitl.linear import Columns, Linear, folded
from hitl.params import Kind, Model
from hitl.pipeline import Classifier

FEATURES: dict[str, Kind] = {"flag": "boolean", "size": "numeric", "far": "numeric", "empty": "numeric"}
NAMES = list(FEATURES)


def frame(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.normal(0, 3, rows)
    return pd.DataFrame(
        {
            "flag": rng.integers(0, 2, rows).astype(float),
            "size": np.where(rng.random(rows) < 0.1, np.nan, size),
            "far": 1.6e9 + 1e5 * rng.normal(0, 1, rows),
            "empty": np.nan,
            "label": np.array(["a", "b", "c"], dtype=object)[np.digitize(size, [-1, 1])],
        }
    )


def model(classes: str) -> tuple[Classifier, pd.DataFrame]:
    made, labeled = pipeline.build(Model(), FEATURES), frame(200)
    return pipeline.fit(made, labeled[labeled["label"].isin(list(classes))], FEATURES), pipeline.inputs(
        frame(500), FEATURES
    )


def columns(seen: pd.DataFrame) -> Columns:
    return {str(name): seen[name].to_numpy() for name in seen}


def linear(made: Classifier) -> Linear:
    found = folded(made, NAMES, ["a", "b", "c"])
    assert found is not None
    return found


@pytest.mark.parametrize("classes", ["abc", "ac"])
def test_a_folded_pipeline_says_what_the_pipeline_says(classes: str) -> None:
    made, seen = model(classes)
    truth = pipeline.aligned(made, seen, ["a", "b", "c"]).T
    np.testing.assert_allclose(linear(made).exact(columns(seen)), truth, atol=1e-9)
    fast, slack = linear(made).fast(columns(seen))
    assert np.abs(fast - truth).max() <= slack < 0.01
    plain = {name: cell for name, cell in columns(seen).items() if name != "far"}
    near, _ = linear(made).fast({**plain, "far": np.full(len(seen), 1.6e9)})
    assert near.shape == truth.shape


def test_what_is_exact_does_not_depend_on_what_else_is_asked() -> None:
    made, seen = model("abc")
    whole, one = linear(made).exact(columns(seen)), linear(made).exact(columns(seen[17:18]))
    assert whole[:, 17].tolist() == one[:, 0].tolist()


def test_other_models_are_not_folded() -> None:
    labeled = frame(100)[["size", "flag"]].fillna(0)
    for other in (
        make_pipeline(MinMaxScaler(), LogisticRegression()),
        make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=2)),
    ):
        assert folded(other.fit(labeled, frame(100)["label"]), ["size", "flag"], ["a", "b", "c"]) is None


def test_a_number_without_end_is_no_probability() -> None:
    made, seen = model("abc")
    seen.loc[3, "size"] = np.inf
    found, _ = linear(made).fast(columns(seen))
    assert not np.isfinite(found[:, 3]).all()
    assert np.isfinite(np.delete(found, 3, axis=1)).all()
