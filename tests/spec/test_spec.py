"""The contract holds: every file in it is sent to the product, and gets the answer that the contract says."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from hitl.delivery.reasons import Reason
from hitl.layout import Workspace
from tests.spec import desk
from tests.spec.contract import CHAPTERS
from tests.spec.rule import Answer, Rule, Step

RULES = [rule for chapter in CHAPTERS for rule in chapter.rules]
CASES = [pytest.param(case, id=f"{rule.title}-{n}") for rule in RULES for n, case in enumerate(rule.cases, start=1)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return desk.made(tmp_path_factory.mktemp("spec") / "made").root


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Workspace:
    """The round as it waits; each case has its own."""
    return Workspace(shutil.copytree(made, tmp_path / "workspace"))


@pytest.mark.parametrize("case", CASES)
def test_each_file_gets_the_answer_that_the_contract_says(
    case: tuple[Step, ...], workspace: Workspace, tmp_path: Path
) -> None:
    for number, step in enumerate(case):
        before = desk.checked(workspace, tmp_path / f"checked-{number}", step)
        receipt = desk.answered(workspace, tmp_path / f"sent-{number}", step)

        assert summary(receipt) == wanted(step.answer, receipt), receipt
        assert (seen_by_all(before) == seen_by_all(receipt)) is not step.unseen
        if step.answer.verdict != "reject":
            taken = desk.accepted_rows(workspace, receipt["delivery"])
            assert len(taken) == receipt["rows"]["accepted"]
            assert taken.isdisjoint(step.answer.held)
        if step.answer.redo:
            redo = workspace.deliveries / f"{receipt['delivery']}.redo.csv"
            assert redo.read_text(encoding="utf-8") == step.answer.redo


def test_every_code_is_explained_by_exactly_one_rule() -> None:
    explained = [code for rule in RULES for code in rule.codes]

    assert sorted(explained) == sorted(Reason)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
def test_a_rule_is_short(rule: Rule) -> None:
    assert len(rule.says) < 400
    assert rule.cases


def summary(receipt: dict[str, Any]) -> dict[str, Any]:
    """What the contract says of a receipt."""
    held = receipt["held"] if receipt["verdict"] == "quarantine" else []
    return {
        "verdict": receipt["verdict"],
        "codes": {*receipt["reasons"], *receipt["warnings"]},
        "held": tuple(one["row"] for one in held),
        "duplicate": receipt["rows"]["duplicate"],
        "proposed": held[0]["proposed"] if held else "",
    }


def seen_by_all(receipt: dict[str, Any]) -> dict[str, Any]:
    """The same but for what is missing, which differs where other files were sent before."""
    said = summary(receipt)
    return {**said, "codes": said["codes"] - {"W_MISSING_ITEMS"}}


def wanted(answer: Answer, receipt: dict[str, Any]) -> dict[str, Any]:
    """The same of an answer; that items are still missing is said of any file that was taken."""
    missing = answer.verdict != "reject" and receipt["items"]["missing"]
    return {
        "verdict": answer.verdict,
        "codes": {*answer.about, *answer.also, *(["W_MISSING_ITEMS"] if missing else [])},
        "held": answer.held,
        "duplicate": answer.duplicate,
        "proposed": answer.proposed,
    }
