"""Searches texts for regular expressions; a program of its own, which a pattern that never ends cannot outlive.

    python3 -I -S pattern_process.py < ASKED > FOUND

ASKED is {"patterns", "texts", "seconds"}: CPU seconds for each pattern over all texts. FOUND is {"spans"}: for each
text the places that a pattern matches; or {"slow": [pattern, text]}: where a pattern took longer, by their numbers.
"""

import json
import re
import signal
import sys
from types import FrameType

Spans = list[list[tuple[int, int]]]


class Slow(Exception):
    """A pattern took longer than it may."""


def search(patterns: list[str], texts: list[str], seconds: float) -> dict[str, object]:
    """What stands in FOUND. Python's engine looks for signals while it matches, in the main thread alone."""
    signal.signal(signal.SIGVTALRM, _stop)
    spans: Spans = [[] for _ in texts]
    for number, pattern in enumerate(patterns):
        compiled, place = re.compile(pattern), 0
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            for place, text in enumerate(texts):
                spans[place] += [match.span() for match in compiled.finditer(text)]
        except Slow:
            return {"slow": [number, place]}
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return {"spans": spans}


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Slow


if __name__ == "__main__":
    json.dump(search(**json.load(sys.stdin)), sys.stdout)
