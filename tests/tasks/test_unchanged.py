"""What counts as a change of the params while a round is out: their meaning, not how many keys this version knows."""

from pathlib import Path

import pytest
import yaml

from hitl.errors import ParamsError
from hitl.layout import Workspace
from hitl.state import RoundState
from tasks import journal
from tasks.edges import files
from tests import factories


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace whose r0001 is out; it was opened by a version that knew less keys, so that its digest is another."""
    workspace = Workspace(tmp_path)
    files.write_text(workspace.params, factories.params_text())
    kept = files.write_text(workspace.opened_params("r0001"), factories.params_text())
    opened = {"params_sha256": "0" * 64, "opened_params_sha256": kept}
    for event, name, facts in [*factories.baseline(), *factories.a_round(1, until="exported", opened=opened)]:
        journal.append(workspace, event, name, facts)
    return workspace


def round_out(workspace: Workspace) -> RoundState:
    return journal.read(workspace).round("r0001")


def test_a_key_that_an_older_version_did_not_know_has_its_default_in_both(workspace: Workspace) -> None:
    assert journal.unchanged(workspace, round_out(workspace)).query.batch == 30
    told = yaml.safe_load(workspace.params.read_text())
    told["model"] = {**told.get("model", {}), "seed": 0}  # said, and no other than when it was not
    files.write_text(workspace.params, yaml.safe_dump(told))
    assert journal.unchanged(workspace, round_out(workspace)).model.seed == 0


def test_another_value_than_the_default_is_a_change(workspace: Workspace) -> None:
    files.write_text(workspace.params, factories.params_text(model={"seed": 1}))
    with pytest.raises(ParamsError, match=r"params\.yaml changed since r0001 began"):
        journal.unchanged(workspace, round_out(workspace))


@pytest.mark.parametrize("kept", [None, factories.params_text(model={"seed": 1})])
def test_a_kept_file_that_is_not_the_ledgers_settles_nothing(workspace: Workspace, kept: str | None) -> None:
    files.write_text(workspace.params, factories.params_text(model={"seed": 1}))
    path = workspace.opened_params("r0001")
    path.unlink() if kept is None else path.write_text(kept)
    with pytest.raises(ParamsError, match=r"params\.yaml changed since r0001 began"):
        journal.unchanged(workspace, round_out(workspace))
