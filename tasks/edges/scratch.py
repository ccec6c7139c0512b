"""A copy of a workspace in which steps may be tried; the workspace itself stays as it is."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hitl.layout import Workspace
from tasks.edges import files


@contextmanager
def scratch(workspace: Workspace) -> Iterator[Workspace]:
    """The copy, gone in the end. It costs little: what no step writes is only pointed to, the rest shares its bytes.

    Whoever makes one holds the workspace's lock, for there is one place for it.
    """
    copy = Workspace(workspace.local / "scratch" / workspace.root.resolve().name)
    shutil.rmtree(copy.root.parent, ignore_errors=True)
    try:
        _fill(workspace, copy)
        yield copy
    finally:
        shutil.rmtree(copy.root.parent, ignore_errors=True)


def _fill(workspace: Workspace, copy: Workspace) -> None:
    files.private_folder(copy.root.parent)
    copy.data.mkdir(parents=True)
    for one in (workspace.params, workspace.ledger):  # written in place, or by us
        shutil.copyfile(one, copy.root / one.relative_to(workspace.root))
    names = ("pool", "initial", "test", "gold", "truth", "guideline", "deliveries", "decisions", "comparison")
    for path in (getattr(workspace, name) for name in names):
        if path.exists():
            (copy.root / path.relative_to(workspace.root)).symlink_to(path.resolve())
    if workspace.labeled.exists():
        _linked(workspace.labeled, copy.labeled)
    rounds = workspace.data / "rounds"
    if rounds.is_dir():
        # A file is always replaced, never written into: two names for it do no harm.
        shutil.copytree(rounds, copy.data / "rounds", copy_function=_linked)


def _linked(source: str | Path, place: str | Path) -> None:
    try:
        os.link(source, place)
    except OSError:
        shutil.copyfile(source, place)
