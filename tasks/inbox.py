"""Inbox: take what vendors left once nobody writes to it, answer it, and put it away. Safe to kill anywhere."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from hitl.delivery.intake_rules import MANIFEST_LIMIT, MANIFEST_SUFFIX, shown
from hitl.delivery.reasons import Reason
from hitl.inbox import DONE, REFUSED, SETTLE, Arrival, Entry, alone, arrivals
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import journal, receipts
from tasks.edges import files, inbox as folders
from tasks.edges.inbox import Folder, Unreachable
from tasks.edges.unsettled import CHANGED, Unsettled
from tasks.ingest import ingest, refuse

log = logging.getLogger("hitl")
LISTED = 20
"""Files that are named one by one in what was done."""
TOLD = 5.0
"""Seconds between two lines that say how far it is."""


def take(workspace: Workspace, *, wait: Callable[[float], object] = time.sleep) -> list[str]:
    """Answer every file in the inbox that two looks, with one `wait` between them, find the same; says what was done.

    An inbox or outbox that is out of reach makes deliveries wait, and nothing else.
    """
    return _said(list(_done(workspace, wait)))


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of one file: its verdict or "left", and a line about it."""

    verdict: str
    line: str


@dataclass(frozen=True, slots=True)
class _Look:
    """What the first look found: the digest of the file and of its manifest, "" for what may not be read."""

    arrival: Arrival
    sha256: str
    manifest: str

    @property
    def identity(self) -> str:
        return self.sha256 or self.arrival.entry.look


@dataclass(frozen=True, slots=True)
class _Taking:
    """The inbox being emptied into the ledger and the outbox."""

    workspace: Workspace
    inbox: Folder
    outbox: Folder

    def answers(self, wait: Callable[[float], object]) -> Iterator[_Done]:
        """Each new file's answer, the oldest first; nothing is waited for where nothing is new."""
        looks: list[_Look] = []
        for one in self._looks():
            if isinstance(one, _Look):
                looks.append(one)
            else:
                yield one
        if looks:
            wait(SETTLE)
            files.emptied(self.workspace.spool)
            later = {one.name: one for one in arrivals(self.inbox.entries())}
            yield from _telling((self._answered(look, later) for look in looks), len(looks))

    def _looks(self) -> Iterator[_Look | _Done]:
        entries = self.inbox.entries()
        self._follow(entries)
        taken = journal.read(self.workspace).taken
        for arrival in arrivals(entries):
            try:
                look = self._look(arrival)
            except Unsettled as why:
                yield _left(arrival, why)
                continue
            known = arrival.entry.fault is not None or look.sha256 in taken
            if known and receipts.is_out(self.outbox, shown(arrival.name), look.identity):
                self._put_away(look, REFUSED if arrival.entry.fault else DONE)
            else:
                yield look

    def _follow(self, entries: Sequence[Entry]) -> None:
        """Put away the manifests of files that were answered and put away: a kill came between the two.

        It is the one that was answered, and no new one, when it has the same bytes and lay there then.
        """
        state = journal.read(self.workspace)
        answers = {
            (str(facts["file"]), str(facts.get("manifest_sha256"))): (facts, shelf)
            for one in state.rounds
            for of_them, shelf in ((one.deliveries, DONE), (one.refused, REFUSED))
            for facts in of_them
        }
        for entry in filter(_is_readable, alone(entries)):
            try:
                name, sha256 = shown(entry.name.removesuffix(MANIFEST_SUFFIX)), self.inbox.digest(entry)
                facts, shelf = answers.get((name, sha256), ({}, ""))
                if facts and entry.at <= datetime.fromisoformat(str(facts["received_at"])).timestamp() + 1:
                    self.inbox.shelve(entry, shelf, str(facts["delivery"]))
            except Unsettled as why:
                log.debug("%s: %s", shown(entry.name), why)

    def _look(self, arrival: Arrival) -> _Look:
        if arrival.entry.fault:
            return _Look(arrival, "", "")
        manifest = arrival.manifest
        announced = self.inbox.digest(manifest) if manifest and _is_readable(manifest) else ""
        return _Look(arrival, self.inbox.digest(arrival.entry), announced)

    def _answered(self, look: _Look, later: dict[str, Arrival]) -> _Done:
        """Ingest, then put the receipt out, and only then the file away."""
        arrival = look.arrival
        try:
            if not arrival.is_still(later):
                raise Unsettled(CHANGED)  # noqa: TRY301 - one place says what is left, and why
            receipt = self._receipt(look)
            receipts.hand_out(self.workspace, self.outbox, receipt, look.identity)
            is_refused = receipt["verdict"] == "reject" and receipt["reasons"] != [Reason.F_DUPLICATE_DELIVERY]
            self._shelve(look, REFUSED if is_refused else DONE)
        except Unsettled as why:
            return _left(arrival, why)
        return _Done(str(receipt["verdict"]), _line(receipt))

    def _receipt(self, look: _Look) -> Facts:
        entry, manifest = look.arrival.entry, look.arrival.manifest
        if entry.fault:
            return refuse(self.workspace, entry.name, entry.fault)
        path = self.workspace.spool / entry.name
        try:
            self._copy(entry, path, look.sha256)
            if manifest:
                self._copy(manifest, path.with_name(entry.name + MANIFEST_SUFFIX), look.manifest)
            return ingest(self.workspace, path).receipt
        finally:
            files.emptied(self.workspace.spool)

    def _copy(self, entry: Entry, path: Path, sha256: str) -> None:
        """Copy the bytes of the first look, and no others; of what may not be read, none."""
        with files.private_file(path) as copy:
            if sha256 and self.inbox.digest(entry, copy.write) != sha256:
                raise Unsettled(CHANGED)

    def _put_away(self, look: _Look, shelf: str) -> None:
        try:
            self._shelve(look, shelf)
        except Unsettled as why:  # it has its answer, and whoever cannot move it was told so
            log.debug("%s: %s", shown(look.arrival.name), why)

    def _shelve(self, look: _Look, shelf: str) -> None:
        # The CSV first: alone, a manifest is nothing, and a CSV without its manifest another delivery.
        self.inbox.shelve(look.arrival.entry, shelf, look.identity)
        if look.arrival.manifest:
            self.inbox.shelve(look.arrival.manifest, shelf, look.identity)


def _done(workspace: Workspace, wait: Callable[[float], object]) -> Iterator[_Done]:
    try:
        inbox = folders.inbox(workspace)
        if inbox and any(one.done("exported") for one in journal.read(workspace).rounds):
            yield from _Taking(workspace, inbox, folders.outbox(workspace)).answers(wait)
    except Unreachable as why:
        yield _Done("left", f"the inbox or the outbox is out of reach, so deliveries wait: {why}")


def _is_readable(manifest: Entry) -> bool:
    return manifest.is_file and manifest.size <= MANIFEST_LIMIT


def _left(arrival: Arrival, why: Unsettled) -> _Done:
    return _Done("left", f"{shown(arrival.name)}: {why}")


def _line(receipt: Facts) -> str:
    rows, reasons = cast(dict[str, int], receipt["rows"]), cast(list[str], receipt["reasons"])
    codes = f" ({', '.join(reasons)})" if reasons else ""
    return f"{receipt['file']}: {receipt['verdict']}{codes}, {rows['accepted']} of {rows['delivered']} rows accepted"


def _said(done: list[_Done]) -> list[str]:
    more = Counter(one.verdict for one in done[LISTED:])
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(more.items()))
    return [*(one.line for one in done[:LISTED]), *([f"and {more.total()} more files: {counts}"] if more else [])]


def _telling(answers: Iterator[_Done], count: int) -> Iterator[_Done]:
    """The answers, with a line in the log now and then where there are many."""
    told = time.monotonic()
    for number, one in enumerate(answers, start=1):
        yield one
        if time.monotonic() - told > TOLD:
            told = time.monotonic()
            log.info("%d of %d files in the inbox are answered", number, count)
