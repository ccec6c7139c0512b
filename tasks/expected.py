"""What a round expects back: its pack, its gold, and the deliveries that stand, judged again from their bytes."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import Any, cast

from hitl.contract import SKIP
from hitl.delivery.expectation import Expectation
from hitl.delivery.exported import Elsewhere, Exported
from hitl.delivery.intake_rules import MANIFEST_SUFFIX
from hitl.delivery.judge import judge
from hitl.delivery.judgement import Judgement, refused
from hitl.delivery.reasons import Reason
from hitl.delivery.taken import Taken
from hitl.errors import IntegrityError, MomentError
from hitl.formats import Asked, door
from hitl.layout import Workspace, round_number
from hitl.ledger import Facts
from hitl.state import Phase, RoundState, State
from hitl.withdrawal import Arrived, Counts, counts
from tasks import journal
from tasks.edges import files, intake
from tasks.edges.intake import Copy


def asked(state: State) -> RoundState:
    """The round that a delivery of now answers: the newest whose pack went out."""
    found = next((one for one in reversed(state.rounds) if one.done("exported")), None)
    if found is None:
        raise MomentError("no pack ever went out, so nothing can come back: run hitl open")
    return found


def standing(workspace: Workspace, state: State, name: str) -> Iterator[Judgement]:
    """The deliveries of a round that stand, judged again from their bytes, in order of arrival.

    Raises IntegrityError when one has other bytes, or is judged otherwise, than when it was answered.
    """
    known = dict(state.round(name).standing)
    for judged in judged_again(workspace, state, name):
        yield _as_answered(judged, known.pop(judged.sha256, (0, 0)))
    for sha256, (accepted, _) in known.items():
        raise _judged_otherwise(sha256, 0, accepted)


def judged_again(workspace: Workspace, state: State, name: str) -> Iterator[Judgement]:
    """The deliveries of a round that stand by all that was withdrawn, judged in order of arrival from their bytes.

    What was refused is judged again too where something was withdrawn: that may be why it was.
    """
    one, wanted = state.round(name), replace(expectation(workspace, state, name), closed=False)
    known = not one.is_touched and one.rejudged is None
    arrivals = [arrived for arrived in one.arrivals if not known or arrived.sha256 in one.standing]
    return (judged for judged in _in_turn(workspace, arrivals, wanted) if judged.verdict != "reject")


def verdicts(workspace: Workspace, state: State, name: str, known: Mapping[str, str]) -> list[tuple[str, str]]:
    """The name of each delivery of a round, taken or refused, and its verdict where gold is as `known` (by item_id).

    None has a digest here: what does not depend on rows withdrawn since is told the same with them and without.
    """
    one, sent = state.round(name), sent_ids(workspace, name)
    hidden = {sent[item]: known[item] for item in gold(workspace, name) if item in known}
    wanted = replace(expectation(workspace, state, name), closed=False, gold=hidden)
    return [(judged.file, str(judged.verdict)) for judged in _in_turn(workspace, one.arrivals, wanted)]


def _in_turn(workspace: Workspace, arrivals: Iterable[Arrived], wanted: Expectation) -> Iterator[Judgement]:
    for arrived in arrivals:
        if arrived.may_stand and _is_whole(workspace, arrived):
            judged = _again(workspace, arrived, wanted)
            wanted = wanted if judged.verdict == "reject" else after(wanted, judged)
            yield judged


def _is_whole(workspace: Workspace, arrived: Arrived) -> bool:
    """Whether all of it was kept: of a refused file that came again with another manifest, the first one was not."""
    manifest = arrived.facts.get("manifest_sha256")
    if arrived.facts["verdict"] != "reject" or manifest is None:
        return True
    return files.sha256(workspace.deliveries / f"{arrived.sha256}.csv{MANIFEST_SUFFIX}") == manifest


def _again(workspace: Workspace, arrived: Arrived, wanted: Expectation) -> Judgement:
    facts, path = arrived.facts, workspace.deliveries / f"{arrived.sha256}.csv"
    copy = intake.kept(path, arrived.sha256)
    manifest = None
    if "manifest_sha256" in facts:
        files.must_be(path.with_name(path.name + MANIFEST_SUFFIX), cast(str, facts["manifest_sha256"]))
        manifest = intake.read_manifest(path)
    at = datetime.fromisoformat(cast(str, facts["received_at"]))
    wanted = replace(wanted, received_at=at, without=arrived.without)
    if facts.get("accept_loss"):
        wanted = accepting_loss(wanted)
    return judged(copy, wanted, file=cast(str, facts["file"]), manifest=manifest)


def judged(copy: Copy, wanted: Expectation, *, file: str, manifest: bytes | None) -> Judgement:
    """The judgement of a delivery, ours or a tool's export."""
    try:
        came = door.opened(copy, file, wanted.reading, limit=wanted.row_limit)
    except door.Refused as why:
        no = refused(Reason.F_EXPORT, round_id=wanted.round, file=file, sha256=copy.sha256, note=str(why))
        return replace(no, complete=Taken.of(wanted).complete)
    return judge(came.source, wanted, file=file, manifest=manifest, tool=came.tool)


def accepting_loss(wanted: Expectation) -> Expectation:
    """The same of a delivery that may be an export which drops what another one of its tool has."""
    reading = replace(wanted.reading, asked=wanted.reading.asked._replace(accept_loss=True))
    return replace(wanted, reading=reading)


def _as_answered(judged: Judgement, known: Counts) -> Judgement:
    if (judged.accepted, judged.revised) != known:
        raise _judged_otherwise(judged.sha256, judged.accepted, known[0])
    return judged


def _judged_otherwise(sha256: str, accepted: int, then: int) -> IntegrityError:
    return IntegrityError(
        f"data/deliveries/{sha256}.csv: {accepted} rows are accepted now, {then} when it was "
        "answered, so the pack, the gold or this program changed since: hitl verify tells which file"
    )


def expectation(workspace: Workspace, state: State, name: str) -> Expectation:
    """What a delivery for round `name` may hold, by its pack and the ledger; nothing taken yet.

    The roster and the limits are those that the pack promised, whatever params say by now, and of other rounds only
    earlier ones count: so a delivery is judged the same whenever it is judged again.
    """
    earlier = [one for one in state.rounds[: round_number(name)] if one.done("exported")]
    said = manifest(workspace, name)
    return replace(
        promised(said, _items(workspace, name), journal.now()),
        known=frozenset(),
        elsewhere=state.withdrawn.union(*(one.standing for one in earlier)),
        other_rounds=Elsewhere({one.id: _items(workspace, one.id) for one in earlier}),
        gold=_sent_gold(workspace, name),
        retired=_retired(workspace, [one.id for one in earlier], said),
        closed=state.round(name).phase is not Phase.AWAITING,
    )


def promised(manifest: Mapping[str, Any], items: Mapping[str, Mapping[str, str]], at: datetime) -> Expectation:
    """What a pack says of the deliveries it asks for."""
    return Expectation(
        round=manifest["round"],
        classes=tuple(manifest["classes"]),
        items=items,
        batch=manifest["batch_id"],
        known=None,
        annotators=tuple(manifest["annotators"]),
        answered=manifest.get("answered", {}),
        overlap=manifest["overlap"]["items"],
        default_overlap=manifest["overlap"]["default"],
        exported_at=datetime.fromisoformat(manifest["exported_at"]),
        received_at=at,
        guideline_sha256=manifest["instructions_sha256"],
        bad_row_share=manifest["bad_row_share"],
        reading=_reading(manifest.get("reading")),
    )


def _reading(said: Mapping[str, Any] | None) -> door.Reading:
    """How a pack says that the exports of tools are read; one of an earlier release says nothing of it."""
    if said is None:
        return door.PLAIN
    asked = Asked(label_field=said["label_field"], importers=frozenset(said["importers"]))
    return door.Reading(said["format"], frozenset(said["take"]), said["repeat"], asked)


def after(wanted: Expectation, judged: Judgement) -> Expectation:
    """What is expected once a delivery was taken. Answers that are `Taken` already are added to, not copied."""
    taken = Taken.of(wanted)
    for one in judged.annotations:
        taken.add((one.item_id, one.annotator_id), one.label or SKIP, judged.sha256)
    sources = {**wanted.sources, judged.sha256: judged.source} if judged.source else wanted.sources
    return replace(wanted, taken=taken, known={*(wanted.known or ()), judged.sha256}, sources=sources)


@dataclass(frozen=True, slots=True)
class _Folded:
    """What a round expected after some deliveries. `basis` is what else that follows from."""

    basis: object
    deliveries: tuple[Facts, ...]
    wanted: Expectation


_last: dict[Path, _Folded] = {}
# The inbox takes one delivery after another: none of those before is judged again for each.


def now(workspace: Workspace, state: State, at: datetime) -> Expectation:
    """What the open round expects now, after the deliveries that stand; those that this process has seen are known."""
    current = asked(state)
    if current.is_touched or current.rejudged is not None:
        stands = standing(workspace, state, current.id)
        return replace(reduce(after, stands, expectation(workspace, state, current.id)), received_at=at)
    basis, before = _basis(workspace, state, current), _last.get(workspace.ledger)
    if before is None or before.basis != basis or current.deliveries[: len(before.deliveries)] != before.deliveries:
        before = _Folded(basis, (), expectation(workspace, state, current.id))
    _last.pop(workspace.ledger, None)  # what is added to below is whole again only in the end
    wanted = replace(before.wanted, closed=False)
    for facts in current.deliveries[len(before.deliveries) :]:
        judged = _again(workspace, Arrived(facts), wanted)
        wanted = after(wanted, _as_answered(judged, counts(facts)))
    wanted = replace(wanted, received_at=at, closed=before.wanted.closed)
    _last[workspace.ledger] = _Folded(basis, tuple(current.deliveries), wanted)
    return wanted


def _basis(workspace: Workspace, state: State, current: RoundState) -> object:
    """All that the expectation of a round is made of but its deliveries, as far as one look at each file tells."""
    paths = (path for one in state.rounds for path in _sources(workspace, one.id))
    looks = tuple(files.look(path) for path in paths)
    others = [one.standing for one in state.rounds if one.id != current.id]
    return current.id, current.phase, looks, others, state.withdrawn


def _sources(workspace: Workspace, name: str) -> tuple[Path, ...]:
    pack, folder = workspace.pack(name), workspace.round(name)
    return pack / "MANIFEST.json", pack / "batch.csv", folder / "gold.csv", folder / "ids.csv"


def _retired(workspace: Workspace, earlier: Sequence[str], said: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes that packs of earlier rounds had, and this one has not."""
    before = {word for name in earlier for word in manifest(workspace, name)["classes"]}
    return tuple(sorted(before - set(said["classes"])))


def manifest(workspace: Workspace, name: str) -> dict[str, Any]:
    """What the pack of round `name` says of itself."""
    return cast(dict[str, Any], json.loads((workspace.pack(name) / "MANIFEST.json").read_text(encoding="utf-8")))


def _items(workspace: Workspace, name: str) -> Exported:
    return intake.exported(workspace.pack(name) / "batch.csv")


def sent_ids(workspace: Workspace, name: str) -> dict[str, str]:
    """Under what each item of round `name` went out, by item_id: its own id, but for those in the round's ids.csv.

    Raises IntegrityError when that file is not the one that export wrote.
    """
    ids = _changed_ids(workspace, name)
    return {item: item for item in _items(workspace, name)} if ids is None else dict(ids)


def _changed_ids(workspace: Workspace, name: str) -> Iterator[tuple[str, str]] | None:
    """Each item_id of the round and its sent id; None where they all are the same."""
    sha256 = journal.read(workspace).round(name).facts["exported"].get("ids_sha256")
    if sha256 is None:
        return None
    path = workspace.round(name) / "ids.csv"
    files.must_be(path, cast(str, sha256))
    return _told_ids(path)


def _told_ids(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from ((row["item_id"], row["sent_id"]) for row in csv.DictReader(file, strict=True))


def _sent_gold(workspace: Workspace, name: str) -> dict[str, str]:
    known, ids = gold(workspace, name), _changed_ids(workspace, name)
    return known if ids is None else {sent: known[item] for item, sent in ids if item in known}


def gold(workspace: Workspace, name: str) -> dict[str, str]:
    """The known answers of the gold items hidden in the pack of round `name`."""
    with (workspace.round(name) / "gold.csv").open(newline="", encoding="utf-8") as file:
        return {row["item_id"]: row["label"] for row in csv.DictReader(file, strict=True)}
