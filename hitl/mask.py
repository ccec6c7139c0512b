"""Masks the cells of the vendor's copy: what the params call private is replaced by a word that anybody sees.

It changes the copy that goes out, before that is written. The model and our own tables keep the original, and what
comes back is compared with what was sent.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from hitl.params import Kind, MaskName
from hitl.personal import Span, found

OWN = "mask_patterns"
"""How the patterns of one's own are called together."""
WORDS: Mapping[str, str] = {"email": "[email]", "card": "[card]", "phone": "[phone]", OWN: "[masked]"}
"""The word for each, the more telling first: of two that overlap, it stands for both."""
_PICTURE = re.compile(r"[^\s@]+\.(?i:png|jpe?g|gif|webp|bmp|svg|tiff?)")


def maskable(columns: Iterable[str], kinds: Mapping[str, Kind]) -> tuple[str, ...]:
    """The columns that hold words. Ignored ones are of them: a column of e-mail addresses teaches a model nothing."""
    return tuple(name for name in columns if kinds[name] not in ("numeric", "boolean"))


def texts(rows: Iterable[Mapping[str, str]], columns: Collection[str]) -> list[str]:
    """The different cells in `columns` that are masked, sorted. The path of a picture is not: nobody could open it."""
    return sorted({row[name] for row in rows for name in columns if row[name] and not _PICTURE.fullmatch(row[name])})


def masked(text: str, names: Iterable[MaskName], own: Iterable[Span] = ()) -> tuple[str, frozenset[str]]:
    """`text` with each `names` and each place of `own` replaced by its word, and which were there.

    >>> masked("Write to jo@example.org or +49 30 1234567", ["email", "phone"])[0]
    'Write to [email] or [phone]'
    """
    spans = [*found(text, names), *((start, end, OWN) for start, end in own if start < end)]
    if not spans:
        return text, frozenset()
    parts, at = [], 0
    for start, end, name in _apart(spans):
        parts += [text[at:start], WORDS[name]]
        at = end
    return "".join([*parts, text[at:]]), frozenset(name for _, _, name in spans)


def redact(
    rows: Sequence[Mapping[str, str]],
    columns: Collection[str],
    names: Collection[MaskName],
    own: Mapping[str, Iterable[Span]],
) -> tuple[list[dict[str, str]], dict[str, int]]:
    """The rows with the cells of `columns` masked, and in how many cells each of the names was.

    `own` says for a cell where the patterns of one's own match it.
    """
    known = {text: masked(text, names, own.get(text, ())) for text in texts(rows, columns)}
    cells = Counter(name for row in rows for column in columns for name in known.get(row[column], ("", ()))[1])
    covered = [
        {name: known[text][0] if name in columns and text in known else text for name, text in row.items()}
        for row in rows
    ]
    return covered, dict(sorted(cells.items()))


def _apart(spans: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The spans in order, those that overlap as one."""
    apart: list[tuple[int, int, str]] = []
    for start, end, name in sorted(spans):
        if apart and start < apart[-1][1]:
            first, last, other = apart[-1]
            apart[-1] = first, max(last, end), min(name, other, key=list(WORDS).index)
        else:
            apart.append((start, end, name))
    return apart
