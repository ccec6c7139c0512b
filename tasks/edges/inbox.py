"""Folders that vendors can reach, here or anywhere fsspec goes: what lies in them, and how it gets out and in."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from hitl.inbox import Entry
from hitl.layout import Workspace
from tasks.edges.local_folder import LocalFolder
from tasks.edges.unsettled import Keep, Unreachable

INBOX, OUTBOX = "HITL_INBOX", "HITL_OUTBOX"
_LOCAL = "file://"


class Folder(Protocol):
    """A folder that strangers may write to or read. Every operation may raise Unreachable."""

    @property
    def where(self) -> str:
        """What the folder is called in a message: no password is in it."""
        ...

    def entries(self) -> Sequence[Entry]:
        """Everything that lies in the folder itself, as it looks unopened."""
        ...

    def digest(self, entry: Entry, keep: Keep = len) -> str:
        """The sha256 of the file that `entry` was, its bytes given to `keep`.

        Raises Unsettled when it is another one now, or cannot be read.
        """
        ...

    def shelve(self, entry: Entry, shelf: str, sha256: str) -> None:
        """Move what `entry` was into the folder `shelf` in here, over nothing; raises Unsettled when that cannot be."""
        ...

    def read(self, name: str) -> bytes | None:
        """The bytes of a file of ours; None when there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put a whole file of ours there, also over an older one."""
        ...


def inbox(workspace: Workspace) -> Folder | None:
    """Where deliveries arrive: HITL_INBOX, else data/inbox, or None while that is not there."""
    url = os.environ.get(INBOX)
    if url:
        return _at(url)
    return LocalFolder(workspace.inbox) if workspace.inbox.is_dir() else None


def outbox(workspace: Workspace) -> Folder:
    """Where answers are put: HITL_OUTBOX, else data/outbox."""
    url = os.environ.get(OUTBOX)
    return _at(url) if url else LocalFolder(workspace.outbox)


def _at(url: str) -> Folder:
    if url.startswith(_LOCAL) or "://" not in url:
        return LocalFolder(Path(url.removeprefix(_LOCAL)).absolute())
    from tasks.edges.remote_folder import RemoteFolder  # here, for a folder of this machine needs no fsspec

    return RemoteFolder(url)


__all__ = ["INBOX", "OUTBOX", "Folder", "Unreachable", "inbox", "outbox"]
