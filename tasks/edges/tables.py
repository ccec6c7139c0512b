"""Parquet tables: written whole or not at all, read by column, and the pool as a stream."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hitl.errors import IntegrityError
from tasks.edges.files import write_bytes


def write_parquet(path: Path, frame: pd.DataFrame) -> str:
    """Write `frame` without its index; returns the file's sha256. Equal frames give equal bytes."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return write_bytes(path, buffer.getvalue())


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The table at `path`; raises IntegrityError when it is not there."""
    try:
        return _frame(pq.read_table(path, columns=list(columns) if columns is not None else None, memory_map=False))
    except FileNotFoundError as error:
        raise IntegrityError(f"{path} is missing; bring it back: dvc checkout") from error


def stream(folder: Path, columns: Sequence[str], *, rows: int = 50_000) -> Iterator[pd.DataFrame]:
    """The tables of a folder in order of file name, as frames of at most `rows` rows."""
    for path in parts(folder):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=rows, columns=list(columns)):
                yield _frame(pa.Table.from_batches([batch]))


def parts(folder: Path) -> list[Path]:
    """The Parquet files of a folder, by name; raises IntegrityError when there are none."""
    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        raise IntegrityError(f"{folder} holds no Parquet file; bring the pool back: dvc checkout")
    return paths


def row_count(folder: Path) -> int:
    """Rows of all tables of a folder, from their footers alone."""
    return sum(pq.read_metadata(path).num_rows for path in parts(folder))


def _frame(table: pa.Table) -> pd.DataFrame:
    # Without the pandas metadata, strings still come back as pandas' str with NaN for missing.
    frame: pd.DataFrame = table.to_pandas(use_threads=False)
    return frame


def columns(folder: Path) -> list[str]:
    """The column names of a folder's tables."""
    return list(pq.read_schema(parts(folder)[0]).names)
