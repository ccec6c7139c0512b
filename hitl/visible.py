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


def escaped(json_text: str) -> str:
    r"""JSON that means the same, with every hidden character but the line ends of its layout spelled as its escape.

    >>> print(escaped('{"label": "\u202egnp.exe"}'))
    {"label": "\u202egnp.exe"}
    """
    if json_text.isascii() and "\x7f" not in json_text:
        return json_text
    return "".join(char if char == "\n" or not _hides(char) else _as_escape(char) for char in json_text)


def visible_lines(text: str) -> str:
    r"""`text` made visible line by line: as a message that may have several lines.

    >>> visible_lines("one\ntwo\x1b[2J")
    'one\ntwo␛[2J'
    """
    return "\n".join(visible(line) for line in text.split("\n"))


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


def _hides(char: str) -> bool:
    return unicodedata.category(char) in HIDDEN and char not in JOINERS


def _as_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()  # JSON has no escape for a character beyond U+FFFF
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _seen(char: str) -> str:
    if not _hides(char):
        return char
    point = ord(char)
    if point < 0x20:
        return chr(PICTURES + point)
    return "␡" if point == 0x7F else f"⟨U+{point:04X}⟩"
