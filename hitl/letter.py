"""A letter to an annotator: how the answers held up, what there is to learn, what they changed, and thanks.

It names nobody else, says nothing of speed, and ranks only where params ask for it. Only what was measured is said.
"""

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hitl import agreement
from hitl.agreement import Measured
from hitl.annotators import Record
from hitl.drift import LEVEL
from hitl.mistakes import Mistake
from hitl.report.sections.headline import Tile
from hitl.report.sections.parts import Cell, Column, Picture, Section, Table, columns
from hitl.report.spelled import between, difference, many, measured, opening, part, percent, unit, words
from hitl.report.svg import Svg
from hitl.visible import clipped, quoted

TEAM = 2
"""So many others must have answered, else what the others did together tells what one of them did."""
NAME = 40
TEXT = 400
QUESTIONS = 20
_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A mistake as it is shown: `sent` is the item's sent id, `seen` what the annotator saw of it.

    `passage` is what the guideline of now says of the right class; `is_changed` whether it was another then.
    """

    mistake: Mistake
    sent: str
    seen: Mapping[str, str]
    picture: Picture | None
    passage: str
    is_changed: bool


class Question(NamedTuple):
    """What the annotator asked about an item, and whether the guideline has changed since."""

    round: str
    sent: str
    text: str
    is_changed: bool


class Without(NamedTuple):
    """What the round's model is worth on the test set `among` all labels, and learned anew `without` some of them."""

    metric: str
    among: float
    without: float
    gain: float
    low: float
    high: float


class Taught(NamedTuple):
    """What the annotator's answers are to the round's model.

    Of the `of` labels that people gave, `labels` are the class that the annotator answered, and `alone` of these nobody
    else answered. Of `asked` such items of the round itself, `turned` were taken for another class by the model that
    chose them, and are taken for the annotator's by the one that learned them.
    """

    of: int
    labels: int
    alone: int
    asked: int
    turned: int
    without: Without | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """What a letter is made from: the record of its reader, those of the `others` of that vendor, and what was found.

    `mistakes` counts all that are known. `ranked` has everybody's record where params ask for a leaderboard.
    """

    round_id: str
    when: str
    record: Record
    others: tuple[Record, ...]
    confidence: float
    mistakes: int
    lessons: tuple[Lesson, ...]
    questions: tuple[Question, ...]
    taught: Taught
    ranked: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """What the page shows; the same, in the same order, is the plain text."""

    name: str
    round: str
    when: str
    verdict: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    closing: str


_SHARES: Mapping[str, Callable[[Record], Measured]] = {
    "right where the answer is known": lambda one: one.gold,
    "the label of the item where others answered too": lambda one: one.agrees,
}
"""What there is to compare, by its name."""


def letter_of(sources: Sources) -> Letter:
    """The letter; equal sources give equal letters."""
    parts: tuple[Callable[[Sources], Section | None], ...] = (_held_up, _lessons, _taught, _questions, _ranked)
    made = (one(sources) for one in parts)
    return Letter(
        name=clipped(str(sources.record.annotator_id), NAME),
        round=sources.round_id,
        when=sources.when,
        verdict=_thanks(sources.record),
        tiles=_tiles(sources),
        sections=tuple(one for one in made if one is not None),
        closing="This letter is for you. How fast you answer is not in it."
        + ("" if sources.ranked else " Nobody is ranked."),
    )


def file_name(annotator_id: str) -> str:
    """A name for the letter's files, without an ending: the annotator's where any file system takes it.

    >>> file_name("ann-1"), file_name("Ann/1")
    ('ann-1', 'ann-1-5422e01f')
    """
    if _SAFE.fullmatch(annotator_id):
        return annotator_id
    short = re.sub(r"[^a-z0-9]+", "-", annotator_id.lower()).strip("-")[:40]
    return f"{short or 'annotator'}-{hashlib.sha256(annotator_id.encode()).hexdigest()[:8]}"


def places(records: Sequence[Record]) -> list[tuple[int, Record]]:
    """A place for everybody who answered gold: one more than there are people whose interval lies wholly above.

    So people whose intervals overlap are not told apart by chance alone. By place, then by name.
    """
    told = [one for one in records if one.gold.of]
    placed = [(1 + sum(other.gold.low > one.gold.high for other in told), one) for one in told]
    return sorted(placed, key=lambda pair: (pair[0], pair[1].annotator_id or ""))


def plain(letter: Letter) -> str:
    """The letter as plain text: headings underlined, a table's rows one below the other."""
    lines = [f"{letter.name}: your answers up to {letter.round}", letter.when, "", letter.verdict, ""]
    lines += [f"{tile.name}: {tile.value} ({tile.note})" for tile in letter.tiles]
    for section in letter.sections:
        lines += ["", section.title, "-" * len(section.title), "", *section.words]
        for table in section.tables:
            lines += ["", f"{table.caption}:"]
            for cells in table.rows:
                heads = zip(table.columns, cells, strict=True)
                told = [f"{column.name}: {_text(value)}" for column, value in heads if _text(value)]
                lines += [f"- {told[0]}", *(f"  {one}" for one in told[1:])]
    return "\n".join([*lines, "", letter.closing, ""])


def _text(value: Cell) -> str:
    if isinstance(value, Picture):
        return value.alt
    return "" if isinstance(value, Svg) else value if isinstance(value, str) else value.text


def _thanks(one: Record) -> str:
    said = f"Thank you for {many(one.answers, 'answer')} in {many(len(one.rounds), 'round')}"
    if one.skips:
        times = "once" if one.skips == 1 else f"{one.skips:,} times"
        said += f", and for saying {times} that you could not tell: that is better than a guess"
    return f"{said}."


def _tiles(sources: Sources) -> tuple[Tile, ...]:
    one, taught = sources.record, sources.taught
    tiles = [Tile("Answers", f"{one.answers:,}", f"and {many(one.skips, 'skip')}")]
    if one.gold.of:
        tiles.append(Tile("Right", percent(one.gold.value, 0), f"{_between(one.gold)}; of {_known(one.gold.of)}"))
    if one.agrees.of:
        of = f"of {many(one.agrees.of, 'answer')} where others answered too"
        tiles.append(Tile("As the label", percent(one.agrees.value, 0), f"{_between(one.agrees)}; {of}"))
    tiles.append(Tile("Labels learned", f"{taught.labels:,}", "labels of the model's that are what you answered"))
    return tuple(tiles)


def _held_up(sources: Sources) -> Section:
    one = sources.record
    if not one.gold.of and not one.agrees.of:
        nothing = (
            "Nothing is known yet of how right your answers are: no item whose answer is known was among yours, and no "
            "item that others answered too has a label."
        )
        return Section("answers", "How your answers held up", (nothing,))
    rows, said = [], []
    for name, of_whom in _SHARES.items():
        own, team = of_whom(one), _together([of_whom(other) for other in sources.others], sources.confidence)
        if own.of:
            rows.append((name, _share(own), _share(team) if team else ""))
        if own.of and team:
            said.append(f"{opening(name)}: {_compared(own, team, sources.confidence)}")
    if not one.gold.of:
        said.append("No item whose answer is known was among yours, so how right they are is not known yet.")
    is_compared = any(row[2] for row in rows)
    if not is_compared:
        said.append("Too few others answered to compare you with them without telling what one of them did.")
    names = ("share of answers", "you", *(["the others together"] if is_compared else []))
    shown = tuple(row[: len(names)] for row in rows)
    table = Table("Your answers", columns(*names, number=names[1:]), shown, _interval(sources.confidence), cards=True)
    return Section("answers", "How your answers held up", (*said, *_drifts(one)), tables=(table,))


def _together(shares: Sequence[Measured], confidence: float) -> Measured | None:
    """What the others did together; None where they are too few for that."""
    told = [one for one in shares if one.of]
    if len(told) < TEAM:
        return None
    return agreement.share(sum(_right(one) for one in told), sum(one.of for one in told), confidence)


def _compared(own: Measured, team: Measured, confidence: float) -> str:
    halves = [[True] * _right(one) + [False] * (one.of - _right(one)) for one in (team, own)]
    gain = agreement.difference(halves[0], halves[1], confidence)
    low, high = (difference("accuracy", end) for end in (gain.low, gain.high))
    points = f"{difference('accuracy', gain.value)} points ({low} to {high})"
    if gain.low <= 0 <= gain.high:
        return f"yours and the others' differ by no more than chance may make: {points}."
    return f"yours are so {'oftener' if gain.value > 0 else 'less often'} than the others': {points}."


def _drifts(one: Record) -> list[str]:
    found = (
        (one.by_round, "in later rounds than in earlier ones", "has something become less clear? Tell us"),
        (one.by_position, "late in a sitting than early", "a break may help"),
    )
    said = []
    for drift, where, hint in found:
        if drift.is_real and not math.isnan(drift.change.value):
            points = f"{difference('accuracy', drift.change.value)} points, chance makes so much in at most {LEVEL:.1%}"
            better = drift.change.value > 0
            kind = f"More of your answers are right {where}" if better else f"Fewer of your answers are right {where}"
            said.append(f"{kind} ({points}){': well done' if better else f': {hint}'}.")
    return said


def _lessons(sources: Sources) -> Section | None:
    one = sources.record
    if not sources.lessons:
        if not one.gold.of and not one.agrees.of:
            return None
        return Section("mistakes", "What there is to learn", ("None of your answers is known to be wrong.",))
    these = "This" if len(sources.lessons) == 1 else "These"
    said = (
        f"By what is known now, {many(sources.mistakes, 'answer')} of yours would be another. {these} may teach most: "
        "what is surest, and of the kind that comes "
        "oftenest. If you think that you were right, say so: known answers can be wrong, and are corrected."
    )
    is_quoted = any(lesson.passage for lesson in sources.lessons)
    names = ("item", "what you saw", "you answered", "it is", "how that is known")
    heads = tuple(Column(name, "content" if name == "what you saw" else "text") for name in names)
    heads += (Column("the guideline says", "content"),) if is_quoted else ()
    rows = tuple(_lesson(lesson, is_quoted=is_quoted) for lesson in sources.lessons)
    return Section("mistakes", "What there is to learn", (said,), tables=(Table("Mistakes", heads, rows, cards=True),))


def _lesson(one: Lesson, *, is_quoted: bool) -> tuple[Cell, ...]:
    seen: Cell = one.picture or _seen(one.seen)
    said, truth = clipped(one.mistake.said, NAME), clipped(one.mistake.truth, NAME)
    changed = "The guideline has changed since. " if one.is_changed else ""
    passage = f"{changed}“{one.passage}”" if one.passage else ""
    how = _how(one.mistake) if is_quoted or not changed else f"{_how(one.mistake)}. {changed.strip()}"
    cells: tuple[Cell, ...] = (f"{clipped(one.sent, NAME)} ({one.mistake.round})", seen, said, truth, how)
    return (*cells, passage) if is_quoted else cells


def _seen(cells: Mapping[str, str]) -> str:
    if len(cells) == 1:
        return clipped(next(iter(cells.values())), TEXT)
    return clipped(" · ".join(f"{name}: {value[:TEXT]}" for name, value in cells.items()), TEXT)


def _how(one: Mistake) -> str:
    if one.known == "gold":
        return "its answer was known before you were asked"
    if one.known == "adjudicated":
        return "an adjudicator decided it"
    return f"{one.backers:,} of {many(one.others, 'other')} answered so, and the label is taken for sure"


def _taught(sources: Sources) -> Section:
    found = sources.taught
    if not found.labels:
        said = [f"No label that the model of {sources.round_id} learned is what you answered, so far."]
        return Section("model", "What your labels changed", tuple(said))
    said = [
        f"Of the {many(found.of, 'label')} that people gave and the model of {sources.round_id} learned, "
        f"{found.labels:,} are what you answered; {found.alone:,} of these on your answer alone."
    ]
    if found.asked:
        turned = f"takes {found.turned:,} of them" if found.turned else "takes none of them"
        said.append(
            f"{many(found.asked, 'of them is', 'of them are')} of {sources.round_id}. The model that learned your "
            f"answers {turned} for your class which the model that chose the batch took for another."
        )
    if found.without:
        said.append(_without(found.without, found.alone, sources.confidence))
    return Section("model", "What your labels changed", tuple(said))


def _without(one: Without, alone: int, confidence: float) -> str:
    span = f"{difference(one.metric, one.low)} to {difference(one.metric, one.high)}"
    chance = ": no more than chance may make" if one.low <= 0 <= one.high else ""
    return (
        f"Learned anew without the {many(alone, 'label')} that {'stands' if alone == 1 else 'stand'} on your answer "
        "alone, the model reaches "
        f"{measured(one.metric, one.without)} {words(one.metric)} on the test set; with them it reaches "
        f"{measured(one.metric, one.among)}. They make {difference(one.metric, one.gain)} {unit(one.metric)} "
        f"({percent(confidence, 0)} interval {span}{chance})."
    )


def _questions(sources: Sources) -> Section | None:
    if not sources.questions:
        return None
    said = [f"You asked {many(len(sources.questions), 'question')}: thank you, that is how a guideline gets better."]
    rows = tuple(
        (
            f"{clipped(one.sent, NAME)} ({one.round})",
            quoted(one.text, TEXT),
            "has changed since: please look there" if one.is_changed else "has not changed since",
        )
        for one in sources.questions[:QUESTIONS]
    )
    if len(sources.questions) > QUESTIONS:
        said.append(f"The newest {QUESTIONS} are shown.")
    heads = columns("item", "you asked", "the guideline")
    return Section("questions", "What you asked", tuple(said), tables=(Table("Questions", heads, rows, cards=True),))


def _ranked(sources: Sources) -> Section | None:
    if not sources.ranked:
        return None
    said = (
        "By the share of right answers to items whose answer is known. A place is shared by all who cannot be told "
        "apart: it counts those whose interval lies wholly above."
    )
    rows = tuple(
        (str(place), clipped(str(one.annotator_id), NAME), _share(one.gold)) for place, one in places(sources.ranked)
    )
    heads = columns("place", "who", "right", number=("right",))
    table = Table("Leaderboard", heads, rows, _interval(sources.confidence))
    return Section("leaderboard", "Leaderboard", (said,), tables=(table,))


def _right(one: Measured) -> int:
    return round(one.value * one.of) if one.of else 0


def _share(one: Measured) -> str:
    return f"{part(_right(one), one.of)} [{_between(one)}]"


def _between(one: Measured) -> str:
    return between("accuracy", one.low, one.high)


def _known(of: int) -> str:
    return f"{many(of, 'answer')} to items whose answer is known"


def _interval(confidence: float) -> str:
    return f"In brackets, the {percent(confidence, 0)} interval."
