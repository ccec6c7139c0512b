"""What lies in an inbox, and what of it is a delivery. Names, sizes and times only: nothing here opens a file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from hitl.delivery.intake_rules import MANIFEST_SUFFIX, SIZE_CEILING, name_fault
from hitl.delivery.reasons import Reason
from hitl.ledger import digest

SETTLE = 2.0
"""Seconds between the two looks at an inbox that must find a file the same."""
DONE, REFUSED = "done", "refused"
"""Folders in the inbox for what was answered: taken or known before, and rejected whole."""

_UNDER_WAY = (".part", ".partial", ".filepart", ".crdownload", ".swp", ".tmp", "~")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that lies in an inbox, as it looks without being opened.

    `at` is when it changed last, in seconds; `mark` is whatever else changes with it, such as its inode or its ETag.
    """

    name: str
    is_file: bool
    size: int
    at: float
    mark: str = ""

    @property
    def look(self) -> str:
        """A digest of all this: the identity of what is refused unread."""
        return digest([ascii(self.name), self.is_file, self.size, self.at, self.mark])

    @property
    def fault(self) -> Reason | None:
        """Why this is refused unread; None when it may be read."""
        if reason := name_fault(self.name, exports=True):
            return reason
        if not self.is_file:
            return Reason.F_NOT_REGULAR
        return Reason.F_TOO_LARGE if self.size > SIZE_CEILING else None


@dataclass(frozen=True, slots=True)
class Arrival:
    """An entry that wants an answer, with the vendor's manifest for it where one lies beside it."""

    entry: Entry
    manifest: Entry | None = None

    @property
    def name(self) -> str:
        return self.entry.name

    def is_still(self, later: Mapping[str, Self]) -> bool:
        """Whether a later look found the same, so that nobody seems to write to it."""
        return later.get(self.name) == self


def arrivals(entries: Iterable[Entry]) -> list[Arrival]:
    """What wants an answer, oldest first, then by name: neither our own folders nor what another program works on.

    A manifest goes with its CSV, and lies where it is as long as that is not there.
    """
    found = _theirs(entries)
    manifests = {name: one for name, one in found.items() if name.endswith(MANIFEST_SUFFIX)}
    wanted = sorted((one for one in found.values() if one.name not in manifests), key=lambda one: (one.at, one.name))
    return [Arrival(one, manifests.get(one.name + MANIFEST_SUFFIX)) for one in wanted]


def alone(entries: Iterable[Entry]) -> list[Entry]:
    """The manifests whose CSV is not there: not yet, or not any more."""
    found = _theirs(entries)
    manifests = [one for name, one in sorted(found.items()) if name.endswith(MANIFEST_SUFFIX)]
    return [one for one in manifests if one.name.removesuffix(MANIFEST_SUFFIX) not in found]


def is_under_way(name: str) -> bool:
    """Whether a file of this name is the work of another program, which gives it another name when it is whole.

    >>> is_under_way("labels.csv.part"), is_under_way("labels.csv")
    (True, False)
    """
    return name.startswith((".", "~$")) or name.lower().endswith(_UNDER_WAY)


def stem(name: str, sha256: str) -> str:
    """How the files of an answer begin: of a stranger's file name no more is left than plain characters.

    >>> stem("labels.csv", "1234567890")
    'labels.csv.12345678'
    """
    return f"{plain(name)}.{sha256[:8]}"


def plain(name: str) -> str:
    """`name` as a file of ours may be called: itself where it is plain and short.

    >>> plain("../$(rm -r).csv")
    '_.___rm_-r_.csv'
    """
    kept = _NOT_PLAIN.sub("_", name)[:_LONGEST]
    return f"_{kept[1:]}" if kept[:1] in ("", ".", "-") else kept


def numbered(name: str, sha256: str, turn: int) -> str:
    """What `name` is called where that name, and `turn` - 1 others of these, are taken already.

    >>> [numbered("a.csv", "1234567890", turn) for turn in (0, 1, 2)]
    ['a.csv', 'a.12345678.csv', 'a.12345678.2.csv']
    """
    if turn == 0:
        return name
    start, dot, end = name.partition(".")
    return ".".join([start, sha256[:8], *([str(turn)] if turn > 1 else [])]) + dot + end


def _theirs(entries: Iterable[Entry]) -> dict[str, Entry]:
    return {one.name: one for one in entries if not _is_ours(one) and not is_under_way(one.name)}


def _is_ours(entry: Entry) -> bool:
    return entry.name in (DONE, REFUSED) and not entry.is_file
