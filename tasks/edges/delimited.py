"""The rows of a delimited text file as a strict reader sees them, and where exactly it cannot."""

import csv
import gzip
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from hitl.errors import DataError
from hitl.visible import quoted

ROW_LIMIT = 16 << 20
"""Bytes one row may have: the fast parser must hold a whole row in a block."""
_BOM = b"\xef\xbb\xbf"
_MAGIC = (
    (b"PK", "an Excel or zip file; save the sheet as CSV UTF-8"),
    (b"PAR1", "a Parquet file; name it .parquet"),
    (b"\x1f\x8b", "packed with gzip; name it .csv.gz"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file; save the sheet as CSV UTF-8"),
    (b"%PDF", "a PDF file; a table is needed"),
    (b"\xff\xfe", "UTF-16 text; save it as CSV UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as CSV UTF-8"),
)


def has_quotes(path: Path) -> bool:
    """Whether the file has quotes; raises DataError when it is packed otherwise, binary, or no table on its face."""
    quotes, first = False, b""
    for number, block in enumerate(_blocks(path)):
        first = first or block[:4096]
        if number == 0:
            _check_face(path, first)
        if b"\0" in block:
            raise DataError(f"{path}: holds NUL bytes, so it is not text; save it as CSV UTF-8")
        quotes = quotes or b'"' in block
    if not first.removeprefix(_BOM).strip():
        raise DataError(f"{path}: the file is empty; it needs a header and one item in each row")
    return quotes


def _check_face(path: Path, first: bytes) -> None:
    for magic, what in _MAGIC:
        if first.startswith(magic):
            raise DataError(f"{path}: this is {what}")
    text = first.removeprefix(_BOM).lstrip()
    if text.startswith(b"{") or re.match(rb'\[\s*[\[{"\d]', text):
        raise DataError(f"{path}: this looks like JSON, not a table; write it as CSV with a header")
    if text.startswith(b"<"):
        raise DataError(f"{path}: this looks like a web page or XML, not a table; write it as CSV with a header")


def count_rows(path: Path, delimiter: str, width: int) -> int:
    """Rows under the header; raises DataError naming the first line that no strict reader can take."""
    count = -1
    for line, row in rows(path, delimiter):
        count += 1
        if len(row) != width:
            raise DataError(
                f"{path}, line {line}: {len(row)} cells where the header has {width}; "
                f"put cells that hold {delimiter!r} or line ends in quotes (the row starts {quoted(row[0], 40)!r})"
            )
    return count


def rows(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that has cells, with the line it ends on."""
    with opened(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text, _long_cells():
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num}: the quotes do not pair up ({error})") from error
        except UnicodeDecodeError as error:
            raise _not_utf8(path) from error


def _not_utf8(path: Path) -> DataError:
    with opened(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                cut = line[max(0, error.start - 20) : error.start + 20].decode("latin-1")
                return DataError(
                    f"{path}, line {number}: not UTF-8 (byte {line[error.start]:#04x} in {quoted(cut, 60)!r}); "
                    "save it as CSV UTF-8"
                )
    return DataError(f"{path}: not UTF-8; save it as CSV UTF-8")


@contextmanager
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit(ROW_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked when its name ends in .gz."""
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            yield cast(BinaryIO, file)
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"{path}: the gzip file is damaged or cut short ({error}); copy it again") from error


def _blocks(path: Path) -> Iterator[bytes]:
    with opened(path) as file:
        while block := file.read(1 << 22):
            yield block
