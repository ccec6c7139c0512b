"""No step loads a model file that is not the ledger's, whatever lies under its name."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import skops.io
from sklearn.naive_bayes import GaussianNB

from hitl.errors import IntegrityError
from hitl.layout import Workspace
from tasks import evaluate, exhibits, journal, score, train
from tasks.edges import files, models

LOADS: dict[str, Callable[[Workspace], object]] = {
    "score": lambda workspace: score.score(workspace, "r0002"),
    "evaluate": lambda workspace: evaluate.evaluate(workspace, "r0001"),
    "track": lambda workspace: exhibits.of_round(
        workspace, journal.read(workspace), "r0001", journal.params_of(workspace, "r0001")
    ),
    "newest": lambda workspace: train.current(workspace, journal.read(workspace), journal.params(workspace)),
    "hitl step evaluate": evaluate.measure,
}


class Trap:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


def planted(kind: str, trace: Path) -> bytes:
    """A file that somebody put under the model's name."""
    if kind == "another model":
        return skops.io.dumps(GaussianNB().fit([[0.0], [1.0]], [0, 1]))
    return pickle.dumps(Trap(f"touch '{trace}'"))


@pytest.mark.parametrize("kind", ["another model", "a pickle"])
def test_no_step_loads_what_was_put_under_the_models_name(root: Path, tmp_path: Path, kind: str) -> None:
    workspace, trace = Workspace(root), tmp_path / "trace"
    path = workspace.round("r0001") / "model.skops"
    files.write_bytes(path, planted(kind, trace))
    for load in LOADS.values():
        with pytest.raises(IntegrityError, match=r"model\.skops is not the model the ledger speaks of"):
            load(workspace)
    assert not trace.exists()


def test_a_pickle_is_refused_even_where_the_ledger_had_its_digest(tmp_path: Path) -> None:
    path, trace = tmp_path / "model.skops", tmp_path / "trace"
    sha256 = files.write_bytes(path, planted("a pickle", trace))
    with pytest.raises(IntegrityError, match="is not a model file"):
        models.load(path, sha256=sha256)
    assert not trace.exists()
