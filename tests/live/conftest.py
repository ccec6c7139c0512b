"""Real servers and a real round for each file of tests: started once, with nobody's data but the test's."""

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hitl.layout import Workspace
from tests.live import people, servers
from tests.live.people import Doccano, LabelStudio
from tests.tasks import small_workspace as rounds

ROUND = "r0001"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """An environment in which no tool is named, and the folders of nobody are used."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("GIT_", "PREFECT_", "MLFLOW_", "LABEL_STUDIO", "DOCCANO", "HITL_")):
                patch.delenv(name)
        patch.setenv("HOME", str(folder))
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site"))
        yield patch


@pytest.fixture(scope="module")
def label_studio(clean: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    """A Label Studio with two annotators; the environment says where it is, and who we are there."""
    with servers.label_studio(tmp_path_factory.mktemp("label-studio") / "data") as running:
        clean.setenv("LABEL_STUDIO_URL", running.url)
        clean.setenv("LABEL_STUDIO_API_KEY", servers.TOKEN)
        yield people.label_studio(running)


@pytest.fixture(scope="module")
def doccano(clean: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doccano]:
    """A doccano with two annotators; the environment says where it is, and who we are there."""
    with servers.doccano(tmp_path_factory.mktemp("doccano") / "data") as running:
        clean.setenv("DOCCANO_URL", running.url)
        clean.setenv("DOCCANO_USERNAME", "admin")
        clean.setenv("DOCCANO_PASSWORD", servers.PASSWORD)
        yield people.doccano(running)


@pytest.fixture(scope="module")
def template(clean: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a round out for labeling: 210 items and 2 gold ones, half of them for two annotators."""
    made = rounds.made(
        tmp_path_factory.mktemp("template") / "tickets",
        rounds.table(420),
        query={"batch": 210, "seed": 3},
        export={"overlap": 2, "overlap_share": 0.5, "show_prediction": True, "blind_share": 0.0, "gold": 2},
        delivery={"bad_row_share": 0.5},
    )
    assert rounds.opened(made) == ROUND
    return made


@pytest.fixture
def workspace(template: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the template, of another name for each test: so no server has a project for it."""
    shutil.copytree(template.root, tmp_path / secrets.token_hex(4), symlinks=True)
    return Workspace(next(tmp_path.iterdir()))
