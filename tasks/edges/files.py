"""Writing files so that a crash leaves the old one or the new one, never half. Nothing else writes files."""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import hitl.errors
from hitl.visible import escaped

SHARED, PRIVATE = 0o666, 0o600
"""Modes of a file, less what the umask takes away: for whoever may read the folder, or for its owner alone."""
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{8}\.unfinished")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_bytes(path: Path, data: bytes, *, mode: int = SHARED) -> str:
    """Write `data` under a temporary name, fsync, rename to `path`, fsync the folder; returns its sha256."""
    return write_parts(path, (data,), mode=mode)


def write_parts(path: Path, parts: Iterable[bytes], *, mode: int = SHARED) -> str:
    """As `write_bytes`, for what is too large to be held in memory at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, digest = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished"), hashlib.sha256()
    try:
        with named(path), os.fdopen(os.open(temporary, _NEW, mode), "wb") as file:
            for part in parts:
                digest.update(part)
                file.write(part)
        move(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return digest.hexdigest()


def is_unfinished(path: Path) -> bool:
    """Whether a file of this name is one that is being written here, or was when its writer was killed."""
    return _UNFINISHED.fullmatch(path.name) is not None


def move(whole: Path, path: Path) -> None:
    """Make the file at `whole` the one at `path`, on the disk before anybody can see it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _fsync(whole)
    os.replace(whole, path)
    _fsync(path.parent)


def write_text(path: Path, text: str) -> str:
    """Write `text` as UTF-8, its line ends as they are; returns the file's sha256."""
    return write_bytes(path, text.encode())


def write_json(path: Path, value: object, *, mode: int = SHARED) -> str:
    """Write `value` as `as_json` has it; returns the file's sha256."""
    return write_bytes(path, as_json(value), mode=mode)


def as_json(value: object) -> bytes:
    """`value` as indented JSON with sorted keys and a final line end.

    What a terminal would obey, or an eye not see, is spelled as an escape: the same value to whoever parses it.
    """
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{escaped(text)}\n".encode()


def private_file(path: Path) -> BinaryIO:
    """A new file at `path`, open for writing, that only its owner can read; not fsynced: for what may be lost."""
    return os.fdopen(os.open(path, _NEW, PRIVATE), "wb")


def private_folder(path: Path) -> Path:
    """Have a folder at `path` that nobody but its owner can look into; what lies in it is thereby out of reach too."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_private(path)
    return path


def emptied(path: Path) -> Path:
    """A private folder at `path` without any file of an earlier use."""
    for one in private_folder(path).iterdir():
        one.unlink()
    return path


def keep_private(path: Path) -> None:
    """Take from group and others what they may do in the folder at `path`, where there is one and it is ours.

    DVC makes a folder that it checks out as the umask has it.
    """
    if path.is_dir() and path.stat().st_mode & 0o077 and path.stat().st_uid == os.geteuid():
        path.chmod(0o700)


def write_new(path: Path, data: bytes) -> None:
    """Write `data` to `path`, where nothing may be yet; raises FileExistsError when another, anywhere, was first."""
    with named(path), os.fdopen(os.open(path, _NEW, SHARED), "wb") as file:
        file.write(data)


def append_line(path: Path, data: bytes, *, after: int) -> None:
    """Append `data` to `path` and fsync, cutting first whatever lies beyond byte `after` (a write that was cut)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with named(path), path.open("ab") as file:
        file.truncate(after)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _fsync(path.parent)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Have an error of the system say which file it was about, where it does not: a full disk is met in writing."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def sha256(path: Path) -> str:
    """The sha256 of the file at `path`; raises IntegrityError when it is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise hitl.errors.IntegrityError(f"{path} is missing; bring it back: dvc checkout") from error


def look(path: Path) -> object:
    """What changes with the file at `path`, as one look at it tells; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def must_be(path: Path, digest: str) -> None:
    """Raise IntegrityError unless the file at `path` has the sha256 `digest`."""
    found = sha256(path)
    if found != digest:
        raise hitl.errors.IntegrityError(
            f"{path} was changed: its sha256 is {found[:12]}, the ledger says {digest[:12]}; "
            "bring it back: dvc checkout"
        )


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
