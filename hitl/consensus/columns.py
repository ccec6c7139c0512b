"""Which columns of somebody's file hold the item, the annotator and the answer."""

from collections.abc import Mapping, Sequence

from hitl.errors import DataError

Role = str
KNOWN: Mapping[Role, tuple[str, ...]] = {
    "item_id": ("item_id", "item", "task", "task_id", "_unit_id", "unit_id", "hitid", "question", "question_id", "id"),
    "annotator_id": (
        "annotator_id", "annotator", "worker", "worker_id", "workerid", "_worker_id", "rater", "labeler", "user",
        "performer",
    ),
    "label": ("label", "answer", "response", "annotation", "judgment", "class", "value", "true_label", "gold"),
}  # fmt: skip
"""For each role, the names it is known by, ours first; spelled with any case, and with blanks or dashes for _."""


def located(names: Sequence[str], roles: Sequence[Role], asked: Mapping[Role, str | None]) -> dict[Role, str]:
    """The column of each role: the one asked for, else the first known name that is there.

    Raises DataError naming every role without a column, the names it may have, and the option that says another.
    """
    spelled = {_folded(name): name for name in reversed(names)}
    found: dict[Role, str] = {}
    missing: list[str] = []
    for role in roles:
        wanted = asked.get(role)
        if wanted is not None and wanted not in names:
            missing.append(f"no column {wanted!r} for the {_told(role)}")
        elif wanted is not None:
            found[role] = wanted
        elif name := next((spelled[one] for one in KNOWN[role] if one in spelled), None):
            found[role] = name
        else:
            known = ", ".join(KNOWN[role])
            missing.append(f"no column for the {_told(role)}: it may be called {known}; or name it with {option(role)}")
    twice = sorted({name for name in found.values() if list(found.values()).count(name) > 1})
    missing += [f"column {name!r} cannot be two things at once; name the others" for name in twice]
    if missing:
        raise DataError("; ".join([*missing, f"the columns are: {', '.join(names)}"]))
    return found


def option(role: Role) -> str:
    """The option of the command that names the column of `role`."""
    return f"--{_told(role)}"


def _told(role: Role) -> str:
    return role.removesuffix("_id")


def _folded(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")
