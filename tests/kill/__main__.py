"""Kill anywhere: each command is killed at each call of it that changes a file, and run again."""

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from pathlib import Path

from tasks.edges.quiet import quiet
from tests.kill import syscalls
from tests.kill.sandbox import sandbox
from tests.kill.scenes import SCENES
from tests.kill.syscalls import Fault
from tests.kill.tries import READ_ONLY, Trace, Tried, prepare, trace, tried, warm

MEMORY = Path("/dev/shm")
TOLD_EVERY = 15.0
"""Seconds between two lines about the progress."""
_forking = multiprocessing.get_context("fork")
Point = tuple[str, Fault, int]


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--scene", action="append", choices=list(SCENES), help="this command only (several: again)")
    parser.add_argument("--only", action="append", default=[], metavar="SCENE:POINT", help="this point only")
    parser.add_argument("--sample", type=int, metavar="N", help="so many points of each command only")
    parser.add_argument("--seed", type=int, default=0, help="which points a sample has")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that try points")
    parser.add_argument(
        "--full", action="store_true", help="also have the disk full from each point on, and the data read-only"
    )
    parser.add_argument("--list", action="store_true", help="list the points and try none")
    return parser.parse_args()


def main() -> int:
    wanted = asked()
    why = syscalls.unavailable()
    if why:
        print(f"make kill: {why}", file=sys.stderr)
        return 2
    quiet()
    with tempfile.TemporaryDirectory(prefix="hitl-kill-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        warm(Path(folder))
        return run(wanted, Path(folder))


def run(wanted: argparse.Namespace, folder: Path) -> int:
    points, said = _forking.Queue(), _forking.Queue()
    others = [_forking.Process(target=telling, args=(said, tracing, folder / "trace", wanted, points, said))]
    others += [
        _forking.Process(target=telling, args=(said, trying, folder / f"try{number}", points, said))
        for number in range(wanted.workers)
    ]
    for one in others:
        one.start()
    report = Report()
    report.follow(said, len(others))
    for one in others:
        if report.failed:
            one.terminate()
        one.join()
    print(f"{report.points} points tried, {report.survived} survived")
    return 1 if report.failed or report.survived < report.points else 0


def telling(said: "Queue[object]", act: Callable[..., None], *about: object) -> None:
    try:
        act(*about)
        said.put(None)
    except BaseException:  # noqa: BLE001 - the parent says it, and ends
        said.put(RuntimeError(traceback.format_exc()))


def tracing(folder: Path, wanted: argparse.Namespace, points: "Queue[Point | None]", said: "Queue[object]") -> None:
    """Trace each command, and give its points to who tries them."""
    with sandbox(folder) as box:
        for scene in SCENES:
            if (wanted.scene and scene not in wanted.scene) or (
                wanted.only and not any(one.startswith(f"{scene}:") for one in wanted.only)
            ):
                continue
            prepare(box, scene)
            found = trace(box, scene)
            some = chosen(found, scene, wanted)
            said.put((scene, len(found.states), len(found.points), len(some)))
            if wanted.list:
                said.put("\n".join(f"{scene}:{kill} {found.calls[kill.number]}" for kill in found.points))
                continue
            for one in some:
                points.put(one)
    for _ in range(wanted.workers):
        points.put(None)


def chosen(found: Trace, scene: str, wanted: argparse.Namespace) -> list[Point]:
    kills: list[Point] = [(scene, kill, count) for kill, count in found.points.items()]
    full: list[Point] = [(scene, fault, 1) for fault in (READ_ONLY, *found.full)]
    if wanted.only:
        return [one for one in (*kills, *full) if f"{scene}:{one[1]}" in wanted.only]
    drawn = random.Random(f"{wanted.seed} {scene}")  # the same points every time
    some = [*kills, *full] if wanted.full else kills
    return drawn.sample(some, len(some) if wanted.sample is None else min(len(some), wanted.sample))


def trying(folder: Path, points: "Queue[Point | None]", said: "Queue[object]") -> None:
    with sandbox(folder) as box:
        while one := points.get():
            said.put(tried(box, *one))


@dataclass
class Report:
    """What came out so far, said as it goes."""

    began: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)
    total: int = 0
    states: int = 0
    points: int = 0
    survived: int = 0
    failed: bool = False

    def follow(self, said: "Queue[object]", running: int) -> None:
        """Listen until the last of the `running` processes has said that it is done, or one that it failed."""
        while running and not self.failed:
            match said.get():
                case None:
                    running -= 1
                case (scene, points, states, some):
                    self.total += some
                    print(f"hitl {scene}: {points:,} points, {states:,} states; {some:,} to try", flush=True)
                case Tried() as one:
                    self._count(one)
                case what:
                    self.failed = isinstance(what, RuntimeError)
                    print(what, flush=True)

    def _count(self, one: Tried) -> None:
        self.states, self.points = self.states + 1, self.points + one.points
        if one.wrong:
            print(one, flush=True)
        else:
            self.survived += one.points
        if time.monotonic() - self.told > TOLD_EVERY:
            self.told = time.monotonic()
            lost, seconds = self.points - self.survived, self.told - self.began
            print(f"{self.states:,} of {self.total:,} states, {lost:,} points lost, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
