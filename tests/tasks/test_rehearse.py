"""A rehearsal picks what a round picks, on a file or a workspace, and leaves nothing behind but its page."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from flows.cli import hitl
from hitl import choose, rehearsal
from hitl.errors import DataError
from hitl.layout import Workspace
from hitl.rehearsal import Loop
from tasks import journal, rehearse
from tasks.edges import parallel, tables
from tests.tasks import small_workspace as small

QUICK = ("--strategy", "diverse", "--seeds", "2", "--batch", "20")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        found = small.made(tmp_path_factory.mktemp("rehearse") / "space")
        small.opened(found)
        yield found


def digests(workspace: Workspace) -> dict[str, str]:
    files = [one for one in workspace.root.rglob("*") if one.is_file() and one.name != "rehearsal.html"]
    return {str(one.relative_to(workspace.root)): sha256(one.read_bytes()).hexdigest() for one in files}


def call(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(hitl, [str(one) for one in arguments], catch_exceptions=False)
    return done.exit_code, done.output


def test_a_rehearsal_picks_what_the_round_picked(workspace: Workspace) -> None:
    params = journal.params(workspace)
    known, _ = rehearse._known(workspace, params, 10_000, None)
    initial = set(tables.read_parquet(workspace.initial)["item_id"])
    labeled = np.flatnonzero([one in initial for one in known.ids])
    pool = np.flatnonzero(~known.test & [one not in initial for one in known.ids])
    loop = Loop(known, params, labeled, known.labels[labeled], pool, len(labeled), number=1)
    model = rehearsal.fitted(known, params, loop.labels)
    chosen = small.batch(workspace, "r0001")
    assert set(known.ids[rehearsal.batch(loop, model)]) == set(chosen.loc[chosen["reason"] != "gold", "item_id"])


def test_a_workspace_is_as_it_was(workspace: Workspace) -> None:
    before = digests(workspace)
    code, said = call("-C", workspace.root, "rehearse", *QUICK, "--processes", "1")
    assert code == 0, said
    assert "Set query.strategy to" in said
    assert digests(workspace) == before
    assert b"<polyline" in (workspace.local / "rehearsal.html").read_bytes()


def test_a_file_gives_the_same_on_any_number_of_processes(tmp_path: Path) -> None:
    path = tmp_path / "items <b>.csv"
    path.write_text(small.table(100).to_csv(index=False), encoding="utf-8")
    plan = rehearse.plan_of(strategies=("diverse",), batches=(20,), overlaps=(1, 3), noises=(0.2,), seeds=1)
    told = [
        rehearse.rehearse_file(
            path, plan, label="label", id="item_id", rows=400, processes=processes, out=tmp_path / f"{processes}.html"
        )
        for processes in (1, 2)
    ]
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()
    assert b"<b>" not in (tmp_path / "1.html").read_bytes()
    assert {**told[0], "page": ""} == {**told[1], "page": ""}
    settings = told[0]["settings"]
    assert [(one["strategy"], one["overlap"]) for one in settings if one["strategy"] == "random"] == [
        ("random", 1),
        ("random", 3),
    ]
    assert json.loads(json.dumps(told[0])) == told[0]


def test_what_cannot_be_rehearsed_is_refused_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("x,label\n1,a\n2,a\n3,b\n4,b\n", encoding="utf-8")
    code, said = call("rehearse", path, "--label", "label", "--out", tmp_path / "p.html")
    assert (code, "too few labeled items for a test set" in said) == (5, True)
    code, said = call("rehearse", path, "--label", "class")
    assert (code, "'class'" in said) == (5, True)
    code, said = call("rehearse", tmp_path / "none.csv", "--label", "label")
    assert (code, "no such file" in said) == (5, True)
    code, said = call("rehearse", path, "--label", "label", "--strategy", "best")
    assert (code, "no such strategy" in said) == (2, True)
    code, said = call("rehearse", path)
    assert (code, "--label COL is missing" in said) == (2, True)
    code, said = call("-C", tmp_path, "rehearse", "--label", "label")
    assert (code, "none is given" in said) == (2, True)
    code, said = call("-C", tmp_path, "rehearse")
    assert (code, "not in a workspace" in said) == (3, True)
    assert not list(tmp_path.glob("*.html"))


def test_what_fails_elsewhere_says_what_a_call_would_say() -> None:
    with pytest.raises(DataError, match="no 3"):
        list(parallel.each(refuse, None, [1, 2, 3, 4], processes=1))
    assert dict(parallel.each(refuse, None, [1, 2], processes=1)) == {0: 1, 1: 2}


def refuse(shared: object, number: int) -> int:
    if number == 3:
        raise DataError("no 3")
    return number


def test_large_workspaces_are_thinned(workspace: Workspace) -> None:
    known, notes = rehearse._known(workspace, journal.params(workspace), 40, None)
    assert "40 of 160 items of the pool are used" in notes[0]
    assert known.test is not None
    assert len(known.table) == 40 + 20 + int(known.test.sum())
    drawn = choose.draw(known.ids, seed=0, round_number=0, purpose="rehearse")
    assert len(drawn) == len(known.table)
