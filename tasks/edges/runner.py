"""What scores the pool's files, several at once: said by the environment, for it changes no result."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, cast, get_args

from hitl.errors import ParamsError

VARIABLE = "HITL_RUNNER"
Kind = Literal["threads", "processes", "dask"]
MOST = 4
"""Threads or processes at once, unless somebody asks for more: each holds a part of the pool in memory."""
SPREAD = 4
"""Shares for each process: who is done early takes another, and of one that is killed little is lost."""
FAR = 64
"""Shares for a cluster whose size is not known here."""


@dataclass(frozen=True, slots=True)
class Runner:
    """`at_once` threads or processes of this computer, or the Dask cluster whose scheduler listens at `address`."""

    kind: Kind
    at_once: int
    address: str | None = None

    @property
    def shares(self) -> int:
        """In how many shares a large pool is cut."""
        if self.address:
            return FAR
        return self.at_once * (1 if self.kind == "threads" else SPREAD)


def runner() -> Runner:
    """What HITL_RUNNER asks for: threads, processes or dask, each with `:N` for how many, dask also with `:ADDRESS`.

    Raises ParamsError for anything else, and for Dask where it is not installed.

    >>> os.environ[VARIABLE] = "processes:3"
    >>> runner()
    Runner(kind='processes', at_once=3, address=None)
    >>> del os.environ[VARIABLE]
    """
    said = os.environ.get(VARIABLE) or "threads"
    kind, _, rest = said.partition(":")
    address = rest if kind == "dask" and "://" in rest else None
    if kind not in get_args(Kind) or not (address or not rest or (rest.isascii() and rest.isdecimal() and int(rest))):
        raise ParamsError(
            f"{VARIABLE}={said} is nothing that scores: say threads, processes or dask, where wanted with how many "
            "(processes:8), or dask with its scheduler (dask:tcp://10.0.0.5:8786)"
        )
    if kind == "dask" and find_spec("prefect_dask") is None:
        raise ParamsError(f"{VARIABLE}={said} needs Dask, which is not installed: pip install 'hitl[dask]'")
    count = min(MOST, os.cpu_count() or 1) if address or not rest else int(rest)
    return Runner(cast(Kind, kind), count, address)
