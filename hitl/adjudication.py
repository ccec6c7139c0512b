"""Adjudication: what waits for a person, the file that they fill in, and their decisions, read as a delivery is.

A decision outranks every answer and every model. A later one supersedes it; the old one stays in the history.
"""

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from hitl.contract import (
    CODE,
    COMMENT,
    EXPECTED,
    ITEM_ID,
    LABEL,
    MODEL_CLASS,
    MODEL_CONFIDENCE,
    PROPOSED,
    SKIP,
    csv_bytes,
    neutral,
)
from hitl.delivery.answers import check_shape
from hitl.delivery.cells import RowFault, check_text
from hitl.delivery.echo import Echo, same_value
from hitl.delivery.exported import Exported
from hitl.delivery.frame import Frame, survey
from hitl.delivery.judgement import Held, Judgement, Verdict
from hitl.delivery.reasons import Code, Reason
from hitl.delivery.receipt import LISTED, redo_csv
from hitl.delivery.source import Source
from hitl.delivery.vocabulary import Vocabulary
from hitl.delivery.wording import expected
from hitl.ledger import Facts
from hitl.pack import cell

ADJUDICATOR, REASON = "adjudicator", "reason"
CONTEXT = ("answers", "agreement", "annotators", MODEL_CLASS, MODEL_CONFIDENCE, "round", "why")
"""What an adjudicator is told of an item besides what annotators saw."""
EMPTY = (LABEL, ADJUDICATOR, REASON, COMMENT)
REQUIRED = (ITEM_ID, LABEL, ADJUDICATOR)
OTHER = "other"
"""The reason that says nothing by itself: it asks for words in the column comment."""
_KNOWN = {ITEM_ID, *CONTEXT, *EMPTY, CODE, EXPECTED, PROPOSED}
_SILENT = {Reason.W_COLUMN_ORDER, Reason.W_OPTIONAL_COLUMN_MISSING}
"""Warnings about columns that only a delivery has."""


class Fault(Code):
    """The codes that only decisions have."""

    F_NOTHING_DECIDED = "F_NOTHING_DECIDED", "no row of the file holds a decision"
    R_ADJUDICATOR_EMPTY = "R_ADJUDICATOR_EMPTY", "the row does not say who decided"
    R_REASON_EMPTY = "R_REASON_EMPTY", "the decision overrides what was said, and does not say why"
    R_REASON_UNKNOWN = "R_REASON_UNKNOWN", "the reason is none of resolve.reasons in params.yaml"
    R_COMMENT_EMPTY = "R_COMMENT_EMPTY", f"the reason {OTHER!r} asks for words of your own in the column comment"
    R_DECIDED_TWICE = "R_DECIDED_TWICE", "the file decides the item in two ways; none of them is taken"


@dataclass(frozen=True, slots=True)
class Decision:
    """What an adjudicator settled; `label` is None where nobody can tell, and the item has none. `row` is from 1."""

    item_id: str
    label: str | None
    adjudicator: str
    reason: str
    comment: str
    row: int

    def says(self, other: "Decision | None") -> bool:
        """Whether it says what the other one said."""
        return other is not None and _said(self) == _said(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What decisions are held against: the classes, the reasons that params define, and what is known of the items.

    `ids` are all items that may be decided; `shown` has, of those that the file names, the columns as they are written
    out; `said` who said which class of an item before; `stands` the decision that stands of it.
    """

    classes: tuple[str, ...]
    reasons: tuple[str, ...]
    ids: Exported
    shown: Mapping[str, Mapping[str, str]]
    said: Mapping[str, Mapping[str, str]]
    stands: Mapping[str, Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The answer to a file of decisions: every row is accepted, held, a duplicate, or still undecided.

    `decisions` are those accepted and, `repeated` of them, those that say again what stands: also these count, should
    what they repeat be withdrawn. `overridden` counts the accepted ones that contradict somebody, by whom.
    """

    sha256: str
    file: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    repeated: int = 0
    undecided: int = 0
    overridden: Mapping[str, int] | None = None
    held: tuple[Held, ...] = ()
    header: tuple[str, ...] = ()

    @property
    def accepted(self) -> int:
        return len(self.decisions) - self.repeated

    @property
    def rows(self) -> dict[str, int]:
        """How many rows had which outcome; `delivered` is their sum."""
        outcomes = {
            "accepted": self.accepted,
            "quarantined": len(self.held),
            "duplicate": self.repeated,
            "undecided": self.undecided,
        }
        return {"delivered": sum(outcomes.values()), **outcomes}

    def redo(self) -> bytes:
        """The held rows as a file that can come again once mended."""
        return redo_csv(Judgement(round="", sha256=self.sha256, file=self.file, verdict="quarantine",
                                  held=self.held, header=self.header))  # fmt: skip

    def receipt(self, *, received_at: str, counts_from: str) -> Facts:
        """What is answered, as JSON-ready values; `counts_from` is the first round whose closing goes by it."""
        names = ("row", "column", "value", "code", "expected", "proposed")
        return {
            "decision": self.sha256,
            "file": self.file,
            "received_at": received_at,
            "counts_from": counts_from,
            "verdict": self.verdict,
            "reasons": [str(one) for one in self.reasons],
            "warnings": [str(one) for one in self.warnings],
            "rows": self.rows,
            "overridden": dict(self.overridden or {}),
            "held": [{name: getattr(one, name) for name in names} for one in islice(self.held, LISTED)],
            "held_more": max(0, len(self.held) - LISTED),
        }


def paper(rows: Sequence[Mapping[str, str]], columns: Sequence[str], *, numeric: Collection[str] = ()) -> bytes:
    """The file that an adjudicator fills in: a row an item in the order given. UTF-8, LF, every field quoted.

    `rows` have the item as it is sent, the visible `columns` and CONTEXT; a visible column that is called as one of
    ours has ` (item)` behind its name. No cell runs as a formula.
    """
    plain = {*numeric, "agreement", MODEL_CONFIDENCE}
    lines = [[neutral(name) for name in (ITEM_ID, *map(heading, columns), *CONTEXT, *EMPTY)]]
    for row in rows:
        seen = [cell({ITEM_ID: row[ITEM_ID], name: row[f"item:{name}"]}, name, plain) for name in columns]
        told = [cell(row, name, plain) for name in CONTEXT]
        lines.append([cell(row, ITEM_ID, ()), *seen, *told, *("" for _ in EMPTY)])
    return csv_bytes(lines)


def heading(column: str) -> str:
    """What a visible column is called in the file."""
    return f"{column} (item)" if column in _KNOWN else column


def opened(source: Source, *, items: int) -> Frame:
    """The file as a table, read strictly; one with many more rows than there are items is not read to its end."""
    return survey(source, row_limit=3 * items + 100, required=REQUIRED)


def named(frame: Frame, ids: Exported) -> set[str]:
    """The items that a file speaks of, as they are sent."""
    if frame.reasons:
        return set()
    at = frame.header.index(ITEM_ID)
    cells = {row[at] for _, row in frame.records() if len(row) > at}
    return {found[0] for one in cells if (found := ids.vocabulary.find(one))}


def judge(frame: Frame, asked: Asked, *, file: str) -> Decided:
    """The outcome of every row of a file of decisions; of a file that is none, why not."""
    warnings = tuple(sorted(frame.warnings - _SILENT))
    if frame.reasons:
        return Decided(
            sha256=frame.source.sha256, file=file, verdict="reject", reasons=frame.reasons, warnings=warnings
        )
    reader = _Reader.of(frame, asked)
    found: dict[int, Decision] = {}
    held: dict[int, tuple[RowFault, list[str]]] = {}
    cells: dict[int, list[str]] = {}
    undecided = 0
    for row, texts in frame.records():
        try:
            one = reader.read(row, texts)
        except RowFault as fault:
            held[row] = fault, texts
            continue
        if one is None:
            undecided += 1
        else:
            found[row], cells[row] = one, texts
    for row in _at_odds(found.values()):
        held[row] = RowFault(Fault.R_DECIDED_TWICE, LABEL, value=cells[row][reader.at[LABEL]]), cells[row]
        del found[row]
    decisions, fresh = tuple(found.values()), _fresh(found.values(), asked.stands)
    told = tuple(_held(row, *held[row]) for row in sorted(held))
    return Decided(
        sha256=frame.source.sha256,
        file=file,
        verdict="reject" if not decisions else "quarantine" if told else "accept",
        reasons=tuple(
            dict.fromkeys([*(() if decisions or told else (Fault.F_NOTHING_DECIDED,)), *(one.code for one in told)])
        ),
        warnings=tuple(sorted({*warnings, *reader.warnings})),
        decisions=decisions,
        repeated=len(decisions) - len(fresh),
        undecided=undecided,
        overridden=_overridden(fresh, asked.said),
        held=told,
        header=frame.header,
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the rows of one file, and collects the warnings they deserve."""

    frame: Frame
    asked: Asked
    at: Mapping[str, int]
    echo: Echo
    own: Mapping[str, int]
    labels: Vocabulary
    reasons: Vocabulary
    warnings: set[Reason]

    @classmethod
    def of(cls, frame: Frame, asked: Asked) -> "_Reader":
        at = {name: n for n, name in enumerate(frame.header)}
        shown = Exported.of(asked.shown)
        echo = Echo.of({name: n for name, n in at.items() if name not in _KNOWN}, shown)
        extra = set(at) - _KNOWN - echo.names
        warnings = {Reason.W_EXTRA_COLUMN} if extra else set()
        own = {name: n for name, n in at.items() if name not in echo.columns}
        return cls(frame, asked, at, echo, own, Vocabulary((*asked.classes, SKIP)), Vocabulary(asked.reasons), warnings)

    def read(self, row: int, cells: list[str]) -> Decision | None:
        """The decision of a row, None where nobody decided yet; raises RowFault for the first thing that is wrong."""
        check_shape(self.frame, row, cells, texts=self.own, items=self.asked.ids, is_whole=self.frame.terminated)
        item = self._item(cells[self.at[ITEM_ID]])
        if not any(self._text(cells, name) for name in (LABEL, REASON, COMMENT)):
            return None
        label, adjudicator = self._label(cells[self.at[LABEL]]), self._adjudicator(cells[self.at[ADJUDICATOR]])
        for column, n in self.own.items():
            check_text(cells[n], COMMENT if column in EMPTY else column)
        for column, value, exported in self.echo.differing(cells, item):
            if not same_value(value, exported):
                wanted = exported or expected("empty")
                raise RowFault(Reason.R_ECHO_CHANGED, column, value=value, expected=wanted, proposed=exported)
        comment = self._text(cells, COMMENT)
        reason = self._reason(self._text(cells, REASON), against(label, self.asked.said.get(item, {})), comment)
        return Decision(item, None if label == SKIP else label, adjudicator, reason, comment, row)

    def _text(self, cells: list[str], column: str) -> str:
        return cells[self.at[column]].strip() if column in self.at else ""

    def _item(self, text: str) -> str:
        found = self.asked.ids.vocabulary.find(text)
        if found is None:
            if not text.strip():
                raise RowFault(Reason.R_ID_EMPTY, ITEM_ID, value=text, expected=expected("item"))
            near, wanted = (
                self.asked.ids.vocabulary.near(text),
                "the item_id of an item that was sent out, or began with",
            )
            raise RowFault(Reason.R_ID_UNKNOWN, ITEM_ID, value=text, expected=wanted, proposed=near)
        return self._warned(found)

    def _label(self, text: str) -> str:
        found = self.labels.find(text)
        if found is not None:
            return self._warned(found)
        near = self.labels.near(text)
        reason = Reason.R_LABEL_UNKNOWN if text.strip() else Reason.R_LABEL_EMPTY
        reason = Reason.R_LABEL_CASE if near and near.casefold() == text.strip().casefold() else reason
        wanted = expected("classes", classes=", ".join(self.asked.classes), more="", skip=SKIP)
        raise RowFault(reason, LABEL, value=text, expected=wanted, proposed=near or self.labels.typo_of(text))

    def _adjudicator(self, text: str) -> str:
        if not text.strip():
            raise RowFault(Fault.R_ADJUDICATOR_EMPTY, ADJUDICATOR, value=text, expected="who decided")
        if any(unicodedata.category(mark) in ("Cc", "Cf") for mark in text.strip()):
            raise RowFault(Reason.R_CONTROL_CHARS, ADJUDICATOR, value=text)
        return text.strip()

    def _reason(self, text: str, overridden: Sequence[str], comment: str) -> str:
        choice = f"one of: {', '.join(self.asked.reasons)}"
        if not text:
            if overridden:
                wanted = f"why it is not what {' and '.join(overridden)} said: {choice}"
                raise RowFault(Fault.R_REASON_EMPTY, REASON, value=text, expected=wanted)
            return ""
        found = self.reasons.find(text)
        if found is None:
            near = self.reasons.near(text) or self.reasons.typo_of(text)
            raise RowFault(Fault.R_REASON_UNKNOWN, REASON, value=text, expected=choice, proposed=near)
        if found[0] == OTHER and not comment:
            raise RowFault(Fault.R_COMMENT_EMPTY, COMMENT, value=comment)
        return found[0]

    def _warned(self, found: tuple[str, Reason | None]) -> str:
        word, warning = found
        if warning is not None:
            self.warnings.add(warning)
        return word


def against(label: str | None, said: Mapping[str, str]) -> list[str]:
    """Who said another class.

    >>> against("cat", {"the crowd": "cat", "the model": "dog"})
    ['the model']
    """
    return [who for who, other in said.items() if other != label]


def _at_odds(decisions: Collection[Decision]) -> list[int]:
    """The rows of the items that one file decides in more than one way."""
    ways: dict[str, set[object]] = {}
    for one in decisions:
        ways.setdefault(one.item_id, set()).add(_said(one))
    return [one.row for one in decisions if len(ways[one.item_id]) > 1]


def _fresh(decisions: Collection[Decision], stands: Mapping[str, Decision]) -> list[Decision]:
    """Those that say something new: not what stands, nor what a row before said."""
    new: dict[str, Decision] = {}
    for one in decisions:
        if not one.says(stands.get(one.item_id)):
            new.setdefault(one.item_id, one)
    return list(new.values())


def _said(one: Decision) -> tuple[object, ...]:
    return one.label, one.adjudicator, one.reason, one.comment


def _overridden(decisions: Collection[Decision], said: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for who in _each_against(decisions, said):
        counts[who] = counts.get(who, 0) + 1
    return dict(sorted(counts.items()))


def _each_against(decisions: Collection[Decision], said: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for one in decisions:
        yield from against(one.label, said.get(one.item_id, {}))


def _held(row: int, fault: RowFault, cells: list[str]) -> Held:
    return Held(row, fault.column, fault.value, fault.reason, fault.expected, fault.proposed, tuple(cells))
