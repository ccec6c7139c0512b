"""The workspace's own servers: one loopback Prefect server and one MLflow UI, found again by every later command.

They are conveniences: nothing is decided here, and no round needs them. Imports nothing heavy.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from filelock import FileLock

from flows import servers
from flows.servers import NAMES, Name
from hitl.errors import HitlError
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks.edges import processes
from tasks.edges.files import write_json
from tasks.edges.processes import Process
from tasks.edges.quiet import quiet

PATIENCE = 180.0
"""Seconds a server may take to its first answer. Eight to twenty are usual on two cores."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Service:
    """A server of ours: its process, where it listens, and where it says what ails it."""

    pid: int
    created: str
    port: int
    url: str
    log: str

    @property
    def process(self) -> Process:
        return Process(self.pid, self.created)


@dataclass(frozen=True, slots=True)
class Services:
    """The servers that are up; None where there is none."""

    prefect: Service | None = None
    mlflow: Service | None = None

    @property
    def api_url(self) -> str | None:
        """What PREFECT_API_URL must be for Prefect to use our server."""
        return f"{self.prefect.url}/api" if self.prefect else None

    def facts(self) -> Facts:
        """The servers as services.json has them: {name: {pid, created, port, url, log}}."""
        return {name: asdict(one) for name in NAMES if (one := cast(Service | None, getattr(self, name)))}


Known = dict[Name, Service]


def up(workspace: Workspace, *, names: tuple[Name, ...] | None = None, tell: Tell = lambda _: None) -> Services:
    """Start what is not up yet of `names` and wait until each answers; returns the servers that are up.

    Without `names`: both, but for a tool that the environment places elsewhere. Progress goes to `tell`. A start
    that is cut short is waited for by the next call. Raises
    HitlError with the end of its log when a server does not come up.
    """
    wanted, began = _ours(tell) if names is None else names, time.monotonic()
    with _locked(workspace):
        known = _alive(workspace)
        fresh = [name for name in wanted if name not in known]
        for name in fresh:
            known[name] = _start(workspace, name)
            write_json(_file(workspace), _services(known).facts())
            tell(f"{servers.TITLES[name]} is starting ...")
        for name in wanted:
            _await(name, known[name], began)
            after = f" after {time.monotonic() - began:.0f} s" if name in fresh else ""
            tell(f"{servers.TITLES[name]} is up{after}: {known[name].url}")
    return _services(known)


def down(workspace: Workspace) -> tuple[Name, ...]:
    """Stop the servers that `up` started, with all that they started; returns their names. Safe to repeat."""
    if not _file(workspace).is_file():
        return ()
    with _locked(workspace):
        stopped = tuple(name for name, one in _recorded(workspace).items() if _stopped(name, one))
        _file(workspace).unlink(missing_ok=True)
    return stopped


def find(workspace: Workspace) -> Services | None:
    """The servers that live and answer, None when none does. Takes milliseconds, unless a server hangs."""
    found: Known = {name: one for name, one in _alive(workspace).items() if servers.answers(name, one.port)}
    return _services(found) if found else None


def started(workspace: Workspace) -> Services:
    """The servers whose processes live, whether they answer or not."""
    return _services(_alive(workspace))


def _ours(tell: Tell) -> tuple[Name, ...]:
    placed = {name: os.environ.get(variable) for name, variable in servers.ELSEWHERE.items()}
    for name, where in placed.items():
        if where:
            tell(f"{servers.TITLES[name]} is elsewhere ({servers.ELSEWHERE[name]}={where}): none is started here")
    return tuple(name for name in NAMES if not placed[name])


def _start(workspace: Workspace, name: Name) -> Service:
    if name == "mlflow":
        quiet()
        from tasks.edges import outbox, tracking  # MLflow takes seconds, and reads its switches only now

        tracking.have_database(outbox.own(workspace))
    port = servers.free_port(workspace, name)
    log = workspace.local.resolve() / f"{name}.log"
    process = processes.start(
        servers.command(workspace, name, port),
        log=log,
        folder=workspace.local,
        environment=servers.environment(workspace, name, port),
    )
    return Service(process.pid, process.created, port, f"http://{servers.HOST}:{port}", str(log))


def _await(name: Name, one: Service, began: float) -> None:
    title = servers.TITLES[name]
    while not servers.answers(name, one.port):
        if not processes.alive(one.process):
            raise HitlError(f"{title} did not come up. Its log, {one.log}, ends:\n{servers.tail(one.log)}")
        if time.monotonic() - began > PATIENCE:
            raise HitlError(
                f"{title} (pid {one.pid}) does not answer on {one.url}: see {one.log}, then hitl down and hitl up"
            )
        time.sleep(0.1)


def _stopped(name: Name, one: Service) -> bool:
    """Stop that very process with its group, or what it left behind when it died; whether there was any."""
    orphans = not processes.created(one.pid) and processes.group_lives(one.pid) and servers.answers(name, one.port)
    if not orphans and not processes.alive(one.process):
        return False
    processes.stop(one.process)
    return True


def _alive(workspace: Workspace) -> Known:
    return {name: one for name, one in _recorded(workspace).items() if processes.alive(one.process)}


def _recorded(workspace: Workspace) -> Known:
    """What services.json says was started; nothing when it is missing or torn."""
    try:
        written = json.loads(_file(workspace).read_bytes())
        return {name: Service(**written[name]) for name in NAMES if name in written}
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def _services(known: Mapping[Name, Service]) -> Services:
    return Services(prefect=known.get("prefect"), mlflow=known.get("mlflow"))


def _file(workspace: Workspace) -> Path:
    return workspace.local / "services.json"


@contextmanager
def _locked(workspace: Workspace) -> Iterator[None]:
    """Two calls of `up` at once start one server: the second waits for the first and finds it."""
    workspace.local.mkdir(parents=True, exist_ok=True)
    with FileLock(workspace.local / "services.lock"):
        yield
