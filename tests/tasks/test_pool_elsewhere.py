"""A pool that lies in a real S3 server: the same candidates and the same ledger as one in data/pool."""

import importlib.util
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from hitl.errors import DataError, IntegrityError
from hitl.layout import Workspace
from tasks import journal, verify
from tasks.edges import pool, tables
from tests.tasks import small_workspace
from tests.tasks.small_workspace import OPENING, play

WEED = shutil.which("weed", path=str(Path(sys.executable).parent))
BUCKET = "items"
pytestmark = pytest.mark.skipif(
    not WEED or importlib.util.find_spec("s3fs") is None, reason="no SeaweedFS or s3fs here: make setup (Linux, x86-64)"
)
PATIENCE = 120.0


def free_port() -> int:
    """A port that is free, and so is the one 10,000 above it, on which SeaweedFS speaks to itself."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port + 10_000))
            except (OSError, OverflowError):
                continue
            return int(port)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A SeaweedFS of our own on loopback, with a bucket, as fsspec sees it; the environment says where it is."""
    import fsspec

    folder = tmp_path_factory.mktemp("weed")
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    told = [f"-{name}.port={port}" for name, port in ports.items()]
    small = ["-master.volumeSizeLimitMB=8", "-volume.max=8", "-master.telemetry=false", "-s3.port.iceberg=0"]
    with (folder / "said").open("wb") as said, pytest.MonkeyPatch.context() as patch:
        server = subprocess.Popen(
            [str(WEED), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", *told, *small],
            stdout=said,
            stderr=said,
        )
        for name, value in (("ENDPOINT_URL", f"http://127.0.0.1:{ports['s3']}"), ("ACCESS_KEY_ID", "any")):
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        try:
            store = fsspec.filesystem("s3")
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    store.mkdir(BUCKET)
                    store.pipe_file(f"{BUCKET}/is-up", b"yes")
                    break
                except Exception:  # noqa: BLE001 - whatever it says before it is up
                    assert server.poll() is None and time.monotonic() < deadline, (folder / "said").read_text()[-2000:]
                    time.sleep(0.5)
            yield store
        finally:
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with its pool in data/pool, whose first round is open."""
    made = small_workspace.made(tmp_path_factory.mktemp("near") / "small")
    small_workspace.opened(made)
    return made


@pytest.fixture(scope="module")
def far(bucket: Any, near: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The same workspace made anew with its pool in S3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(pool.VARIABLE, f"s3://{BUCKET}/acme/pool")
        made = small_workspace.made(tmp_path_factory.mktemp("far") / "small")
        small_workspace.opened(made)
        yield made


def test_the_ledger_and_the_batch_are_those_of_a_pool_that_is_near(
    near: Workspace, far: Workspace, bucket: Any
) -> None:
    assert not far.pool.exists()
    assert [path.rsplit("/")[-1] for path in bucket.ls(f"{BUCKET}/acme/pool", detail=False)] == ["part-00000.parquet"]
    ours, theirs = ({event.event: event.facts for event in journal.events(one)} for one in (near, far))
    for event in ("created", "scored", "selected"):
        assert theirs[event] == ours[event]


def test_verify_reads_what_is_there_and_names_what_was_changed_or_is_gone(far: Workspace, bucket: Any) -> None:
    path = f"{BUCKET}/acme/pool/part-00000.parquet"
    sound = bucket.cat_file(path)
    assert verify.verify(far)["problems"] == []
    try:
        bucket.pipe_file(path, sound + b"\0")
        (problem,) = verify.verify(far)["problems"]  # type: ignore[misc]
        assert problem["file"] == "data/pool/part-00000.parquet"
        assert "was changed: its sha256 is" in problem["says"]
        assert problem["mend"] == f"put the file back where HITL_POOL says the pool is: s3://{BUCKET}/acme/pool"
        bucket.rm_file(path)
        (problem,) = verify.verify(far)["problems"]  # type: ignore[misc]
        assert "data/pool/part-00000.parquet is missing" in problem["says"]
        with pytest.raises(IntegrityError, match=f"s3://{BUCKET}/acme/pool holds no Parquet file; put it there"):
            play(far, "r0001", {"scored": OPENING["scored"]})
    finally:
        bucket.pipe_file(path, sound)


def test_only_the_columns_that_are_asked_for_are_fetched(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, rows = np.random.default_rng(0), 20_000
    frame = pd.DataFrame({"item_id": [f"i{at}" for at in range(rows)], "size": rng.random(rows)})
    frame = frame.assign(**{f"other{at}": rng.random(rows) for at in range(20)})
    tables.write_parquet(tmp_path / "wide.parquet", frame)
    bucket.put_file(str(tmp_path / "wide.parquet"), f"{BUCKET}/wide/wide.parquet")
    monkeypatch.setenv(pool.VARIABLE, f"s3://{BUCKET}/wide")
    fetched: list[int] = []
    whole = (tmp_path / "wide.parquet").stat().st_size
    (part,) = pool.parts(Workspace(tmp_path))
    assert isinstance(part, pool.Stored)
    fetch = type(part.store.open(part.path))._fetch_range
    counted = lambda self, start, end: (fetched.append(end - start), fetch(self, start, end))[1]  # noqa: E731
    monkeypatch.setattr(type(part.store.open(part.path)), "_fetch_range", counted)
    ((ids, cells),) = tables.items(part, ["size"])
    assert (len(ids), cells["size"].tolist()) == (rows, frame["size"].tolist())
    assert 0 < sum(fetched) < whole / 4
    assert tables.row_count([part]) == rows
    fetched.clear()
    monkeypatch.setattr(tables, "ROW_GROUP", 6_000)  # those of the file are large then
    some = [f"other{at}" for at in range(9)]
    found = list(tables.items(part, some))
    assert [len(ids) for ids, _ in found] == [6_000, 6_000, 6_000, 2_000]
    for name in some:
        assert np.concatenate([cells[name] for _, cells in found]).tolist() == frame[name].tolist()
    assert 0 < sum(fetched) < whole * 3 / 4


def test_a_store_that_cannot_be_asked_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pool.VARIABLE, "nonsense://acme:secret@there/pool")
    with pytest.raises(DataError, match="nonsense://there/pool cannot be used: ValueError") as told:
        pool.parts(Workspace(tmp_path))
    assert "secret" not in str(told.value)


def test_a_folder_of_this_computer_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large").mkdir()
    pq.write_table(pq.read_table(_table(tmp_path)), tmp_path / "large" / "a.parquet")
    monkeypatch.setenv(pool.VARIABLE, str(tmp_path / "large"))
    assert pool.parts(Workspace(tmp_path / "here")) == [tmp_path / "large" / "a.parquet"]
    assert tables.row_count(pool.parts(Workspace(tmp_path / "here"))) == 2


def _table(folder: Path) -> Path:
    tables.write_parquet(folder / "two.parquet", pd.DataFrame({"item_id": ["a", "b"]}))
    return folder / "two.parquet"
