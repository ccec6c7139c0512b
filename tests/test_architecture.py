"""The house's layers, checked: who may import whom, and what nobody pays for without using it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = frozenset(
    {"pandas", "numpy", "sklearn", "scipy", "mlflow", "prefect", "dvc", "great_expectations", "pyarrow", "matplotlib"}
)
TOOLS = frozenset({"mlflow", "prefect", "dvc", "great_expectations"})
LIGHT = (
    "flows.cli",
    "hitl.budget",
    "hitl.contract",
    "hitl.delivery.judge",
    "hitl.errors",
    "hitl.layout",
    "hitl.ledger",
    "hitl.outcome",
    "hitl.params",
    "hitl.screen",
    "hitl.state",
    "tasks.ingest",
    "tasks.journal",
)
"""What `hitl --help`, `hitl status`, `hitl check` and `hitl ingest` need."""

# Every module of hitl imported by name, as a step or a test would.
ALL_OF_HITL = (
    "import pkgutil, importlib, hitl\n"
    "for one in pkgutil.walk_packages(hitl.__path__, 'hitl.'): importlib.import_module(one.name)"
)


def imported_by(code: str) -> frozenset[str]:
    """The top-level packages that a fresh interpreter has imported after `code`."""
    ask = f"{code}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return frozenset(run.stdout.split())


def test_imports_run_only_from_when_to_the_world_to_what_decides() -> None:
    # In a process of its own: it switches off every logger that is there, and no later test would hear a warning.
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_package_has_its_layer() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {"hitl", "tasks", "flows"}


@pytest.mark.parametrize("module", LIGHT)
def test_nothing_heavy_is_imported_for_a_quick_answer(module: str) -> None:
    assert imported_by(f"import {module}").isdisjoint(HEAVY)


def test_what_decides_needs_none_of_the_tools() -> None:
    assert imported_by(ALL_OF_HITL).isdisjoint(TOOLS)
