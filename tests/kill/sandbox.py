"""A workspace with all that its commands touch, in one folder: put back as it was before each try, and worked in by
processes that are forked from a warm one.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hitl.layout import Workspace


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The folder `here` is live, and lies always at the same place: MLflow and DVC know a workspace by its path."""

    folder: Path

    @property
    def here(self) -> Path:
        return self.folder / "here"

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.here / "work space")

    @property
    def sent(self) -> Path:
        return self.here / "sent"

    def keep(self, name: str) -> None:
        """Remember all as it is now."""
        _copy(self.here, self.folder / name)

    def put_back(self, name: str) -> None:
        shutil.rmtree(self.here, ignore_errors=True)
        _copy(self.folder / name, self.here)

    def said(self) -> str:
        """What commands have printed."""
        path = self.folder / "said"
        return path.read_text(errors="replace") if path.exists() else ""

    def forget(self) -> None:
        """Begin anew with what is said."""
        (self.folder / "said").unlink(missing_ok=True)

    def command(self, words: tuple[str, ...]) -> int:
        """Run `hitl WORDS` in this process, which is a child's; returns its exit code."""
        self.enter()
        sys.argv = ["hitl", *words]
        from flows import cli

        try:
            cli.main()
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 1
        except BaseException:  # noqa: BLE001 - as the interpreter would
            traceback.print_exc()
            return 1
        return 0

    def enter(self) -> None:
        """Have only the sandbox around this process, as a new one would."""
        out = os.open(self.folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        for name in [one for one in os.environ if one.startswith(("GIT_", "PREFECT_API", "MLFLOW_TRACKING", "HITL_"))]:
            del os.environ[name]
        os.environ |= {
            "HOME": str(self.here / "home"),
            "TMPDIR": str(self.here / "tmp"),
            "DVC_SITE_CACHE_DIR": str(self.here / "site"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        os.environ.pop("XDG_CONFIG_HOME", None)
        tempfile.tempdir = None
        os.chdir(self.workspace.root)


@contextlib.contextmanager
def sandbox(folder: Path) -> Iterator[Sandbox]:
    made = Sandbox(folder)
    for name in ("home", "tmp", "site", "sent"):
        (made.here / name).mkdir(parents=True)
    try:
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def forked(act: Callable[[], object]) -> object:
    """What `act` returns, called in a child so that nothing of it stays in this process; raises what it printed."""
    import pickle

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            try:
                told = (True, act())
            except BaseException:  # noqa: BLE001 - told to the parent
                told = (False, traceback.format_exc())
            with open(writing, "wb") as out:
                pickle.dump(told, out)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, "rb") as source:
        data = source.read()
    os.waitpid(child, 0)
    done, value = pickle.loads(data) if data else (False, "the child died")
    if not done:
        raise RuntimeError(value)
    return value


def _copy(source: Path, place: Path) -> None:
    subprocess.run(["cp", "-a", "--", str(source), str(place)], check=True)
