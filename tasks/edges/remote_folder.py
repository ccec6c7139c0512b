"""A vendor's folder anywhere that fsspec goes: SFTP, S3, memory. Only plain names are ever turned into paths there."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any

import fsspec

from hitl.delivery.intake_rules import NAME
from hitl.inbox import Entry, numbered
from hitl.visible import clipped
from tasks.edges.unsettled import CHANGED, Keep, Unreachable, Unsettled, digest

_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
_MARKS = ("ETag", "etag", "VersionId", "md5Hash", "content_md5", "generation", "islink")


class RemoteFolder:
    """The folder at an fsspec URL; the driver, its settings and credentials are the user's, from the environment."""

    def __init__(self, url: str) -> None:
        self.where = re.sub("//[^/]*@", "//", url)
        with _asked():
            self._store, self._root = fsspec.url_to_fs(url, use_listings_cache=False)

    def entries(self) -> list[Entry]:
        with _asked():
            found = self._store.ls(self._root, detail=True)
        return [_entry(one) for one in found if one["name"].strip("/") != self._root.strip("/")]

    def digest(self, entry: Entry, keep: Keep = len) -> str:
        with _asked(), self._store.open(self._path(entry.name), "rb") as source:
            return digest(source, entry.size, keep)

    def shelve(self, entry: Entry, shelf: str, sha256: str) -> None:
        """Folders, links and names that are not plain stay where they are: a store may take them for patterns."""
        if not entry.is_file or not NAME.fullmatch(entry.name):
            return
        with _asked():
            if _entry(self._store.info(self._path(entry.name))) != entry:
                raise Unsettled(f"replaced while it was taken; the new one is {CHANGED}")
        try:
            with _asked():
                self._store.makedirs(self._path(shelf), exist_ok=True)
                names = (f"{shelf}/{numbered(entry.name, sha256, turn)}" for turn in count())
                kept = next(one for one in names if not self._store.exists(self._path(one)))
                self._move(entry.name, kept)
        except Unreachable as error:
            raise Unsettled(f"answered, and cannot be moved to {shelf}: {error}") from error

    def read(self, name: str) -> bytes | None:
        with _asked():
            return bytes(self._store.cat_file(self._path(name))) if self._store.exists(self._path(name)) else None

    def write(self, name: str, data: bytes) -> None:
        with _asked():
            self._store.makedirs(self._root, exist_ok=True)
            self._store.pipe_file(self._path(f".{name}.tmp"), data)
            self._move(f".{name}.tmp", name)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _move(self, name: str, to: str) -> None:
        # What every store inherits as a move takes names for patterns; what a store brings itself is a rename.
        if type(self._store).mv is fsspec.AbstractFileSystem.mv:
            self._store.cp_file(self._path(name), self._path(to))
            self._store.rm_file(self._path(name))
        else:
            self._store.mv(self._path(name), self._path(to))


@contextmanager
def _asked() -> Iterator[None]:
    """Every store fails in a way of its own, and none of them may stop a round."""
    try:
        yield
    except (Unreachable, Unsettled):
        raise
    except Exception as error:
        raise Unreachable(clipped(f"{type(error).__name__}: {error}", 200)) from error


def _entry(info: Mapping[str, Any]) -> Entry:
    at = next((info[key] for key in _TIMES if info.get(key)), 0.0)
    mark = " ".join(f"{key}={info[key]}" for key in _MARKS if info.get(key))
    is_file = info["type"] == "file" and not info.get("islink")
    return Entry(_last(info["name"]), is_file, int(info.get("size") or 0), _seconds(at), mark)


def _seconds(at: object) -> float:
    if isinstance(at, datetime):
        return at.timestamp()
    return float(at) if isinstance(at, int | float) else 0.0


def _last(path: str) -> str:
    return path.rstrip("/").rsplit("/", 1)[-1]
