"""One real server for the whole test session: starting it costs more than all the tests that use it."""

import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows import engine, services, start
from flows.services import Services
from hitl.layout import Workspace


def call(url: str, body: object = None) -> Any:
    """What the server answers to a POST of `body`, or to a GET where there is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def with_tables(workspace: Workspace, made: Workspace) -> None:
    """Give `made`, unless it has one, a copy of the other's Prefect database, in which all tables are."""
    if (made.local / "prefect").is_dir():
        return
    (made.local / "prefect").mkdir(parents=True)
    source = sqlite3.connect(workspace.local / "prefect" / "prefect.db")
    copy = sqlite3.connect(made.local / "prefect" / "prefect.db")
    source.backup(copy)
    source.close()
    copy.close()


@pytest.fixture(scope="session", autouse=True)
def no_server_of_the_user() -> Iterator[None]:
    """Our tests never speak to a server that the environment names."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A small workspace whose first round is out for labeling: nothing is due in it."""
    folder = tmp_path_factory.mktemp("flows")
    rows = [f"i{n:03d},{n % 7},{'even' if n % 2 == 0 else 'odd'}" for n in range(60)]
    (folder / "items.csv").write_text("\n".join(["id,size,parity", *rows]) + "\n", encoding="utf-8")
    made = Workspace(folder / "with space")
    start.from_file(made, folder / "items.csv", label="parity", id="id", hide=True)
    engine.perform("open", made, "direct")
    return made


@pytest.fixture(scope="session")
def servers(workspace: Workspace) -> Iterator[Services]:
    """The workspace's own Prefect server and MLflow UI."""
    try:
        yield services.up(workspace)
    finally:
        services.down(workspace)


@pytest.fixture(scope="session")
def other(workspace: Workspace, servers: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A second workspace, with the first one's database: making Prefect's tables takes as long as all else together."""
    assert servers.prefect
    made = Workspace(tmp_path_factory.mktemp("other"))
    with_tables(workspace, made)
    yield made
    services.down(made)


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    """A folder in which nothing was started."""
    return Workspace(tmp_path)
