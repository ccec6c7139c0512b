"""Runs a function in a forked child with limits: what the corpus' own runner does, so that a hang or a crash is found.

The parent imports nothing heavy and starts no thread: then a fork is safe, and costs a few milliseconds.
"""

import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

ADDRESS_SPACE = 8 << 30

Answer = dict[str, Any]


def forked(act: Callable[[], Answer], *, seconds: float = 600, loud: bool = False) -> Answer:
    """What `act` returns (JSON), with `seconds` and `rss_mb`; {"error": ...} when it raised, died or hung."""
    return wait(*start(act, seconds=seconds, loud=loud))


def start(act: Callable[[], Answer], *, seconds: float = 600, loud: bool = False) -> tuple[int, int, float]:
    """Begin `act` in a child; `wait` takes what comes back from here."""
    sys.stdout.flush()
    reading, writing = os.pipe()
    began, pid = time.perf_counter(), os.fork()
    if pid == 0:
        os.close(reading)
        try:
            _child(act, writing, seconds, loud=loud)
        finally:
            os._exit(0)  # whatever happened: a child must never go on as its parent
    os.close(writing)
    return pid, reading, began


def wait(pid: int, reading: int, began: float) -> Answer:
    """The answer of a child that was begun."""
    with os.fdopen(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    answer: Answer = json.loads(text) if text else {"error": f"died, wait status {status} (14: hung)"}
    return {**answer, "seconds": round(time.perf_counter() - began, 3)}


def spread(
    acts: Sequence[Callable[[], Answer]], limits: Sequence[float], *, lanes: int = os.cpu_count() or 1
) -> list[Answer]:
    """The answers of `acts`, in their order, from children that each take every n-th one and fork for it in turn."""

    def share(first: int) -> Answer:
        turns = zip(acts[first::lanes], limits[first::lanes], strict=True)
        return {"answers": [forked(act, seconds=limit) for act, limit in turns]}

    begun = [start(lambda first=first: share(first)) for first in range(lanes)]  # type: ignore[misc]
    shares = [wait(*one) for one in begun]
    broken = [{"error": f"its runner {one['error']}"} for one in shares if "error" in one]
    found = {
        first + turn * lanes: one
        for first, share in enumerate(shares)
        for turn, one in enumerate(share.get("answers", ()))
    }
    return [found[number] if number in found else broken[0] for number in range(len(acts))]


def _child(act: Callable[[], Answer], writing: int, seconds: float, *, loud: bool) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    if not loud:
        os.dup2(nowhere, 2)
    try:
        answer = act()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the finding
        where = traceback.extract_tb(error.__traceback__)[-1]
        answer = {"error": f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"[:300]}
    answer["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with os.fdopen(writing, "w", encoding="utf-8", errors="surrogateescape") as pipe:
        pipe.write(json.dumps(answer))
