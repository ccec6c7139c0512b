"""A typed Parquet column as the text a person would have written in a CSV file."""

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from hitl.errors import DataError

_EXACT = 2.0**53


def text_column(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """`column` as strings, a missing cell "": 12 is "12", 12.0 among whole numbers is "12", true is "true".

    Raises DataError, opening with `where`, for a type that has no plain spelling (lists, structs, bytes ...).
    """
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_nested(column.type) or types.is_binary(column.type) or types.is_large_binary(column.type):
        raise DataError(f"{where}: a cell of type {column.type} is not one value; write one column for each part of it")
    try:
        return pc.fill_null(_plain(column).cast(pa.string()), "")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{where}: values of type {column.type} cannot be read; write them as text") from error


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """`column` with floats made plainer: NaN is missing, and whole numbers are integers (pandas makes them floats)."""
    if not types.is_floating(column.type):
        return column
    wide = column.cast(pa.float64())
    known = pc.if_else(pc.is_nan(wide), None, wide)
    whole = pc.and_(pc.equal(pc.floor(known), known), pc.less(pc.abs(known), _EXACT))
    if pc.all(whole, min_count=0).as_py():
        return known.cast(pa.int64())
    return pc.if_else(pc.is_nan(wide), None, column)
