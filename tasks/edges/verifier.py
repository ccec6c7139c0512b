"""Verify a workspace: its ledger's chain, every file that the ledger names, and whatever anchors the ledger's head.

This one file needs Python 3.9 and nothing else, so that a copy of it can lie beside the evidence:

    python3 -I -S verifier.py [FOLDER] [--json]

It reads, and changes nothing; it asks no network. Exit code 0: sound; 6: not sound; 3: there is no ledger to verify.
The line of an event is `{"actor", "at", "event", "facts", "hash", "prev", "round", "seq"}`, spelled as JSON with sorted
keys, without spaces, in UTF-8; its hash is sha256(prev + the same spelling of all but `prev` and `hash`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

LEDGER = "data/ledger.jsonl"
GENESIS = "0" * 64
KEYS = ["actor", "at", "event", "facts", "hash", "prev", "round", "seq"]
NO_COPY = "no other copy is known here: bring it back from a backup"
PIECE = 1 << 20
"""Bytes that are read at once."""
AT_ONCE = 100
"""Files that a thread looks at before it takes others."""
NAMED = {
    "labeled_sha256": "data/labeled.parquet",
    "learning_curve_sha256": "data/learning_curve.csv",
    "opened_params_sha256": "data/rounds/{round}/params.opened.yaml",
    "params_file_sha256": "data/rounds/{round}/params.yaml",
    "candidates_sha256": "data/rounds/{round}/candidates.parquet",
    "batch_sha256": "data/rounds/{round}/batch.parquet",
    "items_sha256": "data/rounds/{round}/items.parquet",
    "gold_sha256": "data/rounds/{round}/gold.csv",
    "ids_sha256": "data/rounds/{round}/ids.csv",
    "pushed_sha256": "data/rounds/{round}/pushed.csv",
    "guideline_sha256": "data/rounds/{round}/pack/guideline.md",
    "annotations_sha256": "data/rounds/{round}/annotations.parquet",
    "guideline_json_sha256": "data/rounds/{round}/guideline.json",
    "annotators_sha256": "data/rounds/{round}/annotators.json",
    "labels_sha256": "data/rounds/{round}/labels.parquet",
    "doubts_sha256": "data/rounds/{round}/doubts.json",
    "model_sha256": "data/rounds/{round}/model.skops",
    "predictions_sha256": "data/rounds/{round}/predictions.parquet",
    "report_sha256": "data/rounds/{round}/report.html",
    "delivery": "data/deliveries/{delivery}.csv",
    "manifest_sha256": "data/deliveries/{delivery}.csv.manifest.json",
    "receipt_sha256": "data/deliveries/{delivery}.receipt.json",
    "receipt_html_sha256": "data/deliveries/{delivery}.receipt.html",
    "redo_sha256": "data/deliveries/{delivery}.redo.csv",
    "audit_drawn_sha256": "data/rounds/{round}/audits/{audit}.drawn.csv",
    "audit_answers_sha256": "data/rounds/{round}/audits/{audit}.answers.csv",
    "audit_receipt_sha256": "data/rounds/{round}/audits/{audit}.receipt.json",
    "audit_html_sha256": "data/rounds/{round}/audits/{audit}.receipt.html",
    "decision": "data/decisions/{decision}.csv",
    "decided_sha256": "data/decisions/{decision}.decided.csv",
    "decision_receipt_sha256": "data/decisions/{decision}.receipt.json",
    "decision_redo_sha256": "data/decisions/{decision}.redo.csv",
}
"""The facts that are the sha256 of a file, and which file that is."""
FOLDERS = {"created": "", "opened": "", "reopened": "", "exported": "data/rounds/{round}/pack/", "closed": ""}
"""The events with a fact `files`, and the folder in which those lie."""
CLOSING = {"validated", "resolved", "trained", "evaluated", "judged", "reported", "closed"}
"""The events of a round's closing, which an undo makes void."""
_OPENING = {"opened", "reopened"}
LAST = (NAMED["labeled_sha256"], NAMED["learning_curve_sha256"])
"""The files that each closing makes anew."""
UNDER_WAY = {"validated": "data/labeled.parquet", "reported": "data/learning_curve.csv"}
"""After which event the next step writes which file anew, before the ledger speaks of it: a kill in between shows."""
NO_FILES = {"params_sha256"}
"""Digests of values, which no file has."""
_ROUND = re.compile(r"r([0-9]{4}|[1-9][0-9]{4,})")
_MD5 = re.compile(r"^(?:- |  )md5: ([0-9a-f]{2})([0-9a-f]{30})((?:\.dir)?)$", re.MULTILINE)

Event = dict[str, Any]
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class Problem(NamedTuple):
    """What is wrong: with which file, by which event (line of the ledger), and the command that mends it."""

    file: str
    says: str
    mend: str
    seq: int | None = None
    line: int | None = None
    event: str | None = None
    round: str | None = None
    expected: str | None = None
    found: str | None = None


class Named(NamedTuple):
    """A file that an event names by its sha256."""

    file: str
    sha256: str
    by: Event


class Anchor(NamedTuple):
    """What somebody outside the ledger remembers: that round `round` closed when its head was `head`."""

    place: str
    round: str
    head: str
    seq: int | None = None
    binding: bool = True


def verify(root: Path, look: Callable[[str], str] | None = None) -> dict[str, Any]:
    """Everything that is wrong with the workspace at `root`; raises FileNotFoundError where it has no ledger.

    `look` gives the sha256 of a file, as `digest` does, where some lie elsewhere.

    Returns `events`, `files` and `anchors`: how many were looked at, `head`, `problems`, and `unchecked`: names of
    facts that look like digests and mean no file that this program knows.
    """
    data = (root / LEDGER).read_bytes()
    events, problems = chain(data)
    problems = [one._replace(mend=_mend_ledger(root, data)) for one in problems]
    named = files_named(events)
    problems += [_cut(one, events) for one in changed(root, named.values(), look)]
    problems += strangers(root, events)
    git, mlflow = list(git_anchors(root)), list(mlflow_anchors(root, events))
    problems += broken(root, data, events, [*git, *mlflow])
    return {
        "events": len(events),
        "files": len(named),
        "head": events[-1]["hash"] if events else GENESIS,
        "anchors": {"git": len(git), "mlflow": len(mlflow)},
        "problems": [one._asdict() for one in problems],
        "unchecked": sorted(_unknown(events)),
    }


# --- the ledger


def chain(data: bytes) -> tuple[list[Event], list[Problem]]:
    """The events whose own hash is right, and a problem for every line that is no event or does not follow."""
    events: list[Event] = []
    problems: list[Problem] = []
    before: str | None = GENESIS
    *lines, torn = data.split(b"\n")
    for number, text in enumerate(lines, start=1):
        event, why = _event(text)
        if event is None:
            problems.append(_line(number, f"is not an event ({why})"))
            before = None  # what the next line must follow is not known
            continue
        why = _why_not(event, number, before)
        if why:
            problems.append(_line(number, f"(event {event['seq']}, {event['event']} of {event['round']}) {why}", event))
        if event["hash"] == _hash(event):
            events.append(event)
        before = event["hash"]
    if torn:
        problems.append(_line(len(lines) + 1, "has no line end: its write was cut, or its last byte was changed"))
    return events, problems


def canonical(value: object) -> bytes:
    """The one spelling of a JSON value that digests are taken over."""
    return _CANONICAL.encode(value).encode()


def _event(text: bytes) -> tuple[Event | None, str]:
    """The event in a line, or why there is none."""
    try:
        event = json.loads(text)
        if not isinstance(event, dict) or sorted(event) != KEYS or not isinstance(event["facts"], dict):
            return None, "it has other keys"
        if not all(isinstance(event[key], str) for key in KEYS if key not in ("facts", "seq")):
            return None, "a value is of another kind"
        if canonical(event) != text:
            return None, "it is spelled otherwise than it was written"
    except (ValueError, TypeError, RecursionError) as error:
        return None, str(error)
    return event, ""


def _why_not(event: Event, number: int, before: str | None) -> str:
    """What is wrong with an event on line `number`, after the event hashed `before`."""
    if event["hash"] != _hash(event):
        return f"was changed: its content has the hash {_hash(event)[:12]}, and it says {event['hash'][:12]}"
    if event["seq"] != number - 1:
        return "is not where it was written: lines were taken out, put in, or moved"
    if before not in (None, event["prev"]):
        return f"does not follow the line before: that has the hash {str(before)[:12]}, not {event['prev'][:12]}"
    return ""


def _hash(event: Event) -> str:
    body = {key: value for key, value in event.items() if key not in ("prev", "hash")}
    return hashlib.sha256(event["prev"].encode() + canonical(body)).hexdigest()


def _line(number: int, says: str, event: Event | None = None) -> Problem:
    told = {key: event[key] for key in ("seq", "event", "round")} if event else {}
    return Problem(LEDGER, f"{LEDGER}, line {number} {says}", "", line=number, **told)


def _mend_ledger(root: Path, data: bytes) -> str:
    """The command that brings the ledger back, from git where git has the broken lines."""
    committed = _git(root, "show", f"HEAD:./{LEDGER}")
    lines = committed.count(b"\n")
    ours = data.split(b"\n")
    whole, problems = chain(committed + b"\n".join(ours[lines:]))
    if whole and committed and not problems:
        if len(whole) == lines:
            return f"git checkout HEAD -- {LEDGER}"
        return _rewrite(f"git show HEAD:./{LEDGER}; tail -n +{lines + 1} {LEDGER}")
    for end in (len(data), len(data) - 1):
        if not chain(data[:end] + b"\n")[1]:
            return _rewrite(f"head -c {end} {LEDGER}; echo")
    if not chain(data[: data.rfind(b"\n") + 1])[1]:
        return "hitl doctor --tidy"
    return NO_COPY


def _rewrite(command: str) -> str:
    return f"({command}) > {LEDGER}.mended && mv {LEDGER}.mended {LEDGER}"


# --- the files


def files_named(events: Iterable[Event]) -> dict[str, Named]:
    """Every file that must be there as the events say it, by its path in the workspace."""
    found: dict[str, Named] = {}
    for event in events:
        for file in _superseded(event, found):
            del found[file]
        for file, sha256 in files_of(event):
            known = found.get(file)
            if known is None or known.sha256 != sha256:  # the first event that says so is the one to look at
                found[file] = Named(file, sha256, event)
    return found


def files_of(event: Event) -> Iterator[tuple[str, str]]:
    """Every file that the event names, and its sha256."""
    facts = event["facts"]
    words = {"round": event["round"], **{key: str(facts.get(key)) for key in ("delivery", "decision", "audit")}}
    for key, value in facts.items():
        if key in NAMED and isinstance(value, str):
            yield NAMED[key].format(**words), value
    if event["event"] in FOLDERS and isinstance(facts.get("files"), dict):
        for name, value in facts["files"].items():
            yield FOLDERS[event["event"]].format(**words) + name, str(value)


def _superseded(event: Event, found: dict[str, Named]) -> list[str]:
    """What is made anew from here on: a round that begins again or is rebuilt, the model of one whose labels are in."""
    if event["event"] == "undone":
        return _void(event["facts"].get("rounds", []), found)
    folder = f"data/rounds/{event['round']}/"
    if event["event"] == "reopened":
        opening = [
            name for name, one in found.items() if one.by["event"] in _OPENING and one.by["round"] == event["round"]
        ]
        return [*(file for file in found if file.startswith(folder) and file not in opening), *opening]
    model = f"{folder}model.skops"
    return [model] if event["event"] == "validated" and model in found else []


def _void(rounds: list[str], found: dict[str, Named]) -> list[str]:
    """What the closings of these rounds had named."""
    made = [file for file, one in found.items() if one.by["round"] in rounds and one.by["event"] in CLOSING]
    return [*made, *(file for file in LAST if rounds and file in found and file not in made)]


def _unknown(events: Iterable[Event]) -> set[str]:
    keys = {(event["event"], key) for event in events for key in event["facts"] if key.endswith("_sha256")}
    return {f"{event}.{key}" for event, key in keys if key not in NAMED and key not in NO_FILES}


def changed(root: Path, named: Iterable[Named], look: Callable[[str], str] | None = None) -> list[Problem]:
    """A problem for every file that is missing or not as the ledger says, in the order of their names."""
    ordered, look = sorted(named), look or partial(digest, root)
    parts = [ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE)]
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        looked = pool.map(lambda part: [(one, look(one.file)) for one in part], parts)
        return [_wrong(root, one, found) for part in looked for one, found in part if found != one.sha256]


def digest(root: Path, file: str) -> str:
    """The sha256 of a file, or a word for why it has none."""
    if Path(file).is_absolute() or ".." in Path(file).parts:
        return "outside"
    try:
        return _sha256(root / file)
    except OSError:
        return "unreadable" if (root / file).exists() else "missing"


def _sha256(path: Path) -> str:
    if not path.is_file():  # a pipe would never end
        raise FileNotFoundError(path)
    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            found.update(piece)
    return found.hexdigest()


def _wrong(root: Path, one: Named, found: str) -> Problem:
    by = one.by
    where = f"event {by['seq']} ({by['event']} of {by['round']}, line {by['seq'] + 1} of the ledger)"
    if found == "outside":
        says, mend = f"{one.file} lies outside the workspace", "the ledger was not written by hitl"
    elif found in ("missing", "unreadable"):
        says, mend = f"{one.file} is {found}; {where} names it", _mend_file(root, one)
    else:
        says = f"{one.file} was changed: its sha256 is {found[:12]}, {where} says {one.sha256[:12]}"
        mend = _mend_file(root, one)
    told = {key: by[key] for key in ("seq", "event", "round")}
    return Problem(one.file, says, mend, line=by["seq"] + 1, expected=one.sha256, found=found, **told)


def _cut(one: Problem, events: list[Event]) -> Problem:
    """The problem as it is, or what the next step was killed over, with the command that goes on."""
    return one._replace(mend="hitl close") if UNDER_WAY.get(events[-1]["event"]) == one.file else one


def _mend_file(root: Path, one: Named) -> str:
    """The command that brings a file back, from wherever its very bytes are found."""
    if hashlib.sha256(_git(root, "show", f"HEAD:./{one.file}")).hexdigest() == one.sha256:
        return f"git checkout HEAD -- {shlex.quote(one.file)}"
    came = sorted((root / "data" / "inbox").glob("*")) if one.file.startswith("data/deliveries/") else []
    for path in (*_cached(root, one.file), *came):
        if path.is_file() and _sha256(path) == one.sha256:
            copy = f"cp {shlex.quote(str(path.relative_to(root)))} {shlex.quote(one.file)}"
            folder = shlex.quote(str(Path(one.file).parent))
            return copy if (root / one.file).parent.is_dir() else f"mkdir -p {folder} && {copy}"
    if any("remote = " in _text(root / ".dvc" / name) for name in ("config", "config.local")):
        # DVC takes what lies in its cache for good: a damaged file there must go first.
        bad = [f"rm -f {shlex.quote(str(path.relative_to(root)))} && " for path in _cached(root, one.file)]
        return f"{''.join(bad)}dvc fetch && hitl verify"
    return NO_COPY


def _cached(root: Path, file: str) -> Iterator[Path]:
    """Where DVC's cache would have the file, by the note in git that names it or its folder."""
    path = Path(file)
    for above in (path, *path.parents):
        note = _MD5.search(_text(root / f"{above}.dvc"))
        if note is None:
            continue
        here = cached(root, note[1] + note[2] + note[3])
        if not note[3]:
            yield here
            continue
        inside = path.relative_to(above).as_posix()
        try:
            listed = json.loads(_text(here) or "[]")
            yield from (cached(root, str(entry["md5"])) for entry in listed if entry["relpath"] == inside)
        except (ValueError, KeyError, TypeError):
            return


def cached(root: Path, md5: str) -> Path:
    """Where DVC's cache has what is called `md5`."""
    return root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def strangers(root: Path, events: Iterable[Event]) -> list[Problem]:
    """A problem for every file of the pool that no event names: all that lies there is scored."""
    known = {name for event in events for name in event["facts"].get("files", {})}
    found = [path for path in sorted((root / "data" / "pool").rglob("*")) if path.is_file()]
    names = [path.relative_to(root).as_posix() for path in found if not path.name.startswith(".")]
    return [
        Problem(
            name, f"{name} is in the pool, and no event names it: the next opening would", f"mv {shlex.quote(name)} ."
        )
        for name in names
        if name not in known
    ]


# --- the anchors


def git_anchors(root: Path) -> Iterator[Anchor]:
    """What the versions in git remember. One that HEAD does not descend from binds only a ledger that has its round."""
    if not (root / ".git").exists():
        return
    below = set(_git(root, "for-each-ref", "--merged=HEAD", "--format=%(refname:short)", "refs/tags").decode().split())
    said = _git(root, "for-each-ref", "--format=%(refname:short)%00%(contents)%01", "refs/tags").decode(
        "utf-8", "replace"
    )
    for one in said.split("\x01"):
        name, _, message = one.strip("\n").partition("\0")
        head = re.search(r"^Ledger-Head: ([0-9a-f]{64})$", message, re.MULTILINE)
        if head and _ROUND.fullmatch(name.partition(".")[0]):
            yield Anchor(f"git tag {name}", name.partition(".")[0], head[1], binding=name in below)


def mlflow_anchors(root: Path, events: list[Event]) -> Iterator[Anchor]:
    """What the runs in the workspace's own MLflow database remember; nothing where there is none to read."""
    known = runs(root)
    genesis = events[0]["hash"] if events else GENESIS
    sent = {found for path in (root / ".hitl" / "tracked").glob("r*") for found in re.findall(r"\w{32}", _text(path))}
    ours = {run: told for run, told in known.items() if run in sent or told.get("hitl.workspace_id") == genesis}
    below = {one.round: one.binding for one in git_anchors(root)}
    for run, told in sorted((ours or known).items(), key=lambda one: one[1].get("hitl.round", "")):
        name, head, seq = (told.get(f"hitl.{key}", "") for key in ("round", "ledger_head", "ledger_seq"))
        if _ROUND.fullmatch(name) and head and seq.isdigit():
            yield Anchor(f"MLflow run {run}", name, head, int(seq), binding=below.get(name, True))


def runs(root: Path) -> dict[str, dict[str, str]]:
    """Of every finished run of a round what MLflow notes on it, by the run's id."""
    path = root.resolve() / ".hitl" / "mlflow.db"
    if not path.is_file():
        return {}
    found: dict[str, dict[str, str]] = {}
    asked = (
        "SELECT r.run_uuid, t.key, t.value FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid "
        "WHERE r.lifecycle_stage = 'active' AND r.status = 'FINISHED' AND t.key LIKE 'hitl.%'"
    )
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            for run, key, value in database.execute(asked):
                found.setdefault(run, {})[key] = value
    except sqlite3.Error:
        return {}  # busy, torn, or not MLflow's: a projection that cannot be read proves nothing
    return {run: told for run, told in found.items() if told.get("hitl.part") == "round"}


def broken(root: Path, data: bytes, events: list[Event], anchors: list[Anchor]) -> list[Problem]:
    """A problem for every anchor that remembers another ledger than this one."""
    hashes = {event["hash"] for event in events}
    rounds = {event["round"] for event in events if event["event"] == "closed"}
    wrong = [one for one in anchors if one.head not in hashes and (one.binding or one.round in rounds)]
    newest = max((one.place.split()[-1] for one in anchors if one.place.startswith("git")), default=None)
    mend = f"git checkout refs/tags/{newest} -- {LEDGER}" if newest else NO_COPY
    return [_rewritten(root, data, one)._replace(mend=mend) for one in wrong]


def _rewritten(root: Path, data: bytes, one: Anchor) -> Problem:
    """What the anchor says, and where the ledger first differs from the one it saw, if git still has that."""
    version = one.place.split()[-1] if one.place.startswith("git") else one.round
    then = _git(root, "show", f"refs/tags/{version}:./{LEDGER}")
    same = takewhile(lambda lines: lines[0] == lines[1], zip(then.split(b"\n"), data.split(b"\n")))  # noqa: B905 - 3.9
    line = len(list(same)) + 1 if then else None
    told = f" (line {line} is the first that differs)" if line else ""
    says = f"{one.place} anchors another ledger (head {one.head[:12]}): {LEDGER} was rewritten or cut{told}"
    return Problem(LEDGER, says, "", seq=one.seq, line=line, event="closed", round=one.round, expected=one.head)


def _git(root: Path, *arguments: str) -> bytes:
    """What git prints; nothing when it says no, or is not there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except OSError:
        return b""
    return done.stdout if done.returncode == 0 else b""


# --- the command


def text(facts: dict[str, Any]) -> str:
    """What was found, for people."""
    anchors = facts["anchors"]
    looked = (
        f"{facts['events']} events, {facts['files']} files, {anchors['git']} git tags, {anchors['mlflow']} MLflow runs"
    )
    if not facts["problems"]:
        return f"sound: {looked}; the ledger's head is {facts['head'][:12]}"
    lines = [f"{len(facts['problems'])} problems in {looked}"]
    for one in facts["problems"]:
        lines += [f"  {one['says']}", f"    mend: {one['mend']}"]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run the command line; returns its exit code."""
    folders = [one for one in arguments if one != "--json"]
    try:
        facts = verify(Path(*folders[:1]))
    except FileNotFoundError as error:
        sys.stderr.write(f"there is no ledger: {error.filename}\n")
        return 3
    sys.stdout.write((json.dumps(facts) if "--json" in arguments else text(facts)) + "\n")
    return 6 if facts["problems"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
