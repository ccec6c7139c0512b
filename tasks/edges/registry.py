"""MLflow's model registry: a round's model as the very file the ledger names, a version of it, and the two aliases."""

import json
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import Model, infer_signature
from mlflow.sklearn import save_model

from hitl.pipeline import Classifier
from hitl.projection import Run
from tasks.edges import files
from tasks.edges.models import TRUSTED

Aliases = Callable[[Mapping[str, str]], Mapping[str, str]]
_NEEDS = ("scikit-learn", "skops", "numpy", "pandas", "scipy")
"""What a reader of the model installs. Left to MLflow, it starts an interpreter to find out, which takes 20 seconds."""
_OURS = ("hitl.round", "hitl.revision", "hitl.model_id", "hitl.model_sha256", "hitl.workspace_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A round's model: as loaded, as the bytes of its file, and a few items as an example of its input."""

    model: Classifier
    data: bytes
    example: pd.DataFrame


def log(client: MlflowClient, experiment: str, run_id: str, run: Run, model: ModelFile) -> LoggedModel:
    """Store the model with its signature and example."""
    params = {key: value for key, value in run.params.items() if key.startswith("model.")}
    logged = client.create_logged_model(experiment, run.name, run_id, _tags(run), params, "classifier")
    card = Model(
        artifact_path=logged.artifact_location, run_id=run_id, model_uuid=logged.model_id, model_id=logged.model_id
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        _package(path, model, card)
        client.log_model_artifacts(logged.model_id, str(path))
    return client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)


def register(client: MlflowClient, name: str, logged: LoggedModel, run: Run) -> str:
    """Make the stored model the newest version of the registered model `name`; returns the version."""
    source = f"models:/{logged.model_id}"  # the pages find the stored model by this
    made = client.create_model_version(name, source, logged.source_run_id, _tags(run), model_id=logged.model_id)
    shown = [{"name": name, "version": int(made.version)}]
    client.set_logged_model_tags(logged.model_id, {"mlflow.modelVersions": json.dumps(shown)})
    return str(made.version)


def point(client: MlflowClient, name: str, aliases: Aliases) -> None:
    """Set the aliases that follow from the versions there are, by round."""
    known = sorted(
        (one for one in _versions(client, name) if "hitl.round" in one.tags), key=lambda one: int(one.version)
    )
    versions = {one.tags["hitl.round"]: str(one.version) for one in known}  # of a round that was rebuilt the last
    for alias, number in sorted(aliases(versions).items()):
        client.set_registered_model_alias(name, alias, number)


def named(client: MlflowClient, wanted: str, workspace_id: str) -> str:
    """The registered model of the workspace, made if need be: `wanted`, or a longer name where that is another's."""
    found = client.search_registered_models(f"name = '{wanted}'")
    if found and found[0].tags.get("hitl.workspace_id") != workspace_id:
        return named(client, f"{wanted}-{workspace_id[:8]}", workspace_id)
    if not found:
        client.create_registered_model(wanted, {"hitl.workspace_id": workspace_id})
    return wanted


def forget(client: MlflowClient, experiment: str, name: str, run: Run) -> None:
    """Delete the versions and stored models of the round that a killed call left behind."""
    for one in _versions(client, name):
        if one.tags.get("hitl.round") == run.name and is_same(one.tags, run):
            client.delete_model_version(name, one.version)
    query = f"tags.`hitl.round` = '{run.name}'"
    for left in client.search_logged_models([experiment], query):
        if not is_same(left.tags, run):
            continue
        client.delete_logged_model(left.model_id)


def revision(tags: Mapping[str, str]) -> int:
    """How often the round was rebuilt after an undo, by the tags of a run, a version or a model."""
    return int(tags.get("hitl.revision", "0"))


def is_same(tags: Mapping[str, str], run: Run) -> bool:
    """Whether the tags are those of this run of the round, and not of one that an undo came between."""
    return revision(tags) == revision(run.tags)


def _package(path: Path, model: ModelFile, card: Model) -> None:
    example = model.example
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints about columns of whole numbers
        save_model(
            model.model,
            str(path),
            mlflow_model=card,
            serialization_format="skops",
            skops_trusted_types=list(TRUSTED),
            signature=infer_signature(example, model.model.classes_[:1].astype(str)),
            input_example=example,
            pip_requirements=[f"{name}=={version(name)}" for name in _NEEDS],
        )
    # MLflow's own dump is the same model in other bytes. With ours, who downloads it can compare it with the ledger.
    files.write_bytes(path / "model.skops", model.data)


def _tags(run: Run) -> dict[str, str]:
    return {key: run.tags[key] for key in _OURS if key in run.tags}


def _versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    return list(client.search_model_versions(f"name = '{name}'"))
