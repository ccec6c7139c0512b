"""A user's own table, read as text: no id becomes a number, no class becomes a missing cell."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from hitl.errors import DataError
from hitl.founding.item_ids import CONTROL
from hitl.visible import clipped, quoted
from tasks.edges import delimited
from tasks.edges.parquet_text import text_column

DELIMITERS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
PARQUET = ".parquet"


def read(path: Path) -> pd.DataFrame:
    """The table at `path` (.csv, .csv.gz, .tsv, .tsv.gz, .parquet): every column str, a missing cell "".

    Column names are as they stand in the file, none blank, none twice. Raises DataError naming the file and the
    place when it is not there, empty, not UTF-8, or not a table.
    """
    suffix = located(path)
    frame = _parquet(path) if suffix == PARQUET else _delimited(path, DELIMITERS[suffix])
    if frame.empty:
        raise DataError(f"{path}: has a header and no rows; put one item in each row under it")
    return frame


def located(path: Path) -> str:
    """The suffix by which the file at `path` is read; raises DataError when there is no such file or reader."""
    if not path.is_file():
        what = "a directory" if path.is_dir() else "no regular file" if path.exists() else "no such file"
        raise DataError(f"{path}: {what}; give the path of a .csv, .csv.gz, .tsv or .parquet file")
    suffix = next((end for end in (*DELIMITERS, PARQUET) if path.name.lower().endswith(end)), None)
    if suffix is None:
        raise DataError(f"{path}: files are read by their ending; save it as .csv, .csv.gz, .tsv or .parquet")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty; it needs a header and one item in each row")
    return suffix


def _delimited(path: Path, delimiter: str) -> pd.DataFrame:
    quotes = delimited.has_quotes(path)
    names = _header(path, delimiter)
    if quotes:  # the fast parser forgives stray quotes, which can swallow rows
        delimited.count_rows(path, delimiter, len(names))
    try:
        with delimited.opened(path) as file:
            return _frame(
                pa.csv.read_csv(
                    file,
                    read_options=pa.csv.ReadOptions(block_size=delimited.ROW_LIMIT),
                    parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                    convert_options=pa.csv.ConvertOptions(column_types={name: pa.string() for name in names}),
                )
            )
    except pa.ArrowInvalid as error:
        if not delimited.count_rows(path, delimiter, len(names)):
            return pd.DataFrame(columns=names)
        raise DataError(f"{path}: not a table: {clipped(str(error), 200)}") from error


def _header(path: Path, delimiter: str) -> list[str]:
    names = next(delimited.rows(path, delimiter), (1, []))[1]
    _check_names(path, names)
    if len(names) == 1:
        other = next((mark for mark in (";", "\t", ",", "|") if mark != delimiter and mark in names[0]), None)
        reason = f"; it seems to be split at {other!r}: save it split at {delimiter!r}" if other else ""
        raise DataError(f"{path}, row 1: one column only ({quoted(names[0], 60)!r}), so this is not a table{reason}")
    return names


def _check_names(path: Path, names: Sequence[str]) -> None:
    blank = [str(number) for number, name in enumerate(names, start=1) if not name.strip()]
    if blank:
        raise DataError(
            f"{path}, row 1: column {', '.join(blank[:5])} has no name; name it, or drop it "
            "(pandas: to_csv(index=False))"
        )
    twice = [name for name, count in Counter(name.strip() for name in names).items() if count > 1]
    if twice:
        raise DataError(f"{path}, row 1: column name {', '.join(map(repr, twice[:5]))} stands there twice; rename one")
    unseen = [quoted(name, 60) for name in names if re.search(CONTROL, name.strip())]
    if unseen:
        raise DataError(f"{path}, row 1: column name {unseen[0]!r} holds a control character or a line end; rename it")


def _parquet(path: Path) -> pd.DataFrame:
    try:
        table = pa.parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet: {clipped(str(error), 200)}") from error
    _check_names(path, table.column_names)
    columns = [text_column(table.column(name), f"{path}, column {name!r}") for name in table.column_names]
    return _frame(pa.table(columns, names=table.column_names))


def _frame(table: pa.Table) -> pd.DataFrame:
    return pd.DataFrame({name: table.column(name).to_pandas().astype("str") for name in table.column_names})
