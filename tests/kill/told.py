"""All that must be equal after a kill and a second call: each fact under a name of its own, so that two compare.

Nothing but the minute of a page is left out by hand. What two runs that nobody killed tell differently (times, and
digests of what holds them) may differ; everything else must not.
"""

import hashlib
import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from hitl.layout import Workspace

Told = Mapping[str, object]
_MINUTE = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC")
"""A moment as our pages tell it: two unbroken runs may well fall into the same minute, and a third not."""
_OWN = (".git", ".hitl", ".dvc/tmp", ".dvc/cache")
"""Folders whose names are not ours, or belong to this machine; what counts in them is told in other words."""


def told(workspace: Workspace) -> dict[str, object]:
    """Everything: ledger, files and their modes, git, DVC, MLflow."""
    os.environ["GIT_OPTIONAL_LOCKS"] = "0"
    every = (_ledger(workspace), _files(workspace), _git(workspace.root), _dvc(workspace.root), _mlflow(workspace))
    return {name: value for part in every for name, value in part}


def unsound(workspace: Workspace) -> list[str]:
    """What is wrong with the workspace by itself."""
    from tasks import verify

    found = [f"hitl verify: {one['file']}: {one['says']}" for one in verify.verify(workspace)["problems"]]
    found += [f"left behind: {path}" for path in (workspace.root / ".git").rglob("*.lock")]
    fsck = _git_says(workspace.root, "fsck", "--no-dangling", "--no-progress")
    found += [f"git fsck: {fsck}"] if fsck else []
    cache = workspace.root / ".dvc" / "cache" / "files" / "md5"
    for path in sorted(one for one in cache.rglob("*") if one.is_file()):
        name = path.parent.name + path.name.removesuffix(".dir")
        if hashlib.md5(path.read_bytes()).hexdigest() != name and len(name) == 32:
            found.append(f"DVC's cache: {path.name} is not what its name says")
    return found


def volatile(one: Told, other: Told) -> frozenset[str]:
    """The names of what two unbroken runs tell differently."""
    return frozenset(name for name in one.keys() & other.keys() if one[name] != other[name])


def differences(wanted: Told, found: Told, may: frozenset[str]) -> list[str]:
    """What is missing, too much, or otherwise, in words."""
    return [
        f"{name}: {_short(found.get(name, 'nothing'))} instead of {_short(wanted.get(name, 'nothing'))}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name) and (name not in may or name not in found)
    ]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 160 else f"{text[:160]}..."


def _ledger(workspace: Workspace) -> Iterator[tuple[str, object]]:
    for line in workspace.ledger.read_bytes().splitlines():
        event = json.loads(line)
        yield from _leaves(f"ledger {event['seq']}", event)


def _files(workspace: Workspace) -> Iterator[tuple[str, object]]:
    for folder, folders, names in os.walk(workspace.root):
        here = Path(folder).relative_to(workspace.root).as_posix()
        folders[:] = [name for name in folders if f"{here}/{name}".removeprefix("./") not in _OWN]
        for name in (*folders, *names):
            yield f"mode of {here}/{name}", oct((Path(folder) / name).lstat().st_mode)
        for name in names:
            yield from _file(f"file {here}/{name}", Path(folder) / name)


def _file(name: str, path: Path) -> Iterator[tuple[str, object]]:
    data = path.read_bytes()
    if path.name in ("ledger.jsonl", "lock.json"):
        return
    if path.suffix == ".json":
        yield from _leaves(name, json.loads(data))
    elif path.suffix == ".parquet":
        from tasks.edges import tables

        yield from _leaves(name, json.loads(tables.read_parquet(path).to_json(orient="split", double_precision=15)))
    elif path.suffix in (".csv", ".html", ".yaml", ".dvc", ".lock", ".md"):
        yield from _leaves(name, _MINUTE.sub("", data.decode()).splitlines())
    else:
        yield name, hashlib.sha256(data).hexdigest()


def _leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(f"{name} {key}", one)
    elif isinstance(value, list):
        yield f"length of {name}", len(value)
        for number, one in enumerate(value):
            yield from _leaves(f"{name} {number}", one)
    else:
        yield name, value


def _git(root: Path) -> Iterator[tuple[str, object]]:
    yield "git log", _git_says(root, "log", "--all", "--format=%s%d")
    yield "git status", _git_says(root, "status", "--porcelain")
    for version in _git_says(root, "tag").split():
        about = _git_says(root, "for-each-ref", "--format=%(contents)", f"refs/tags/{version}")
        yield from _leaves(f"git tag {version}", about.splitlines())
        for line in _git_says(root, "ls-tree", "-r", version).splitlines():
            blob, path = line.split("\t")
            yield f"git tag {version}: {path}", blob


def _dvc(root: Path) -> Iterator[tuple[str, object]]:
    from dvc.repo import Repo

    if not (root / ".dvc" / "config").exists():
        return
    with closing(Repo(str(root))) as repo:
        yield "dvc status", json.dumps(repo.status(), sort_keys=True)
        gone = [str(out) for out in repo.index.outs if out.use_cache and out.hash_info and _lacking(out)]
        yield "not in DVC's cache", gone


def _lacking(out: object) -> bool:
    from dvc.output import Output

    assert isinstance(out, Output)
    hashes = [out.hash_info] + [one[2] for one in (out.get_obj() or [])] if out.is_dir_checksum else [out.hash_info]
    return any(not out.cache.exists(one.value) for one in hashes if one and one.value)


def _mlflow(workspace: Workspace) -> Iterator[tuple[str, object]]:
    path = workspace.local / "mlflow.db"
    if path.exists():
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
            runs = _rows(base, "select run_uuid, name, status, artifact_uri from runs where lifecycle_stage = 'active'")
            yield from _runs(base, runs)
            yield from _registry(base, {run for run, *_ in runs})


def _runs(base: sqlite3.Connection, runs: list[tuple[str, ...]]) -> Iterator[tuple[str, object]]:
    """Each run that is not deleted, called by its own name and its round's; a second of that name is a difference."""
    names = []
    for run, name, status, artifacts in runs:
        noted = dict(_rows(base, "select key, value from tags where run_uuid = ?", run))
        about = f"MLflow's run {name} of {noted.get('hitl.round')}.{noted.get('hitl.revision', 0)}"
        names.append((about, status))
        for table in ("params", "latest_metrics", "tags"):
            for key, value in _rows(base, f"select key, value from {table} where run_uuid = ?", run):
                yield f"{about} {table} {key}", value
        inputs = "select d.name, d.digest from inputs i join datasets d on d.dataset_uuid = i.source_id"
        yield f"{about} inputs", sorted(_rows(base, f"{inputs} where i.destination_id = ?", run))
        folder = Path(artifacts.removeprefix("file://").replace("%20", " "))
        found = [one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()]
        yield f"{about} artifacts", sorted(found)
    yield "MLflow's runs", sorted(names)


def _registry(base: sqlite3.Connection, runs: set[str]) -> Iterator[tuple[str, object]]:
    """Models by their rounds: their numbers and ids are MLflow's to choose."""
    rounds = {}
    for model, number, run in _rows(
        base, "select name, version, run_id from model_versions where current_stage != 'Deleted_Internal'"
    ):
        about = "select key, value from model_version_tags where name = ? and version = ?"
        noted = dict(_rows(base, about, model, number))
        rounds[number] = f"{noted.get('hitl.round')}.{noted.get('hitl.revision', 0)}, its run is there: {run in runs}"
    yield "MLflow's models", sorted(rounds.values())
    aliases = _rows(base, "select alias, version from registered_model_aliases")
    yield "MLflow's aliases", sorted((alias, rounds.get(number)) for alias, number in aliases)
    stored = "select name, status from logged_models where lifecycle_stage = 'active'"
    yield "MLflow's stored models", sorted(_rows(base, stored))


def _rows(base: sqlite3.Connection, asked: str, *values: object) -> list[tuple[str, ...]]:
    return base.execute(asked, values).fetchall()


def _git_says(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else f"{done.stdout}{done.stderr}".strip()
