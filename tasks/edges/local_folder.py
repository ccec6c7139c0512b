"""A vendor's folder on this machine. No link is followed, nothing that could block is opened, no name is a path."""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from hitl.inbox import Entry, numbered, plain
from tasks.edges import files
from tasks.edges.unsettled import CHANGED, Keep, Unreachable, Unsettled, digest

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """The folder at `root`. Whatever is done with an entry is done from within the opened folder, by its name alone."""

    root: Path

    @property
    def where(self) -> str:
        return str(self.root)

    def entries(self) -> list[Entry]:
        with self._opened() as folder:
            return [one for name in os.listdir(folder) if (one := _entry(folder, name))]

    def digest(self, entry: Entry, keep: Keep = len) -> str:
        with self._opened() as folder:
            try:
                return _read(folder, entry, keep)
            except OSError as error:
                raise Unsettled(f"cannot be read: {error.strerror}") from error

    def shelve(self, entry: Entry, shelf: str, sha256: str) -> None:
        with self._opened() as folder:
            try:
                with _shelf(folder, shelf) as into:
                    kept = _free(into, entry.name, sha256)
                    os.rename(entry.name, kept, src_dir_fd=folder, dst_dir_fd=into)
                    _give_back(entry, folder, kept, into)
            except OSError as error:
                raise Unsettled(f"answered, and cannot be moved to {shelf}: {error.strerror}") from error

    def read(self, name: str) -> bytes | None:
        if not self.root.is_dir():
            return None
        with self._opened() as folder:
            entry = _entry(folder, name)
            if entry is None or not entry.is_file:
                return None
            found = io.BytesIO()
            self.digest(entry, found.write)
            return found.getvalue()

    def write(self, name: str, data: bytes) -> None:
        try:
            files.write_bytes(self.root / name, data)
        except OSError as error:
            raise Unreachable(error.strerror) from error

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            descriptor = os.open(self.root, _FOLDER)
        except OSError as error:
            raise Unreachable(error.strerror) from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _read(folder: int, entry: Entry, keep: Keep) -> str:
    descriptor = os.open(entry.name, _FILE, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as source:
        if _seen(entry.name, os.fstat(descriptor)) != entry:
            raise Unsettled(CHANGED)
        return digest(source, entry.size, keep)


def _entry(folder: int, name: str) -> Entry | None:
    try:
        return _seen(name, os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None  # it went while we looked


def _seen(name: str, found: os.stat_result) -> Entry:
    mark = f"{found.st_mode:o} {found.st_ino} {found.st_mtime_ns}"
    return Entry(name, stat.S_ISREG(found.st_mode), found.st_size, found.st_mtime, mark)


@contextmanager
def _shelf(folder: int, name: str) -> Iterator[int]:
    """The folder `name` in `folder`, made for its owner alone; a link of that name makes way."""
    found = _entry(folder, name)
    if found and not stat.S_ISDIR(int(found.mark.split()[0], 8)):
        os.rename(name, f"{name}.{found.look[:8]}", src_dir_fd=folder, dst_dir_fd=folder)
        found = None
    if found is None:
        os.mkdir(name, 0o700, dir_fd=folder)
    descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    try:
        _close_to_others(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _close_to_others(folder: int) -> None:
    found = os.fstat(folder)
    if found.st_mode & 0o077 and found.st_uid == os.geteuid():
        os.fchmod(folder, 0o700)


def _free(folder: int, name: str, sha256: str) -> str:
    names = (numbered(plain(name), sha256, turn) for turn in count())
    return next(one for one in names if _entry(folder, one) is None)


def _give_back(entry: Entry, folder: int, kept: str, shelf: int) -> None:
    """Where something else lay under the name by then, put it back: it has no answer yet."""
    if _entry(shelf, kept) != _seen_as(entry, kept):
        if _entry(folder, entry.name) is None:
            os.rename(kept, entry.name, src_dir_fd=shelf, dst_dir_fd=folder)
        raise Unsettled(f"replaced while it was taken; the new one is {CHANGED}")


def _seen_as(entry: Entry, name: str) -> Entry:
    return Entry(name, entry.is_file, entry.size, entry.at, entry.mark)
