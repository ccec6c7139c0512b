"""How the contract with a vendor is told: chapters of rules, each shown by files that are sent and what we answer.

Nothing here runs anything: `test_spec.py` sends every file to the product, `page.py` makes the text for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hitl.delivery.judgement import Verdict


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as a vendor sends it, and `shown`: what of it a reader must see (all of `data` is sent).

    `kind` is what lies there under its name; `manifest` is sent beside it. SOON stands for a moment of sending.
    """

    data: bytes
    shown: str
    name: str = "answers.csv"
    kind: str = "file"
    manifest: str = ""

    def called(self, name: str) -> "Sent":
        return replace(self, name=name)

    def beside(self, manifest: str) -> "Sent":
        """The same with a manifest beside it."""
        return replace(self, manifest=manifest)

    def in_encoding(self, encoding: str) -> "Sent":
        return replace(self, data=self.data.decode().encode(encoding))

    def seen_as(self, shown: str) -> "Sent":
        return replace(self, shown=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What our receipt says.

    `about` are the codes that the rule explains, `also` those that come along. `held` are row numbers; every row that
    is neither held nor one of the `duplicate` is accepted, unless the file is rejected. `receipt` holds further values
    by dotted name, `redo` the redo file to the letter.
    """

    verdict: Verdict
    about: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    held: tuple[int, ...] = ()
    duplicate: int = 0
    proposed: str = ""
    receipt: Mapping[str, object] = field(default_factory=dict)
    redo: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One file and its answer. `lead` is said before it; `first` is what happens before it is sent.

    `unseen`: only we can tell, not a check that knows the pack alone.
    """

    sent: Sent
    answer: Answer
    lead: str = ""
    first: str = ""
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a vendor may, must or must not do. The steps of a case are taken in order, in a round of their own."""

    title: str
    says: str
    cases: tuple[tuple[Step, ...], ...]

    @property
    def codes(self) -> frozenset[str]:
        """The codes that this rule explains."""
        return frozenset(code for case in self.cases for step in case for code in step.answer.about)


@dataclass(frozen=True, slots=True)
class Chapter:
    title: str
    intro: str
    rules: tuple[Rule, ...]


def rule(title: str, says: str, *cases: Step | tuple[Step, ...]) -> Rule:
    """A rule; a case of one step stands for itself."""
    return Rule(title, says, tuple(case if isinstance(case, tuple) else (case,) for case in cases))


def sends(sent: Sent, answer: Answer, lead: str = "", *, first: str = "", unseen: bool = False) -> Step:
    """What a vendor sends and what they get."""
    return Step(sent, answer, lead, first, unseen)


def accepted(*about: str, also: tuple[str, ...] = (), duplicate: int = 0, **receipt: object) -> Answer:
    """Every row is taken, or was taken before."""
    return Answer(verdict="accept", about=about, also=also, duplicate=duplicate, receipt=_dotted(receipt))


def held(
    *about: str,
    rows: tuple[int, ...] = (3,),
    also: tuple[str, ...] = (),
    duplicate: int = 0,
    proposed: str = "",
    redo: str = "",
    **receipt: object,
) -> Answer:
    """Some rows are held, the others taken; `proposed` is for the first of them."""
    return Answer(
        verdict="quarantine",
        about=about,
        also=also,
        held=rows,
        duplicate=duplicate,
        proposed=proposed,
        redo=redo,
        receipt=_dotted(receipt),
    )


def rejected(*about: str, also: tuple[str, ...] = (), duplicate: int = 0) -> Answer:
    """No row is taken."""
    return Answer(verdict="reject", about=about, also=also, duplicate=duplicate)


def _dotted(receipt: Mapping[str, object]) -> dict[str, object]:
    """Keyword arguments as places in a receipt: payable__amount is its payable.amount."""
    return {name.replace("__", "."): value for name, value in receipt.items()}
