"""The parameters a new workspace begins with: defaults that fit the data, and what the user overrides."""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd
from pydantic import ValidationError

from hitl.errors import ParamsError
from hitl.founding.items import LABEL, Items
from hitl.params import Params

Overrides = Mapping[str, Mapping[str, object]]
NO_OVERRIDES: Overrides = MappingProxyType({})
LOPSIDED = 0.8
"""Above this share of one class, accuracy says little: a model that always answers it looks good."""
_STRENGTH = {True: 10, False: 1}
"""C of the logistic regression, with and without text: sparse words want less shrinking."""


def first_params(items: Items, *, seed: int, overrides: Overrides) -> tuple[Params, tuple[str, ...]]:
    """The parameters, and notes in plain words on choices a person should know of.

    `overrides` are keys by section. Raises ParamsError naming the key that does not fit.
    """
    metric, note = _metric(items)
    sections: dict[str, dict[str, object]] = {
        "data": {"id": items.id, "label": items.label, "classes": items.classes, "columns": items.kinds},
        "model": {"options": _options(items, overrides), "seed": seed},
        "query": {"seed": seed},
        "export": {"columns": tuple(name for name, kind in items.kinds.items() if kind != "ignored")},
        "evaluate": {"metric": metric, "seed": seed},
    }
    for section, keys in overrides.items():
        sections[section] = {**sections.get(section, {}), **keys}
    try:
        params = Params.model_validate(sections)
    except ValidationError as error:
        listed = "\n".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']} (got {one['input']!r})" for one in error.errors()
        )
        raise ParamsError(listed) from None
    return params, (note,) if note and params.evaluate.metric == metric else ()


def _options(items: Items, overrides: Overrides) -> dict[str, int]:
    if {"estimator", "factory"} & set(overrides.get("model", {})):
        return {}
    return {"C": _STRENGTH["text" in items.kinds.values()]}


def _metric(items: Items) -> tuple[str, str]:
    labels: pd.Series = items.table[LABEL]
    shares = labels[labels != ""].value_counts(normalize=True)
    if shares.iloc[0] <= LOPSIDED:
        return "accuracy", ""
    return "macro_f1", (
        f"{100 * shares.iloc[0]:.0f} % of the labels are {str(shares.index[0])!r}, so models are compared by macro_f1, "
        "in which every class counts the same (evaluate.metric)"
    )
