"""`advance` on a schedule, by a real Prefect server, while whoever serves it is killed again and again.

`make soak` does for minutes (SOAK, in seconds) what the suite does until two kills are survived.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from flows import engine, start
from flows.services import Services
from hitl.errors import MomentError
from hitl.layout import Workspace
from hitl.ledger import Event
from hitl.state import Phase
from tasks import journal, simulate, verify
from tasks.edges import files, git, vendor
from tests.flows.conftest import call

SOAK = float(os.environ.get("SOAK", "0"))
SEED = int(os.environ.get("SOAK_SEED", "7"))
KILLS = 2
PATIENCE = 240.0
SERVE = """
import sys
from datetime import timedelta
from pathlib import Path
from prefect.schedules import Interval
from flows.prefect_serve import serve
from hitl.layout import Workspace
if __name__ == "__main__":
    serve(Workspace(Path(sys.argv[1])), Interval(timedelta(seconds=5)), sys.argv[2])
"""


@dataclass
class Soak:
    """A workspace that is served, killed and fed."""

    workspace: Workspace
    api: str
    rng: random.Random = field(default_factory=lambda: random.Random(SEED))
    serving: subprocess.Popen[bytes] | None = None
    sent: dict[str, bytes] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    kills: Counter[str] = field(default_factory=Counter)
    by_hand: Counter[str] = field(default_factory=Counter)

    def serve(self) -> None:
        script = self.workspace.local / "serve_every_five_seconds.py"
        script.write_text(SERVE)
        said = (self.workspace.local / "serving.log").open("ab")
        command = [sys.executable, script, self.workspace.root, self.api]
        environment = os.environ | {"PREFECT_API_URL": self.api}
        # A group of its own: then it can be killed together with the run that it started.
        self.serving = subprocess.Popen(command, env=environment, stdout=said, stderr=said, start_new_session=True)

    def kill(self) -> None:
        """Kill the serving process, alone or with the run in hand; alone, that run goes on as an orphan."""
        assert self.serving
        assert self.serving.poll() is None, "the serving process ended by itself"
        together = self.rng.random() < 0.5
        (os.killpg if together else os.kill)(self.serving.pid, signal.SIGKILL)
        self.serving.wait()
        self.kills["with its run" if together else "alone"] += 1

    def label(self) -> None:
        """What the vendor does: leave the answers to a new pack in the inbox, in two files, one of them twice."""
        current = journal.read(self.workspace).rounds[-1]
        if current.phase is not Phase.AWAITING or current.id in self.answered:
            return
        name, rows = simulate.answered(self.workspace, noise=0.0)
        half = self.rng.randrange(1, len(rows))
        for part, data in {"a": rows[:half], "b": rows[half:], "a-again": rows[:half]}.items():
            file = f"{name}-{part}.csv"
            self.sent[file] = vendor.written(data)
            files.write_bytes(self.workspace.inbox / file, self.sent[file])
        self.answered.add(name)

    def press(self) -> None:
        """Two runs asked for at once by a person in Prefect's pages, and an `advance` by hand beside them."""
        named = {"deployments": {"name": {"any_": [self.workspace.name]}}}
        with suppress(OSError):  # a server on SQLite is now and then too busy to take it
            (one,) = call(f"{self.api}/deployments/filter", named)
            for _ in range(2):
                call(f"{self.api}/deployments/{one['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
        try:
            engine.perform("advance", self.workspace, "direct")
            self.by_hand["done"] += 1
        except MomentError:
            self.by_hand["refused by the lock"] += 1

    def closed(self) -> int:
        return len(journal.read(self.workspace).closed) - 1

    def runs(self) -> list[Any]:
        """Every run of `advance` in this workspace that Prefect knows of and that began or was dropped."""
        found: list[Any] = []
        over = {"state": {"type": {"not_any_": ["SCHEDULED", "PENDING"]}}}
        while page := call(f"{self.api}/flow_runs/filter", {"flow_runs": over, "offset": len(found), "limit": 200}):
            found += page
        return [one for one in found if one["parameters"].get("workspace") == str(self.workspace.root)]


@pytest.fixture(scope="module")
def soaked(servers: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Soak]:
    folder = tmp_path_factory.mktemp("soak")
    rows = [f"i{n:04d},{n * 37 % 101},{'even' if n % 2 == 0 else 'odd'}" for n in range(600)]
    (folder / "items.csv").write_text("\n".join(["id,size,parity", *rows]) + "\n", encoding="utf-8")
    workspace = Workspace(folder / "soaked")
    start.from_file(workspace, folder / "items.csv", label="parity", id="id", initial=20, hide=True)
    text = workspace.params.read_text(encoding="utf-8")
    workspace.params.write_text(text.replace("batch: 30", "batch: 4"), encoding="utf-8")
    engine.perform("open", workspace, "direct")
    soak = Soak(workspace, str(servers.api_url))
    try:
        _soak(soak)
        yield soak
    finally:
        if soak.serving and soak.serving.poll() is None:
            os.killpg(soak.serving.pid, signal.SIGKILL)
            soak.serving.wait()


def _soak(soak: Soak) -> None:
    began, closed = time.monotonic(), 0
    soak.serve()
    while time.monotonic() - began < (SOAK or PATIENCE):
        if not SOAK and soak.kills.total() >= KILLS and soak.closed() > closed:
            break
        # A kill at any moment of a run: some seconds after the first sign of life since the last one.
        if soak.closed() > closed and (SOAK or soak.kills.total() < KILLS):
            closed = soak.closed()
            soak.press()
            time.sleep(soak.rng.uniform(0, 6))
            soak.kill()
            time.sleep(soak.rng.uniform(0, 2))
            soak.serve()
        soak.label()
        time.sleep(0.2)
    assert soak.serving
    soak.serving.send_signal(signal.SIGTERM)
    assert soak.serving.wait(timeout=PATIENCE) == 0
    _quiet(soak)


def _quiet(soak: Soak) -> None:
    """Do by hand what is still due: no answer lies in the inbox then, and every closed round is published."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(MomentError):  # an orphan of a killed one is still at work
            engine.perform("advance", soak.workspace, "direct")
            return
        time.sleep(1)
    pytest.fail("the lock is never free")


def _events(soak: Soak) -> tuple[Event, ...]:
    return journal.events(soak.workspace)


def test_rounds_went_on_through_every_kill(soaked: Soak, capsys: pytest.CaptureFixture[str]) -> None:
    states = Counter(run["state_type"] for run in soaked.runs())
    with capsys.disabled():
        print(  # noqa: T201 - how much was tried is half of the result
            f"\nsoak (seed {SEED}): {dict(soaked.kills)} kills; {soaked.closed()} rounds closed; "
            f"{len(soaked.sent)} files sent; runs in Prefect: {dict(states)}; by hand: {dict(soaked.by_hand)}"
        )
    assert soaked.kills.total() >= KILLS
    assert soaked.closed() >= KILLS
    assert states["COMPLETED"]


def test_nothing_was_exported_or_closed_twice(soaked: Soak) -> None:
    steps = Counter((event.event, event.round) for event in _events(soaked) if event.event != "delivered")
    assert [one for one, times in steps.items() if times > 1 and one[0] not in ("trained", "reopened")] == []
    exported = [name for event, name in steps if event == "exported"]
    items = Counter(
        line.split(",")[0]
        for name in exported
        for line in (soaked.workspace.pack(name) / "batch.csv").read_text(encoding="utf-8").splitlines()[1:]
    )
    assert len(exported) >= soaked.closed()
    assert {item for item, times in items.items() if times > 1} == set()


def test_every_delivery_was_taken_once_and_answered(soaked: Soak) -> None:
    delivered = [event.facts["file"] for event in _events(soaked) if event.event == "delivered"]
    wanted = [file for file in soaked.sent if not file.endswith("again.csv")]
    assert sorted(delivered, key=str) == sorted(wanted)
    answers = [path.name for path in soaked.workspace.outbox.glob("*.receipt.json")]
    assert len(answers) == len(soaked.sent)
    assert [path.name for path in soaked.workspace.inbox.iterdir() if path.is_file()] == []


def test_the_ledger_and_every_file_are_sound(soaked: Soak) -> None:
    assert verify.verify(soaked.workspace)["problems"] == []
    assert not list(soaked.workspace.data.rglob(".*.????????"))


def test_every_closed_round_was_published_once(soaked: Soak) -> None:
    names = [one.id for one in journal.read(soaked.workspace).closed]
    assert sorted(git.tags(soaked.workspace.root)) == names
    finished = (
        "select r.value from runs join tags r on r.run_uuid = runs.run_uuid and r.key = 'hitl.round' "
        "join tags p on p.run_uuid = runs.run_uuid and p.key = 'hitl.part' and p.value = 'round' "
        "where runs.status = 'FINISHED' and runs.lifecycle_stage = 'active'"
    )
    with sqlite3.connect(soaked.workspace.local / "mlflow.db") as database:
        assert sorted(row[0] for row in database.execute(finished)) == names


def test_no_two_runs_worked_at_once(soaked: Soak) -> None:
    """Prefect drops the run that is due while another works; what it lets through our lock keeps apart."""
    spans = sorted((one["start_time"], one["end_time"]) for one in soaked.runs() if one["state_type"] == "COMPLETED")
    assert all(ended <= began for (_, ended), (began, _) in pairwise(spans))
    assert any(one["state_type"] == "CANCELLED" for one in soaked.runs())
