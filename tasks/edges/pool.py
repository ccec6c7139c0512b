"""The pool's files: in data/pool, or where HITL_POOL says: another folder here, or anywhere that fsspec goes, as S3.

Wherever they lie, the ledger calls them data/pool/NAME, and their digests are the same.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from hitl.errors import DataError, HitlError, IntegrityError
from hitl.layout import Workspace
from hitl.visible import clipped
from tasks.edges import files, verifier

VARIABLE = "HITL_POOL"
_LOCAL = "file://"
_ENDING = ".parquet"
PIECE = 1 << 23
"""Bytes of a stored file that are fetched together to be hashed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of a store: the driver, its settings and credentials are the user's, from the environment."""

    store: Any
    path: str
    url: str
    """What the file is called in a message: no password is in it."""

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file, of which only what is read is fetched; whatever the store fails in is an error of ours."""
        with asked(self.url), self.store.open(self.path, "rb", cache_type="none") as file:
            yield cast(BinaryIO, file)


File = Path | Stored


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder of a store."""

    store: Any
    root: str
    url: str

    def file(self, name: str) -> Stored:
        return Stored(self.store, f"{self.root.rstrip('/')}/{name}", f"{self.url.rstrip('/')}/{name}")


def where(workspace: Workspace) -> str:
    """What the pool's place is called in a message."""
    found = _place(workspace)
    return found.url if isinstance(found, _Place) else str(found)


def is_elsewhere() -> bool:
    """Whether the pool lies outside the workspace, where DVC does not carry it."""
    return bool(os.environ.get(VARIABLE))


def parts(workspace: Workspace, names: Sequence[str] | None = None) -> list[File]:
    """The Parquet files of the pool, by name; only those of `names`, where these are said.

    Raises IntegrityError when there is none, DataError when the store cannot be asked.
    """
    found = _place(workspace)
    if names is not None:
        return [found.file(name) if isinstance(found, _Place) else found / name for name in names]
    there = listed(workspace)
    if not there:
        way_out = f"put it there, or mend {VARIABLE}" if is_elsewhere() else "bring the pool back: dvc checkout"
        raise IntegrityError(f"{where(workspace)} holds no Parquet file; {way_out}")
    return parts(workspace, there)


def listed(workspace: Workspace) -> list[str]:
    """The names of the Parquet files of the pool, sorted; none where no such folder is."""
    found = _place(workspace)
    if not isinstance(found, _Place):
        return sorted(path.name for path in found.glob(f"*{_ENDING}"))
    with asked(found.url):
        try:
            there = found.store.ls(found.root, detail=False)
        except FileNotFoundError:
            return []
    return sorted(PurePosixPath(path).name for path in there if path.endswith(_ENDING))


def digest(workspace: Workspace, file: str) -> str:
    """The sha256 of a file that the ledger names, or a word for why it has none, as `verifier.digest` says it."""
    inside = workspace.pool.relative_to(workspace.root).as_posix() + "/"
    if not is_elsewhere() or not file.startswith(inside) or "/" in file.removeprefix(inside):
        return verifier.digest(workspace.root, file)
    try:
        return sha256(parts(workspace, [file.removeprefix(inside)])[0])
    except IntegrityError:
        return "missing"
    except HitlError:
        return "unreadable"


def sha256(part: File) -> str:
    """The sha256 of a file of the pool; raises IntegrityError when it is not there."""
    if isinstance(part, Path):
        return files.sha256(part)
    found = hashlib.sha256()
    with part.opened() as file:
        while piece := file.read(PIECE):
            found.update(piece)
    return found.hexdigest()


def put(workspace: Workspace, whole: Path) -> None:
    """Make the file at `whole` one of the pool, under its own name; over an older one."""
    (part,) = parts(workspace, [whole.name])
    if isinstance(part, Path):
        files.write_bytes(part, whole.read_bytes())
        return
    with asked(part.url):
        part.store.makedirs(part.path.removesuffix(f"/{part.name}"), exist_ok=True)
        part.store.put_file(str(whole), part.path)


@contextmanager
def asked(url: str) -> Iterator[None]:
    """Every store fails in a way of its own: each way is an error of ours that names the file."""
    try:
        yield
    except HitlError:
        raise
    except FileNotFoundError as error:
        raise IntegrityError(f"{url} is missing; put it back, or mend {VARIABLE}") from error
    except Exception as error:
        told = clipped(f"{type(error).__name__}: {error}", 200)
        raise DataError(f"{url} cannot be used: {told}; mend that, or {VARIABLE}, and run the command again") from error


def _place(workspace: Workspace) -> Path | _Place:
    said = os.environ.get(VARIABLE)
    if not said:
        return workspace.pool
    if said.startswith(_LOCAL) or "://" not in said:
        return Path(said.removeprefix(_LOCAL)).absolute()
    import fsspec  # here, for a pool of this computer needs none

    url = re.sub("//[^/]*@", "//", said)
    with asked(url):
        store, root = fsspec.url_to_fs(said, use_listings_cache=False)
    return _Place(store, root, url)
