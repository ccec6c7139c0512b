"""What kind of file some bytes are, by the bytes themselves: a name proves nothing."""

import re

from hitl.delivery.reasons import Reason

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


def unreadable(data: bytes) -> Reason | None:
    """Why these bytes are no text at all, if so."""
    if not _INK.search(data, len(BOM) if data.startswith(BOM) else 0):
        return Reason.F_EMPTY
    if data.startswith(ARCHIVES):
        return Reason.F_ARCHIVE
    if data.startswith(BINARIES) or data[:16].lstrip().lower().startswith(PAGES):
        return Reason.F_BINARY
    if b"\0" in data:
        return Reason.F_NUL
    return None
