"""Where a delivery's bytes come from: something that can be opened again and again, and is the same bytes each time."""

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Protocol


class Opened(Protocol):
    """Bytes that can be read as often as it takes."""

    def open(self) -> BinaryIO:
        """The bytes from the first one on."""


class Source(Opened, Protocol):
    """Bytes of a known digest and size. Each pass over a delivery opens it anew, so none of them holds it whole."""

    @property
    def sha256(self) -> str: ...

    @property
    def size(self) -> int: ...


@dataclass(frozen=True)
class Translated:
    """Rows made of another source: they are read, and that is what is digested and kept."""

    rows: bytes
    original: Source

    @property
    def sha256(self) -> str:
        return self.original.sha256

    @property
    def size(self) -> int:
        return self.original.size

    def open(self) -> BinaryIO:
        return io.BytesIO(self.rows)


@dataclass(frozen=True)
class Bytes:
    """A source in memory."""

    data: bytes

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)
