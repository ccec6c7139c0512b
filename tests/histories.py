"""Histories of small real workspaces: always the same packs, and whatever comes back, is undone and rolled back."""

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from flows import repair
from hitl.errors import MomentError
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts
from hitl.state import Phase
from hitl.withdrawal import Kind
from tasks import adjudicate, close, evaluate, expected, journal, promote, resolve, train, undo, validate
from tasks.edges import files, tables
from tasks.ingest import ingest
from tests.tasks import small_workspace

ROUNDS = 3
PEOPLE = ("ann", "bob", "cem")
CLASSES = ("dry", "wet")
OPENING = ("opened", "scored", "selected", "exported")
CLOSING: Mapping[str, Callable[[Workspace, str], Facts]] = {
    "validated": validate.validate,
    "resolved": resolve.resolve,
    "trained": train.train,
    "evaluated": evaluate.evaluate,
    "judged": promote.promote,
    "closed": close.close,
}
MADE = (
    "annotations.parquet",
    "labels.parquet",
    "model.skops",
    "predictions.parquet",
    "[agm]*.json",
    "report.html",
    "params.yaml",
)
"""What a closing leaves in a round's folder; a pattern spares the pack's manifest, which is in capitals."""
Row = tuple[int, str, str, bool]
"""The place of an item in the pack, "right", "wrong" or any answer, who gave it, whether it names what it replaces."""


@dataclass(frozen=True)
class File:
    """A delivery. `replaced` is the place of an earlier file of the history that it supersedes, `by_row` or whole."""

    rows: tuple[Row, ...]
    replaced: int | None = None
    by_row: bool = False


@dataclass(frozen=True)
class Again:
    """The file that came at `place` comes again, byte for byte."""

    place: int


@dataclass(frozen=True)
class Decide:
    """A file of decisions on items of closed rounds, each by the place of its item among them, the class, and who."""

    rows: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True)
class Undo:
    """Withdraw something: `place` says which of the files, annotators, rounds or decisions there are."""

    kind: Kind
    place: int


@dataclass(frozen=True)
class Open:
    """The next pack goes out."""


@dataclass(frozen=True)
class Close:
    """The round closes with what is there."""


@dataclass(frozen=True)
class Rollback:
    """The champion before is put back, where there is one."""


Move = File | Again | Decide | Undo | Open | Close | Rollback


@dataclass
class Played:
    """A history in one workspace: the bytes and digest of each file sent, by its place among the moves.

    `idle` are the places of moves that left no event, `undone` what was withdrawn by the move at a place. `elsewhere`
    has the digests that the files have in another workspace: what never came here is called by those.
    """

    workspace: Workspace
    packs: Workspace
    elsewhere: Mapping[int, str] = field(default_factory=dict)
    sent: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    idle: set[int] = field(default_factory=set)
    undone: list[tuple[int, Kind, str]] = field(default_factory=list)
    rounds: dict[int, str] = field(default_factory=dict)
    decided: dict[int, str] = field(default_factory=dict)


def template(folder: Path) -> Path:
    """A workspace whose rounds are all closed: its packs are those of every history."""
    rng = np.random.default_rng(5)
    wet = rng.random(150) < 0.5
    size, mass = (np.round(rng.normal(np.where(wet, 1, -1), 1.2), 3) for _ in range(2))
    ids = [f"i{number:03d}" for number in range(150)]
    items = pd.DataFrame({"item_id": ids, "size": size, "mass": mass, "label": np.where(wet, "wet", "dry")})
    workspace = small_workspace.made(
        folder / "template",
        items,
        gold=ROUNDS * 6,
        text=None,
        query={"batch": 6, "random_share": 0.0},
        export={"gold": 6, "overlap": 2, "overlap_share": 0.5, "overlap_most": 3},
        delivery={"bad_row_share": 0.25, "price": 0.1},
    )
    shutil.copyfile(workspace.labeled, workspace.root / "first.parquet")
    for _ in range(ROUNDS):
        name = small_workspace.opened(workspace)
        some = small_workspace.answers(workspace, name)[:10]  # the others go out again
        small_workspace.deliver(workspace, f"{name}.csv", some)
        if against := _against(workspace, name, some):  # and some of these, for one more annotator
            small_workspace.deliver(workspace, f"{name}-against.csv", against)
        small_workspace.closed(workspace, name)
    return workspace.root


def _against(workspace: Workspace, name: str, said: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Answers of bob that contradict these, where two annotators are asked and the answer is not known."""
    known, asked = expected.gold(workspace, name), expected.manifest(workspace, name)["overlap"]["items"]
    open_ = [row for row in said if row["item_id"] in asked and row["item_id"] not in known]
    return [{**row, "annotator_id": "bob", "label": CLASSES[row["label"] == CLASSES[0]]} for row in open_]


def begun(packs: Path, root: Path) -> Workspace:
    """A workspace at `root` whose baseline is closed, as that of the packs."""
    workspace, whole = Workspace(root), Workspace(packs)
    shutil.copytree(whole.round(BASELINE), workspace.round(BASELINE))
    for path in (whole.pool, whole.initial, whole.test, whole.gold, whole.truth, whole.guideline):
        (workspace.data / path.name).symlink_to(path)
    (root / ".git").symlink_to(packs / ".git")
    shutil.copyfile(whole.params, workspace.params)
    shutil.copyfile(packs / "first.parquet", workspace.labeled)
    for event in journal.events(whole):
        if event.round == BASELINE:
            journal.append(workspace, event.event, BASELINE, event.facts)
    return workspace


def play(played: Played, moves: Mapping[int, Move]) -> Played:
    """Play the moves in order, each by the product's own steps; a round that is open in the end is closed."""
    for place, move in sorted(moves.items()):
        before = journal.read(played.workspace).head
        _play(played, place, move)
        if journal.read(played.workspace).head == before:
            played.idle.add(place)
    _close(played.workspace)
    return played


def as_if_never(moves: Mapping[int, Move], played: Played) -> dict[int, Move]:
    """The moves of the history in which what was undone never came, as it was played with it."""
    kept = {place: move for place, move in moves.items() if place not in played.idle and not isinstance(move, Undo)}
    for at, kind, of in played.undone:
        for place, move in list(kept.items()):
            if place < at and kind == "decision" and played.decided.get(place) == of:
                del kept[place]
            if place < at and isinstance(move, File | Again):
                kept[place] = _less(move, kind, of)
                source = move.place if isinstance(move, Again) else place
                if kind != "annotator" and of in (played.sent[source][1], played.rounds[place]):
                    del kept[place]
    return kept


def _less(move: File | Again, kind: Kind, of: str) -> File | Again:
    if isinstance(move, Again) or kind != "annotator":
        return move
    return replace(move, rows=tuple(row for row in move.rows if row[2] != of))


def _play(played: Played, place: int, move: Move) -> None:
    workspace = played.workspace
    match move:
        case Open():
            _open(workspace, played.packs)
        case Close():
            _close(workspace)
        case File():
            data, manifest = _written(played, place, move)
            _send(played, place, place, data, manifest)
        case Again(source):
            _send(played, place, source, played.sent[source][0], None)
        case Rollback():
            _roll_back(workspace)
        case Decide(rows):
            _decide(played, place, rows)
        case Undo(kind, which):
            _undo(played, place, kind, which)


def _open(workspace: Workspace, packs: Workspace) -> None:
    """Send the next pack out, as the packs' own workspace did."""
    name = journal.read(workspace).next_round
    shutil.copytree(packs.round(name), workspace.round(name), ignore=shutil.ignore_patterns(*MADE))
    for event in journal.events(packs):
        if event.round == name and event.event in OPENING:
            journal.append(workspace, event.event, name, event.facts)


def _close(workspace: Workspace) -> None:
    current = journal.read(workspace).rounds[-1]
    if current.phase is Phase.AWAITING:
        for event, step in CLOSING.items():
            journal.append(workspace, event, current.id, step(workspace, current.id))


def _written(played: Played, place: int, file: File) -> tuple[bytes, bytes | None]:
    """The bytes of a file and of its manifest; a column of its own makes each file another."""
    name = expected.asked(journal.read(played.workspace)).id
    ids, text = small_workspace.sent(played.packs, name), io.StringIO(newline="")
    old = "" if file.replaced is None else _digest(played, file.replaced)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["item_id", "label", "annotator_id", "supersedes", f"file{place}"])
    known = _known(played.packs, name)
    for number, answer, who, names_it in file.rows:
        item = ids[number % len(ids)]
        said = {"right": known[item], "wrong": CLASSES[known[item] == CLASSES[0]]}.get(answer, answer)
        writer.writerow([item, said, who, old[:8] if names_it and file.by_row else "", "x"])
    manifest = json.dumps({"supersedes": old, "rows": len(file.rows)}).encode() if old and not file.by_row else None
    return text.getvalue().encode(), manifest


def _digest(played: Played, place: int) -> str:
    return played.sent[place][1] if place in played.sent else played.elsewhere.get(place, "0" * 64)


@cache
def _known(packs: Workspace, name: str) -> dict[str, str]:
    return {str(row["item_id"]): str(row["label"]) for row in small_workspace.answers(packs, name)}


def _send(played: Played, place: int, source: int, data: bytes, manifest: bytes | None) -> None:
    path = played.workspace.root / "sent" / f"{place}.csv"
    files.write_bytes(path, data)
    if manifest:
        files.write_bytes(path.with_name(path.name + ".manifest.json"), manifest)
    played.sent.setdefault(source, (data, hashlib.sha256(data).hexdigest()))
    played.rounds[place] = expected.asked(journal.read(played.workspace)).id
    ingest(played.workspace, path)


def _decide(played: Played, place: int, rows: tuple[tuple[int, str, str], ...]) -> None:
    closed = [one.id for one in journal.read(played.workspace).closed if one.id != BASELINE]
    ids = [item for name in closed for item in small_workspace.sent(played.packs, name)]
    if not ids:
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["item_id", "label", "adjudicator", "reason", f"file{place}"])
    writer.writerows([ids[number % len(ids)], label, who, "plain mistake", "x"] for number, label, who in rows)
    path = played.workspace.root / "sent" / f"{place}.csv"
    played.decided[place] = files.write_text(path, text.getvalue())
    adjudicate.take(played.workspace, path)


def _roll_back(workspace: Workspace) -> None:
    with suppress(MomentError):  # there is no champion before the first
        name, facts = undo.rollback(workspace, "it feels wrong")
        journal.append(workspace, "rolled_back", name, facts)


def _undo(played: Played, place: int, kind: Kind, which: int) -> None:
    state, came = journal.read(played.workspace), sorted(sha256 for _, sha256 in played.sent.values())
    there = {
        "delivery": came,
        "annotator": list(PEOPLE),
        "round": [one.id for one in state.rounds[1:]],
        "decision": sorted(str(one["decision"]) for one in state.adjudicated),
    }[kind]
    if not there:
        return
    of = there[which % len(there)]
    try:
        repair.withdrawn(played.workspace, kind, of, "found out later")
    except MomentError:
        assert not _stands(played.workspace, kind, of), "there was something to undo"
    if len(journal.read(played.workspace).undone) > len(state.undone):
        played.undone.append((place, kind, of))


def _stands(workspace: Workspace, kind: Kind, of: str) -> bool:
    """Whether any answer counts that is of this delivery, annotator or round."""
    state = journal.read(workspace)
    if kind == "decision":
        return of in {one["decision"] for one in state.decisions()}
    return any(
        of in {"delivery": (judged.sha256,), "annotator": (one.annotator_id,), "round": (name.id,)}[kind]
        for name in state.rounds
        if name.arrivals
        for judged in expected.standing(workspace, state, name.id)
        for one in judged.annotations
    )


def outcome(workspace: Workspace) -> dict[str, object]:
    """All that must be equal: labels, model predictions, metrics, verdicts, champion, and what is owed."""
    state = journal.read(workspace)
    told: dict[str, object] = {"champion": state.champion, "champions": state.champions(), "spent": state.spent}
    for one in state.rounds:
        folder = workspace.round(one.id)
        told[one.id] = {
            "phase": one.phase,
            "accepted": one.accepted,
            "labels": _table(folder / "labels.parquet") if one.done("resolved") else None,
            "predictions": _table(folder / "predictions.parquet"),
            "model": one.facts["trained"]["model_id"],
            "labeled": one.facts["trained"]["labeled_sha256"],
            "metrics": one.facts["evaluated"],
            "resolved": one.facts.get("resolved"),
            "judged": one.facts["judged"],
        }
    return told


def _table(path: Path) -> str:
    return tables.read_parquet(path).to_json(orient="split", double_precision=15)
