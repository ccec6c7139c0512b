"""DVC in process, far faster than its command: datasets into its cache, their digests into files that git carries."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from dvc.config import Config
from dvc.dvcfile import Lockfile, SingleStageFile
from dvc.exceptions import DvcException
from dvc.lock import LockError, make_lock
from dvc.repo import Repo, lock_repo
from dvc.stage import Stage
from dvc.utils import strictyaml

from hitl.errors import HitlError, MomentError
from tasks.edges.files import keep_private, private_folder, write_text

# Importing DVC sets its loggers, so this comes after. Above ERROR it draws no progress bars; failures are exceptions.
for _name in ("dvc", "dvc_data", "dvc_objects"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

T = TypeVar("T")

_QUIET = {"autostage": False, "analytics": False}
"""Holds for our own calls whatever the owner has set: autostage would put our files into their index."""
_CONFIG = """\
[core]
    autostage = false
    analytics = false
[plots]
    out_dir = .hitl/plots
"""
"""Of a new repository. Plots go where git does not look."""
_REMOTE = re.compile(r"""^(\s*\['?\s*remote ".*"'?\].*\n)((?:(?!\s*\[).*\n?)*)""", re.MULTILINE)
"""A remote's section in DVC's settings: its heading, and its lines."""
_REQUEST = 10
_WAITS = (0.5, 1.0, 2.0)
"""Seconds between attempts, each of which waits 3 s itself, while another DVC process holds the lock."""


def start(root: Path) -> bool:
    """Make `root` a DVC repository unless it is one; git must be there. Returns whether that was to be done."""
    new = not (root / ".dvc").is_dir()
    if new:
        _answered(root, lambda: Repo.init(str(root)).close())
    config = root / ".dvc" / "config"
    if not config.is_file() or not config.read_text(encoding="utf-8").strip():
        write_text(config, _CONFIG)
    if new:
        private_folder(root / ".dvc" / "cache")
    return new


def verify_remotes(root: Path) -> None:
    """Let DVC hash what it downloads, unless the owner said otherwise: by default it trusts a tampered remote.

    Written by us and not by DVC, which drops comments, and half a file when it is killed.
    """
    for config in (root / ".dvc" / "config", root / ".dvc" / "config.local"):
        text = config.read_text(encoding="utf-8") if config.is_file() else ""
        verified = _REMOTE.sub(_verified, text)
        if verified != text:
            write_text(config, verified)


def _verified(remote: re.Match[str]) -> str:
    silent = re.search(r"^\s*url\s*=", remote[2], re.MULTILINE) and not re.search(
        r"^\s*verify\s*=", remote[2], re.MULTILINE
    )
    return f"{remote[1]}    verify = true\n{remote[2]}" if silent else remote[0]


def record(root: Path, datasets: Iterable[Path], stages: Iterable[str]) -> list[Path]:
    """Take `datasets` and the outputs of `stages` of dvc.yaml into the cache as they are now; nothing is run.

    Returns the datasets that were new or changed, sorted. The others cost a look at their sizes and times.
    """

    def take(repo: Repo) -> list[Path]:
        # Relinking writes each file anew, which only caches of links need.
        relink = bool(repo.config["cache"].get("type"))
        changed = sorted(path for path in datasets if path.exists() and _differs(repo, path))
        taken = repo.add([str(path) for path in changed], relink=relink) if changed else []
        taken += [_commit(repo, str(root / "dvc.yaml"), stage, relink=relink) for stage in stages]
        _make_removable(repo, taken)
        return changed

    return _with_repo(root, take)


def torn(paths: Iterable[Path]) -> list[Path]:
    """Those of the .dvc files and the dvc.lock that are there and DVC cannot read."""
    return [path for path in paths if path.is_file() and not _reads(path)]


def _reads(path: Path) -> bool:
    is_lock = path.name == "dvc.lock"
    try:
        found, _ = strictyaml.load(str(path), (Lockfile if is_lock else SingleStageFile).SCHEMA)
    except DvcException:
        return False
    if not found or is_lock:
        return bool(found)
    # What DVC takes for one may have lost its end, in which it says of which file it speaks.
    return [one.get("path") for one in found.get("outs", ())] == [path.name.removesuffix(".dvc")]


def default_remote(root: Path) -> tuple[str, str] | None:
    """The name and the URL of the remote that `dvc push` takes by default."""
    config = Config(str(root / ".dvc"))
    name = config["core"].get("remote")
    return (str(name), str(config["remote"].get(name, {}).get("url", ""))) if name else None


def push(root: Path) -> int:
    """Upload what the default remote lacks of this version and the tagged ones; returns how many files went."""
    now = Config(str(root / ".dvc"))
    # DVC takes each version's remote from the settings in that version: one made before the remote was would not go.
    remotes = {name: {**_patience(str(one.get("url", ""))), **one} for name, one in now["remote"].items()}
    settings = {"core": {"remote": now["core"]["remote"]}, "remote": remotes}
    return _with_repo(root, lambda repo: int(repo.push(all_tags=True)), settings)


def _patience(url: str) -> Mapping[str, object]:
    """Seconds for one request, unless the owner said others: DVC would wait a minute, and that five times."""
    both = {"connect_timeout": _REQUEST, "read_timeout": _REQUEST}
    return both if url.startswith(("http://", "https://", "s3://")) else {}


def _differs(repo: Repo, path: Path) -> bool:
    note = path.with_name(path.name + ".dvc")
    return not note.is_file() or bool(repo.stage.load_one(str(note)).outs[0].status())


def _make_removable(repo: Repo, stages: Iterable[Stage]) -> None:
    """Let `dvc checkout` of a version without these outputs take them away: it removes only what it knows it made."""
    for output in (output for stage in stages for output in stage.outs if output.use_cache):
        repo.state.save_link(output.fs_path, output.fs)


def _commit(repo: Repo, file: str, name: str, *, relink: bool) -> Stage:
    """What `dvc commit --force NAME` does, but for the cache of runs, which works only from inside the repository."""
    stage = repo.stage.load_one(file, name=name)
    stage.save(run_cache=False)
    stage.commit(relink=relink)
    stage.dump(update_pipeline=False)
    return stage


def _with_repo(root: Path, act: Callable[[Repo], T], settings: Mapping[str, Mapping[str, object]] = {}) -> T:
    def opened() -> T:
        repo = Repo(str(root), config={**settings, "core": {**settings.get("core", {}), **_QUIET}})
        try:
            with lock_repo(repo):
                _mend(root)
                if not repo.config["cache"].get("shared"):  # as it is by default: then the cache is one person's
                    keep_private(root / ".dvc" / "cache")
                return act(repo)
        finally:
            repo.close()

    return _answered(root, opened)


def _mend(root: Path) -> None:
    """Take away the list of busy files when DVC was killed over writing it: it cannot read half of one."""
    folder = root / ".dvc" / "tmp"
    busy = folder / "rwlock"
    with make_lock(str(folder / "rwlock.lock"), tmp_dir=str(folder)):
        try:
            json.loads(busy.read_bytes())
        except FileNotFoundError:
            return
        except ValueError:
            busy.unlink()


def _answered(root: Path, act: Callable[[], T]) -> T:
    """What `act` returns; waits for another DVC process to end. Raises errors of ours, not DVC's."""
    for wait in (*_WAITS, None):
        try:
            return act()
        except LockError as error:
            if wait is None:
                raise MomentError(f"{_holder(root)}; wait for it to end, then run the same command again") from error
            time.sleep(wait)
        except DvcException as error:
            raise HitlError(f"DVC in {root}: {error}; mend that, then run the same command again") from error
    raise AssertionError("unreachable: the last wait is None")


def _holder(root: Path) -> str:
    lock = root / ".dvc" / "tmp" / "lock"
    process = lock.read_text(errors="replace").strip() if lock.is_file() else ""
    return f"another DVC process{f' ({process})' if process else ''} holds {lock}"
