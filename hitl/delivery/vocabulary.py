"""Matching a cell to one of the words it may hold: exactly, or by a change that loses nothing, and never by a guess."""

import re
import unicodedata
from collections.abc import Callable, Collection
from functools import cached_property
from typing import Protocol

from hitl.contract import original
from hitl.delivery.index import Index
from hitl.delivery.reasons import Reason

QUOTES = "'\"`\u2018\u2019\u201c\u201d\u00ab\u00bb"
# Longer cells and further misspellings are no slips of a key: they get no proposal, so a hostile file costs nothing.
LONGEST, SLIPS = 200, 500
WHOLE_FLOAT = re.compile(r"(-?[0-9]+)\.0+")


class Words(Collection[str], Protocol):
    """Texts that can be asked for by their place."""

    def __getitem__(self, place: int, /) -> str: ...


class Vocabulary:
    """The words a column may hold. `words` is kept, not copied: it may be all ids of a long batch."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self._typos: dict[str, str] = {}

    def find(self, cell: str) -> tuple[str, Reason | None] | None:
        """The word that `cell` is, and what had to be left out to see it; None when it is none of them.

        >>> Vocabulary(["cat", "dog"]).find(" cat")
        ('cat', <Reason.W_TRIMMED: 'W_TRIMMED'>)
        """
        if cell in self.words:
            return cell, None
        trimmed = cell.strip(" ")
        if trimmed in self.words:
            return trimmed, Reason.W_TRIMMED
        word = "" if trimmed.isascii() else self._one(self._composed, _compose, trimmed)
        if word:
            return word, Reason.W_NORMALISED
        # The pack itself writes '=x for =x: the one spelling that we added, so that we can take it away.
        plain = original(trimmed)
        return (plain, None) if plain in self.words else None

    def near(self, cell: str) -> str:
        """The one word that differs from `cell` in case, spaces, quotes or invisible characters only, else "".

        >>> Vocabulary(["cat", "dog"]).near("\u201cCat\u201d")
        'cat'
        """
        return "" if len(cell) > LONGEST else self._one(self._folded, _fold, cell)

    def typo_of(self, cell: str) -> str:
        """The one word a single slip of the key away from `cell`, when no other word is anywhere near, else "".

        >>> Vocabulary(["cat", "dog"]).typo_of("catt")
        'cat'
        >>> Vocabulary(["cat", "car"]).typo_of("caz")
        ''
        """
        if cell not in self._typos and len(self._typos) < SLIPS:
            self._typos[cell] = "" if len(cell) > LONGEST else self._one_slip(_fold(cell))
        return self._typos.get(cell, "")

    def _one_slip(self, text: str) -> str:
        if len(text) < 3:
            return ""
        close = [word for word in self.words if abs(len(word) - len(text)) < 3 and _edits(_fold(word), text) < 3]
        return close[0] if len(close) == 1 and _edits(_fold(close[0]), text) < 2 else ""

    def _one(self, index: Index, form: Callable[[str], str], cell: str) -> str:
        """The one word that has the same form as `cell`; "" where there is none, or more, so that none is preferred."""
        wanted = form(cell)
        found = {word for word in map(self.words.__getitem__, index.places(hash(wanted))) if form(word) == wanted}
        return found.pop() if len(found) == 1 else ""

    @cached_property
    def _composed(self) -> Index:
        return Index(hash(_compose(word)) for word in self.words)

    @cached_property
    def _folded(self) -> Index:
        return Index(hash(_fold(word)) for word in self.words)


def _compose(text: str) -> str:
    """The composed form of a text. A plain one has no other, and is that of none: no cell has a NUL."""
    return f"\0{text}" if text.isascii() else unicodedata.normalize("NFC", text)


def _fold(text: str) -> str:
    visible = text if text.isascii() else "".join(filter(_is_seen, unicodedata.normalize("NFKC", text)))
    bare = visible.strip().strip(QUOTES).strip().casefold()
    number = WHOLE_FLOAT.fullmatch(bare)
    return number.group(1) if number else bare


def _is_seen(mark: str) -> bool:
    return unicodedata.category(mark) != "Cf"


def _edits(one: str, other: str) -> int:
    """How many letters must be added, dropped or changed to turn one word into the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(other, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]
