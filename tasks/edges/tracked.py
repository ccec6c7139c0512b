"""MLflow's own database as a file: what of it no longer fits the workspace. It is looked at, and left as it is."""

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tasks.edges import verifier


def lost(root: Path, told: Mapping[str, str]) -> list[str]:
    """Of the rounds that MLflow was told of, with the id of the run of each, those whose run is gone."""
    there = verifier.runs(root)
    return sorted(name for name, run in told.items() if run not in there)


def elsewhere(root: Path) -> list[str]:
    """The folders outside the workspace in which the database looks for what it keeps in files."""
    path, ours = root.resolve() / ".hitl" / "mlflow.db", root.resolve() / ".hitl"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            found = [str(row[0]) for row in database.execute("SELECT artifact_location FROM experiments")]
    except sqlite3.Error:
        return []
    named = [Path(unquote(urlsplit(one).path)) for one in found if re.match("file:", one)]
    return sorted(str(one) for one in named if not one.is_relative_to(ours))


def readable(root: Path) -> bool:
    """Whether the database, where there is one, is one."""
    path = root.resolve() / ".hitl" / "mlflow.db"
    if not path.is_file():
        return True
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        return "locked" in str(error)
    return True
