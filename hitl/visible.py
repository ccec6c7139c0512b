"""Text as a page may show it: nothing that hides, reorders or breaks what stands beside it."""

import unicodedata

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"  # words and emoji of many scripts need them; they reorder nothing
PICTURES = 0x2400


def visible(text: str) -> str:
    r"""`text` with every control, bidi, zero-width and surrogate character replaced by one that is seen.

    >>> visible("cat\x00")
    'cat␀'
    >>> visible("\u202egnp.exe")
    '⟨U+202E⟩gnp.exe'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(char) for char in text)


def clipped(text: str, limit: int) -> str:
    """`text` on one line, made visible, and no longer than `limit` characters plus an ellipsis.

    Only the start is looked at, so a cell of any size costs the same.
    """
    line = " ".join(text[: 4 * limit].split(None))
    kept = visible(line[:limit].rstrip())
    return kept if len(line) <= limit and len(text) <= 4 * limit else f"{kept}…"


def quoted(text: str, limit: int) -> str:
    """`text` as a value somebody wrote: made visible with its white space kept, clipped at `limit` characters."""
    return visible(text[:limit]) + ("…" if len(text) > limit else "")


def _seen(char: str) -> str:
    if unicodedata.category(char) not in HIDDEN or char in JOINERS:
        return char
    point = ord(char)
    if point < 0x20:
        return chr(PICTURES + point)
    return "␡" if point == 0x7F else f"⟨U+{point:04X}⟩"
