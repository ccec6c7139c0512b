"""A step has one word: in dvc.yaml, in tasks/, on the command line, and in the tests."""

from pathlib import Path

import click
import yaml

from flows.cli import hitl
from hitl.founding.scaffold import DVC_YAML
from hitl.params import Params

ROOT = Path(__file__).parents[1]


def test_dvc_runs_the_steps_that_the_command_line_has() -> None:
    stages = yaml.safe_load(DVC_YAML)["stages"]
    (argument,) = (one for one in hitl.commands["step"].params if isinstance(one, click.Argument))
    assert isinstance(argument.type, click.Choice)
    assert list(stages) == list(argument.type.choices)
    for name, stage in stages.items():
        assert stage["cmd"] == f"hitl step {name}"
        assert (ROOT / "tasks" / f"{name}.py").is_file()


def test_dvc_depends_on_sections_that_params_have() -> None:
    stages = yaml.safe_load(DVC_YAML)["stages"]
    named = {section for stage in stages.values() for section in stage["params"]}
    assert named <= set(Params.model_fields)


def test_the_sections_of_params_are_steps_or_what_steps_need() -> None:
    steps = {path.stem for path in (ROOT / "tasks").glob("*.py")}
    said_otherwise = {
        "model": "train",
        "query": "select",
        "delivery": "ingest",
        "versioning": "version",
        "privacy": "export",
        "letter": "letters",
    }
    not_steps = {"data", "budget", "schedule", "stop"}
    for section in set(Params.model_fields) - not_steps:
        assert said_otherwise.get(section, section) in steps
