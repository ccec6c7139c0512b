"""Judges a delivery: what of it is taken, what is held back and why, what came before. Pure: bytes in, a record out.

Three passes over the bytes, so that a row costs no more memory than its outcome: the frame, the rows, and the cells of
the rows held back. Rows are told apart by (item, annotator); their order means nothing, but that of two identical rows
the later one is called the duplicate.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from hitl.contract import SKIP
from hitl.delivery import settle, sidecar
from hitl.delivery.answers import RowReader
from hitl.delivery.cells import RowFault
from hitl.delivery.expectation import Expectation
from hitl.delivery.frame import Frame, survey
from hitl.delivery.judgement import Annotation, Held, Judgement, Verdict, refused
from hitl.delivery.reasons import Reason
from hitl.delivery.sidecar import Sidecar
from hitl.delivery.source import Bytes, Source

__all__ = [
    "SKIP", "Annotation", "Bytes", "Expectation", "Held", "Judgement", "Source", "complete_items", "judge", "refused",
]  # fmt: skip

SHOWN = 200


def judge(
    source: Source, expectation: Expectation, *, file: str = "delivery.csv", manifest: bytes | None = None
) -> Judgement:
    """The judgement of `source`, a delivery called `file` with the vendor's own `manifest` beside it, if there is one.

    Raises nothing, whatever the bytes are.
    """
    promises = sidecar.parse(manifest)
    frame = survey(source, row_limit=expectation.row_limit)
    case = _Case(expectation, frame, promises, file)
    if expectation.has_taken(source.sha256):
        return case.known()
    reasons = [*frame.reasons, *sidecar.reasons(promises, frame, expectation)]
    if expectation.closed:
        reasons.append(Reason.F_ROUND_CLOSED)
    return case.rejected(reasons) if reasons else case.judged()


def complete_items(expectation: Expectation, annotations: Iterable[Annotation] = ()) -> int:
    """How many items have all the annotations asked for: `annotations` and those taken before."""
    keys = ((each.item_id, each.annotator_id) for each in annotations)
    return settle.complete_items(expectation, {*expectation.taken, *keys})


@dataclass(frozen=True, slots=True)
class _Case:
    """One delivery and all that is held against it."""

    expectation: Expectation
    frame: Frame
    promises: Sidecar
    file: str

    def known(self) -> Judgement:
        """Bytes that were taken before: every row is a duplicate."""
        reasons = (Reason.F_DUPLICATE_DELIVERY,)
        return self._judgement("reject", reasons, self.frame.warnings, duplicate=self.frame.rows)

    def rejected(
        self, reasons: Sequence[Reason], faults: dict[int, RowFault] | None = None, warnings: Collection[Reason] = ()
    ) -> Judgement:
        """Nothing is taken: a row with a fault of its own is held for that, every other one for the file's."""
        own, whole = faults or {}, RowFault(reasons[0])
        rows = self.frame.records() if self.frame.rows else ()
        held = tuple(_held(row, cells, own.get(row, whole)) for row, cells in rows)
        codes = (*dict.fromkeys(reasons), *sorted({fault.reason for fault in own.values()}))
        return self._judgement("reject", codes, self.frame.warnings | set(warnings), held=held)

    def judged(self) -> Judgement:
        """Each row taken, held or a duplicate; or the whole file rejected, when one fault is behind its rows."""
        reader = RowReader(self.expectation, self.frame, is_vouched=self.promises.vouches)
        rows = settle.read(reader)
        new = settle.settle(rows, self.expectation, self.promises.supersedes)
        reasons = tuple(settle.systematic(rows, self.frame.rows, self.expectation))
        if reasons:
            return self.rejected(reasons, rows.faults, reader.warnings)
        suspects = settle.suspects(rows, self.expectation)
        faults = rows.faults | {each.row: settle.suspicion(each) for each in new if each.annotator_id in suspects}
        kept = tuple(each for each in new if each.annotator_id not in suspects)
        return self._taken(rows, kept, faults, reader.warnings)

    def _taken(
        self, rows: settle.Rows, kept: tuple[Annotation, ...], faults: dict[int, RowFault], warnings: set[Reason]
    ) -> Judgement:
        held = (
            tuple(_held(row, cells, faults[row]) for row, cells in self.frame.records() if row in faults)
            if faults
            else ()
        )
        seen = self.frame.warnings | warnings | set(settle.warnings(rows, kept, self.expectation))
        codes = sorted({fault.reason for fault in faults.values()})
        verdict: Verdict = "quarantine" if faults else "accept"
        return self._judgement(verdict, codes, seen, duplicate=rows.duplicate, annotations=kept, held=held)

    def _judgement(
        self,
        verdict: Verdict,
        reasons: Iterable[Reason],
        warnings: Iterable[Reason],
        *,
        duplicate: int = 0,
        annotations: tuple[Annotation, ...] = (),
        held: tuple[Held, ...] = (),
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
            revised=sum((one.item_id, one.annotator_id) in self.expectation.taken for one in annotations),
            complete=complete_items(self.expectation, annotations),
            annotations=annotations,
            held=held,
            header=self.frame.header,
            supersedes=self.promises.supersedes,
        )


def _held(row: int, cells: list[str], fault: RowFault) -> Held:
    value, expected = _shown(fault.value), _shown(fault.expected)
    return Held(row, fault.column, value, fault.reason, expected, fault.proposed, tuple(cells))


def _shown(text: str) -> str:
    """`text` short enough for a receipt."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
