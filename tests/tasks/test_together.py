"""Two commands started together on one workspace: one waits or is refused, and each has its effect once, or none."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from hitl import ledger
from hitl.layout import Workspace
from hitl.ledger import Event
from hitl.state import State, fold
from tasks.edges import files, lock
from tests.rounds import ROOT, answers
from tests.tasks.conftest import Pristine

SEED, PAIRS = 20261121, 50
Answer = tuple[int, str, str]
Together = Callable[..., list[Answer]]
AT_WORK = re.compile(r"`hitl [^`]+` \(pid \d+ on \S+, since \S+\) is at work in ")
READERS = ("status", "plan", "report", "verify", "check {first}")
QUICK = (
    "ingest {first}",
    "ingest {second}",
    "rollback --reason again",
    "step train",
    "open",
    "close",
    "undo --dry-run",
)
LONG = ("advance", "close --partial", "simulate", "replay r0001", "undo annotator ann --reason so")
LONG = (*LONG, "undo round r0001 --reason so", "undo delivery {taken} --reason so")
HONEST: Mapping[str, set[int]] = {"close": {7}, "ingest": {4}, "check": {4}, "plan": {7}, "advance": {7}}
"""Codes beyond 0 and 3 by which a command says that there is nothing it may do now."""


@pytest.fixture(scope="module")
def together(pristine: Pristine) -> Iterator[Together]:
    """Run `hitl` commands that start at the same moment, in the workspace; with `real`, as processes of their own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "tests.tasks.together"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(program, cwd=ROOT, env=environment, **pipes) as server:  # type: ignore[call-overload]

        def run(*commands: str) -> list[Answer]:
            lines = [["-C", str(pristine[0]), *_words(pristine[0], command), "--json"] for command in commands]
            server.stdin.write(json.dumps(lines) + "\n")
            server.stdin.flush()
            return [(code, out, err) for code, out, err in json.loads(server.stdout.readline())]

        yield run
        server.stdin.close()


@pytest.fixture(scope="module")
def stages(pristine: Pristine, together: Together, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The workspace as it may be found: half of the answers in, all of them, the round closed."""
    folder, found = tmp_path_factory.mktemp("stages"), {}
    _put(pristine[0], pristine[1])
    for name, command in {"half": "status", "full": "simulate --seed 5", "closed": "close --partial"}.items():
        ((code, _, said),) = together(command)
        assert code == 0, said
        found[name] = folder / name
        shutil.copytree(pristine[0], found[name], symlinks=True)
    return found


def test_fifty_pairs_of_commands(pristine: Pristine, together: Together, stages: dict[str, Path]) -> None:
    rng, refused = random.Random(SEED), 0
    for number in range(PAIRS):
        stage = rng.choice(sorted(stages))
        _put(pristine[0], stages[stage])
        kinds = rng.choices((READERS, QUICK, LONG), weights=(3, 4, 1), k=2)
        commands = [rng.choice(kind) for kind in kinds]
        said = together(*commands)
        told = f"seed {SEED}, pair {number} on {stage}: " + json.dumps(list(zip(commands, said, strict=True)), indent=1)
        _sound(pristine[0], stages[stage], commands, said, told)
        ((code, out, err),) = together("verify")
        assert code == 0, f"{told}\n{out}\n{err}"
        refused += sum(bool(AT_WORK.search(err)) for _, _, err in said)
    assert refused  # or nothing ever met


@pytest.mark.parametrize(("one", "other"), [("ingest {first}", "ingest {first}"), ("close --partial", "advance")])
def test_real_processes_together(
    pristine: Pristine, together: Together, stages: dict[str, Path], one: str, other: str
) -> None:
    here, commands = pristine[0], [one, other]
    _put(here, stages["half"])
    program = [sys.executable, "-c", "from flows.cli import main; main()", "-C", str(here)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    lines = [[*program, *_words(here, command), "--json"] for command in commands]
    started = [
        subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in lines
    ]
    said = [(process.returncode, out, err) for process in started for out, err in [process.communicate()]]
    _sound(here, stages["half"], commands, said, str(list(zip(commands, said, strict=True))))
    assert together("verify")[0][0] == 0


def test_no_command_that_writes_passes_the_lock_of_another_computer(
    pristine: Pristine, together: Together, stages: dict[str, Path]
) -> None:
    _put(pristine[0], stages["closed"])
    here = Workspace(pristine[0])
    card = {"pid": 4711, "host": "some-other-host", "since": "2026-11-02T09:00:00+00:00", "command": "advance"}
    files.write_json(lock.card(here), card)
    (pristine[0] / "data" / "rounds" / "r0001" / "report.html").unlink()
    before = here.ledger.read_bytes()
    commands = [*QUICK, *LONG, "rebuild", "rebuild --check", "report r0001", "step evaluate"]
    for command, (code, _, said) in zip(commands, together(*commands), strict=True):
        assert (code, "pid 4711 on some-other-host" in said) == (3, True), f"{command}: {said}"
    assert here.ledger.read_bytes() == before
    assert [together(command)[0][0] for command in ("status", "plan", "verify")] == [0, 0, 3]


def _sound(here: Path, before: Path, commands: list[str], said: list[Answer], told: str) -> None:
    """Raise unless every answer is honest, and what is in the workspace is what the answers say."""
    for command, (code, out, _) in zip(commands, said, strict=True):
        assert code in {0, 3} | HONEST.get(command.split()[0], set()), told
        assert json.loads(out), told
    assert not all(AT_WORK.search(err) for _, _, err in said), told
    old, new = (_events(folder) for folder in (before, here))
    assert new[: len(old)] == old, told
    added, state = new[len(old) :], fold(new)
    counted = Counter(event.event for event in added)
    took = [str(event.facts["delivery"]) for event in new if event.event == "delivered"]
    assert len(took) == len(set(took)), told
    rolled = [code for command, (code, _, _) in zip(commands, said, strict=True) if command.startswith("rollback")]
    assert counted["rolled_back"] == (0 in rolled), told  # said again with the same reason, it is done
    for command, (code, out, _) in zip(commands, said, strict=True):
        if code == 0:
            _has_its_effect(command, json.loads(out), added, state, told)
    assert not lock.card(Workspace(here)).exists(), told
    assert not (here / ".hitl" / "scratch").exists(), told
    halves = [path for path in (here / "data").rglob(".*") if re.fullmatch(r"\..+\.[0-9a-f]{8}", path.name)]
    assert not halves, told
    assert not list((here / ".hitl").glob("arriving/*")), told


def _has_its_effect(command: str, facts: Mapping[str, object], added: list[Event], state: State, told: str) -> None:
    word, undone = command.split(maxsplit=1)[0], [event for event in added if event.event == "undone"]
    if word in ("open", "close"):
        ended = {"open": "exported", "close": "closed"}[word]
        ours = [event for event in added if (event.event, event.round) == (ended, facts["round"])]
        assert len(ours) == 1 + (len(undone) if ended == "closed" else 0) * (len(ours) > 1), told
    if word in ("ingest", "simulate"):
        assert facts["delivery"] in state.taken, told
    if word == "undo" and "--dry-run" not in command:
        same = [one for one in state.undone if (one["kind"], one["of"]) == (facts["kind"], facts["of"])]
        assert len(same) == 1, told


def _events(folder: Path) -> list[Event]:
    return list(ledger.parse((folder / "data" / "ledger.jsonl").read_bytes()))


def _words(here: Path, command: str) -> list[str]:
    """The command's arguments, with the names of files that it speaks of."""
    if command == "undo --dry-run":
        command = "undo annotator ann --reason why --dry-run"
    taken = next(str(event.facts["delivery"]) for event in _events(here) if event.event == "delivered")
    named = {"{taken}": taken, "{first}": str(here / ".hitl" / "one.csv"), "{second}": str(here / ".hitl" / "two.csv")}
    words = command.split()
    return [named.get(word, word) for word in words] + (["--engine", "direct"] if words[0] in _ENGINES else [])


_ENGINES = ("open", "close", "advance")


def _put(here: Path, stage: Path) -> None:
    """Make the workspace what it is at the stage, with two deliveries beside it that nobody took yet."""
    shutil.rmtree(here)
    shutil.copytree(stage, here, symlinks=True)
    workspace = Workspace(here)
    for name, rows in {"one": range(3, 5), "two": range(5, 6)}.items():
        files.write_bytes(workspace.local / f"{name}.csv", answers(workspace, "r0002", rows))
