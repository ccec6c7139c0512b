"""Doctor: what is wrong with a workspace, in plain words, and the command that mends it. Looks only, unless it tidies.

It is asked when other commands fail: nothing here may need what could be broken.
"""

import os
import shlex
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from hitl import ledger, params as asked_for
from hitl.errors import HitlError, MomentError, ParamsError
from hitl.finding import Finding
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts
from hitl.state import Phase, State
from tasks import journal, track, verify
from tasks.edges import cache, files, git, lock, outbox, tools, tracked, verifier

SKEW = timedelta(seconds=60)
"""How far two clocks may be apart before we speak of it."""
ROOM = 200 * 2**20
"""Bytes that should be free on the disk."""
PATIENCE = 2.0
"""Seconds after which a lock of git is not one of a git at work."""
TIDY = "hitl doctor --tidy"
REBUILT = (
    "labeled_sha256",
    "candidates_sha256",
    "batch_sha256",
    "items_sha256",
    "gold_sha256",
    "annotations_sha256",
    "labels_sha256",
    "model_sha256",
    "predictions_sha256",
)
"""The facts that name a file which `hitl rebuild` makes again."""


def doctor(workspace: Workspace, at: datetime, *, room: int = ROOM) -> Facts:
    """All that is wrong with the workspace at `at`: `findings`, in the order in which to mend them, and `exit`.

    Each has `kind`, `where`, `what`, `why` it matters and the command to `mend` it. While a command is at work, or
    another computer's lock is there, that is all that can be said. `room` are the bytes that should be free.
    """
    found = list(_at_work(workspace))
    if not found:
        found = [*_disk(workspace, room), *_tools(), *_left_behind(workspace), *_git(workspace), *_missing(workspace)]
        found += [*_params(workspace), *_unsound(workspace)]
        state = _state(workspace)
        if state is not None:
            found += _of_state(workspace, state, at)
    found = list({(one.kind, one.mend): one for one in reversed(found)}.values())[::-1]  # a command is named once
    told = [{**asdict(one), "why": one.why} for one in found]
    return {"findings": told, "exit": max((one.exit_code for one in found), default=0)}


def tidy(workspace: Workspace) -> list[str]:
    """Clear away what a killed command left, and nothing that counts; returns what was cleared, in words."""
    with lock.locked(workspace, "doctor --tidy"):
        left = _half_written(workspace)
        for path in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        said = [_relative(workspace, path) for path in left]
        torn = _torn(workspace)
        if torn is not None:
            files.append_line(workspace.ledger, b"", after=torn)
            said.append(f"the torn last line of {verifier.LEDGER}")
    return said


def home(start: Path) -> Workspace | None:
    """The workspace that `start` lies in, however broken; None when nothing looks like one."""
    for folder in (start, *start.parents):
        signs = (folder / one for one in ("params.yaml", "data/ledger.jsonl", "data/rounds", ".hitl"))
        if sum(one.exists() for one in signs) > 1:
            return Workspace(folder)
    return None


def _of_state(workspace: Workspace, state: State, at: datetime) -> Iterator[Finding]:
    """What is asked of a workspace whose ledger can be read."""
    yield from _clock(state, at)
    yield from _asked(_params_changed(workspace, state))
    yield from _cut_short(state)
    yield from _asked(_cache(workspace))
    yield from _asked(_projections(workspace, state))


def _asked(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings, and whatever the search for them stumbles over; of params.yaml all was said before."""
    try:
        yield from findings
    except ParamsError:
        return
    except ImportError as error:
        yield Finding("tool", str(error.name), str(error), "uv sync --frozen")
    except (HitlError, OSError) as error:
        yield Finding("file", "", str(error), "hitl verify")


def _state(workspace: Workspace) -> State | None:
    """The state, None when the ledger is broken: then that is the finding."""
    try:
        return journal.read(workspace)
    except HitlError:
        return None


def _at_work(workspace: Workspace) -> Iterator[Finding]:
    who, found, path = lock.holder(workspace), lock.read(workspace), _relative(workspace, lock.card(workspace))
    if who and found and lock.is_elsewhere(found):
        what = f"{who} holds the workspace, and this computer cannot see whether it works; if it is gone for good"
        yield Finding("lock_elsewhere", path, f"{what}, clear its lock", f"rm {path}")
    elif who:
        pid = found["pid"] if found else ""
        what = f"{who} is at work: wait for it; should it hang, kill {pid} does no harm, and any command goes on"
        wait = f"while kill -0 {pid} 2>/dev/null; do sleep 1; done" if found else "hitl doctor"
        yield Finding("at_work", path, what, wait)


def _disk(workspace: Workspace, room: int) -> Iterator[Finding]:
    free = shutil.disk_usage(workspace.root).free
    if free < room:
        what = (
            f"{free // 2**20} MB are free on the disk of {workspace.root}, of the {room // 2**20} that a round may need"
        )
        mend = "dvc gc --workspace --all-tags --force"
        yield Finding("room", str(workspace.root), f"{what}: clear DVC's cache of what no version has, or more", mend)
    for path in (workspace.data, workspace.data / "rounds", workspace.deliveries, workspace.local):
        if path.is_dir() and not (os.access(path, os.W_OK | os.X_OK) and path.stat().st_mode & 0o200):
            name = _relative(workspace, path)
            yield Finding("unwritable", name, f"{name} may not be written to", f"chmod u+rwx {shlex.quote(name)}")


def _tools() -> Iterator[Finding]:
    for name, there, wanted in tools.unmet("hitl"):
        what = f"{name} {there} is installed" if there else f"{name} is not installed"
        yield Finding("tool", name, f"{what}; hitl needs {wanted}", f"uv pip install {shlex.quote(wanted)}")


def _left_behind(workspace: Workspace) -> Iterator[Finding]:
    left = _half_written(workspace)
    if left:
        named = ", ".join(_relative(workspace, path) for path in left[:3])
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        what = f"{named}{more}: being written when a command was killed"
        yield Finding("half_written", _relative(workspace, left[0]), what, TIDY)


def _git(workspace: Workspace) -> Iterator[Finding]:
    root = workspace.root
    why = git.is_there(root)
    if why:
        yield Finding("no_git", ".git", why, "git init --quiet --initial-branch=main && hitl advance")
        return
    for path in git.locks(root):
        if time.time() - path.stat().st_mtime > PATIENCE:
            what = f"{path} is there and no git is at work in it: one was killed"
            yield Finding("git_lock", str(path), what, f"rm -f {shlex.quote(str(path))}")
    begun = git.under_way(root)
    if begun:
        yield Finding("git_under_way", ".git", f"a git {begun} was begun and not ended", f"git {begun} --abort")
    elif not git.on_branch(root):
        yield Finding("detached", ".git/HEAD", "git is on no branch", git.way_back(root))


def _missing(workspace: Workspace) -> Iterator[Finding]:
    for path in (workspace.params, workspace.dvc_yaml, workspace.guideline):
        if not path.is_file():
            name = _relative(workspace, path)
            yield Finding("missing", name, f"{name} is missing", _from_git(workspace, path))
    if not workspace.ledger.is_file():
        name = verifier.LEDGER
        yield Finding("ledger", name, f"{name} is missing", _from_git(workspace, workspace.ledger))


def _from_git(workspace: Workspace, path: Path) -> str:
    name = _relative(workspace, path)
    there = not git.is_there(workspace.root) and git.committed(workspace.root, path)
    return f"git checkout HEAD -- {name}" if there else verifier.NO_COPY


def _params(workspace: Workspace) -> Iterator[Finding]:
    try:
        journal.params(workspace)
    except ParamsError as error:
        before = git.committed(workspace.root, workspace.params)
        mend = "mv params.yaml params.yaml.broken && git checkout HEAD -- params.yaml"
        yield Finding("params", "params.yaml", str(error), mend if _reads(before) else "edit params.yaml")
    except (HitlError, OSError):
        return  # it is missing


def _reads(text: str) -> bool:
    try:
        asked_for.parse(text)
    except ParamsError:
        return False
    return True


def _unsound(workspace: Workspace) -> Iterator[Finding]:
    if not workspace.ledger.is_file():
        return
    for one in cast(list[Mapping[str, str]], verify.verify(workspace)["problems"]):
        mend = one["mend"]
        if one["file"] == workspace.params.name:
            continue  # what is wrong with it was told already
        if mend == verifier.NO_COPY and one["file"] in _made(workspace):
            mend = "hitl rebuild"
        yield Finding("ledger" if one["file"] == verifier.LEDGER else "file", one["file"], one["says"], mend)


def _made(workspace: Workspace) -> set[str]:
    """The files that can be computed again from deliveries and params."""
    state = _state(workspace)
    rounds = [one.id for one in state.rounds] if state else []
    names = [verifier.NAMED[key] for key in REBUILT]
    return {name.format(round=one) for name in names for one in rounds}


def _clock(state: State, at: datetime) -> Iterator[Finding]:
    ahead = datetime.fromisoformat(state.last_at) - at
    if ahead > SKEW:
        what = f"the last event is dated {state.last_at}, and by this computer's clock it is {ledger.stamp(at)}"
        yield Finding("clock", verifier.LEDGER, f"{what}: the clock went back", "timedatectl set-ntp true")


def _params_changed(workspace: Workspace, state: State) -> Iterator[Finding]:
    current = state.rounds[-1]
    if current.phase is not Phase.AWAITING:
        return  # before, a round begins anew with other params; after, it goes on with those that it kept
    try:
        journal.unchanged(workspace, current)
    except MomentError:
        return  # there are none
    except ParamsError as error:
        if str(error).startswith("params.yaml changed"):
            mend = _old_params(workspace, current.id, current.facts["opened"])
            yield Finding("params_changed", "params.yaml", str(error), mend)


def _old_params(workspace: Workspace, name: str, opened: Facts) -> str:
    """The command that puts back what the round began with; the params of now are kept beside."""
    kept, sha256, file = workspace.opened_params(name), opened["params_sha256"], opened.get("opened_params_sha256")
    keep = "mv params.yaml params.yaml.new"
    if kept.is_file() and (files.sha256(kept) == file or _sha256_of(kept.read_text(encoding="utf-8")) == sha256):
        return f"{keep} && cp {_relative(workspace, kept)} params.yaml"
    if _sha256_of(git.committed(workspace.root, workspace.params)) == sha256:
        return f"{keep} && git checkout HEAD -- params.yaml"
    return "git diff params.yaml"


def _sha256_of(text: str) -> str | None:
    return asked_for.parse(text).sha256() if _reads(text) else None


def _cut_short(state: State) -> Iterator[Finding]:
    current = state.rounds[-1]
    begun = len(current.facts) > 1  # a workspace that was only made is well
    if state.rebuilding:
        one = state.rebuilding[0]
        yield Finding("cut_short", one.id, f"{one.id} was cut short while it was rebuilt after an undo", "hitl close")
    elif current.phase is Phase.OPENING or (current.id == BASELINE and current.phase is Phase.CLOSING and begun):
        yield Finding("cut_short", current.id, f"{current.id} was cut short while opening", "hitl open")
    elif current.phase is Phase.CLOSING and current.id != BASELINE:
        yield Finding("cut_short", current.id, f"{current.id} was cut short while closing", "hitl close")


def _projections(workspace: Workspace, state: State) -> Iterator[Finding]:
    """What git, DVC and MLflow lack of the closed rounds."""
    if git.is_there(workspace.root):
        return

    from tasks import version  # with it comes DVC, which may be what is broken

    for name in version.pending(workspace, state):
        hooks = git.hooks(workspace.root)
        maybe = f"; it may be that your hook {' or '.join(hooks)} refuses it" if hooks else ""
        yield Finding("no_version", ".git", f"{name} is closed, and git has no version of it{maybe}", "hitl advance")
    yield from _mlflow(workspace, state)


def _mlflow(workspace: Workspace, state: State) -> Iterator[Finding]:
    database, path = outbox.database(workspace), ".hitl/mlflow.db"
    again = f"mv {path} {path}.old && hitl advance"
    is_own = outbox.address(workspace) == outbox.own(workspace)
    if is_own and not tracked.readable(workspace.root):
        yield Finding("no_run", path, f"{path} is not a database any more", again)
        return
    away = tracked.elsewhere(workspace.root) if is_own and database.is_file() else []
    if away:
        what = f"the workspace was moved or copied: MLflow's database points to {away[0]}"
        yield Finding("moved", path, what, f"rm -r .hitl/tracked && {again}")
        return
    try:
        outbox.reach(workspace)
    except outbox.Unreachable as error:
        mend = "hitl advance" if is_own else "unset MLFLOW_TRACKING_URI"
        yield Finding("unreachable", outbox.shown(outbox.address(workspace)), str(error), mend)
        return
    pending = track.pending(workspace, state)
    if pending:
        what = f"{', '.join(pending)} is closed, and MLflow was not told"
        yield Finding("no_run", outbox.shown(outbox.address(workspace)), what, "hitl advance")
    told = {one.version: outbox.sent(workspace, one.version) for one in state.closed}
    runs = {name: str(facts.get("run_id", "")) for name, facts in told.items() if facts}
    for name in tracked.lost(workspace.root, runs) if is_own else ():
        what = f"the MLflow run of {name} is gone"
        yield Finding("no_run", path, what, f"rm .hitl/tracked/{name} && hitl advance")


def _cache(workspace: Workspace) -> Iterator[Finding]:
    root, folder = workspace.root, cache.remote_folder(workspace.root)
    if folder is not None and not folder.is_dir():
        what = f"DVC's remote {folder} is not there: bring it back, or make it anew"
        yield Finding("unreachable", str(folder), what, f"mkdir -p {shlex.quote(str(folder))} && dvc push")
    missing, damaged = cache.sick(root)
    mend = "dvc fetch" if cache.remote(root) else "dvc commit --force"
    if damaged:
        away = " ".join(shlex.quote(_relative(workspace, path)) for path in damaged)
        what = f"{len(damaged)} files in DVC's cache are not what they are named after, and DVC does not notice"
        yield Finding("cache", _relative(workspace, damaged[0]), what, f"rm -f {away} && {mend}")
    elif missing:
        what = f"DVC's cache lacks {len(missing)} files of the newest version"
        yield Finding("cache", _relative(workspace, missing[0]), what, mend)


def _half_written(workspace: Workspace) -> list[Path]:
    """What writes that were killed left: temporary files, copies of deliveries, a scratch copy of the workspace."""
    scratch, arriving = workspace.local / "scratch", workspace.local / "arriving"
    found = [*workspace.root.glob(".*"), *workspace.data.rglob(".*"), *workspace.local.rglob(".*")]
    half = [path for path in found if files.is_unfinished(path) and path.is_file() and scratch not in path.parents]
    copies = [*arriving.glob("delivery-*.csv"), *workspace.spool.glob("*"), *workspace.local.glob("scratch")]
    return sorted({*half, *copies})


def _torn(workspace: Workspace) -> int | None:
    """Where the torn last line of the ledger begins; None when there is none, or what is before it is not sound."""
    data = workspace.ledger.read_bytes() if workspace.ledger.is_file() else b""
    whole = ledger.complete(data)
    return None if whole == data or verifier.chain(whole)[1] else len(whole)


def _relative(workspace: Workspace, path: Path) -> str:
    return str(path.relative_to(workspace.root)) if path.is_relative_to(workspace.root) else str(path)
