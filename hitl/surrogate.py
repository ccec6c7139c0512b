"""What an item is called outside: its own id where every spreadsheet leaves that alone, or else a word of letters.

A surrogate hides nothing, for whoever guesses the id can compute it; a pseudonym needs the vendor's key.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable

from hitl.errors import DataError
from hitl.spreadsheet_words import BESIDE_NUMBERS, CURRENCIES, MISSING, MONTHS, ROMAN, TRUTHS

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels and Y no word comes about, in any language: neither a month nor an insult."""
_LENGTH = 15
"""Letters before the check letter: 20 ** 15 is 64.8 bits."""
_WELL_FORMED = re.compile(f"[{_LETTERS}]{{{_LENGTH}}}[A-Z]")
# Excel shows a number of 12 digits or more as 1.23457E+11, and saves what it shows.
_SHAPE = re.compile(r"0|[1-9][0-9]{0,10}|[A-Za-z][A-Za-z0-9._/:-]{0,254}")
_NUMBERLIKE = MONTHS | ROMAN | CURRENCIES | BESIDE_NUMBERS
_RESERVED = TRUTHS | MISSING
_WORD, _DIGIT, _SIGN = re.compile("[a-z]+"), re.compile("[0-9]"), re.compile("[._/:-]")
_SHOWN = 20


def is_safe(id: str) -> bool:
    """Whether Excel, LibreOffice, Google Sheets and Numbers save `id` as they found it, whatever their language.

    Only what is surely left alone is safe: whole numbers of up to 11 digits, and words of ASCII letters, digits and
    `. _ / : -` that begin with a letter and are no date, amount, truth value or missing value.

    >>> [is_safe(id) for id in ("it_0007ab", "img-12.png", "4711")]
    [True, True, True]
    >>> [is_safe(id) for id in ("00012", "1E5", "3-4", "MARCH1", "=x", "TRUE", "a b")]
    [False, False, False, False, False, False, False]
    """
    if not _SHAPE.fullmatch(id):
        return False
    text = id.lower()
    return text.rstrip(".") not in _RESERVED and not _is_date_or_money(text)


def surrogate(id: str) -> str:
    """The word of 16 capital letters under which an id goes out that is not safe: always the same for one id.

    >>> surrogate("00012"), is_surrogate(surrogate("00012"))
    ('ZGSJBMQHGFWXGXTO', True)
    """
    return _spelled(hashlib.sha256(_bytes(id)).digest())


def is_surrogate(text: str) -> bool:
    """Whether `text` has the form of a surrogate or pseudonym, and its check letter is right."""
    return _WELL_FORMED.fullmatch(text) is not None and check_letter(text[:-1]) == text[-1]


def check_letter(word: str) -> str:
    """The check letter of a word of capital letters by ISO 7064:2003, MOD 27,26.

    It finds every wrong letter, and nearly every swap of neighbours.
    """
    product = 26
    for letter in word:
        product = 2 * ((product + ord(letter) - ord("A")) % 26 or 26) % 27
    return chr(ord("A") + (1 - product) % 26)


def vendor_key(master: bytes, vendor: str) -> bytes:
    """The key of one vendor's pseudonyms, from which nothing follows about another vendor's, or the master key."""
    return hmac.digest(master, b"vendor\0" + _bytes(vendor), "sha256")


def pseudonym(id: str, key: bytes) -> str:
    """The word of 16 capital letters that stands for an item at the vendor whose key this is."""
    return _spelled(hmac.digest(key, b"item\0" + _bytes(id), "sha256"))


def sent(ids: Iterable[str], *, key: bytes | None = None) -> dict[str, str]:
    """Under what each item goes out: its pseudonym where there is a key, else its id if that is safe, else a surrogate.

    Raises DataError with the list when two items would go out under one name.
    """
    found = {id: pseudonym(id, key) if key else id if _may_stay(id) else surrogate(id) for id in ids}
    owner: dict[str, str] = {}
    clashes = [(id, owner[name]) for id, name in found.items() if owner.setdefault(name, id) != id]
    if clashes:
        listed = ", ".join(f"{one!r} and {other!r}" for one, other in clashes[:_SHOWN])
        more = ", ..." if len(clashes) > _SHOWN else ""
        raise DataError(
            f"{len(clashes)} item ids would go out under the name of another: {listed}{more}; rename one of each"
        )
    return found


def _may_stay(id: str) -> bool:
    """Whether `id` is safe and has not the form of a surrogate, so that it can be no other item's."""
    return is_safe(id) and not is_surrogate(id)


def _is_date_or_money(text: str) -> bool:
    """Whether every word in `text` is one that goes with numbers, and one of them makes a date or an amount of it."""
    words = _WORD.findall(text)
    if not _NUMBERLIKE.issuperset(words):
        return False
    if not MONTHS.isdisjoint(words) or (not ROMAN.isdisjoint(words) and _SIGN.search(text)):
        return True
    return not CURRENCIES.isdisjoint(words) and _DIGIT.search(text) is not None


def _spelled(digest: bytes) -> str:
    number, word = int.from_bytes(digest), ""
    for _ in range(_LENGTH):
        number, place = divmod(number, len(_LETTERS))
        word += _LETTERS[place]
    return word + check_letter(word)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
