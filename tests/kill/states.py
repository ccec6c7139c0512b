"""Which states of the files the points of a command leave: points that leave the same are tried once.

A second call sees only what lies on the disk, so two kills that leave the very same files are one. A database of SQLite
is looked at as its next reader does: after SQLite has taken back, out of its journal, what was not committed.
"""

import hashlib
import os
import re
import shutil
import sqlite3
import stat
import tempfile
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.kill.syscalls import Call, Kill

_DATABASE = re.compile(r"\.db(\.unfinished)?(-journal|-wal|-shm)?$")
_BESIDE = re.compile(r"-(journal|wal|shm)$")
_HEAD_OF_A_JOURNAL = bytes.fromhex("d9d505f920a163d7")
_UNSEEN = re.compile(r"(tmp|site)(/|$)|.*/\.git/objects/../tmp_obj_")
"""What no later call can know or needs: files under names drawn by chance in the folder for such, and in git's store,
and DVC's memory of digests, which has one or takes it anew."""
_UNFINISHED = re.compile(r"\.unfinished(-journal|-wal|-shm)?$")
"""What is cleared away unread by the next command (tasks/edges/leftovers.py) or by the next look for MLflow's database
(tasks/edges/tracking.py): that it is there counts, and nothing in it."""
_RECENT = 8
"""Calls that may still be under way while the next is stopped: DVC copies with threads."""


@dataclass
class States:
    """The files of a folder, followed call by call; `of` tells for each point which state it leaves."""

    root: Path
    of: dict[Kill, str] = field(default_factory=dict)
    _files: dict[str, str] = field(default_factory=dict)
    _sum: int = 0
    _within: dict[str, int] = field(default_factory=dict)
    _recent: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def __post_init__(self) -> None:
        for folder, _, names in os.walk(self.root):
            self._look(os.path.relpath(folder, self.root))
            for name in names:
                self._look(os.path.relpath(os.path.join(folder, name), self.root))

    def before(self, number: int, call: Call, half: tuple[int, bytes] | None) -> None:
        """Note the state that a kill before this call leaves, and one after `half` of it: an offset, and the bytes."""
        for path in set(self._recent):
            self._look(path)
        self.of[Kill(number)] = f"{self._sum:x}"
        if half is not None and not _DATABASE.search(call.path):  # within one page all is SQLite's to survive
            self._half(number, call, half)
        self._recent.extend(path for path in (call.path, call.other) if path)

    def _half(self, number: int, call: Call, half: tuple[int, bytes]) -> None:
        whole = self._files.get(call.path, "")
        if not _UNSEEN.match(call.path):
            self._note(call.path, self._seen(call.path, half))
        self.of[Kill(number, half=True)] = f"{self._sum:x}"
        self._note(call.path, whole)

    def _look(self, path: str) -> None:
        key = self._key(path)
        if not _UNSEEN.match(path) and not self._is_within(key):
            self._note(key, self._seen(key))

    def _is_within(self, key: str) -> bool:
        """Whether a transaction of the database goes on, at whose beginning it was looked at: it counts as never begun
        until its journal, which takes it back, is gone.
        """
        journal = self.root / f"{key}-journal"
        if not _DATABASE.search(key) or not journal.exists() or journal.read_bytes()[:8] != _HEAD_OF_A_JOURNAL:
            self._within.pop(key, None)
            return False
        before, self._within[key] = self._within.get(key), journal.stat().st_ino
        return before == self._within[key]

    def _note(self, key: str, seen: str) -> None:
        """Have the file as it was seen; "" is none. The sum tells all files, in any order."""
        for sign, one in ((-1, self._files.pop(key, "")), (1, seen)):
            if one:
                self._sum += sign * int.from_bytes(hashlib.sha256(f"{key}\0{one}".encode()).digest())
        if seen:
            self._files[key] = seen

    def _key(self, path: str) -> str:
        """The file whose state it is: of a journal the database."""
        return _BESIDE.sub("", path)

    def _seen(self, key: str, half: tuple[int, bytes] | None = None) -> str:
        path = self.root / key
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return ""
        if not stat.S_ISREG(mode):
            return f"{mode:o} {path.readlink() if path.is_symlink() else ''}"
        if _UNFINISHED.search(key):
            return f"{mode:o}"
        data = self._recovered(path) if _DATABASE.search(key) else path.read_bytes()
        if half is not None:
            place, written = half
            data = data[:place].ljust(place, b"\0") + written + data[place + len(written) :]
        return f"{mode:o} {len(data)} {hashlib.sha256(data).hexdigest()}"

    def _recovered(self, path: Path) -> bytes:
        """What is in the database for its next reader."""
        with tempfile.TemporaryDirectory(dir=self.root.parent) as folder:
            copy = Path(folder) / path.name
            for end in ("", "-journal", "-wal"):
                if (beside := path.with_name(path.name + end)).exists():
                    shutil.copyfile(beside, copy.with_name(copy.name + end))
            with closing(sqlite3.connect(copy)) as base:
                base.execute("select count(*) from sqlite_master").fetchall()
            return copy.read_bytes()
