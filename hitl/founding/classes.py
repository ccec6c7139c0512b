"""The answers in a user's label column, and the reasons for which it cannot serve."""

from dataclasses import dataclass

import pandas as pd

from hitl.errors import DataError
from hitl.founding.item_ids import CONTROL, tidy
from hitl.params import SKIP
from hitl.visible import quoted

AT_LEAST = 2
"""Items of each class that the initial set must have."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Labels:
    """A label a row in the table's order ("" for none), the classes in order, and what was noted."""

    values: pd.Series
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def labels_of(cells: pd.Series, name: str) -> Labels:
    """The labels in the cells (str) of the column `name`, trimmed and in Unicode's composed form (NFC).

    Raises DataError when there is no label, a single class, a class with too few items, or a class that cannot be.
    """
    values = tidy(cells)
    counts = values[values != ""].value_counts()
    classes = tuple(sorted(map(str, counts.index)))
    _check_words(classes, name)
    if len(classes) < 2:
        found = f"a single class, {quoted(classes[0], 40)!r}" if classes else "no label in any row"
        raise DataError(f"column {name!r}: {found}; at least two classes with {AT_LEAST} labeled items each are needed")
    _check_counts(counts, name)
    return Labels(values, classes, tuple(_notes(cells, values, classes)))


def _check_words(classes: tuple[str, ...], name: str) -> None:
    if SKIP in classes:
        raise DataError(
            f"column {name!r}: {SKIP!r} is the word with which annotators skip an item, so it cannot be a class; "
            "empty these cells, or call the class otherwise"
        )
    bad = pd.Series(classes, dtype="str")
    bad = bad[bad.str.contains(CONTROL)]
    if len(bad):
        raise DataError(
            f"column {name!r}: class {quoted(bad.iloc[0], 60)!r} holds a control character or a line end; take it out"
        )


def _check_counts(counts: pd.Series, name: str) -> None:
    rare = sorted(str(one) for one in counts.index[counts < AT_LEAST])
    if not rare:
        return
    listed = ", ".join(f"{quoted(one, 40)!r} (1 item)" for one in rare[:_SHOWN]) + (", ..." if rare[_SHOWN:] else "")
    number = "; the column looks like a measurement: classes are needed" if len(rare) > len(counts) / 2 else ""
    raise DataError(
        f"column {name!r}: {len(rare):,} of {len(counts):,} classes have fewer than {AT_LEAST} labeled items: "
        f"{listed}{number}; label more items of them, merge them into another class, or drop the rows"
    )


def _notes(cells: pd.Series, values: pd.Series, classes: tuple[str, ...]) -> list[str]:
    notes = []
    changed = int((values != cells).sum())
    if changed:
        notes.append(f"{changed:,} labels were trimmed or put in Unicode's composed form (NFC)")
    alike = pd.Series(classes, index=[one.casefold() for one in classes])
    for _, group in alike[alike.index.duplicated(keep=False)].groupby(level=0):
        notes.append(f"classes {', '.join(map(repr, group))} differ in case only and stay different classes")
    return notes
