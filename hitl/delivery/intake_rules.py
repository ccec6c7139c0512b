"""What may be taken in at all, by its name and size: the rules before anything is read."""

import re

from hitl.delivery.reasons import Reason

SIZE_LIMIT, SIZE_CEILING, ROW_SIZE = 256 << 20, 1 << 30, 1 << 10
MANIFEST_LIMIT = 64 << 10
MANIFEST_SUFFIX = ".manifest.json"

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}")
EXPORTS = (".json", ".jsonl", ".ndjson", ".manifest", ".tsv", ".txt", ".xml", ".zip")
"""How names of files end that labeling tools write; what they are is told by what is in them."""
ARCHIVES = (".gz", ".zip", ".bz2", ".xz", ".7z", ".rar", ".zst", ".tar", ".tgz")


def name_fault(name: str, *, exports: bool = False) -> Reason | None:
    """Why a file of this name is refused unread; None when it is not. `exports`: labeling tools' may come, too.

    >>> name_fault("a.jsonl"), name_fault("a.jsonl", exports=True)
    (<Reason.F_EXTENSION: 'F_EXTENSION'>, None)
    """
    if not NAME.fullmatch(name):
        return Reason.F_NAME_UNSAFE
    if exports and name.lower().endswith(EXPORTS):
        return None
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
