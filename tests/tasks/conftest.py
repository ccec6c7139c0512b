"""A real small workspace, made once: two rounds closed, a third out for labeling with some of its answers in."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rounds import made

Pristine = tuple[Path, Path]
"""Where the workspace lives, and an untouched copy of it."""


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pristine]:
    folder = tmp_path_factory.mktemp("rounds")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("GIT_", "PREFECT_", "MLFLOW_"))]:
            patch.delenv(name)
        patch.setenv("HOME", str(folder / "home"))
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site"))
        shutil.copytree(made(folder / "work space").root, folder / "pristine", symlinks=True)
        yield folder / "work space", folder / "pristine"


@pytest.fixture
def root(pristine: Pristine) -> Path:
    """The workspace, as it was made: MLflow and DVC know it by its path, so it is never elsewhere."""
    here, untouched = pristine
    shutil.rmtree(here)
    shutil.copytree(untouched, here, symlinks=True)
    return here
