"""Who a model is: digests of what it learned and what it says, for the bytes of two dumps of one model may differ."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator

from hitl.pipeline import Classifier

# An address in memory and a version of the library: neither was learned.
_NOT_LEARNED = frozenset({"_stop_words_id", "_sklearn_version"})
_DECIMALS = 9
"""Probabilities are compared to this many decimals: the last bits of a sum depend on the processor."""


def parameters(model: object) -> str:
    """The sha256 of everything a fitted model holds: settings, numbers with their dtypes and shapes, words.

    The same before a dump and after a load. Raises TypeError at what has no defined content, such as an open file.

    >>> parameters({"a": 1, "b": [2.5]}) == parameters({"b": [2.5], "a": 1})
    True
    """
    return _digest(model, ()).hex()


def predictions(model: Classifier, probe: pd.DataFrame) -> str:
    """The sha256 of the model's probabilities for the items of `probe`, in their order, rounded to 9 decimals."""
    found = model.predict_proba(probe) if len(probe) else np.zeros((0, len(model.classes_)))
    return _hash(b"predictions", _digest(list(model.classes_), ()), _digest(np.round(found, _DECIMALS) + 0.0, ())).hex()


def _hash(kind: bytes, *parts: bytes) -> bytes:
    sink = hashlib.sha256(kind)
    for part in parts:
        sink.update(len(part).to_bytes(8, "big"))
        sink.update(part)
    return sink.digest()


def _digest(value: object, above: tuple[int, ...]) -> bytes:
    """The digest of a value; `above` are the ids of the values it is a part of, so that a cycle ends."""
    if id(value) in above:
        return _hash(b"cycle", str(above[::-1].index(id(value))).encode())
    match value:
        case None | bool() | int() | float() | complex() | str() | np.generic() if not isinstance(value, np.void):
            return _scalar(value.item() if isinstance(value, np.generic) else value)
        case bytes() | bytearray():
            return _hash(b"bytes", bytes(value))
        case np.ndarray():
            return _array(value, (*above, id(value)))
        case type():
            return _hash(b"type", f"{value.__module__}.{value.__qualname__}".encode())
        case Mapping():
            return _mapping(value.items(), (*above, id(value)))
        case list() | tuple():
            return _hash(b"sequence", *(_digest(one, (*above, id(value))) for one in value))
        case set() | frozenset():
            return _hash(b"set", *sorted(_digest(one, (*above, id(value))) for one in value))
        case _:
            return _object(value, (*above, id(value)))


def _scalar(value: object) -> bytes:
    # repr() of a float keeps every bit; True, 1 and 1.0 stay three things.
    return _hash(type(value).__name__.encode(), repr(value).encode())


def _array(value: npt.NDArray[Any], above: tuple[int, ...]) -> bytes:
    shape = repr(value.shape).encode()
    if value.dtype.names:  # by field, for the bytes between the fields of a tree's nodes are noise
        return _hash(b"record", shape, *(_digest(np.asarray(value[name]), above) for name in value.dtype.names))
    if value.dtype.kind == "O":
        return _hash(b"objects", shape, *(_digest(one, above) for one in value.ravel().tolist()))
    return _hash(b"array", shape, value.dtype.newbyteorder("<").str.encode(), _little(value).tobytes())


def _little(value: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return value.astype(value.dtype.newbyteorder("<"), copy=False)


def _mapping(items: Iterable[tuple[object, object]], above: tuple[int, ...]) -> bytes:
    return _hash(b"mapping", *sorted(_hash(b"pair", _digest(key, above), _digest(one, above)) for key, one in items))


def _object(value: object, above: tuple[int, ...]) -> bytes:
    name = _digest(type(value), above)
    if isinstance(value, BaseEstimator):
        learned = {key: one for key, one in vars(value).items() if key not in _NOT_LEARNED}
        return _hash(b"estimator", name, _mapping(learned.items(), above))
    if sparse.issparse(value):
        table = sparse.coo_array(value)
        return _hash(b"sparse", name, *(_digest(part, above) for part in (table.shape, *table.coords, table.data)))
    if hasattr(value, "__qualname__"):
        return _hash(b"function", f"{value.__module__}.{value.__qualname__}".encode())
    reduced = value.__reduce_ex__(2)
    if isinstance(reduced, str):
        return _hash(b"global", name, reduced.encode())
    _, *parts = reduced
    return _hash(
        b"object", name, *(_digest(list(part) if hasattr(part, "__next__") else part, above) for part in parts)
    )
