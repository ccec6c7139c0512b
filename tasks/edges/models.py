"""Model files: written by skops, read only when their sha256 is the one we know and all that they hold is trusted."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import cast

import pandas as pd
import skops.io
from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException

from hitl import identity
from hitl.errors import IntegrityError, ParamsError
from hitl.ledger import Facts, digest
from hitl.pipeline import Classifier
from tasks.edges import files

TRUSTED = (
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
"""What a model file may hold besides what skops knows to be harmless. A tree's numbers are memory offsets that nobody
checks: these types are safe only because the file's digest is compared first."""

_ADDRESS = re.compile(r'("__id__": |"file": ")(\d+)')
_STOP_WORDS = re.compile(r'("_stop_words_id": \{[^{}]*"content": ")\d+')
"""scikit-learn's vectorizers remember an address in memory; it only spares them to check the stop words twice."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(
    folder: Path,
    model: Classifier,
    *,
    probe: pd.DataFrame,
    meta: Mapping[str, object],
    trusted: Collection[str] = (),
) -> Facts:
    """Write `folder`/model.skops and model.json; returns `model_id` and `model_sha256`.

    The id is a digest of what the model learned and of what it says about the items of `probe`. Raises ParamsError when
    the model holds a type that no load would take with the `trusted` ones, and then writes nothing.
    """
    data = dumps(model, trusted)
    learned = {
        "parameters_sha256": identity.parameters(model),
        "predictions_sha256": identity.predictions(model, probe),
    }
    named = {"model_id": digest(learned), "model_sha256": files.write_bytes(folder / "model.skops", data)}
    classes = [str(name) for name in model.classes_]
    files.write_json(folder / "model.json", {**meta, **learned, **named, "classes": classes, "probe": len(probe)})
    return {**named}


def load(path: Path, *, sha256: str, trusted: Collection[str] = ()) -> Classifier:
    """The model in the file at `path`, which may hold the `trusted` types besides those that are always.

    Raises IntegrityError when it is not the file with that sha256, or holds a type that is not trusted. A pickle is
    never read, nor one of joblib's.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise IntegrityError(f"{path} is missing; bring it back: dvc checkout") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise IntegrityError(
            f"{path} is not the model the ledger speaks of ({sha256[:12]}); bring it back: dvc checkout"
        )
    return _loads(data, path, trusted)


def own(folder: Path, *, trusted: Collection[str] = ()) -> Classifier:
    """The model that `save` wrote to `folder`, by the sha256 in its model.json: for what no ledger speaks of yet."""
    path = folder / "model.json"
    try:
        sha256 = json.loads(path.read_bytes())["model_sha256"]
    except (FileNotFoundError, ValueError, KeyError) as error:
        raise IntegrityError(f"{path} is missing or torn; make it again: hitl step train") from error
    return load(folder / "model.skops", sha256=sha256, trusted=trusted)


def dumps(model: object, trusted: Collection[str] = ()) -> bytes:
    """The bytes of a model file, in which no clock and no memory address is left: equal models give equal bytes.

    That is a help, not a promise (the padding of a tree's nodes is noise): who a model is, its `model_id` says.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as dump:
            data = _renamed(dump)
    except (UnsupportedTypeException, TypeError) as error:
        raise ParamsError(f"params.yaml: model: this model cannot be written to a file: {error}") from error
    if unknown := _unknown(data, trusted):
        raise ParamsError(
            f"params.yaml: model: the model holds {', '.join(unknown)}, which hitl would not load from a file; "
            "build it of scikit-learn's own parts, or name what you trust in model.trusted_types"
        )
    return data


def _unknown(data: bytes, trusted: Collection[str]) -> list[str]:
    return sorted(set(skops.io.get_untrusted_types(data=data)) - {*TRUSTED, *trusted})


def _loads(data: bytes, place: Path, trusted: Collection[str]) -> Classifier:
    try:
        return cast(Classifier, skops.io.loads(data, trusted=[*TRUSTED, *trusted]))
    except UntrustedTypesFoundException as error:
        raise IntegrityError(
            f"{place} holds {', '.join(_unknown(data, trusted))}, which is not trusted; it was not loaded "
            "(params.yaml: model.trusted_types names what may be)"
        ) from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise IntegrityError(f"{place} is not a model file ({error}); bring it back: dvc checkout") from error


def _renamed(dump: zipfile.ZipFile) -> bytes:
    """The dump with its parts numbered in the order in which the schema speaks of them, and dated 1980."""
    numbers: dict[str, str] = {}
    schema = _STOP_WORDS.sub(r"\g<1>0", json.dumps(json.loads(dump.read("schema.json"))))
    schema = _ADDRESS.sub(lambda found: found[1] + numbers.setdefault(found[2], str(len(numbers) + 1)), schema)
    parts = {_part(name, numbers): dump.read(name) for name in dump.namelist() if name != "schema.json"}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as renamed:
        for name, data in sorted({**parts, "schema.json": schema.encode()}.items()):
            renamed.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _part(name: str, numbers: Mapping[str, str]) -> str:
    stem, dot, kind = name.partition(".")
    return numbers.get(stem, stem) + dot + kind
