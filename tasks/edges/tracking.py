"""MLflow: a closed round as one run with nested runs. It is told, never asked to decide."""

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow.data
import pandas as pd
from mlflow import MlflowClient
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Dataset as Described, DatasetInput, InputTag, LoggedModelOutput, Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine_with_retry
from sqlalchemy.exc import SQLAlchemyError

from hitl.ledger import Facts
from hitl.projection import Run
from tasks.edges import files, registry
from tasks.edges.outbox import Unreachable, shown
from tasks.edges.registry import Aliases, ModelFile

# Importing MLflow sets its loggers, so this comes after. What a database refuses is told by us, in a line.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)

_SQLITE = "sqlite:///"
_METRICS_A_CALL = 1000
_PARAMS_A_CALL = 100
_LONGEST_PARAM = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A table that a part of the round used; `frame` is None when it is too large or not on this disk as it was."""

    name: str
    part: str
    context: str
    source: Path
    sha256: str
    frame: pd.DataFrame | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where runs go: the server, the experiment, its folder for artifacts (None: the server's), the model's name."""

    uri: str
    experiment: str
    artifacts: Path | None
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What goes with a run: the tables it used, its documents, its model, and how aliases follow from versions."""

    datasets: Sequence[Dataset]
    documents: Mapping[str, bytes]
    model: ModelFile
    aliases: Aliases


def send(place: Place, run: Run, contents: Contents) -> Facts:
    """Have exactly one finished run of that round and workspace on the server, and return where it is.

    What a killed call left half-written is deleted and written again. Raises Unreachable when the server refuses.
    """
    try:
        with _connected(place.uri) as client:
            return _send(client, place, run, contents)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise Unreachable(f"MLflow at {shown(place.uri)} did not take round {run.name}: {said[0]}") from error


def point(place: Place, workspace_id: str, aliases: Aliases) -> None:
    """Set the aliases of the workspace's registered model anew; raises Unreachable when the server refuses."""
    try:
        with _connected(place.uri) as client:
            registry.point(client, registry.named(client, place.model, workspace_id), aliases)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise Unreachable(f"MLflow at {shown(place.uri)} did not set the champion: {error}") from error


def have_database(uri: str) -> None:
    """Have the database at an address of SQLite, whole or not at all: half of its tables MLflow can never complete."""
    path = Path(uri.removeprefix(_SQLITE))
    if not uri.startswith(_SQLITE) or "?" in uri or path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.unfinished")
    for left in path.parent.glob(f"{fresh.name}*"):  # the journal of a killed call's would be taken for the new one's
        left.unlink()
    engine = create_sqlalchemy_engine_with_retry(f"{_SQLITE}{fresh}")
    try:
        _initialize_tables(engine)
    finally:
        engine.dispose()
    if not path.exists():  # a server may have been started meanwhile
        files.move(fresh, path)


@contextmanager
def _connected(uri: str) -> Iterator[MlflowClient]:
    """A client of the server, which is the process's default for the while: MLflow looks up `models:/` names there."""
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # stdout is the command's answer
    have_database(uri)
    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    try:
        yield MlflowClient(uri, uri)
    finally:
        mlflow.set_tracking_uri(None)  # which is how the default is taken back
        if before is not None:
            os.environ["MLFLOW_TRACKING_URI"] = before


def _send(client: MlflowClient, place: Place, run: Run, contents: Contents) -> Facts:
    experiment = _experiment(client, place)
    where = {"experiment_id": experiment, "experiment": place.experiment}
    query = " AND ".join(f"tags.`{key}` = '{run.tags[key]}'" for key in ("hitl.workspace_id", "hitl.round"))
    found = [one for one in client.search_runs([experiment], query) if registry.is_same(one.data.tags, run)]
    for one in found:
        if one.data.tags.get("hitl.part") == "round" and one.info.status == "FINISHED":
            return {**where, "run_id": one.info.run_id}
    for one in found:
        client.delete_run(one.info.run_id)
    name = registry.named(client, place.model, run.tags["hitl.workspace_id"])
    registry.forget(client, experiment, name, run)
    parent = str(client.create_run(experiment, run.began, dict(run.tags), run.name).info.run_id)
    logged = registry.log(client, experiment, parent, run, contents.model)
    _fill(client, parent, run, contents, logged.model_id)
    for part in run.parts:
        tags = {**part.tags, "mlflow.parentRunId": parent}
        run_id = str(client.create_run(experiment, part.began, tags, part.name).info.run_id)
        _fill_part(client, run_id, part, contents, logged.model_id)
        client.set_terminated(run_id, "FINISHED", part.ended)
    version = registry.register(client, name, logged, run)
    registry.point(client, name, contents.aliases)
    for old in _superseded(client, experiment, query, run):
        client.set_tag(old, "hitl.superseded_by", parent)
    client.set_terminated(parent, "FINISHED", run.ended)  # last of all: a run that is finished is whole
    return {**where, "run_id": parent, "model": name, "version": version}


def _superseded(client: MlflowClient, experiment: str, query: str, run: Run) -> list[str]:
    """The runs of the same round that an undo made void."""
    found = client.search_runs([experiment], query)
    old = [one for one in found if one.data.tags.get("hitl.part") == "round"]
    return [str(one.info.run_id) for one in old if registry.revision(one.data.tags) < registry.revision(run.tags)]


def _experiment(client: MlflowClient, place: Place) -> str:
    found = client.get_experiment_by_name(place.experiment)
    if found is None:
        location = place.artifacts.as_uri() if place.artifacts else None
        return str(client.create_experiment(place.experiment, artifact_location=location))
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _fill(client: MlflowClient, run_id: str, run: Run, contents: Contents, logged: str) -> None:
    """The run of the round: everything a person looks for first."""
    _batches(client, run_id, run)
    client.log_inputs(run_id, [_input(data) for data in contents.datasets])
    client.log_outputs(run_id, [LoggedModelOutput(logged, run.step)])
    with tempfile.TemporaryDirectory() as folder:
        for name, data in contents.documents.items():
            files.write_bytes(Path(folder) / name, data)
        client.log_artifacts(run_id, folder)


def _fill_part(client: MlflowClient, run_id: str, part: Run, contents: Contents, logged: str) -> None:
    used = [data for data in contents.datasets if data.part == part.name]
    if part.name == "evaluate":
        _batches(client, run_id, part, model=logged, data=used[0] if used else None)
    else:
        _batches(client, run_id, part)
    if used:
        client.log_inputs(run_id, [_input(data) for data in used])
    if part.name == "train":
        client.log_outputs(run_id, [LoggedModelOutput(logged, part.step)])


def _batches(
    client: MlflowClient, run_id: str, run: Run, model: str | None = None, data: Dataset | None = None
) -> None:
    """Send params and metrics, each kind in as few calls as MLflow takes; `model` and `data` are what was measured."""
    about = {"dataset_name": data.name, "dataset_digest": _digest(data)} if data else {}
    metrics = [Metric(one.key, one.value, one.at, one.step, model_id=model, **about) for one in run.metrics]
    params = [Param(key, value[:_LONGEST_PARAM]) for key, value in run.params.items()]
    for start in range(0, len(metrics), _METRICS_A_CALL):
        client.log_batch(run_id, metrics=metrics[start : start + _METRICS_A_CALL])
    for start in range(0, len(params), _PARAMS_A_CALL):
        client.log_batch(run_id, params=params[start : start + _PARAMS_A_CALL])


def _input(data: Dataset) -> DatasetInput:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints about columns of whole numbers, and about local paths
        source = resolve_dataset_source(str(data.source))
        if data.frame is not None:
            table = mlflow.data.from_pandas(data.frame, source, "label", data.name, _digest(data)).to_dict()
        else:
            table = MetaDataset(source, data.name, _digest(data)).to_dict()
    kept = ("name", "digest", "source_type", "source", "schema", "profile")
    tags = {"mlflow.data.context": data.context, "sha256": data.sha256, **data.tags}
    entity = Described(**{key: table[key] for key in kept if key in table})
    return DatasetInput(entity, [InputTag(key, value) for key, value in tags.items()])


def _digest(data: Dataset) -> str:
    """As much of the sha256 as MLflow has room for; the tag has all of it."""
    return data.sha256[:32]
