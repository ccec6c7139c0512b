"""The files of the pool in shares, so that several may be scored at once, here or on other computers.

A share is paths alone. Its folder holds what is made of it, and says that somebody still waits for it: whoever finds
the folder gone stops. So nothing is left at work by a command that failed or was killed, and nothing of it is taken
for another's.
"""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks.edges import files

TOLD_EVERY = 5.0
"""Seconds between two lines about the progress."""


@dataclass(frozen=True, slots=True)
class Share:
    """Some files of the pool by their names, scored with what the ledger whose last event is hashed `head` says."""

    number: int
    folder: Path
    head: str
    names: tuple[str, ...]

    @property
    def part(self) -> Path:
        """Where the candidates among its items are written."""
        return self.folder / f"{self.number:04d}.parquet"

    @property
    def seen(self) -> Path:
        """Where it is noted how many of its items are done, now and then."""
        return self.folder / f"{self.number:04d}.rows"


Part = Callable[[Workspace, str, Share], Facts]
"""Does one share, wherever it is called; returns what it wrote, by digest, and counts."""
Each = Callable[[Part, Workspace, str, Sequence[Share], Callable[[], str | None]], list[Facts]]
"""Calls a Part for each share, several at once; asks the last argument now and then what there is to tell."""


class Unwanted(Exception):
    """Nobody waits any more for what is being done."""


@contextmanager
def shared(workspace: Workspace, names: Sequence[str], head: str, *, count: int) -> Iterator[list[Share]]:
    """The files dealt out to at most `count` shares, each with some; what they made is gone in the end.

    Whoever makes them holds the workspace's lock: what lies there from before is a dead command's.
    """
    home = workspace.local.resolve() / "shares"
    shutil.rmtree(home, ignore_errors=True)
    folder = files.private_folder(home / secrets.token_hex(4))
    try:
        yield [Share(at, folder, head, tuple(names[at::count])) for at in range(min(count, len(names)))]
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def unwanted_on_failure(shares: Sequence[Share]) -> Iterator[None]:
    """Where this is left by an error, or by Ctrl-C, the shares that are still being done are given up."""
    try:
        yield
    except BaseException:
        shutil.rmtree(shares[0].folder, ignore_errors=True)
        raise


@dataclass(slots=True)
class Done:
    """Notes beside a share, now and then, how many of its items are done; raises Unwanted when nobody waits for it."""

    share: Share
    rows: int = 0
    last: float = field(default_factory=time.monotonic)

    def __call__(self, rows: int) -> None:
        self.rows += rows
        if not self.share.folder.is_dir():
            raise Unwanted(self.share.folder)
        if time.monotonic() - self.last >= TOLD_EVERY:
            self.last = time.monotonic()
            files.write_text(self.share.seen, str(self.rows))


def seen(shares: Sequence[Share]) -> int:
    """How many items are done, by what is noted beside the shares."""
    rows = 0
    for share in shares:
        with suppress(FileNotFoundError, ValueError):
            rows += int(share.seen.read_text(encoding="ascii"))
    return rows


@dataclass(slots=True)
class Progress:
    """Says how far the pool of `total` items is scored, how fast, and how long yet; None too soon after the last."""

    total: int
    began: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    def __call__(self, rows: int) -> str | None:
        now = time.monotonic()
        if now - self.last < TOLD_EVERY or not 0 < rows < self.total:
            return None
        self.last, rate = now, rows / (now - self.began)
        left = (self.total - rows) / rate
        return f"scored {rows:,} of {self.total:,} items, {rate:,.0f} a second, {left:.0f} s to go"
