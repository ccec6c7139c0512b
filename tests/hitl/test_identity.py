import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from hitl.identity import parameters, predictions

IRIS = load_iris(as_frame=True)
X: pd.DataFrame = IRIS.data
Y = IRIS.target_names[IRIS.target].astype(object)


def forest(seed: int = 0) -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=5, random_state=seed).fit(X, Y)


def test_two_fits_with_one_seed_are_one_model() -> None:
    assert parameters(forest()) == parameters(forest())
    assert predictions(forest(), X) == predictions(forest(), X)


def test_another_seed_is_another_model() -> None:
    assert parameters(forest()) != parameters(forest(1))
    assert predictions(forest(), X) != predictions(forest(1), X)


def test_one_changed_bit_of_a_coefficient_is_another_model() -> None:
    model = LogisticRegression(max_iter=500).fit(X, Y)
    before = parameters(model)
    model.coef_[1, 2] = np.nextafter(model.coef_[1, 2], np.inf)
    assert parameters(model) != before


def test_a_setting_is_a_part_of_the_model() -> None:
    model = LogisticRegression(max_iter=500)
    assert parameters(model) != parameters(clone(model).set_params(C=2.0))


def test_the_order_of_attributes_does_not_matter() -> None:
    model = LogisticRegression(max_iter=500).fit(X, Y)
    turned = clone(model)
    for name, value in reversed(vars(model).items()):
        setattr(turned, name, value)
    assert parameters(turned) == parameters(model)


def test_using_a_vectorizer_does_not_make_it_another() -> None:
    vectorizer = TfidfVectorizer(stop_words=["the"]).fit(["the cat", "a dog"])
    before = parameters(vectorizer)
    vectorizer.transform(["a cat"])
    assert parameters(vectorizer) == before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros(4), np.zeros((2, 2))),
        (np.zeros(2, dtype=np.float64), np.zeros(2, dtype=np.int64)),
        (["ab", "c"], ["a", "bc"]),
        ([[1], 2], [1, [2]]),
        (1, True),
        ("1", 1),
        ({"a": 1}, [("a", 1)]),
        (np.array(["a", None], dtype=object), np.array(["a", "None"], dtype=object)),
        (sparse.csr_array(np.eye(2)), sparse.csr_array(np.eye(3)[:2])),
    ],
)
def test_look_alikes_differ(one: object, other: object) -> None:
    assert parameters(one) != parameters(other)


def test_noise_between_the_fields_of_a_record_does_not_matter() -> None:
    kind = np.dtype({"names": ["a", "b"], "formats": ["<i8", "u1"], "itemsize": 16})
    clean, noisy = np.zeros(3, dtype=kind), np.full(48, 255, dtype=np.uint8).view(kind)
    noisy["a"], noisy["b"] = 0, 0
    assert clean.tobytes() != noisy.tobytes()
    assert parameters(clean) == parameters(noisy)


def test_what_holds_itself_has_a_digest() -> None:
    ring: list[object] = [1]
    ring.append(ring)
    assert parameters(ring) == parameters(ring)


def test_no_probe_items_still_names_the_classes() -> None:
    assert predictions(forest(), X.head(0)) == predictions(forest(1), X.head(0))
