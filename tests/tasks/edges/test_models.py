import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import ComplementNB, GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from hitl import identity
from hitl.errors import IntegrityError, ParamsError
from hitl.pipeline import Classifier
from tasks.edges import files, models

IRIS = load_iris(as_frame=True)
Y = IRIS.target_names[IRIS.target].astype(object)
X = pd.DataFrame(
    {
        **IRIS.data,
        "color": np.resize(np.array(["red", "blue", ""], dtype=object), len(Y)),
        "note": [f"petal number {row % 7} été" for row in range(len(Y))],
    }
)
ESTIMATORS = (
    LogisticRegression(max_iter=500),
    SGDClassifier(loss="log_loss", random_state=0),
    RandomForestClassifier(n_estimators=5, random_state=0),
    ExtraTreesClassifier(n_estimators=5, random_state=0),
    ComplementNB(),
)


def over_columns(estimator: object, *, sparse: bool = True) -> Pipeline:
    parts = [
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), list(IRIS.data.columns)),
        ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=sparse), ["color"]),
        ("text", TfidfVectorizer(ngram_range=(1, 2)), "note"),
    ]
    parts = parts[1:] if isinstance(estimator, ComplementNB) else parts
    return Pipeline([("columns", ColumnTransformer(parts, sparse_threshold=0.3 * sparse)), ("estimator", estimator)])


def fitted() -> list[Classifier]:
    dense = [HistGradientBoostingClassifier(max_iter=5, random_state=0), GaussianNB()]
    pipelines = [*map(over_columns, ESTIMATORS), *(over_columns(estimator, sparse=False) for estimator in dense)]
    return [pipeline.fit(X, Y) for pipeline in pipelines]


MODELS = {type(model["estimator"]).__name__: model for model in fitted()}  # type: ignore[index]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Classifier:
    return MODELS[request.param]


def test_a_model_comes_back_as_it_was(model: Classifier, tmp_path: Path) -> None:
    facts = models.save(tmp_path, model, probe=X.head(20), meta={"labels": 150})
    again = models.load(tmp_path / "model.skops", sha256=str(facts["model_sha256"]))
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert identity.parameters(again) == identity.parameters(model)


def test_two_dumps_of_one_model_have_one_identity(model: Classifier, tmp_path: Path) -> None:
    first = models.save(tmp_path / "a", model, probe=X, meta={})
    again = models.load(tmp_path / "a" / "model.skops", sha256=str(first["model_sha256"]))
    second = models.save(tmp_path / "b", again, probe=X, meta={})
    assert second["model_id"] == first["model_id"]


def test_skops_alone_writes_other_bytes_each_time() -> None:
    model = MODELS["LogisticRegression"]
    plain = [skops.io.dumps(one) for one in (model, skops.io.loads(skops.io.dumps(model), trusted=["numpy.dtype"]))]
    assert plain[0] != plain[1]
    assert models.dumps(model) == models.dumps(skops.io.loads(plain[0], trusted=["numpy.dtype"]))


def test_another_process_writes_the_same_bytes_and_identity(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; import sys; from tasks.edges import models; "
        "from tests.tasks.edges.test_models import MODELS, X; "
        "facts = models.save(Path(sys.argv[1]), MODELS['LogisticRegression'], probe=X, meta={}); print(*facts.values())"
    )
    run = [sys.executable, "-c", program, str(tmp_path / "other")]
    said = subprocess.run(run, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]).stdout.split()
    here = models.save(tmp_path / "here", MODELS["LogisticRegression"], probe=X, meta={})
    assert said == list(here.values())


def test_the_card_tells_what_the_model_is(tmp_path: Path) -> None:
    meta = {"labels": 150, "labeled_sha256": "ab", "params_sha256": "cd"}
    facts = models.save(tmp_path, MODELS["GaussianNB"], probe=X.head(20), meta=meta)
    card = json.loads((tmp_path / "model.json").read_text())
    assert card.items() >= {**meta, **facts, "classes": ["setosa", "versicolor", "virginica"], "probe": 20}.items()
    assert len(card["parameters_sha256"]) == len(card["predictions_sha256"]) == 64


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    facts = models.save(tmp_path, MODELS["GaussianNB"], probe=X, meta={})
    path = tmp_path / "model.skops"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match=r"model\.skops is not the model the ledger speaks of"):
        models.load(path, sha256=str(facts["model_sha256"]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"model\.skops is missing"):
        models.load(tmp_path / "model.skops", sha256="0" * 64)
    with pytest.raises(IntegrityError, match=r"model\.json is missing"):
        models.own(tmp_path)


def test_a_folder_is_read_by_its_own_card(tmp_path: Path) -> None:
    models.save(tmp_path, MODELS["GaussianNB"], probe=X, meta={})
    assert list(models.own(tmp_path).classes_) == ["setosa", "versicolor", "virginica"]


def test_a_crafted_file_does_not_run_even_when_its_digest_is_known(tmp_path: Path) -> None:
    path, trace = tmp_path / "model.skops", tmp_path / "trace"
    path.write_bytes(skops.io.dumps({"model": Trap(f"touch '{trace}'")}))
    with pytest.raises(IntegrityError, match=r"holds .*Trap.*not trusted; it was not loaded"):
        models.load(path, sha256=files.sha256(path))
    assert not trace.exists()
    skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))  # the trap is a real one
    assert trace.exists()


def test_a_function_in_a_step_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(skops.io.dumps(make_pipeline(FunctionTransformer(os.system), GaussianNB())))
    with pytest.raises(IntegrityError, match="system"):
        models.load(path, sha256=files.sha256(path))


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_model_file_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="is not a model file"):
        models.load(path, sha256=files.sha256(path))


def test_a_model_that_no_load_would_take_is_not_written(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(os.path.normpath), GaussianNB())
    with pytest.raises(ParamsError, match="normpath, which hitl would not load"):
        models.save(tmp_path, model, probe=X.head(0), meta={})
    assert not list(tmp_path.iterdir())


class Trap:
    """Calls os.system as soon as a loader that trusts it brings it back."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __setstate__(self, state: dict[str, str]) -> None:
        os.system(state["command"])


def test_a_type_that_params_name_is_written_and_loaded_and_no_other(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(np.asarray), FunctionTransformer(os.path.normpath), GaussianNB())
    named = models._unknown(skops.io.dumps(model), ())
    assert "posixpath.normpath" in named
    data = models.dumps(model, named)
    path = tmp_path / "model.skops"
    sha256 = files.write_bytes(path, data)
    assert models.load(path, sha256=sha256, trusted=named).steps[1][1].func is os.path.normpath  # type: ignore[attr-defined]
    with pytest.raises(IntegrityError, match=r"holds posixpath\.normpath, which .* model\.trusted_types names"):
        models.load(path, sha256=sha256, trusted=[name for name in named if name != "posixpath.normpath"])
    with pytest.raises(ParamsError, match=r"name what you trust in model\.trusted_types"):
        models.dumps(model, ["os.system"])
