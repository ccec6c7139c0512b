from pathlib import Path

import pytest

from flows import start
from hitl.layout import Workspace

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml", "data/guideline.md"])
def test_the_repository_is_the_workspace_of_the_demo(name: str, digits: Workspace) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == (digits.root / name).read_text(encoding="utf-8")


def test_a_workspace_made_twice_stays_as_it_is(digits: Workspace) -> None:
    ledger = digits.ledger.read_bytes()
    start.from_digits(digits)
    assert digits.ledger.read_bytes() == ledger


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("digits") / "hitl-demo")
    workspace.root.mkdir()
    start.from_digits(workspace)
    return workspace
