"""One try: kill the command at a point, run it again, and compare what is then with what is when nobody kills it."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from tqdm import tqdm

from hitl.rules import failures
from tasks import doors
from tests.kill import scenes, syscalls
from tests.kill.sandbox import Sandbox, forked, sandbox
from tests.kill.scenes import SCENES
from tests.kill.states import States
from tests.kill.syscalls import Call, Fault, Full, Kill, ReadOnly
from tests.kill.told import Told, differences, told, unsound, volatile

READ_ONLY = ReadOnly("work space/data")
DONE = (0, 3)
"""How a command may end when it is run again: done, or there is nothing left to do."""
_SHOWN = 8


@dataclass(frozen=True)
class Trace:
    """What a command does when nobody kills it: its calls, and the state that a kill at each point leaves."""

    calls: list[Call]
    states: dict[Kill, str]

    @property
    def points(self) -> dict[Kill, int]:
        """One point for each state: before a call, or half way through one that writes; and how many leave it."""
        count, first = Counter(self.states.values()), dict[str, Kill]()
        for kill, state in self.states.items():
            first.setdefault(state, kill)
        kinds, met = [], Counter[str]()
        for call in self.calls:
            kinds.append((call.kind, met[call.kind]))
            met[call.kind] += 1
        return {Kill(one.number, one.half, *kinds[one.number]): count[state] for state, one in first.items()}

    @property
    def full(self) -> list[Full]:
        """The points at which the disk may be full, one for each state."""
        wants = [kill for kill in self.points if not kill.half and self.calls[kill.number].wants_room]
        return [Full(kill.number) for kill in wants]


@dataclass
class Tried:
    """A point, how many others leave the same files, and what was wrong afterwards."""

    scene: str
    fault: Fault
    points: int
    call: str = ""
    wrong: list[str] = field(default_factory=list)
    stack: str = ""

    def __str__(self) -> str:
        half = ", half of it written" if isinstance(self.fault, Kill) and self.fault.half else ""
        said = [f"hitl {self.scene}, point {self.fault}: {self.call}{half}", *self.wrong[:_SHOWN]]
        said += [f"and {len(self.wrong) - _SHOWN} more"] if len(self.wrong) > _SHOWN else []
        said += [f"killed at {self.stack}"] if self.stack else []
        return "\n    ".join([*said, f"alone: make kill POINTS=--only={self.scene}:{self.fault}"])


def trace(box: Sandbox, scene: str) -> Trace:
    """Run the command unbroken, and note each call of it."""
    box.put_back(scene)
    words, states = scenes.words(SCENES[scene], box), States(box.here)
    ended = syscalls.watched(lambda: box.command(words), str(box.here), note=states.before)
    if ended.code != 0:
        raise AssertionError(f"hitl {' '.join(words)} ended with {ended.code}:\n{box.said()}")
    return Trace(ended.calls, states.of)


@cache
def unbroken(box: Sandbox, scene: str) -> tuple[Told, frozenset[str]]:
    """What the command leaves when nobody kills it, and the names of what differs from run to run."""
    looks = []
    for again in range(2):
        time.sleep(1.1 * again)  # two runs within a second would tell the same times
        box.put_back(scene)
        words = scenes.words(SCENES[scene], box)
        if forked(lambda words=words: box.command(words)):
            raise AssertionError(f"hitl {' '.join(words)} failed:\n{box.said()}")
        found, wrong = _look(box)
        if wrong:
            raise AssertionError(f"unbroken, hitl {scene} leaves: {wrong}")
        looks.append(found)
    one, other = looks
    if one.keys() != other.keys():
        raise AssertionError(f"two runs of hitl {scene} leave other things: {sorted(one.keys() ^ other.keys())}")
    return one, volatile(one, other)


def tried(box: Sandbox, scene: str, fault: Fault, points: int) -> Tried:
    """Break it there, run it again, and compare; where a kill was not survived, say where in our code that was."""
    prepare(box, scene)
    wanted, may = unbroken(box, scene)
    one = Tried(scene, fault, points)
    one.call, said = _broken(box, scene, fault)
    one.wrong += [] if isinstance(fault, Kill) else _unclear(said)
    code = forked(lambda: box.command(scenes.words(SCENES[scene], box)))
    if code not in DONE:
        one.wrong.append(f"run again it ends with {code}: {' '.join(box.said().strip().splitlines()[-1:])}")
    found, wrong = _look(box)
    one.wrong += [*wrong, *differences(wanted, found, may)]
    if one.wrong and isinstance(fault, Kill):
        one.stack = _ours(_broken(box, scene, fault, explain=True)[1])
    return one


def prepare(box: Sandbox, scene: str) -> None:
    """Have the workspace as it is just before the command, kept."""
    if (box.folder / scene).exists():
        return
    if not (box.folder / "made").exists():
        scenes.make(box)
        box.keep("made")
    box.put_back("made")
    SCENES[scene].before(box)
    box.keep(scene)


def warm(folder: Path) -> None:
    """Do once in this process what the commands do: whatever is imported and remembered then, a fork has at once."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"  # no thread may live where we fork
    tqdm.monitor_interval = 0
    # Great Expectations says the same as our own rules (another test), writes nothing, and takes a third of the time.
    doors.check = lambda frame, rules: failures(rules, frame)  # type: ignore[assignment]
    with sandbox(folder / "warm") as box, _undone():
        scenes.make(box)
        for command in ("open", "simulate", "close"):
            if box.command((command,)):
                raise AssertionError(box.said())
        unsound(box.workspace)
        told(box.workspace)
    living = [one.name for one in threading.enumerate() if one is not threading.main_thread()]
    if living:
        raise AssertionError(f"these threads would not live on in a fork: {living}")


@contextmanager
def _undone() -> Iterator[None]:
    """Undo what entering a sandbox does to a process."""
    environment, folder, outputs = dict(os.environ), Path.cwd(), [os.dup(1), os.dup(2)]
    try:
        yield
    finally:
        for number, kept in enumerate(outputs, start=1):
            os.dup2(kept, number)
            os.close(kept)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)


def _broken(box: Sandbox, scene: str, fault: Fault, *, explain: bool = False) -> tuple[str, str]:
    """Run the command with the fault; the call that met it, and what was said: by the command, or where it was.

    A call under a name drawn by chance may not be known again: then the one with its number is taken.
    """
    for again in (fault, fault, replace(fault, kind="") if isinstance(fault, Kill) else fault):
        box.put_back(scene)
        box.forget()
        words = scenes.words(SCENES[scene], box)
        ended = syscalls.watched(lambda words=words: box.command(words), str(box.here), again, explain=explain)
        if ended.code is None:
            return str(ended.calls[-1]), ended.stack
        if isinstance(fault, Full) and len(ended.calls) > fault.number:
            return str(ended.calls[fault.number]), f"{box.said()}\nexit {ended.code}"
        if isinstance(fault, ReadOnly):
            return f"{fault.folder} is read-only", f"{box.said()}\nexit {ended.code}"
    raise AssertionError(f"hitl {scene} made only {len(ended.calls)} calls, and was to meet {fault}")


def _unclear(said: str) -> list[str]:
    """What is wrong with how the system's refusal was told: an error that names no file, or a traceback."""
    *lines, code = said.strip().splitlines()
    refusals = ("No space left on device", "Read-only file system")
    clear = [line for line in lines if any(one in line for one in refusals) and "/work space" in line]
    if "Traceback" in said or (code == "exit 1" and not clear) or code not in ("exit 0", "exit 1", "exit 3"):
        return [f"a refusal is told as: {' | '.join(lines[-3:])} ({code})"]
    return []


def _look(box: Sandbox) -> tuple[dict[str, object], list[str]]:
    def look() -> tuple[dict[str, object], list[str]]:
        box.enter()
        wrong = unsound(box.workspace)
        return told(box.workspace), wrong

    return forked(look)


def _ours(stack: str) -> str:
    """The innermost lines of a stack that are ours."""
    lines = [line.strip() for line in stack.splitlines() if "/tasks/" in line or "/flows/" in line]
    return " < ".join(lines[:3])
