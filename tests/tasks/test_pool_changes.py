"""A pool whose files change: what came is counted, and what no round can be made of is named with its file."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from flows import say
from hitl.errors import DataError
from hitl.layout import Workspace
from tasks import journal, plan, pool_files, score, select
from tasks.edges import files, tables, verifier
from tests.tasks import small_workspace

ROUND = "r0001"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_workspace.made(tmp_path_factory.mktemp("pool") / "small").root


@pytest.fixture
def workspace(pristine: Path, tmp_path: Path) -> Workspace:
    """A workspace about to be scored."""
    made = Workspace(Path(shutil.copytree(pristine, tmp_path / "small", symlinks=True)))
    params = journal.params(made)
    journal.append(made, "opened", ROUND, {"params_sha256": params.sha256(), "strategy": params.query.strategy})
    return made


def pool(workspace: Workspace) -> pd.DataFrame:
    return tables.read_parquet(workspace.pool / "part-00000.parquet")


def came(workspace: Workspace, items: pd.DataFrame) -> None:
    tables.write_parquet(workspace.pool / "part-00001.parquet", items)


def test_what_came_to_the_pool_is_counted_by_plan(workspace: Workspace) -> None:
    items, before = pool(workspace), plan.plan(workspace)
    assert before["pool_left"] == len(items)
    came(workspace, items.head(7).assign(item_id=[f"new-{number}" for number in range(7)]))
    assert plan.plan(workspace)["pool_left"] == len(items) + 7


def test_an_opening_names_what_came_and_verify_knows_it(workspace: Workspace) -> None:
    came(workspace, pool(workspace).head(3).assign(item_id=["new-1", "new-2", "new-3"]))
    name, whole = "data/pool/part-00001.parquet", {"pool_rows": len(pool(workspace)) + 3}
    found = pool_files.found(workspace, ROUND)
    assert found == {**whole, "files": {name: files.sha256(workspace.root / name)}}

    def unnamed() -> list[str]:
        events = [json.loads(line) for line in workspace.ledger.read_text(encoding="utf-8").splitlines()]
        assert (name in verifier.files_named(events)) == any(one["facts"].get("pool_rows") for one in events[-1:])
        return [one.file for one in verifier.strangers(workspace.root, events)]

    assert unnamed() == [name]
    facts = {**journal.read(workspace).round(ROUND).facts["opened"], **found}
    journal.append(workspace, "reopened", ROUND, facts)
    assert unnamed() == []
    assert pool_files.found(workspace, ROUND) == found
    assert pool_files.found(workspace, "r0002") == whole


def test_plan_says_what_it_does_not_count_while_a_round_is_out(workspace: Workspace) -> None:
    assert plan.plan(workspace)["out"] is None
    small_workspace.play(workspace, ROUND, small_workspace.OPENING)
    told = plan.plan(workspace)
    assert told["out"] == {"round": ROUND, "annotations": 12}
    assert "r0001 still waits for 12 annotations, which are not counted here" in say.planned(told)


def test_an_item_that_is_there_twice_is_named(workspace: Workspace) -> None:
    came(workspace, pool(workspace))
    with pytest.raises(DataError, match=r"data/pool holds item 'item-\d+' more than once"):
        score.score(workspace, ROUND)


def test_a_file_without_a_column_is_named(workspace: Workspace) -> None:
    came(workspace, pool(workspace).drop(columns="town").assign(item_id=lambda found: found["item_id"] + "x"))
    with pytest.raises(DataError, match=r"part-00001\.parquet has no column 'town'"):
        score.score(workspace, ROUND)


@pytest.mark.parametrize(("change", "says"), [("gone", "no more"), ("twice", "more than once")])
def test_what_is_chosen_has_to_be_there_once(change: str, says: str, workspace: Workspace) -> None:
    journal.append(workspace, "scored", ROUND, score.score(workspace, ROUND))
    items = pool(workspace)
    if change == "gone":
        tables.write_parquet(workspace.pool / "part-00000.parquet", items.head(3))
    else:
        came(workspace, items)
    with pytest.raises(DataError, match=rf"holds item 'item-\d+' {says}"):
        select.select(workspace, ROUND)
