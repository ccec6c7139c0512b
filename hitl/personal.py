"""Where e-mail addresses, phone numbers and card numbers stand in what a person wrote.

What has a sign of its kind (an @, a plus, a leading zero, a right check digit) is found even where that takes in a word
beside it; bare numbers are left, for they are orders, dates and amounts far more often. Every search takes time in
proportion to the text, whatever it holds.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from hitl.params import MaskName

Span = tuple[int, int]
"""Where something begins, and where what follows it begins."""

_DASH = "\\-\u2010-\u2015\u2212"
_QUOTED = "\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u2010-\u206f\u3000-\u303f"
"""Punctuation beyond ASCII, which no address has. What is no letter to Python (a combining accent) may be in one."""
_LOCAL = re.compile(rf'(?:"[^"\r\n]{{1,64}}"|[^\s\x00-\x1f"(),:;<>@\[\\\]\x7f{_QUOTED}]{{1,64}})\Z')
_LABEL = rf"[^\s\x00-\x2c./:-@\[-^`{{-\x7f{_QUOTED}]{{1,63}}"
_TOP = rf"(?:xn--[a-zA-Z0-9-]{{1,59}}|[a-zA-Z]{{2,63}}|[^\x00-\x7f\s{_QUOTED}]{{2,63}})"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_TOP}|\[[0-9a-fA-F:.]{{3,45}}\]")
_AT = re.compile("@|%40")

_RUN = re.compile(rf"[0-9]+(?:[ {_DASH}]{{1,3}}[0-9]+)*")
_GROUP = re.compile("[0-9]+")
_SHORTEST, _LONGEST = 13, 19

_GAP = rf"(?:[ ()/{_DASH}]{{0,4}}|\.)"
_ALONE = rf"(?<![\w#])(?<![\w][{_DASH}/])(?<![0-9][.,])"
"""Not the end of a word or a longer number: ORD-0301234567 is an order."""
_DATE = (
    rf"(?![0-9]{{1,2}}([ ./{_DASH}])[0-9]{{1,2}}\1(?:[0-9]{{4}}|[0-9]{{2}})(?![0-9]|\1[0-9]))"
    rf"(?!(?:19|20)[0-9]{{2}}[./{_DASH}][0-9]{{1,2}}(?![0-9]))"
    rf"(?!0[1-9][./{_DASH}](?:19|20)[0-9]{{2}}(?![0-9]))"
)
_SEP = rf"[ .{_DASH}]"
_LAYOUTS = (
    rf"(?:1{_SEP})?[2-9][0-9]{{2}}{_SEP}[0-9]{{3}}{_SEP}[0-9]{{4}}",  # North America, Italy: 555-123-4567
    rf"[6-9][0-9]{{4}}[ {_DASH}][0-9]{{5}}",  # India: 98765 43210
    rf"1[3-9][0-9][ {_DASH}][0-9]{{4}}[ {_DASH}][0-9]{{4}}",  # China: 138 1234 5678
    rf"[1-9][0-9] 9?[0-9]{{4}}[ {_DASH}][0-9]{{4}}",  # Brazil, Mexico: 11 91234-5678
    r"[2-9][0-9](?: [0-9]{2}){3}",  # Denmark, Norway: 20 12 34 56
    r"[5-9][0-9]{2}(?: [0-9]{2}){3}",  # Spain: 612 34 56 78
    rf"[5-9][0-9]{{2}}[{_DASH}][0-9]{{3}}[{_DASH}][0-9]{{3}}",  # Poland: 512-345-678
    rf"8[ {_DASH}]?\(?[0-9]{{3}}\)?[ {_DASH}][0-9]{{3}}[ {_DASH}][0-9]{{2}}[ {_DASH}][0-9]{{2}}",  # Russia
    r"3[0-9]{2} [0-9]{6,7}",  # Italy: 333 1234567
)
_CALLED = (
    r"(?i:\b(?:tel|telefon|telefone|telefono|tel\u00e9fono|t\u00e9l\u00e9phone|telephone|phone|ph|fax|mobile?|mob|"
    r"m\u00f3vil|handy|cellphone|cellulare|celular|whatsapp|sms)\b(?:[\W_]{0,3}\b(?:no|nr|number|nummer|is|ist)\b){0,2})"
)
_PHONES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<![0-9+])(\+\(?[1-9](?:{_GAP}[0-9]){{6,14}})(?![0-9])",
        rf"{_ALONE}(00[1-9](?:{_GAP}[0-9]){{8,13}})(?![0-9])",
        rf"{_ALONE}{_DATE}((?:\(0\) ?|\((?=0[0-9]{{1,5}}\))0|0)[1-9](?:{_GAP}[0-9]){{6,10}})(?![0-9])",
        rf"{_ALONE}(\((?!(?:19|20)[0-9]{{2}}\))[0-9]{{2,5}}\)[ {_DASH}/]{{0,3}}[0-9](?:{_GAP}[0-9]){{4,9}})(?![0-9])",
        rf"{_ALONE}{_DATE}({'|'.join(_LAYOUTS)})(?![0-9]|[.,/{_DASH}][0-9])",
        rf"{_CALLED}[\W_]{{0,5}}(?<![0-9]){_DATE}(\(?[0-9](?:{_GAP}[0-9]){{5,14}})(?![0-9])",
    )
)
_EXTENSION = re.compile(r"[ ,;]{0,2}(?i:ext(?:ension|\.)?|x|durchwahl)[ .:]{0,2}[0-9]{1,6}(?![0-9])")
_CURRENCY = "[%\u20ac$\u00a3\u00a5\u20b9]|(?:EUR|USD|GBP|CHF|JPY|INR|CNY|CAD|AUD|kr|z\u0142)\\b"
_PAID_AFTER = re.compile(rf" ?(?:{_CURRENCY})(?! ?[0-9])")
_PAID_BEFORE = re.compile(rf"(?:{_CURRENCY}) ?\Z")
_THOUSANDS = re.compile(r"\+?[0-9]{1,3}(?:\.[0-9]{3}){1,2}")
_REFERENCE = re.compile(
    r"(?i)(?:order|invoice|ticket|case|ref|reference|booking|tracking|parcel|isbn|account|customer|article|sku|id|"
    r"bestell\w{0,12}|rechnung\w{0,12}|auftrag\w{0,12}|kunden\w{0,12})[\W_]{0,3}(?:(?:no|nr|number|nummer|id)[\W_]{0,3})?\Z"
)


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses, in any script, with a quoted name or %40; a host must have a dot in its name."""
    for at in _AT.finditer(text):
        domain = _DOMAIN.match(text, at.end())
        before = max(0, at.start() - 66)
        local = _LOCAL.search(text[before : at.start()]) if domain else None
        if domain and local:
            bare = next((n for n, char in enumerate(local.group()) if char.isalnum() or char in '"_'), 0)
            yield before + local.start() + bare, domain.end()


def cards(text: str) -> Iterator[Span]:
    """Numbers of 13 to 19 digits whose last is right by Luhn's rule, whole or in groups with spaces or dashes."""
    for run in _RUN.finditer(text):
        groups = [(run.start() + one.start(), run.start() + one.end()) for one in _GROUP.finditer(run.group())]
        first = 0
        while first < len(groups):
            last = _card(text, groups, first)
            if last is not None:
                yield groups[first][0], groups[last][1]
            first = first + 1 if last is None else last + 1


def phones(text: str) -> Iterator[Span]:
    """Phone numbers: with a plus or 00, a leading 0, an area code in parentheses, a usual grouping, or the word."""
    for pattern in _PHONES:
        for match in pattern.finditer(text):
            start, end = match.span(match.lastindex or 0)
            if not _is_other(text, start, end):
                extension = _EXTENSION.match(text, end)
                yield start, extension.end() if extension else end


FINDERS: Mapping[MaskName, Callable[[str], Iterator[Span]]] = {"email": emails, "card": cards, "phone": phones}


def found(text: str, names: Iterable[MaskName]) -> list[tuple[int, int, MaskName]]:
    """Where each of `names` stands in `text`; full-width or unseen characters among the others hide nothing.

    >>> found("mail jo\u200be\uff20x.org now", ["email"])
    [(5, 15, 'email')]
    """
    if text.isascii():
        return [(start, end, name) for name in names for start, end in FINDERS[name](text)]
    plain, places = _plain(text)
    return [(places[start], places[end - 1] + 1, name) for name in names for start, end in FINDERS[name](plain)]


def _plain(text: str) -> tuple[str, list[int]]:
    """`text` with compatible characters made one, digits ASCII, unseen ones left out; where each character stood."""
    pairs = [(char, n) for n, one in enumerate(text) for char in _folded(one)]
    return "".join(char for char, _ in pairs), [n for _, n in pairs]


@cache
def _folded(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.category(char) == "Cf":
        return ""
    return "".join(str(unicodedata.decimal(one, one)) for one in unicodedata.normalize("NFKC", char))


def _card(text: str, groups: Sequence[Span], first: int) -> int | None:
    """The last group of the longest card number that begins with the group `first`."""
    if re.search(r"[0-9][.,]\Z", text[max(0, groups[first][0] - 2) : groups[first][0]]):
        return None
    digits, best = "", None
    for last in range(first, len(groups)):
        start, end = groups[last]
        if len(digits) + end - start > _LONGEST:
            break
        digits += text[start:end]
        if len(digits) >= _SHORTEST and _is_right(digits) and not re.match("[.,][0-9]", text[end : end + 2]):
            best = last
        if end - start < 3:  # no bank prints a shorter group but as the last
            break
    return best


def _is_right(digits: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B); nobody's card is all zeros."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[::-2]))) % 10 == 0 and digits.strip("0") != ""


def _is_other(text: str, start: int, end: int) -> bool:
    """Whether the number there is an amount of money, or one of an order rather than a phone."""
    number, before = text[start:end], text[max(0, start - 40) : start]
    if _PAID_AFTER.match(text, end) or _PAID_BEFORE.search(before) or _THOUSANDS.fullmatch(number):
        return True
    if not number.isdecimal():
        return False
    # Only digits: a leading zero must make a whole phone number of them, unless a word before says what they are.
    return _REFERENCE.search(before) is not None or (len(number) < 10 and not _said(before))


def _said(before: str) -> bool:
    return re.search(rf"{_CALLED}[\W_]{{0,5}}\Z", before) is not None
