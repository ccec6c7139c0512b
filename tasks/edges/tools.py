"""The tools that are installed, beside what we were tested with."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import InvalidRequirement, Requirement

Tool = tuple[str, str | None, str]
"""A tool, its version (None: it is not there), and what is wanted of it."""


def unmet(name: str) -> list[Tool]:
    """Of what the installed package `name` wants what is not so."""
    try:
        return wanted(requires(name) or [])
    except PackageNotFoundError:  # it runs from its sources
        return []


def wanted(texts: Iterable[str]) -> list[Tool]:
    """Of these wishes, spelled as packages do (`numpy>=2.4`), those that are not met here."""
    found = [(one, _version(one.name)) for one in map(_read, texts) if one]
    return [(one.name, there, str(one)) for one, there in found if not _met(one, there)]


def _read(text: str) -> Requirement | None:
    try:
        found = Requirement(text)
    except InvalidRequirement:
        return None
    return found if found.marker is None or found.marker.evaluate() else None


def _met(wanted: Requirement, there: str | None) -> bool:
    return there is not None and wanted.specifier.contains(there, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
