"""What kind of file some bytes are, by the bytes themselves: a name proves nothing."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hitl.delivery.reasons import Reason
from hitl.delivery.source import Source

BOM = b"\xef\xbb\xbf"

_INK = re.compile(rb"[^ \t\r\n]")
ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
)
BINARIES = (b"\xd0\xcf\x11\xe0", b"%PDF", b"PAR1", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{\\rtf", b"SQLite format 3")
PAGES = (b"<html", b"<!doctype", b"<table", b"<?xml")
_AT_ONCE = 1 << 20


@dataclass(slots=True)
class Look:
    """What one look over all the bytes tells: how they begin and end, and what is among them.

    `feeds` counts LF, `returns` CR, `pairs` CR LF.
    """

    head: bytes = b""
    last: bytes = b""
    inked: bool = False
    holds_nul: bool = False
    is_text: bool = True
    feeds: int = 0
    returns: int = 0
    pairs: int = 0

    @property
    def marked(self) -> bool:
        """Whether a byte order mark comes first."""
        return self.head.startswith(BOM)

    @property
    def terminated(self) -> bool:
        """Whether a line end comes last: a file without one may have been cut."""
        return self.last in (b"\n", b"\r")

    @property
    def regular(self) -> bool:
        """Whether every line end, in cells too, is LF, or every one CR LF."""
        return not self.returns or self.returns == self.feeds == self.pairs


class _Utf8:
    """Whether parts of bytes make a text, strictly: a byte that is none stands for the whole file, wherever it is."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._sound = True

    def goes_on(self, part: bytes, *, final: bool = False) -> bool:
        try:
            if self._sound:
                self._decoder.decode(part, final)
        except UnicodeDecodeError:
            self._sound = False
        return self._sound


def look(source: Source) -> Look:
    """One look over the whole source."""
    seen, text = Look(), _Utf8()
    for part in _parts(source):
        if not seen.last:
            seen.head = part[:16]
        seen.inked = seen.inked or bool(_INK.search(part, 0 if seen.last else len(BOM) * seen.marked))
        seen.holds_nul = seen.holds_nul or b"\0" in part
        seen.feeds += part.count(b"\n")
        returns = part.count(b"\r")
        seen.returns += returns
        seen.pairs += (part.count(b"\r\n") if returns else 0) + (seen.last == b"\r" and part[:1] == b"\n")
        seen.last = part[-1:]
        seen.is_text = text.goes_on(part)
    seen.is_text = text.goes_on(b"", final=True)
    return seen


def unreadable(seen: Look) -> Reason | None:
    """Why these bytes are no text at all, if so."""
    if not seen.inked:
        return Reason.F_EMPTY
    if seen.head.startswith(ARCHIVES):
        return Reason.F_ARCHIVE
    if seen.head.startswith(BINARIES) or seen.head.lstrip().lower().startswith(PAGES):
        return Reason.F_BINARY
    if seen.holds_nul:
        return Reason.F_NUL
    return None if seen.is_text else Reason.F_ENCODING


def leaves_quote_open(source: Source) -> bool:
    """Whether a quote is open to the end: in sound CSV they come in pairs."""
    return sum(part.count(b'"') for part in _parts(source)) % 2 == 1


def _parts(source: Source) -> Iterator[bytes]:
    with source.open() as file:
        while part := file.read(_AT_ONCE):
            yield part
