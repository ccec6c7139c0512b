"""The names of a user's columns: found when nearly right in an order, kept apart from the names of ours."""

import difflib
import unicodedata
from collections.abc import Mapping, Sequence

from hitl.errors import DataError

OURS = frozenset(
    {
        "item_id",
        "label",
        "from",
        "round",
        "code",
        "expected",
        "proposed",
        "annotator_id",
        "labeled_at",
        "seconds",
        "comment",
        "model_class",
        "model_confidence",
    }
)
"""Columns that our tables and packs add: a user's column of the same name goes by item_NAME."""
_SHOWN = 50


def tidied(names: Sequence[str]) -> tuple[str, ...]:
    """`names` without white space at the ends and in Unicode's composed form.

    Raises DataError when two become equal.
    """
    clean = tuple(unicodedata.normalize("NFC", name.strip()) for name in names)
    twice = sorted({name for name in clean if clean.count(name) > 1})
    if twice:
        raise DataError(f"column name {twice[0]!r} stands there twice; rename one")
    return clean


def found(name: str, names: Sequence[str], what: str) -> str:
    """`name`, the column for the role `what`, if it is one of `names`.

    Raises DataError that lists them and proposes the closest.
    """
    wanted = unicodedata.normalize("NFC", name.strip())
    if wanted in names:
        return wanted
    folded = {other.casefold(): other for other in names}
    close = [folded[one] for one in difflib.get_close_matches(wanted.casefold(), list(folded), n=2)]
    proposal = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    listed = ", ".join([*names[:_SHOWN], "..."] if len(names) > _SHOWN else names)
    raise DataError(f"no column {name!r} for the {what}; {proposal}the columns are: {listed}")


def renamed(features: Sequence[str]) -> Mapping[str, str]:
    """What features that bear a name of ours are called instead (upper and lower case do not make them differ)."""
    taken = {name.casefold() for name in features} | OURS
    new: dict[str, str] = {}
    for name in features:
        if name.casefold() in OURS:
            new[name] = _free(f"item_{name}", taken)
            taken.add(new[name].casefold())
    return new


def _free(name: str, taken: set[str]) -> str:
    while name.casefold() in taken:
        name += "_"
    return name
