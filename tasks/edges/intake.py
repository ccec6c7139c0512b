"""Takes a delivery's bytes from a folder that other people write to: a plain, finished file, or a refusal.

Nothing here opens what could block, grow or point elsewhere, and nothing is unpacked. What the bytes mean is for
`hitl.delivery.judge` to say.
"""

import os
import re
import stat
import time
from pathlib import Path

from hitl.delivery.judgement import Judgement, refused
from hitl.delivery.reasons import Reason
from hitl.errors import DeliveryError

SIZE_LIMIT = 256 << 20
MANIFEST_LIMIT = 64 << 10
MANIFEST_SUFFIX = ".manifest.json"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}")
_ARCHIVES = (".gz", ".zip", ".bz2", ".xz", ".7z", ".rar", ".zst", ".tar", ".tgz")


def read(path: Path, *, round_id: str = "", limit: int = SIZE_LIMIT, settle: float = 0.0) -> bytes | Judgement:
    """The bytes of the delivery at `path`, or the judgement that refuses it unread.

    `settle`: seconds between two looks at the file; a file that grew in between is still being written.
    Raises DeliveryError when there is nothing at `path`, or it may not be read.
    """
    reason = _name_reason(path.name)
    taken = reason or _read(path, limit=limit, settle=settle)
    return refused(taken, round_id=round_id, file=shown(path.name)) if isinstance(taken, Reason) else taken


def read_manifest(path: Path) -> bytes | None:
    """The manifest that lies beside the delivery at `path`; None if there is none.

    One that cannot be taken in comes back as no bytes at all, which no delivery's judgement takes for a manifest.
    """
    beside = path.with_name(path.name + MANIFEST_SUFFIX)
    if not os.path.lexists(beside):
        return None
    taken = _read(beside, limit=MANIFEST_LIMIT, settle=0.0)
    return b"" if isinstance(taken, Reason) else taken


def shown(name: str) -> str:
    r"""A file name as it may stand in a log line or a receipt: ASCII, one line, not too long.

    >>> shown("a\nb.csv")
    'a\\nb.csv'
    """
    return ascii(name)[1:-1][:120]


def _name_reason(name: str) -> Reason | None:
    if not _NAME.fullmatch(name):
        return Reason.F_NAME_UNSAFE
    if name.lower().endswith(_ARCHIVES):
        return Reason.F_ARCHIVE
    return None if name.lower().endswith(".csv") else Reason.F_EXTENSION


def _read(path: Path, *, limit: int, settle: float) -> bytes | Reason:
    if not stat.S_ISREG(_look(path).st_mode):
        return Reason.F_NOT_REGULAR
    # Between the look and the open the name may come to mean something else: no links, and no waiting for a pipe.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Reason.F_UNSTABLE
    except OSError as error:
        raise DeliveryError(f"{shown(path.name)} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return Reason.F_NOT_REGULAR
        if before.st_size > limit:
            return Reason.F_TOO_LARGE
        time.sleep(settle)
        data = file.read(limit + 1)
        return data if _same(before, os.fstat(descriptor)) and len(data) == before.st_size else Reason.F_UNSTABLE


def _look(path: Path) -> os.stat_result:
    try:
        return os.lstat(path)
    except OSError as error:
        raise DeliveryError(
            f"{path}: there is no delivery here ({error.strerror}); give the path of a CSV file"
        ) from error


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
