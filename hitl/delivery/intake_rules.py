"""What may be taken in at all, by its name and size: the rules before anything is read."""

import re

from hitl.delivery.reasons import Reason

SIZE_LIMIT = 256 << 20
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


def shown(name: str) -> str:
    r"""A file name as it may stand in a log line or a receipt: ASCII, one line, not too long.

    >>> shown("a\nb.csv")
    'a\\nb.csv'
    """
    return ascii(name)[1:-1][:120]
