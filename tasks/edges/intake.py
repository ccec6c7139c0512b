"""Takes a delivery's bytes from a folder that other people write to: a plain, finished file, or a refusal.

Nothing here opens what could block, grow or point elsewhere, and nothing is unpacked. What the bytes mean is for
`hitl.delivery.judge` to say.
"""

import os
import stat
import time
from pathlib import Path

from hitl.delivery.intake_rules import MANIFEST_LIMIT, MANIFEST_SUFFIX, SIZE_LIMIT, name_fault, shown
from hitl.delivery.judgement import Judgement, refused
from hitl.delivery.reasons import Reason
from hitl.errors import DeliveryError
from hitl.visible import visible


def read(path: Path, *, round_id: str = "", limit: int = SIZE_LIMIT, settle: float = 0.0) -> bytes | Judgement:
    """The bytes of the delivery at `path`, or the judgement that refuses it unread.

    `settle`: seconds between two looks at the file; a file that grew in between is still being written.
    Raises DeliveryError when there is nothing at `path`, or it may not be read.
    """
    reason = name_fault(path.name)
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
            f"{visible(str(path))}: there is no delivery here ({error.strerror}); give the path of a CSV file"
        ) from error


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
