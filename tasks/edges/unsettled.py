"""Why something in a vendor's folder is left for the next time, and a digest that tells when it should be."""

import hashlib
from collections.abc import Callable
from typing import IO

BLOCK = 1 << 20
CHANGED = "still being written, left for the next advance"

Keep = Callable[[bytes], object]
"""What is done with the bytes on their way."""


class Unreachable(Exception):
    """A vendor's folder does not answer: everything in it waits."""


class Unsettled(Exception):
    """One entry of a vendor's folder cannot be taken now; the message says why."""


def digest(source: IO[bytes], size: int, keep: Keep) -> str:
    """The sha256 of `source`; raises Unsettled when it has not `size` bytes, and reads no more than that and one."""
    found, left = hashlib.sha256(), size + 1
    while block := source.read(min(BLOCK, left)):
        found.update(block)
        keep(block)
        left -= len(block)
    if left != 1:
        raise Unsettled(CHANGED)
    return found.hexdigest()
