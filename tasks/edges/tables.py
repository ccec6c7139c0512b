"""Parquet tables: written whole or not at all, read by column, and the pool as a stream."""

import errno
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hitl.errors import DataError, IntegrityError
from hitl.ids import ItemIds
from hitl.shortlist import Cells
from tasks.edges.files import write_bytes
from tasks.edges.pool import File

ROW_GROUP = 65_536
"""Rows that are written, and read, together: a stream holds about so many of each column."""
_PIECE = 1 << 20
_FEW = 2
"""Columns that are decoded together: more hold more, fewer cost more."""
_TOGETHER = 1 << 26
"""Bytes that are fetched of a stored file together at most."""


def write_parquet(path: Path, table: pd.DataFrame | Cells) -> str:
    """Write `table`, a frame without its index; returns the file's sha256. Equal tables give equal bytes."""
    if isinstance(table, pd.DataFrame):
        written = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    else:
        written = pa.table({name: _written(cells) for name, cells in table.items()})
    buffer = io.BytesIO()
    pq.write_table(written, buffer, compression="zstd", row_group_size=ROW_GROUP)
    return write_bytes(path, buffer.getvalue())


def _written(cells: npt.NDArray[Any]) -> pa.Array:
    """Cells as a frame's would be written: text for objects, a list of each row's numbers, nothing for NaN."""
    if cells.ndim == 2:
        starts = np.arange(len(cells) + 1, dtype=np.int32) * cells.shape[1]
        return pa.ListArray.from_arrays(starts, np.ravel(cells))
    return pa.array(cells, pa.large_string() if cells.dtype == object else None, from_pandas=True)


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The table at `path`; raises IntegrityError when it is not there."""
    try:
        return _frame(pq.read_table(path, columns=list(columns) if columns is not None else None, memory_map=False))
    except FileNotFoundError as error:
        raise IntegrityError(f"{path} is missing; bring it back: dvc checkout") from error


def stream(parts: Iterable[File], columns: Sequence[str], *, rows: int = ROW_GROUP) -> Iterator[pd.DataFrame]:
    """The tables of some files in their order, as frames of at most `rows` rows."""
    for part in parts:
        for batch in _batches(part, columns, rows):
            yield _frame(pa.Table.from_batches([batch]))


def items(part: File, columns: Sequence[str]) -> Iterator[tuple[ItemIds, Cells]]:
    """The items of one table in order: the ids of at most ROW_GROUP of them, and the cells of each of `columns`.

    Raises DataError where an id or a column is missing.
    """
    for named in _stretches(part, columns):
        yield _ids(part, named["item_id"]), {name: named[name].to_numpy(zero_copy_only=False) for name in columns}
        del named  # else they are held while the next ones are read


def rows_of(parts: Iterable[File], item_ids: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """The ids and these columns, as far as there are such, of these items, in order of file and row.

    Of a row group that holds none of them only the ids are read; of the others no other column.
    """
    wanted, found = pa.array(list(item_ids), pa.string()), []
    for part in parts:
        with _opened(part, ["item_id"]) as file:
            known = set(file.schema_arrow.names)
            names = [name for name in ("item_id", *columns) if name in known]
            for group in range(file.num_row_groups):
                ids = file.read_row_group(group, columns=["item_id"], use_threads=False).column(0).cast(pa.string())
                there = pc.is_in(ids, value_set=wanted)
                if pc.any(there).as_py():
                    found.append(_frame(_filtered(file, group, there, names)))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _filtered(file: pq.ParquetFile, group: int, there: pa.ChunkedArray, columns: Sequence[str]) -> pa.Table:
    found = dict[str, pa.ChunkedArray]()
    for some in _few(columns) if len(there) > ROW_GROUP else [columns]:
        kept, start = [], 0
        for batch in _decoded(file, [group], some):
            kept.append(pa.Table.from_batches([batch]).filter(there.slice(start, len(batch))))
            start += len(batch)
        table = pa.concat_tables(kept)
        found |= {name: table.column(name) for name in some}
    return pa.table(found)


@contextmanager
def _opened(part: File, columns: Sequence[str]) -> Iterator[pq.ParquetFile]:
    # By default pyarrow fetches all of a file ahead, and keeps it: a stream must not.
    if isinstance(part, Path):
        with pq.ParquetFile(part, pre_buffer=False, buffer_size=_PIECE) as file:
            yield file
        return
    # A store answers late, and then much at once: what is wanted of a row group is fetched together, if it is no more
    # than a stream may hold.
    with part.opened() as source:
        metadata = pq.read_metadata(source)
        together = _largest(metadata, columns) <= _TOGETHER
        yield pq.ParquetFile(source, metadata=metadata, pre_buffer=together, buffer_size=0 if together else _PIECE)


def _largest(metadata: pq.FileMetaData, columns: Sequence[str]) -> int:
    """The bytes of `columns` in the row group that has most of them."""
    wanted = [at for at in range(metadata.num_columns) if metadata.schema.column(at).path.split(".")[0] in set(columns)]
    groups = (metadata.row_group(group) for group in range(metadata.num_row_groups))
    return max((sum(group.column(at).total_compressed_size for at in wanted) for group in groups), default=0)


def _batches(part: File, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    with _opened(part, columns) as file:
        if isinstance(part, Path):
            yield from file.iter_batches(batch_size=rows, columns=list(columns), use_threads=False)
            return
        for group in range(file.num_row_groups):  # what was fetched of one is let go before the next
            yield from file.iter_batches(batch_size=rows, row_groups=[group], columns=list(columns), use_threads=False)


def _stretches(part: File, columns: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
    """The ids and `columns` of at most ROW_GROUP rows at a time.

    To decode a column takes three times its size, and some megabytes of one in a large row group: of a column that is
    little, of all together most of what a stream would hold. So a few columns are decoded at a time, and those of a
    large row group wait for each other on the disk.
    """
    wanted = ["item_id", *columns]
    with _opened(part, wanted) as file:
        known = set(file.schema_arrow.names)
        if "item_id" not in known:
            raise DataError(f"{part} has no column 'item_id'; every table of the pool names its items there")
        if missing := [name for name in columns if name not in known]:
            raise DataError(
                f"{part} has no column {missing[0]!r}, which params.yaml names in data.columns; put it there"
            )
        together = _few(wanted) if isinstance(part, Path) else [wanted]  # what is fetched together is decoded together
        for groups, rows in _runs(file.metadata):
            if rows > ROW_GROUP:
                yield from _in_step(file, groups, wanted)
            else:
                yield _named(file.read_row_groups(groups, some, use_threads=False).select(some) for some in together)


def _in_step(file: pq.ParquetFile, groups: Sequence[int], columns: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
    """The stretches of a large row group: all but the last of its columns are laid aside first."""
    *others, last = _few(columns)
    with ExitStack() as stack:
        streams = list[Iterator[pa.RecordBatch]]()
        for some in others:
            room = stack.enter_context(tempfile.NamedTemporaryFile())
            _lay_aside(_decoded(file, groups, some), room.name)
            streams.append(_fetched(room.name))
        streams.append(_decoded(file, groups, last))
        batches = [next(stream) for stream in streams]
        while batches[0] is not None:
            # Of long texts fewer come together: a batch holds 2 GB of a column at most.
            rows = min(map(len, batches))
            yield {name: batch.column(name)[:rows] for batch in batches for name in batch.schema.names}
            for at, stream in enumerate(streams):
                batches[at] = batches[at][rows:] if len(batches[at]) > rows else next(stream, None)


def _lay_aside(batches: Iterator[pa.RecordBatch], path: str) -> None:
    first = next(batches)
    try:
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_stream(sink, first.schema) as writer:
            for batch in chain([first], batches):
                writer.write_batch(batch)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        told = f"{os.strerror(error.errno)} (TMPDIR says where such files lie)"
        raise OSError(error.errno, told, path) from error  # pyarrow does not say where


def _fetched(path: str) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(path, "rb") as source, pa.ipc.open_stream(source) as reader:
        yield from reader


def _decoded(file: pq.ParquetFile, groups: Sequence[int], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for batch in file.iter_batches(ROW_GROUP, row_groups=list(groups), columns=list(columns), use_threads=False):
        # By their names, for that of another may begin with one of them and a dot: then it is read too.
        yield batch.select(columns)


def _few(columns: Sequence[str]) -> list[Sequence[str]]:
    return [columns[first : first + _FEW] for first in range(0, len(columns), _FEW)]


def _named(tables: Iterable[pa.Table]) -> dict[str, pa.Array]:
    return {name: _whole(table.column(name)) for table in tables for name in table.column_names}


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _runs(metadata: pq.FileMetaData) -> Iterator[tuple[list[int], int]]:
    """Row groups that follow each other and have at most ROW_GROUP rows together, or one of more; and their rows."""
    run, rows = list[int](), 0
    for group in range(metadata.num_row_groups):
        more = metadata.row_group(group).num_rows
        if run and rows + more > ROW_GROUP:
            yield run, rows
            run, rows = [], 0
        run.append(group)
        rows += more
    if run:
        yield run, rows


def _ids(path: File, column: pa.Array) -> ItemIds:
    if column.null_count:
        raise DataError(f"{path}: {column.null_count} items have no item_id; every item of the pool needs one")
    text = column.cast(pa.large_string())
    _, starts, cells = text.buffers()
    places = np.frombuffer(starts, dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    return ItemIds(np.frombuffer(cells or b"", dtype=np.uint8), places)


def parts(folder: Path) -> list[Path]:
    """The Parquet files of a folder, by name, or the one file; raises IntegrityError when there are none."""
    if folder.is_file():
        return [folder]
    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        raise IntegrityError(f"{folder} holds no Parquet file; bring the pool back: dvc checkout")
    return paths


def row_count(parts: Iterable[File]) -> int:
    """Rows of all these tables, from their footers alone."""
    return sum(map(_rows, parts))


def _rows(part: File) -> int:
    if isinstance(part, Path):
        return int(pq.read_metadata(part).num_rows)
    with part.opened() as source:
        return int(pq.read_metadata(source).num_rows)


def _frame(table: pa.Table) -> pd.DataFrame:
    # Without the pandas metadata, strings still come back as pandas' str with NaN for missing.
    frame: pd.DataFrame = table.to_pandas(use_threads=False)
    return frame


def columns(path: Path) -> list[str]:
    """The column names of the table at `path`."""
    return list(pq.read_schema(path).names)
