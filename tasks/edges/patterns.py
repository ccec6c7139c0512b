"""Where regular expressions of the user's own match, found in a process that ends whatever they do.

Python's `re` has no time limit, and cutting the texts would leave parts of them unmasked. A linear engine (RE2) would
need none, but knows neither lookarounds nor Python's Unicode: a pattern would match less than its author saw it match.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from hitl.errors import ParamsError
from hitl.personal import Span
from hitl.visible import clipped

SECONDS = 10.0
"""CPU seconds that a pattern has, whatever it searches."""
PER_MILLION = 2.0
"""CPU seconds that it has for a million characters besides: a pattern of some use takes a tenth of that."""
_PROGRAM = Path(__file__).with_name("pattern_process.py")


def places(patterns: Sequence[str], texts: Sequence[str], *, seconds: float | None = None) -> dict[str, list[Span]]:
    """Each text that a pattern matches, and where.

    Raises ParamsError naming the pattern that takes longer than it may, which only one does that tries the same
    characters in more and more ways.
    """
    if not patterns or not texts:
        return {}
    allowed = (SECONDS if seconds is None else seconds) + PER_MILLION * sum(map(len, texts)) / 1e6
    asked = json.dumps({"patterns": list(patterns), "texts": list(texts), "seconds": allowed})
    # Isolated (-I): what lies in the workspace is never imported. The process has no network and writes no file.
    command = [sys.executable, "-I", "-S", str(_PROGRAM)]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if done.returncode:
        raise ParamsError(
            f"privacy.mask_patterns: {', '.join(patterns)}: the search ended with {done.returncode} "
            f"({clipped(done.stderr[-200:], 200)}); make the patterns simpler"
        )
    found = json.loads(done.stdout)
    if "slow" in found:
        _refuse(patterns, texts, cast(tuple[int, int], found["slow"]), allowed)
    return {text: [(start, end) for start, end in spans] for text, spans in zip(texts, found["spans"], strict=True)}


def _refuse(patterns: Sequence[str], texts: Sequence[str], slow: tuple[int, int], allowed: float) -> None:
    pattern, text = patterns[slow[0]], texts[slow[1]]
    raise ParamsError(
        f"privacy.mask_patterns: {pattern!r} takes more than {allowed:.0f} s (it came as far as a cell of "
        f"{len(text):,} characters): it tries the same characters in too many ways; write no repetition inside a "
        "repetition, and say how many characters each may take"
    )
