"""Rebuild and replay: take the steps of the past again, in a copy, and compare what comes out with the ledger."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hitl import ledger
from hitl.errors import HitlError, MomentError
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Event, Facts
from tasks import evaluate, journal, promote, resolve, score, select, train, validate
from tasks.edges import files, tables, verifier
from tasks.edges.scratch import scratch

Step = Callable[[Workspace, str], Facts]
STEPS: Mapping[str, Step] = {
    "trained": train.train,
    "scored": score.score,
    "selected": select.select,
    "validated": validate.validate,
    "resolved": resolve.resolve,
    "evaluated": evaluate.evaluate,
    "judged": promote.promote,
}
"""The steps whose results follow from deliveries and params alone."""
_COMPARED = ["item_id", "reason", "rank", "model_class"]


@dataclass(slots=True)
class _Retaken:
    """What came out when steps were taken again: how many, and how they differ from the ledger."""

    steps: int = 0
    differences: list[Facts] = field(default_factory=list)


def rebuild(workspace: Workspace, *, check: bool = False) -> Facts:
    """Recompute every derived table and model from deliveries and params, also those that an undo made void.

    Returns `steps`, `differences` (an event's facts that come out otherwise), and `files` that are not what the ledger
    says though the right bytes were recomputed: written back unless `check`.
    """
    journal.read_anew(workspace)
    events = journal.events(workspace)
    with scratch(workspace) as copy:
        done = _retaken(workspace, copy, [event for event in events if event.event in STEPS])
        wrong = _mendable(workspace, copy, events)
        if not check:
            for file in wrong:
                files.write_bytes(workspace.root / file, (copy.root / file).read_bytes())
    return {"steps": done.steps, "differences": done.differences, "files": wrong, "written": not check}


def replay(workspace: Workspace, round_id: str) -> Facts:
    """Choose the round's batch again, from the pool with the model and the params of then; how it differs.

    Raises MomentError when the round has no batch yet.
    """
    if not journal.read_anew(workspace).round(round_id).done("selected"):
        raise MomentError(f"{round_id} has no batch to choose again: hitl status lists the rounds")
    past = journal.events(workspace)
    own = [event for event in past if event.round == round_id and event.event in ("scored", "selected")][-2:]
    with scratch(workspace) as copy:
        done = _retaken(workspace, copy, [*_leading_to(past[: own[0].seq]), *own])
        path = Path("data") / "rounds" / round_id / "batch.parquet"
        sent, again = (_rows(root / path) for root in (workspace.root, copy.root))
    items = sorted(one for one in sent.keys() | again.keys() if sent.get(one) != again.get(one))
    return {"round": round_id, "items": len(sent), "different": items, "differences": done.differences}


def _leading_to(past: Iterable[Event]) -> list[Event]:
    """The events that made what scoring starts from: labels, and the newest model."""
    past = list(past)
    trained = max(event.seq for event in past if event.event == "trained")
    return [event for event in past if event.event in ("validated", "resolved") or event.seq == trained]


def _retaken(workspace: Workspace, copy: Workspace, wanted: Iterable[Event]) -> _Retaken:
    """Take the step of each event again, in the copy, with the ledger as it stood before."""
    lines, done = workspace.ledger.read_bytes().splitlines(keepends=True), _Retaken()
    tables.write_parquet(copy.labeled, resolve.labeled_set(copy, journal.read(workspace), BASELINE))
    for event in wanted:
        copy.ledger.write_bytes(b"".join(lines[: event.seq]))
        kept = workspace.round_params(event.round)
        shutil.copyfile(kept if kept.is_file() else workspace.params, copy.params)
        try:
            facts = STEPS[event.event](copy, event.round)
        except HitlError as error:
            done.differences.append(_difference(event, {"error": str(error)}))
            break  # what comes after would be compared with nothing
        done.steps += 1
        different = _different(event, facts)
        if different:
            done.differences.append(_difference(event, different))
        _put_right(workspace, copy, event)
    return done


def _different(event: Event, facts: Facts) -> Facts:
    # What an older version did not tell yet cannot differ from it.
    keys = [key for key in sorted(event.facts) if _told(facts, key) != _told(event.facts, key)]
    if facts.get("model_id") == event.facts.get("model_id"):
        keys = [key for key in keys if key != "model_sha256"]  # the same model in other bytes
    return {key: facts.get(key) for key in keys}


def _told(facts: Facts, key: str) -> bytes:
    return ledger.canonical(facts.get(key))


def _difference(event: Event, facts: Facts) -> Facts:
    return {"seq": event.seq, "event": event.event, "round": event.round, "recomputed": facts}


def _put_right(workspace: Workspace, copy: Workspace, event: Event) -> None:
    """Go on from what the ledger says, where a file came out otherwise and the workspace has the right one."""
    for file, sha256 in verifier.files_of(_as_dict(event)):
        ours, theirs = workspace.root / file, copy.root / file
        if theirs.is_file() and files.sha256(theirs) != sha256 and ours.is_file() and files.sha256(ours) == sha256:
            files.write_bytes(theirs, ours.read_bytes())


def _mendable(workspace: Workspace, copy: Workspace, events: Iterable[Event]) -> list[str]:
    """The files that are not what the ledger says, where the copy has the right bytes."""
    named = verifier.files_named([_as_dict(event) for event in events])
    return sorted(
        one.file
        for one in named.values()
        if not _is(workspace.root / one.file, one.sha256) and _is(copy.root / one.file, one.sha256)
    )


def _as_dict(event: Event) -> dict[str, object]:
    return {name: getattr(event, name) for name in Event.__slots__}


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and files.sha256(path) == sha256


def _rows(path: Path) -> dict[str, tuple[object, ...]]:
    """What a batch says of each item."""
    if not path.is_file():
        return {}
    frame = tables.read_parquet(path, _COMPARED)
    return {str(row[0]): row for row in zip(*(frame[name].tolist() for name in _COMPARED), strict=True)}
