from pathlib import Path

from flows.prefect_artifacts import plain, table
from hitl.layout import Workspace
from hitl.state import Phase, RoundState


def test_a_stranger_s_file_name_becomes_no_markup(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.deliveries.mkdir(parents=True)
    (workspace.deliveries / "abc.receipt.json").touch()
    delivery = {"delivery": "abc", "file": "<img src=x>|[a](javascript:b)\n# c.csv"}
    text = table(workspace, RoundState("r0001", Phase.AWAITING, "", deliveries=(delivery,)))
    (row,) = [line for line in text.splitlines() if "receipt" in line]
    assert not set(row) & set("<>[]()\n")
    assert row.count("|") == 3


def test_only_what_is_there_is_shown(tmp_path: Path) -> None:
    assert "report" not in table(Workspace(tmp_path), RoundState("r0001", Phase.CLOSED, ""))


def test_plain_text_keeps_its_characters() -> None:
    assert plain("data/r0001 é.csv") == "data/r0001 é.csv"
