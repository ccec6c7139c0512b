"""The contract as a page for vendors, in Markdown."""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from hitl.delivery.advice import ADVICE
from hitl.delivery.reasons import Reason
from tests.spec.contract import CHAPTERS
from tests.spec.rule import Answer, Chapter, Rule, Step

TITLE, CODES = "What you may send, and what you get", "All codes"

FRONT = Path(__file__).with_name("front.md")

_VERDICTS = {"accept": "Accepted", "quarantine": "Held", "reject": "Sent back whole"}


def contract() -> str:
    """The whole page."""
    chapters = [part for number, one in enumerate(CHAPTERS, start=1) for part in _chapter(number, one)]
    front = FRONT.read_text(encoding="utf-8").strip()
    return "\n\n".join([f"# {TITLE}", front, _contents(), *chapters, *_codes()]) + "\n"


def _chapter(number: int, chapter: Chapter) -> Iterator[str]:
    yield f"## {number} {chapter.title}"
    yield _paragraph(chapter.intro)
    for n, rule in enumerate(chapter.rules, start=1):
        yield f"### {number}.{n} {rule.title}"
        yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield _paragraph(rule.says)
    for case in rule.cases:
        for step in case:
            yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    yield from filter(None, [step.lead, _named(step)])
    yield _block("csv", step.sent.shown)
    if step.sent.manifest:
        yield f"and beside it `{step.sent.name}.manifest.json`:"
        yield _block("json", step.sent.manifest)
    yield f"> {' '.join(_answer(step.answer))}{' *(only we can see this)*' if step.unseen else ''}"
    if step.answer.receipt:
        yield _block("json", json.dumps(_nested(step.answer), indent=1))
    if step.answer.redo:
        yield "and `redo.csv` is"
        yield _block("csv", step.answer.redo)


def _named(step: Step) -> str:
    return "" if step.sent.name == "answers.csv" else f"`{step.sent.name}`:"


def _answer(answer: Answer) -> Iterator[str]:
    rows = f" row{'s' * (len(answer.held) > 1)} {', '.join(map(str, answer.held))}" if answer.held else ""
    codes = (*answer.about, *answer.also)
    yield f"**{_VERDICTS[answer.verdict]}{rows}{'.' if not codes else ':'}**"
    if codes:
        yield "; ".join(f"`{code}` {Reason(code).meaning}" for code in codes) + "."
    if answer.proposed:
        yield f"We propose `{answer.proposed}`."
    if answer.duplicate:
        yield f"{answer.duplicate} row{'s are duplicates' if answer.duplicate > 1 else ' is a duplicate'}."
    if answer.held:
        yield "Every other row is accepted."


def _nested(answer: Answer) -> dict[str, object]:
    """Dotted names as the receipt nests them."""
    found: dict[str, object] = {}
    for name, value in answer.receipt.items():
        outer, _, inner = name.partition(".")
        branch = found.setdefault(outer, {}) if inner else found
        assert isinstance(branch, dict)
        branch[inner or outer] = value
    return found


def _contents() -> str:
    """The chapters, each a link to its heading."""
    titles = [f"{number} {one.title}" for number, one in enumerate(CHAPTERS, start=1)]
    return "\n".join(f"- [{title}](#{_anchor(title)})" for title in (*titles, CODES))


def _anchor(title: str) -> str:
    """What a heading is called in a link, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _codes() -> Iterator[str]:
    places = {
        code: f"{n}.{m}"
        for n, chapter in enumerate(CHAPTERS, start=1)
        for m, rule in enumerate(chapter.rules, start=1)
        for code in rule.codes
    }
    lines = [f"| `{code}` | {code.meaning} | {ADVICE[code]} | {places[code]} |" for code in Reason]
    yield f"## {CODES}"
    yield "\n".join(["| code | means | what to do | rule |", "|---|---|---|---|", *lines])


def _block(kind: str, text: str) -> str:
    """The text as it stands in a file; what is only told of a file stands in brackets."""
    return f"*{text}*" if text.startswith("(") else f"```{kind}\n{text.rstrip(chr(10))}\n```"


def _paragraph(text: str) -> str:
    return textwrap.fill(text, width=120, break_long_words=False, break_on_hyphens=False)
