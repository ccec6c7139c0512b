"""A real Dask cluster scores the pool, and one of its processes is killed at work: the batch is that of one process."""

import os
import shutil
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flows import engine, start
from flows.services import Services
from hitl.layout import Workspace
from tasks.edges import runner, tables
from tests.flows.conftest import call

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'hitl[dask]'")
pytest.importorskip("prefect_dask", reason="Dask is not installed: pip install 'hitl[dask]'")
# A minute or two of processor time, most of it for processes that start: too much for every run of all tests.
pytestmark = pytest.mark.skipif(not os.environ.get("CLUSTER"), reason="processes that start: make cluster")
FILES, ROWS = 9, 20_000
"""Files of the pool, the first by `hitl init`, and rows of each other."""
SECRET = "a text that stays at home"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a pool of several files, some seconds' work for a forest, and the texts of its items."""
    folder, rng = tmp_path_factory.mktemp("cluster"), np.random.default_rng(0)
    rows = pd.DataFrame(
        {"id": [f"i{at:03d}" for at in range(200)], "size": rng.normal(size=200), "note": [SECRET, "none"] * 100}
    )
    rows.assign(side=np.where(rows["size"] > 0, "up", "down")).to_csv(folder / "items.csv", index=False)
    made = Workspace(folder / "large")
    forest = {"estimator": "random_forest", "options": {"n_estimators": 50}}
    start.from_file(made, folder / "items.csv", label="side", id="id", hide=True, overrides={"model": forest})
    for at in range(1, FILES):
        ids = [f"p{at}-{row:05d}" for row in range(ROWS)]
        more = pd.DataFrame({"item_id": ids, "size": rng.normal(size=ROWS), "note": [SECRET, "none"] * (ROWS // 2)})
        tables.write_parquet(made.pool / f"part-{at:05d}.parquet", more)
    assert len(tables.parts(made.pool)) == FILES
    return made


def opened(large: Workspace, folder: Path, wanted: str) -> tuple[bytes, bytes]:
    """What the opening of a copy of the workspace gives: the bytes of the candidates and of the batch."""
    made = Workspace(Path(shutil.copytree(large.root, folder / large.root.name)))
    engine.perform("open", made, wanted)
    assert not (made.local / "shares").exists()
    return tuple((made.round("r0001") / f"{name}.parquet").read_bytes() for name in ("candidates", "batch"))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def alone(large: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """What comes out where one process scores one file after the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(runner.VARIABLE, "threads:1")
        return opened(large, tmp_path_factory.mktemp("alone"), "direct")


def test_a_cluster_that_loses_a_process_at_work_gives_the_same_batch(
    large: Workspace,
    alone: tuple[bytes, bytes],
    servers: Services,
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", str(servers.api_url))
    parts_then: list[int] = []

    def kill_one_at_work(pid: int) -> None:
        while not (parts := list(tmp_path.glob("*/.hitl/shares/*/*.parquet"))):
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        parts_then.append(len(parts))

    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        monkeypatch.setenv(runner.VARIABLE, f"dask:{cluster.scheduler_address}")
        first = next(iter(cluster.workers.values()))
        killer = threading.Thread(target=kill_one_at_work, args=(first.pid,), daemon=True)
        killer.start()
        found = opened(large, tmp_path, "prefect")
        killer.join(timeout=1)
        scored = named_of(servers)
    assert parts_then
    assert parts_then[0] < FILES
    assert found == alone
    assert scored == {f"Score share {at} of {FILES} (r0001)" for at in range(FILES)}
    stored = b"".join(path.read_bytes() for path in (workspace.local / "prefect").glob("prefect.db*"))
    assert b"Score share" in stored
    assert SECRET.encode() not in stored


def named_of(servers: Services) -> set[str]:
    """The shares that Prefect was told of: processes of their own tell it when they find the time."""
    found: set[str] = set()
    deadline = time.monotonic() + 60
    while len(found) < FILES and time.monotonic() < deadline:
        time.sleep(0.5)
        asked = {"task_runs": {"name": {"like_": "Score share"}}}
        found = {one["name"] for one in call(f"{servers.api_url}/task_runs/filter", asked)}
    return found


@pytest.mark.parametrize("wanted", ["threads:2", "processes:2"])
def test_threads_and_processes_of_this_computer_give_the_same_batch(
    wanted: str,
    large: Workspace,
    alone: tuple[bytes, bytes],
    servers: Services,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", str(servers.api_url))
    monkeypatch.setenv(runner.VARIABLE, wanted)
    assert opened(large, tmp_path, "prefect") == alone
