"""What a guideline says of a class: the passage that names it, or nothing. No word is added."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from hitl.visible import clipped

LONGEST = 600
_ORDINARY = frozenset(("all", "any", "both", "false", "no", "none", "not", "other", "same", "some", "true", "yes"))
"""Classes whose word alone names no class: it must be marked, or stand in front."""
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_ENTRY = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)$")
_RULE = re.compile(r"[\s|:+=_*-]*")
_AFTER = r"\s*(?:$|[:,;.=(|·\u2013\u2014-])"
_OPEN, _CLOSE = "[`*_\"'\u201c\u2018\u00ab]+", "[`*_\"'\u201d\u2019\u00bb]+"

Kind = Literal["heading", "entry", "row", "paragraph"]


@dataclass(frozen=True, slots=True)
class _Block:
    kind: Kind
    level: int
    text: str


def passage(
    guideline: str, label: str, *, instead: str = "", classes: Collection[str] = (), unwritten: str = ""
) -> str:
    r"""The passage of a Markdown `guideline` that names the class `label`, on one line; "" where none does.

    In this order: the section under a heading that is the class, what begins with it (an entry of a list, a row of a
    table, a paragraph), what has it in quotes or code, and what has it as a word. Of several the one that names the
    class `instead` too, then the first. What lists all `classes` tells of none, nor what holds the text `unwritten`.

    >>> passage("- `wet`: it rained\n- `dry`: it did not", "dry")
    'dry: it did not'
    """
    blocks = list(_blocks(guideline))
    # Where two classes differ by case alone, the case must be right.
    alike = sum(one.casefold() == label.casefold() for one in {*classes, label}) > 1
    flags = 0 if alike else re.IGNORECASE
    found = []
    for place, block in enumerate(blocks):
        rank = _rank(block, label, flags)
        text = _section(blocks, place) if block.kind == "heading" else block.text
        lists_all = len(classes) > 2 and all(_names(block.text, one, flags) for one in classes)
        if rank is not None and text and not lists_all and not (unwritten and unwritten in text):
            found.append((rank, not (instead and _names(text, instead, flags)), place, text))
    return clipped(_plain(min(found)[-1]), LONGEST) if found else ""


def _rank(block: _Block, label: str, flags: int) -> int | None:
    """How surely the block speaks of the class, 0 the surest; None where it does not name it."""
    word = re.escape(label)
    if block.kind == "heading":
        return 0 if _leads(block.text, word, flags) else None
    if _leads(block.text, word, flags):
        return 1
    if re.search(rf"{_OPEN}{word}{_CLOSE}", block.text, flags):
        return 2
    is_plain = label.casefold() in _ORDINARY or not any(char.isalpha() for char in label)
    return 3 if not is_plain and _names(block.text, label, flags) else None


def _leads(text: str, word: str, flags: int) -> bool:
    return re.match(rf"(?:{_OPEN}{word}{_CLOSE}|{word}{_AFTER})", text, flags) is not None


def _names(text: str, label: str, flags: int) -> bool:
    return re.search(rf"(?<!\w){re.escape(label)}(?!\w)", text, flags) is not None


def _section(blocks: list[_Block], place: int) -> str:
    """The heading at `place` and what stands under it; "" where nothing does."""
    heading, under = blocks[place], []
    for block in blocks[place + 1 :]:
        if block.kind == "heading" and block.level <= heading.level:
            break
        under.append(block.text)
    return f"{heading.text}: {' '.join(under)}" if under else ""


def _blocks(guideline: str) -> Iterator[_Block]:
    """Headings, entries of lists, rows of tables and paragraphs, each on one line; fenced code is left out."""
    kind: Kind = "paragraph"
    lines: list[str] = []
    fenced = False
    for line in [*guideline.splitlines(), ""]:
        fence = line.lstrip().startswith(("```", "~~~"))
        heading, entry = _HEADING.match(line), _ENTRY.match(line)
        is_row = line.lstrip().startswith("|")
        if lines and (fence or heading or entry or is_row or not line.strip()):
            yield _Block(kind, 0, " ".join(lines))
            kind, lines = "paragraph", []
        fenced ^= fence
        if fenced or fence or _RULE.fullmatch(line):
            continue
        if heading:
            yield _Block("heading", len(heading[1]), heading[2])
        elif is_row:
            yield _Block("row", 0, " | ".join(cell.strip() for cell in line.strip().strip("|").split("|")))
        elif entry:
            kind, lines = "entry", [entry[1]]
        else:
            lines.append(line.strip())


def _plain(text: str) -> str:
    """Without the marks of Markdown around words."""
    return re.sub(r"`+|\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)", "", text)
