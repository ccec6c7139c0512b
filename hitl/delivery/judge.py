"""Judges a delivery: what of it is taken, what is held back and why, what came before. Pure: bytes in, a record out.

Three passes over the bytes, so that a row costs no more memory than its outcome: the frame, the rows, and the cells of
the rows held back. Rows are told apart by (item, annotator); their order means nothing, but that of two identical rows
the later one is called the duplicate.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hitl.contract import SKIP, TOOL_PLACE
from hitl.delivery import settle, sidecar
from hitl.delivery.answers import RowReader
from hitl.delivery.cells import RowFault
from hitl.delivery.expectation import Expectation
from hitl.delivery.frame import Frame, survey
from hitl.delivery.judgement import Annotation, Held, Judgement, Retold, Verdict, refused
from hitl.delivery.reasons import Code, Reason
from hitl.delivery.rows import Outcome, Rows, read
from hitl.delivery.sidecar import Sidecar
from hitl.delivery.source import Bytes, Source
from hitl.delivery.taken import Taken

__all__ = [
    "SKIP", "Annotation", "Bytes", "Expectation", "Held", "Judgement", "Source", "judge", "refused",
]  # fmt: skip

SHOWN = 200


def judge(
    source: Source,
    expectation: Expectation,
    *,
    file: str = "delivery.csv",
    manifest: bytes | None = None,
    tool: str = "",
) -> Judgement:
    """The judgement of `source`, a delivery called `file` with the vendor's own `manifest` beside it, if there is one.

    `tool` names the labeling tool whose export `source` was made of. Raises nothing, whatever the bytes are.
    """
    promises = sidecar.parse(manifest)
    frame = survey(source, row_limit=expectation.row_limit, without=expectation.without)
    case = _Case(expectation, Taken.of(expectation), frame, promises, file, tool)
    if expectation.has_taken(source.sha256):
        return case.known()
    reasons = [*frame.reasons, *sidecar.reasons(promises, frame, expectation)]
    if expectation.closed:
        reasons.append(Reason.F_ROUND_CLOSED)
    return case.refused(reasons) if reasons else case.judged()


@dataclass(frozen=True, slots=True)
class _Case:
    """One delivery and all that is held against it."""

    expectation: Expectation
    taken: Taken
    frame: Frame
    promises: Sidecar
    file: str
    tool: str = ""

    def known(self) -> Judgement:
        """Bytes that were taken before: every row is a duplicate."""
        reasons = (Reason.F_DUPLICATE_DELIVERY,)
        return self._judgement("reject", reasons, self.frame.warnings, duplicate=self.frame.rows)

    def refused(self, reasons: Sequence[Reason]) -> Judgement:
        """Nothing is taken: every row is held for the file's fault."""
        whole = RowFault(reasons[0])
        held = Retold(
            self.frame.rows, lambda: (_held(row, cells, whole, self.frame) for row, cells in self.frame.records())
        )
        return self._judgement("reject", tuple(dict.fromkeys(reasons)), self.frame.warnings, held=held)

    def judged(self) -> Judgement:
        """Each row taken, held or a duplicate; or the whole file rejected, when one fault is behind its rows."""
        reader = RowReader(self.expectation, self.taken.exported, self.frame, is_vouched=self.promises.vouches)
        rows = read(reader, self.taken)
        settle.settle(rows, self.expectation, self.promises)
        reasons = tuple(settle.systematic(rows, self.expectation))
        if reasons:
            return self._rejected(rows, reasons)
        settle.suspect(rows, self.expectation)
        return self._taken(rows)

    def _rejected(self, rows: Rows, reasons: Sequence[Reason]) -> Judgement:
        """Nothing is taken: a row with a fault of its own is held for that, every other one for the file's."""
        codes = (*dict.fromkeys(reasons), *settle.reasons(rows))
        held = Retold(len(rows.outcomes), lambda: _told_held(rows, RowFault(reasons[0])))
        return self._judgement("reject", codes, self.frame.warnings | rows.reader.warnings, held=held)

    def _taken(self, rows: Rows) -> Judgement:
        progress = settle.progress(rows)
        seen = self.frame.warnings | rows.reader.warnings | set(settle.warnings(rows, progress, self.expectation))
        return self._judgement(
            "quarantine" if rows.held else "accept",
            settle.reasons(rows),
            seen,
            duplicate=rows.count(Outcome.SAME),
            annotations=Retold(rows.count(Outcome.NEW), lambda: _told_annotations(rows)),
            held=Retold(rows.held, lambda: _told_held(rows)),
            progress=progress,
        )

    def _judgement(
        self,
        verdict: Verdict,
        reasons: Iterable[Code],
        warnings: Iterable[Reason],
        *,
        duplicate: int = 0,
        annotations: Collection[Annotation] = (),
        held: Collection[Held] = (),
        progress: settle.Progress | None = None,
    ) -> Judgement:
        return Judgement(
            round=self.expectation.round,
            sha256=self.frame.source.sha256,
            file=self.file,
            verdict=verdict,
            reasons=tuple(reasons),
            warnings=tuple(sorted(warnings)),
            accepted=len(annotations),
            quarantined=len(held),
            duplicate=duplicate,
            revised=progress.revised if progress else 0,
            complete=progress.complete if progress else self.taken.complete,
            annotations=annotations,
            held=held,
            header=self.frame.header,
            supersedes=self.promises.supersedes,
            tool=self.tool,
            source=self.promises.source,
        )


def _told_annotations(rows: Rows) -> Iterator[Annotation]:
    names = list(rows.taken.people) if rows.keeps else []
    for (row, cells), outcome, who in zip(rows.reader.frame.records(), rows.outcomes, rows.people, strict=True):
        if outcome == Outcome.NEW:
            annotation = rows.reader.read(row, cells).annotation
            if annotation is not None:
                yield replace(annotation, annotator_id=names[who - 1]) if names else annotation


def _told_held(rows: Rows, whole: RowFault | None = None) -> Iterator[Held]:
    """The rows that are held; with a fault of the file's `whole`, all of them."""
    frame = rows.reader.frame
    for number, (row, cells) in enumerate(frame.records()):
        if rows.outcomes[number] not in (Outcome.NEW, Outcome.SAME):
            yield _held(row, cells, settle.fault(rows, number, rows.reader.read(row, cells)), frame)
        elif whole is not None:
            yield _held(row, cells, whole, frame)


def _held(row: int, cells: list[str], fault: RowFault, frame: Frame) -> Held:
    place = cells[frame.header.index(TOOL_PLACE)] if frame.is_translated else ""
    value, expected = _shown(fault.value), _shown(fault.expected)
    return Held(row, fault.column, value, fault.reason, expected, fault.proposed, tuple(cells), place)


def _shown(text: str) -> str:
    """`text` short enough for a receipt."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
