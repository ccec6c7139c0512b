"""A pool of several files is scored in shares: the same candidates, and nothing is left of the shares."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.engine import direct
from hitl.errors import DataError, IntegrityError, ParamsError
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import journal, score, shares
from tasks.edges import runner, tables
from tasks.shares import Done, Part, Progress, Share, Unwanted
from tests.tasks import small_workspace

ROUND = "r0001"
FILES = 5


@pytest.fixture(scope="module")
def opening(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace about to be scored, whose pool lies in five files."""
    made = small_workspace.made(tmp_path_factory.mktemp("shares") / "small")
    params = journal.params(made)
    facts = {"params_sha256": params.sha256(), "strategy": params.query.strategy}
    journal.append(made, "opened", ROUND, facts)
    (path,) = tables.parts(made.pool)
    whole = pq.read_table(path)
    for number, places in enumerate(np.array_split(np.arange(len(whole)), FILES)):
        pq.write_table(whole.take(pa.array(places)), made.pool / f"part-{number:05d}.parquet")
    return made


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runner.VARIABLE, "threads:3")


def left(workspace: Workspace) -> list[Path]:
    return list((workspace.local / "shares").rglob("*"))


def test_a_pool_in_shares_gives_the_same_file_as_in_one(opening: Workspace) -> None:
    done: list[Share] = []

    def part(workspace: Workspace, round_id: str, share: Share) -> Facts:
        done.append(share)
        return score.part(workspace, round_id, share)

    def each(_: Part, *asked: object) -> list[Facts]:
        return direct.each(part, *asked)  # type: ignore[arg-type]

    alone = score.score(opening, ROUND)
    before = (opening.round(ROUND) / "candidates.parquet").read_bytes()
    together = score.score(opening, ROUND, each=each)
    assert together == alone
    assert (opening.round(ROUND) / "candidates.parquet").read_bytes() == before
    assert sorted(name for share in done for name in share.names) == [one.name for one in tables.parts(opening.pool)]
    assert (len(done), left(opening)) == (3, [])


def test_what_a_share_meets_is_said_and_the_others_are_given_up(opening: Workspace) -> None:
    path = tables.parts(opening.pool)[-1]
    sound = path.read_bytes()
    table = pq.read_table(path)
    pq.write_table(table.set_column(0, "item_id", pa.nulls(len(table), pa.string())), path)
    given_up: list[Share] = []

    def part(workspace: Workspace, round_id: str, share: Share) -> Facts:
        try:
            if path.name in share.names:
                return score.part(workspace, round_id, share)
            while True:
                Done(share)(0)
        except Unwanted:
            given_up.append(share)
            raise

    def each(_: Part, *asked: object) -> list[Facts]:
        return direct.each(part, *asked)  # type: ignore[arg-type]

    try:
        with pytest.raises(DataError, match="items have no item_id"):
            score.score(opening, ROUND, each=each)
    finally:
        path.write_bytes(sound)
    assert (len(given_up), left(opening)) == (2, [])


def test_another_ledger_than_where_the_scoring_began_is_refused(opening: Workspace, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"ledger\.jsonl is not as it was"):
        score.part(opening, ROUND, Share(0, tmp_path, "another", ("part-00000.parquet",)))


def test_the_shares_hold_each_file_once_and_what_a_dead_command_left_is_cleared(tmp_path: Path) -> None:
    old = tmp_path / ".hitl" / "shares" / "0badcafe" / "0000.parquet"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"half")
    names = [f"part-{number}" for number in range(7)]
    with shares.shared(Workspace(tmp_path), names, "head", count=3) as made:
        assert sorted(name for share in made for name in share.names) == names
        assert {len(share.names) for share in made} == {2, 3}
        assert not old.exists()


def test_how_far_they_are_is_told_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with shares.shared(Workspace(tmp_path), ["a", "b"], "head", count=2) as (one, other):
        tell = Progress(1000)
        assert tell(shares.seen([one, other])) is None
        monkeypatch.setattr(shares, "TOLD_EVERY", 0.0)
        Done(one)(300)
        noted = Done(other)
        noted(50)
        noted(50)
        said = tell(shares.seen([one, other]))
    assert said
    assert said.startswith("scored 400 of 1,000 items, ")
    assert said.endswith(" s to go")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("threads:2", runner.Runner("threads", 2)),
        ("processes:8", runner.Runner("processes", 8)),
        ("dask:2", runner.Runner("dask", 2)),
        ("dask:tcp://10.0.0.5:8786", runner.Runner("dask", 4, "tcp://10.0.0.5:8786")),
    ],
)
def test_the_environment_says_what_scores(said: str, found: runner.Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runner.VARIABLE, said)
    monkeypatch.setattr(runner.os, "cpu_count", lambda: 64)
    monkeypatch.setattr(runner, "find_spec", lambda _: True)
    assert runner.runner() == found


@pytest.mark.parametrize("said", ["spark", "threads:0", "threads:two", "threads:tcp://here:1", "dask:here", ":2"])
def test_what_nothing_scores_on_is_refused_with_the_way_out(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runner.VARIABLE, said)
    with pytest.raises(
        ParamsError, match=rf"HITL_RUNNER={said} is nothing that scores: say threads, processes or dask"
    ):
        runner.runner()


def test_dask_is_named_as_an_extra_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runner.VARIABLE, "dask")
    monkeypatch.setattr(runner, "find_spec", lambda _: None)
    with pytest.raises(ParamsError, match=r"pip install 'hitl\[dask\]'"):
        runner.runner()
