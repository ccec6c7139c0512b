"""What a killed command left half-way: only the next one, which holds the lock, can tell it from work going on."""

import os
from collections.abc import Iterator
from pathlib import Path

from hitl.layout import Workspace
from tasks.edges import files

_NOT_OURS = (".git", ".hitl", ".dvc/cache", ".dvc/tmp")
_PROCESSES = Path("/proc")


def clear(workspace: Workspace, *, since: float) -> None:
    """Remove files that were not finished, and git's locks, where no git is at work any more.

    `since` is the time (POSIX) at which the killed command had the lock: an older lock of git is not its own.
    """
    for path in _files(workspace.root):
        if files.is_unfinished(path):
            path.unlink(missing_ok=True)
    locks = [path for path in (workspace.root / ".git").rglob("*.lock") if path.stat().st_mtime >= since]
    if locks and not _git_works_in(workspace.root):
        for path in locks:
            path.unlink(missing_ok=True)


def _files(root: Path) -> Iterator[Path]:
    skipped = {str(root / one) for one in _NOT_OURS}
    for folder, folders, names in os.walk(root):
        folders[:] = [one for one in folders if str(Path(folder) / one) not in skipped]
        yield from (Path(folder) / one for one in names)


def _git_works_in(root: Path) -> bool:
    """Whether a git lives that works in the repository; true also where nobody can tell."""
    if not (_PROCESSES / "self").exists():
        return True
    return any(_is_git_in(process, root.resolve()) for process in _PROCESSES.glob("[0-9]*"))


def _is_git_in(process: Path, root: Path) -> bool:
    try:
        return "git" in (process / "comm").read_text() and (process / "cwd").resolve(strict=True).is_relative_to(root)
    except FileNotFoundError:
        return False  # it ended while we looked
    except OSError:
        return True  # another person's git: perhaps it works here
