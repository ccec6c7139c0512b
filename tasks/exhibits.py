"""What MLflow shows of a closed round besides numbers: the tables it used, its figures, its report, its model."""

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import cast

from hitl import curve, metrics, pipeline, projection
from hitl.layout import Workspace
from hitl.ledger import digest
from hitl.params import Params
from hitl.state import RoundState, State
from tasks.edges import figures, files, models, tables
from tasks.edges.registry import ModelFile
from tasks.edges.tracking import Contents, Dataset

EXAMPLE = 5
"""Items of the initial set that MLflow keeps as an example of the model's input."""
LARGEST_TABLE = 2_000_000
"""Bytes of a table above which only its path and digest are sent: MLflow looks at every cell to describe a table."""


def of_round(here: Workspace, state: State, round_id: str, params: Params) -> Contents:
    """All of it, from the workspace's files; raises IntegrityError when one is missing or not the ledger's."""
    one = state.round(round_id)
    return Contents(
        datasets=_datasets(here, state, one),
        documents=_documents(here, state, one, params),
        model=_model(here, one, params),
        aliases=partial(projection.aliases, state),
    )


def _datasets(here: Workspace, state: State, one: RoundState) -> list[Dataset]:
    made = cast(Mapping[str, str], state.rounds[0].facts["created"].get("files", {}))
    pool = {path: sha256 for path, sha256 in made.items() if path.startswith("data/pool/")}
    labeled = str(one.facts["trained"]["labeled_sha256"])
    found = [_dataset(one.id, "labeled", "train", "training", here.labeled, labeled)]
    if test := made.get("data/test.parquet"):
        found.append(_dataset(one.id, "test", "evaluate", "evaluation", here.test, test))
    if pool and one.done("selected"):
        found.append(_dataset(one.id, "pool", "select", "pool", here.pool, digest(pool)))
    return found


def _dataset(round_id: str, name: str, part: str, context: str, source: Path, sha256: str) -> Dataset:
    """The table with its rows when the file is what the ledger speaks of and small enough, else its digest alone."""
    tags, frame = {"round": round_id}, None
    if source.is_file() and source.stat().st_size <= LARGEST_TABLE and files.sha256(source) == sha256:
        tags["dvc_md5"] = hashlib.md5(source.read_bytes(), usedforsecurity=False).hexdigest()
        frame = tables.read_parquet(source)
    return Dataset(name=name, part=part, context=context, source=source, sha256=sha256, frame=frame, tags=tags)


def _documents(here: Workspace, state: State, one: RoundState, params: Params) -> dict[str, bytes]:
    """The figures, the report and the parameters of the round, by their names among its artifacts."""
    metric, classes = params.evaluate.metric, params.data.classes
    shown = tables.read_parquet(here.round(one.id) / "predictions.parquet", ["label", "predicted"])
    actual, predicted = (metrics.codes(shown[name].tolist(), classes) for name in ("label", "predicted"))
    matrix = metrics.confusion(actual, predicted, len(classes)).tolist()
    report = here.round(one.id) / "report.html"
    return {
        "figures/learning_curve.png": figures.png(
            figures.learning_curve(curve.learning_curve(state.until(one.id), metric), metric=metric)
        ),
        "figures/confusion.png": figures.png(figures.confusion(matrix, classes)),
        **({"report.html": report.read_bytes()} if report.is_file() else {}),
    }


def _model(here: Workspace, one: RoundState, params: Params) -> ModelFile:
    path = here.round(one.id) / "model.skops"
    sha256 = str(one.facts["trained"]["model_sha256"])
    model = models.load(path, sha256=sha256, trusted=params.model.trusted_types)
    example = pipeline.inputs(tables.read_parquet(here.initial).head(EXAMPLE), params.features)
    return ModelFile(model=model, data=path.read_bytes(), example=example)
