import numpy as np
import pandas as pd
import pytest

from hitl.errors import DataError, ParamsError
from hitl.params import EstimatorName, Kind, Model
from hitl.pipeline import ESTIMATORS, Classifier, aligned, build, fit, inputs, prepared, together

MIXED: dict[str, Kind] = {"weight": "numeric", "tame": "boolean", "colour": "categorical", "note": "text"}
TRAINING = pd.DataFrame(
    {
        "weight": [4.0, np.nan, 30.0, 28.0, 5.0, 31.0] * 4,
        "tame": pd.array([True, None, False, True, True, False] * 4, dtype="boolean"),
        "colour": ["black", None, "brown", "brown", "white", "NA"] * 4,
        "note": ["purrs a lot", "", "barks", None, "purrs", "barks à tue-tête"] * 4,
        "label": ["cat", "cat", "dog", "dog", "cat", "dog"] * 4,
    }
)


def fitted(features: dict[str, Kind], table: pd.DataFrame = TRAINING, **settings: object) -> Classifier:
    return fit(build(Model(**settings), features), table, features)  # type: ignore[arg-type]


def answers(
    model: Classifier, table: pd.DataFrame, features: dict[str, Kind], classes: tuple[str, ...] = ("cat", "dog")
) -> np.ndarray:
    return aligned(model, inputs(table, features), classes)


@pytest.mark.parametrize("estimator", list(ESTIMATORS))
def test_every_estimator_learns_from_every_kind_of_column(estimator: EstimatorName) -> None:
    found = answers(fitted(MIXED, estimator=estimator), TRAINING, MIXED)
    assert found.shape == (24, 2)
    assert found.sum(axis=1) == pytest.approx(np.ones(24))


@pytest.mark.parametrize("kind", ["weight", "tame", "colour", "note"])
def test_one_column_of_any_kind_is_enough(kind: str) -> None:
    alone = {kind: MIXED[kind]}
    found = answers(fitted(alone), TRAINING, alone)
    assert ((found[:, 0] > 0.5) == (TRAINING["label"] == "cat")).mean() >= 0.75


def test_missing_cells_and_unseen_categories_are_answered() -> None:
    strange = pd.DataFrame({"weight": [np.nan], "tame": [None], "colour": ["mauve"], "note": [None]})
    assert np.isfinite(answers(fitted(MIXED), strange, MIXED)).all()


def test_a_column_that_is_missing_in_all_of_training_is_no_obstacle() -> None:
    empty = TRAINING.assign(weight=np.nan, tame=pd.array([None] * 24, dtype="boolean"))
    assert np.isfinite(answers(fitted(MIXED, empty), TRAINING, MIXED)).all()


def test_probabilities_come_in_the_order_of_the_classes() -> None:
    model = fitted(MIXED)
    there, back = answers(model, TRAINING, MIXED), answers(model, TRAINING, MIXED, ("dog", "cat"))
    assert there[:, ::-1].tolist() == back.tolist()


def test_a_class_that_training_never_saw_has_no_probability() -> None:
    found = answers(fitted(MIXED), TRAINING, MIXED, ("ant", "cat", "dog"))
    assert found[:, 0].tolist() == [0.0] * 24
    assert found.sum(axis=1) == pytest.approx(np.ones(24))


def test_no_items_have_no_probabilities() -> None:
    assert answers(fitted(MIXED), TRAINING.head(0), MIXED).shape == (0, 2)


@pytest.mark.parametrize("estimator", list(ESTIMATORS))
def test_the_same_seed_gives_the_same_model(estimator: EstimatorName) -> None:
    one, other = (answers(fitted(MIXED, estimator=estimator, seed=3), TRAINING, MIXED) for _ in range(2))
    assert one.tolist() == other.tolist()


def test_a_model_sees_its_columns_in_the_order_of_params_and_nothing_else() -> None:
    found = inputs(TRAINING, {"note": "text", "weight": "numeric"})
    assert list(found.columns) == ["note", "weight"]


def test_a_missing_word_is_an_empty_one_and_a_missing_number_stays_missing() -> None:
    found = inputs(TRAINING.head(2), MIXED)
    assert found["colour"].tolist() == ["black", ""]
    assert found["note"].tolist() == ["purrs a lot", ""]
    assert np.isnan(found["weight"][1])
    assert np.isnan(found["tame"][1])


@pytest.mark.parametrize(
    "values",
    [
        pd.array([True, False, None], dtype="boolean"),
        pd.array([True, False, None], dtype=object),
        pd.array([1, 0, None], dtype="Int64"),
        pd.array([1.0, 0.0, np.nan], dtype="float64"),
    ],
)
def test_booleans_are_read_from_any_column_type(values: pd.api.extensions.ExtensionArray) -> None:
    found = inputs(pd.DataFrame({"tame": values}), {"tame": "boolean"})["tame"].tolist()
    assert found[:2] == [1.0, 0.0]
    assert np.isnan(found[2])


def test_preparing_items_changes_none_of_them() -> None:
    before = TRAINING.copy()
    inputs(TRAINING, MIXED)
    pd.testing.assert_frame_equal(TRAINING, before)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="no column 'weight'"):
        inputs(TRAINING.drop(columns="weight"), MIXED)


def test_options_reach_the_estimator() -> None:
    near, far = fitted(MIXED, options={"C": 100.0}), fitted(MIXED, options={"C": 0.001})
    assert answers(near, TRAINING, MIXED).max() > answers(far, TRAINING, MIXED).max()


def test_an_option_that_the_estimator_does_not_take_is_refused() -> None:
    with pytest.raises(ParamsError, match=r"model\.options: logistic_regression: .*'depth'"):
        build(Model(options={"depth": 3}), MIXED)


def test_a_value_that_the_estimator_does_not_take_is_refused() -> None:
    with pytest.raises(ParamsError, match=r"model\.options: The 'C' parameter .* Got 'big' instead"):
        fitted(MIXED, options={"C": "big"})


def test_a_text_column_without_a_word_is_named() -> None:
    with pytest.raises(DataError, match=r"has a word in column 'note'.*ignored"):
        fitted(MIXED, TRAINING.assign(note=["", None, "!", "a"] * 6))


def test_any_other_trouble_in_fitting_is_not_ours_to_word() -> None:
    with pytest.raises(ValueError, match="infinity"):
        fitted(MIXED, TRAINING.assign(weight=np.inf))


def test_a_factory_makes_the_model() -> None:
    model = fitted(MIXED, factory="sklearn.dummy:DummyClassifier")
    assert answers(model, TRAINING, MIXED)[0].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("name", ["nowhere:make", "json:nothing", "json", "", ":make", "json:dumps.x"])
def test_a_factory_that_cannot_be_imported_is_named(name: str) -> None:
    with pytest.raises(ParamsError, match=r"model\.factory: cannot import"):
        build(Model(factory=name), MIXED)


@pytest.mark.parametrize("named", [("weight", "tame"), ("weight", "colour")])
def test_columns_put_together_are_the_frame_that_the_model_was_fitted_on(named: tuple[str, str]) -> None:
    kinds = {name: MIXED[name] for name in named}
    columns = prepared({name: TRAINING[name].array for name in named}, kinds)
    pd.testing.assert_frame_equal(together(columns), inputs(TRAINING, kinds))
