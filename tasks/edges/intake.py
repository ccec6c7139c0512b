"""Takes a delivery from a folder that other people write to: a copy of a plain, finished file, or a refusal.

Nothing here opens what could block, grow or point elsewhere, and nothing is unpacked. What the bytes mean is for
`hitl.delivery.judge` to say; it is said of the copy, so that what is judged, kept and paid is one and the same.
"""

import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from hitl.delivery.exported import Exported
from hitl.delivery.intake_rules import MANIFEST_LIMIT, MANIFEST_SUFFIX, SIZE_LIMIT, name_fault, shown
from hitl.delivery.judgement import Judgement, refused
from hitl.delivery.reasons import Reason
from hitl.errors import DeliveryError
from hitl.visible import visible
from tasks.edges import files

_AT_ONCE = 1 << 20
# Longer than any copying takes: what is older was left by a process that was killed.
_STALE_SECONDS = 24 * 3600


@dataclass(slots=True)
class Copy:
    """A delivery as a file of our own, which nobody else writes to: a `hitl.delivery.source.Source`."""

    path: Path
    sha256: str
    size: int

    def open(self) -> BinaryIO:
        return self.path.open("rb")

    def keep(self, path: Path) -> None:
        """Make this the file at `path`, from which it is read from now on."""
        files.move(self.path, path)
        self.path = path


def kept(path: Path, sha256: str) -> Copy:
    """The delivery that was kept at `path`; raises IntegrityError when it is gone or has other bytes."""
    files.must_be(path, sha256)
    return Copy(path, sha256, path.stat().st_size)


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a pack, of which nothing is known but where it is."""

    path: Path

    def open(self) -> BinaryIO:
        return self.path.open("rb")


def exported(path: Path) -> Exported:
    """The items of the batch.csv at `path`, read when asked for; that raises what Exported does, and OSError."""
    return Exported(_File(path))


def there(path: Path) -> _File:
    """The file at `path`, to be read where it lies; raises DeliveryError when it is none, or may not be read."""
    if not stat.S_ISREG((path.stat() if path.exists() else _look(path)).st_mode):
        raise DeliveryError(f"{visible(str(path))} is no plain file; give the path of an export")
    if not os.access(path, os.R_OK):
        raise DeliveryError(f"{shown(path.name)} cannot be read: its owner must allow it")
    return _File(path)


@contextmanager
def taken(
    path: Path,
    *,
    folder: Path | None = None,
    round_id: str = "",
    limit: int = SIZE_LIMIT,
    settle: float = 0.0,
    exports: bool = False,
) -> Iterator[Copy | Judgement]:
    """A private copy of the delivery at `path`, gone in the end unless kept; or the judgement that refuses it unread.

    `folder` is where the copy lies (by default the system's for such things), readable by its owner alone.
    `exports`: files of labeling tools may come, too, which have other names.
    `settle`: seconds between two looks at the file; a file that grew in between is still being written.
    Raises DeliveryError when there is nothing at `path`, or it may not be read.
    """
    if folder is not None:
        _clear(files.private_folder(folder))
    handle, name = tempfile.mkstemp(dir=folder, prefix="delivery-", suffix=".csv")
    copy = Path(name)
    try:
        with files.named(copy), os.fdopen(handle, "wb") as out:
            answer = name_fault(path.name, exports=exports) or _copied(path, out, limit=limit, settle=settle)
        if isinstance(answer, Reason):
            yield refused(answer, round_id=round_id, file=shown(path.name))
        else:
            yield Copy(copy, answer, copy.stat().st_size)
    finally:
        copy.unlink(missing_ok=True)


def read_manifest(path: Path) -> bytes | None:
    """The manifest that lies beside the delivery at `path`; None if there is none.

    One that cannot be taken in comes back as no bytes at all, which no delivery's judgement takes for a manifest.
    """
    beside = path.with_name(path.name + MANIFEST_SUFFIX)
    if not os.path.lexists(beside):
        return None
    with tempfile.SpooledTemporaryFile(max_size=MANIFEST_LIMIT) as out:
        if isinstance(_copied(beside, out, limit=MANIFEST_LIMIT, settle=0.0), Reason):
            return b""
        out.seek(0)
        return out.read()


def _copied(path: Path, out: IO[bytes], *, limit: int, settle: float) -> str | Reason:
    """The sha256 of what was copied from `path` to `out`, or why it is not taken in."""
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
        size, sha256 = _copy(file, out, limit)
        unchanged = _same(before, os.fstat(descriptor)) and _same(before, _now(path)) and size == before.st_size
        return sha256 if unchanged else Reason.F_UNSTABLE


def _copy(file: BinaryIO, out: IO[bytes], limit: int) -> tuple[int, str]:
    """How many bytes were copied, one more than `limit` at most, and their sha256."""
    digest, left = hashlib.sha256(), limit + 1
    while part := file.read(min(left, _AT_ONCE)):
        digest.update(part)
        out.write(part)
        left -= len(part)
    return limit + 1 - left, digest.hexdigest()


def _look(path: Path) -> os.stat_result:
    try:
        return os.lstat(path)
    except OSError as error:
        raise DeliveryError(
            f"{visible(str(path))}: there is no delivery here ({error.strerror}); give the path of a CSV file"
        ) from error


def _now(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _same(before: os.stat_result, after: os.stat_result | None) -> bool:
    """Whether it is the same file, and nobody wrote to it in between."""
    names = ("st_dev", "st_ino", "st_size", "st_mtime_ns")
    return after is not None and all(getattr(before, name) == getattr(after, name) for name in names)


def _clear(folder: Path) -> None:
    """Remove the copies that killed processes left behind."""
    for path in folder.glob("delivery-*.csv"):
        if time.time() - path.stat().st_mtime > _STALE_SECONDS:
            path.unlink(missing_ok=True)
