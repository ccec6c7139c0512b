"""What may be taken in at all, by its name and size: the rules before anything is read."""

import re

from hitl.delivery.reasons import Reason

SIZE_LIMIT, SIZE_CEILING, ROW_SIZE = 256 << 20, 1 << 30, 1 << 10
MANIFEST_LIMIT = 64 << 10
MANIFEST_SUFFIX = ".manifest.json"

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}")
ARCHIVES = (".gz", ".zip", ".bz2", ".xz", ".7z", ".rar", ".zst", ".tar", ".tgz")


def name_fault(name: str) -> Reason | None:
    """Why a file of this name is refused unread; None when it is not."""
    if not NAME.fullmatch(name):
        return Reason.F_NAME_UNSAFE
    if name.lower().endswith(ARCHIVES):
        return Reason.F_ARCHIVE
    return None if name.lower().endswith(".csv") else Reason.F_EXTENSION


def size_limit(rows: int) -> int:
    """The most bytes that are read of a file that may have so many rows: more, where very many were asked for.

    >>> size_limit(820) == SIZE_LIMIT, size_limit(15_000_100) == SIZE_CEILING
    (True, True)
    """
    return min(max(SIZE_LIMIT, ROW_SIZE * rows), SIZE_CEILING)


def shown(name: str) -> str:
    r"""A file name as it may stand in a log line or a receipt: ASCII, one line, not too long.

    >>> shown("a\nb.csv")
    'a\\nb.csv'
    """
    return ascii(name)[1:-1][:120]
