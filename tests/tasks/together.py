"""A program that runs `hitl` commands at the same moment: forks of one process that has imported everything already.

Each line on its standard input is a JSON list of argument lists; the answer is a JSON list of [exit code, stdout,
stderr], in the same order.
"""

import contextlib
import importlib
import json
import os
import pkgutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tasks.edges.quiet import quiet


def imported() -> None:
    """Import what a command may need, but for Prefect: no server is up, so the steps are plain calls."""
    import flows
    import tasks

    for package in (tasks, flows):
        for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "prefect" not in one.name:
                importlib.import_module(one.name)


def together(commands: list[list[str]], folder: Path) -> list[tuple[int, str, str]]:
    """Start every command when all of them are ready to start; what each answered."""
    ready, go = os.pipe()
    children = [_forked(command, folder / str(number), ready, go) for number, command in enumerate(commands)]
    os.close(ready)
    os.close(go)  # the last end that could be written to: every child reads the end of the pipe now
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    for number in range(len(codes)):
        _import_too((folder / f"{number}.modules").read_text().split())
    said = [[(folder / f"{number}.{one}").read_text() for one in ("out", "err")] for number in range(len(codes))]
    return [(code, out, err) for code, (out, err) in zip(codes, said, strict=True)]


def _import_too(names: list[str]) -> None:
    """Import what a command came to import on its way, so that the next one finds it: that is most of its time."""
    for name in names:
        with contextlib.suppress(ImportError, AttributeError):
            importlib.import_module(name)


def _forked(command: list[str], place: Path, ready: int, go: int) -> int:
    child = os.fork()
    if child:
        return child
    code, known = 70, set(sys.modules)
    try:
        for number, end in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{place}.{end}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.close(go)
        os.read(ready, 1)
        sys.argv = ["hitl", *command]
        from flows.cli import main

        main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - a fork ends here, whatever happens
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        Path(f"{place}.modules").write_text("\n".join(sorted(sys.modules.keys() - {"__main__"} - known)))
        os._exit(code)


def serve() -> None:
    quiet()
    imported()
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            answer: Any = together(json.loads(line), Path(folder))
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    serve()
