import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import engine
from flows.engine import Engine, choose, direct
from flows.services import Services
from hitl.errors import MomentError, ParamsError
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks.edges import runner
from tasks.shares import Done, Share, shared
from tests.flows.conftest import call

DEAD = "http://127.0.0.1:9/api"


class Step:
    """A step that fails with each of `errors` in turn before it succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls: list[tuple[Workspace, str]] = []

    def __call__(self, workspace: Workspace, round_id: str) -> Facts:
        self.calls.append((workspace, round_id))
        if self.errors:
            raise self.errors.pop(0)
        return {"rows": 1}


def test_a_direct_run_is_a_plain_call(empty: Workspace) -> None:
    step = Step()
    assert direct("Score the pool", step, empty, "r0001") == {"rows": 1}
    assert step.calls == [(empty, "r0001")]


def test_a_step_that_the_world_failed_is_called_again(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "DELAYS", (0.0, 0.0))
    step = Step(OSError("no route"), OSError("no route"))
    assert direct("Push", step, empty, "r0001", retries=2) == {"rows": 1}
    assert len(step.calls) == 3


def test_a_failure_comes_out_when_the_retries_are_used_up(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "DELAYS", (0.0,))
    with pytest.raises(OSError, match="second"):
        direct("Push", Step(OSError("first"), OSError("second")), empty, "r0001", retries=1)


def test_an_error_of_ours_is_never_tried_again(empty: Workspace) -> None:
    step = Step(MomentError("too late"))
    with pytest.raises(MomentError, match="too late"):
        direct("Push", step, empty, "r0001", retries=2)
    assert len(step.calls) == 1


def test_auto_is_direct_where_no_server_answers(empty: Workspace) -> None:
    assert choose("auto", empty) == Engine("direct")


def test_direct_is_direct_even_where_a_server_answers(workspace: Workspace, servers: Services) -> None:
    assert servers.api_url
    assert choose("direct", workspace) == Engine("direct")


def test_auto_finds_the_server_of_the_workspace(workspace: Workspace, servers: Services) -> None:
    assert choose("auto", workspace) == Engine("prefect", servers.api_url)


def test_auto_finds_the_server_that_the_environment_names(
    empty: Workspace, servers: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", str(servers.api_url))
    assert choose("auto", empty) == Engine("prefect", servers.api_url)


def test_a_dead_dashboard_delays_no_round(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", DEAD)
    chosen = choose("auto", empty)
    assert chosen.name == "direct"
    assert DEAD in chosen.note


def test_wanting_prefect_at_a_dead_address_is_refused(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", DEAD)
    with pytest.raises(MomentError, match="does not answer"):
        choose("prefect", empty)


def test_prefect_without_a_server_starts_its_own(empty: Workspace) -> None:
    chosen = choose("prefect", empty)
    assert (chosen.name, chosen.api_url) == ("prefect", None)
    assert "starts its own" in chosen.note


def test_an_unknown_engine_is_refused(empty: Workspace) -> None:
    with pytest.raises(ParamsError, match="'dask'"):
        choose("dask", empty)


def test_choosing_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from flows.engine import choose; from hitl.layout import Workspace\n"
        "choose('auto', Workspace(Path(sys.argv[1])))\n"
        "print([name for name in ('prefect', 'mlflow', 'pandas', 'numpy', 'dvc', 'pydantic') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_under_prefect_our_errors_come_out_unchanged_and_quietly(workspace: Workspace, servers: Services) -> None:
    """One line on stderr, the exit code of the error, and in Prefect's UI a failed run under the round's name."""
    command = [Path(sys.executable).with_name("hitl"), "-C", workspace.root, "open", "--engine", "prefect"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (MomentError.exit_code, "")
    assert said.stderr.startswith("hitl: r0001 is already open")
    assert len(said.stderr.splitlines()) == 1
    named = {"flow_runs": {"name": {"any_": ["r0001 open"]}}}
    runs = call(f"{servers.api_url}/flow_runs/filter", named)
    assert [run["state_type"] for run in runs] == ["FAILED"]


@pytest.fixture(params=["threads:2", "dask"])
def scoring(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """HITL_RUNNER as threads, and as a Dask cluster within this process; tests/flows/test_cluster.py has real ones."""
    if request.param != "dask":
        monkeypatch.setenv(runner.VARIABLE, request.param)
        yield
        return
    pytest.importorskip("prefect_dask", reason="Dask is not installed: pip install 'hitl[dask]'")
    import distributed

    with distributed.LocalCluster(2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        monkeypatch.setenv(runner.VARIABLE, f"dask:{cluster.scheduler_address}")
        yield


def numbered(_: Workspace, round_id: str, share: Share) -> Facts:
    return {"round": round_id, "names": list(share.names)}


def broken(_: Workspace, __: str, share: Share) -> Facts:
    """One share finds what it cannot read; the other works on until nobody waits for it, or for a while."""
    if share.number == 1:
        raise MomentError("too late")
    began = time.monotonic()
    while time.monotonic() < began + 5:
        Done(share)(0)
        time.sleep(0.01)
    return {}


def test_under_prefect_shares_are_mapped_and_what_one_meets_comes_out(
    empty: Workspace, servers: Services, scoring: None
) -> None:
    from prefect import flow
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows import prefect_flows

    with temporary_settings({PREFECT_API_URL: servers.api_url}), shared(empty, ["a", "b", "c"], "", count=2) as shares:

        @flow
        def mapped() -> list[Facts]:
            return prefect_flows.run.each(numbered, empty, "r0001", shares, lambda: None)

        @flow
        def failing() -> list[Facts]:
            return prefect_flows.run.each(broken, empty, "r0001", shares, lambda: None)

        assert mapped() == [{"round": "r0001", "names": ["a", "c"]}, {"round": "r0001", "names": ["b"]}]
        with pytest.raises(MomentError, match="too late"):
            failing()
    assert not (empty.local / "shares").exists()
