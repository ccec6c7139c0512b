"""A small grey picture as a data URI, in the same bytes everywhere: its zlib stream is stored, not compressed."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence
from math import isfinite

SIDE = 32  # pixels a thumbnail has at most on a side: keeps a page of 200 items below 300 kB


def thumbnail(values: Sequence[float], *, width: int, height: int, maximum: float) -> str:
    """`data:image/png;base64,...` of `values` (row by row, 0 black to `maximum` white), at most SIDE pixels a side.

    Values out of range are drawn as the nearest end, missing ones as black. Raises ValueError unless there are
    width x height.
    """
    if len(values) != width * height:
        raise ValueError(f"{len(values)} values are not an image of {width} x {height}")
    columns, rows = _kept(width), _kept(height)
    lines = (bytes([0, *(_grey(values[y * width + x], maximum) for x in columns)]) for y in rows)
    header = struct.pack(">IIBBBBB", len(columns), len(rows), 8, 0, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"".join(lines), 0)) + _chunk(b"IEND", b"")
    return "data:image/png;base64," + b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()


def _kept(length: int) -> list[int]:
    side = min(length, SIDE)
    return [(2 * index + 1) * length // (2 * side) for index in range(side)]


def _grey(value: float, maximum: float) -> int:
    share = value / maximum if isfinite(value) else 0.0
    return round(255 * min(max(share, 0.0), 1.0))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
