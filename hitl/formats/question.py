"""Which question of a form was answered with classes: one file holds labels, comments, codes and free text together."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from hitl.errors import ParamsError
from hitl.formats.annotation import Annotation, Dropped
from hitl.formats.format import WrongExport

FEW: Final = 20
"""So many different answers are classes as soon as each was given twice on average."""
MANY: Final = 5_000
"""More different answers than this are no classes."""
LONGEST: Final = 120
"""Characters of a class: it has a name, not a paragraph."""
TEXT: Final = "free text"
"""What was given where the tool itself says that no class was asked for."""
_USUAL: Final = frozenset(
    ("label", "labels", "class", "category", "sentiment", "choice", "classification", "topic", "intent")
)
REMARKS: Final = frozenset(("comment", "comments", "comments_box", "feedback"))
"""What a question is called that asks for a remark."""
_REASON: Final = re.compile(r"comment|feedback|remark|note|reason|expla|justif|rationale|why", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d+")
_SHOWN: Final = 12


class Ticked(NamedTuple):
    """The answer to one question: the classes named, none when it was left out.

    `closed`: the tool itself says that they were a choice; `drawn`: what was marked or written instead of a class.
    """

    classes: tuple[str, ...]
    closed: bool = True
    drawn: str = ""


class Answer(NamedTuple):
    """What one person handed in: the answers by question, and the annotation that they make, still without labels."""

    form: Mapping[str, Ticked]
    first: Callable[[], Annotation]


class Question:
    """The answers to one question, counted."""

    def __init__(self, name: str) -> None:
        self._is_usual = name.lower().rpartition(".")[2] in _USUAL
        self._is_remark = name.lower() in REMARKS
        self.is_reason = bool(_REASON.search(name))
        self.answers = 0
        self.offered = False
        self.drawn = ""
        self._given: Counter[str] = Counter()
        self._written = False

    def add(self, answer: Ticked) -> None:
        """Counts one person's answer to it."""
        names = answer.classes
        self.answers += bool(names)
        self.offered |= answer.closed
        self.drawn = answer.drawn or self.drawn
        if not self._written:
            self._given.update(names)
            self._written = len(self._given) > MANY or any(len(name) > LONGEST or "\n" in name for name in names)

    def join(self, other: "Question") -> None:
        """Counts the answers to another question as answers to this one."""
        self.answers += other.answers
        self.offered |= other.offered
        self.drawn = self.drawn or other.drawn
        self._written |= other._written  # noqa: SLF001 - its own class
        self._given += other._given  # noqa: SLF001

    @property
    def has_classes(self) -> bool:
        """Whether it was a choice, or its answers repeat as classes do: what people write is mostly written once."""
        if self.drawn or self.offered or self._written or self._is_remark:
            return self.offered and not self.drawn
        given, different = self._given.total(), len(self._given)
        once = sum(count == 1 for count in self._given.values())
        few = different <= FEW and given >= 2 * different
        return self._is_usual or (given > 0 and (few or (given >= 5 * different and 5 * once <= different)))

    @property
    def differs(self) -> bool:
        """Whether two answers to it were not the same."""
        return self._written or len(self._given) > 1

    @property
    def is_numeric(self) -> bool:
        """Whether it was answered with whole numbers alone."""
        return not self._written and all(name.lstrip("-").isdecimal() for name in self._given)


def read(
    told: Callable[[], Iterable[Answer | Dropped]], wanted: str, *, tool: str, instead: str = ""
) -> Iterator[Annotation | Dropped]:
    """The annotations in what `told` tells, twice over: to find out which questions have labels, then to read them.

    Raises ParamsError when no question is called as `wanted`, and WrongExport when what was answered has no classes.
    """
    questions: dict[str, Question] = {}
    for one in told():
        for name, answer in one.form.items() if isinstance(one, Answer) else ():
            if name not in questions:
                questions[name] = Question(name)
            questions[name].add(answer)
    names = _answered(questions, wanted, tool=tool, instead=instead)
    for one in told():
        if isinstance(one, Dropped):
            yield one
            continue
        drawn = {answer.drawn: None for answer in one.form.values() if answer.drawn not in ("", TEXT)}
        if all(answer.drawn and answer.drawn != TEXT for answer in one.form.values()) and drawn:
            yield from (Dropped(f"answers that are {what}", one.first().place) for what in drawn)
            continue
        yield from _parts(one, names)
        yield from (Dropped(f"{what} beside the classes", one.first().place) for what in drawn)


def _answered(questions: Mapping[str, Question], wanted: str, *, tool: str, instead: str) -> tuple[str, ...]:
    """The questions whose answers are labels: the one `wanted`, else all that were answered with classes.

    Where nothing tells what was a choice, a question to which all say the same, and numbers (counters, ratings), step
    back where there is another one; and numbers beside free text that does not explain them are no labels.
    """
    if not questions:
        return ()
    if wanted:
        if wanted not in questions:
            raise ParamsError(f"no annotation answers a question called {wanted!r}; there are {_names(questions)}")
        if questions[wanted].drawn:
            raise WrongExport(tool, questions[wanted].drawn, instead)
        return (wanted,)
    families: dict[str, Question] = {}
    for name, question in questions.items():
        families.setdefault(_family(name), Question(name)).join(question)
    found = [name for name in questions if families[_family(name)].has_classes]
    offered = {name for name in found if questions[name].offered}
    others = [name for name in found if name not in offered]
    for kept in ([n for n in others if questions[n].differs], [n for n in others if not questions[n].is_numeric]):
        others = [name for name in others if name in kept] or ([] if offered else others)
    found = [name for name in found if name in offered or name in others]
    rest = [question for name, question in questions.items() if not (name in found or name.lower() in REMARKS)]
    is_counted = bool(found) and not offered and all(questions[name].is_numeric for name in found)
    is_text = any(question.answers and not (question.is_numeric or question.is_reason) for question in rest)
    if (is_counted and is_text) or (not found and any(question.answers or question.drawn for question in rest)):
        raise WrongExport(tool, _what(questions), _way_out(questions) or instead)
    return tuple(found)


def _parts(one: Answer, names: Sequence[str]) -> Iterator[Annotation]:
    """An annotation as a record for each of the questions that it answers; one record when it answers none."""
    first = one.first()
    remarks = [said for name, answer in one.form.items() if _is_remark(name, answer, names) for said in answer.classes]
    if remarks:
        first = first._replace(comment="\n".join(filter(None, [first.comment, *remarks])))
    given = [name for name in names if name in one.form and one.form[name].classes]
    if not given or first.status == "skipped":
        status = "empty" if first.status == "labeled" else first.status
        yield first._replace(status=status)
        return
    for part, name in enumerate(given):
        yield first._replace(label_field=name, labels=one.form[name].classes, part=part)


def _is_remark(name: str, answer: Ticked, names: Sequence[str]) -> bool:
    return name not in names and (answer.drawn == TEXT or name.lower() in REMARKS)


def _family(name: str) -> str:
    """What numbered questions have in common: they were asked alike (`match_0`, `match_1`, ...)."""
    return _NUMBER.sub("#", name)


def _names(questions: Iterable[str]) -> str:
    names = list(questions)
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _what(questions: Mapping[str, Question]) -> str:
    drawn = sorted({question.drawn for question in questions.values() if question.drawn})
    if drawn:
        return " and ".join(drawn)
    given = [name for name, question in questions.items() if question.answers]
    return f"free text, numbers or codes ({_names(given)})"


def _way_out(questions: Mapping[str, Question]) -> str:
    is_text = any(question.answers and not question.drawn for question in questions.values())
    return "if one of these is the label after all, name it by --label-field" if is_text else ""
