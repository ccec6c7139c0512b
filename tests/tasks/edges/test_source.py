import csv
import gzip
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from hitl.errors import DataError
from tasks.edges.source import read


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(frame: pd.DataFrame) -> list[list[str]]:
    return [list(frame.columns), *frame.to_numpy(dtype=object).tolist()]


def test_ids_and_classes_survive_literally(tmp_path: Path) -> None:
    text = 'id,label,x\n00012,NA,1.0\n1E5,None,\n"1,5",null,"two\nlines"\nx, a ,""\n'
    frame = read(written(tmp_path, text))
    assert rows(frame) == list(csv.reader(io.StringIO(text, newline="")))
    assert {str(dtype) for dtype in frame.dtypes} == {"str"} and not frame.isna().any(axis=None)


def test_a_byte_order_mark_crlf_and_blank_lines_are_no_data(tmp_path: Path) -> None:
    assert rows(read(written(tmp_path, "\ufeffid,é\r\n1,ü\r\n\r\n2,ß\r\n"))) == [["id", "é"], ["1", "ü"], ["2", "ß"]]


def test_tsv_and_gzip_are_read_by_their_ending(tmp_path: Path) -> None:
    assert rows(read(written(tmp_path, 'a\tb\n1,5\t"x\ty"\n', "t.tsv"))) == [["a", "b"], ["1,5", "x\ty"]]
    packed = gzip.compress(b"a,b\n1,2\n")
    assert rows(read(written(tmp_path, packed, "t.CSV.gz"))) == [["a", "b"], ["1", "2"]]


def test_a_cell_longer_than_a_csv_reader_likes_is_read(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    assert len(read(written(tmp_path, f'a,b\n1,"{"x" * 3_000_000}"\n'))["b"].iloc[0]) == 3_000_000
    assert csv.field_size_limit() == before


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=3, max_size=3), min_size=1
    )
)
def test_any_cells_come_back(tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["a", "b", "c"], *cells])
    assert rows(read(written(tmp_path_factory.mktemp("any"), out.getvalue()))) == [["a", "b", "c"], *cells]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\n\n", "the file is empty"),
        (b"a,b\n", "a header and no rows"),
        (b"a,b", "a header and no rows"),
        (b"a,b\n1,2\n3\n", "line 3: 1 cells where the header has 2"),
        (b'a,b\n"x\ny",2\n3,4,5\n', "line 4: 3 cells where the header has 2"),
        (b'a,b\n1,"x"y\n', "line 2: the quotes do not pair up"),
        (b'a,b\n1,"x\n2,y\n', "the quotes do not pair up"),
        (b"a,b\n1,x\n2,caf\xe9\n", "line 3: not UTF-8 .byte 0xe9 in '2,caf\xe9"),
        (b'a,b\n1,"x"\n2,caf\xe9\n', "line 3: not UTF-8"),
        (b"a,a\n1,2\n", "column name 'a' stands there twice"),
        (b"a, a\n1,2\n", "column name 'a' stands there twice"),
        (b",a\n0,1\n", "column 1 has no name.*index=False"),
        (b"a,b,\n1,2,\n", "column 3 has no name"),
        (b"a\n1\n", "one column only .'a'., so this is not a table"),
        (b"a;b\n1;2\n", "split at ';': save it split at ','"),
        (b'a,"b\nc"\n1,2\n', "column name 'b\u2424c'|column name 'b.c' holds a control character"),
        (b"\xff\xfea\0,\0", "UTF-16"),
        (b"PK\x03\x04rest", "an Excel or zip file"),
        (b"PAR1rest", "name it .parquet"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "name it .csv.gz"),
        (b"a,b\n1,\0\n", "NUL bytes"),
        (b'[{"a": 1}]', "looks like JSON"),
        (b'{"a": 1}\n{"a": 2}', "looks like JSON"),
        (b"<html><body>log in</body></html>", "looks like a web page"),
    ],
)
def test_what_is_no_table_is_refused_with_the_place(tmp_path: Path, content: bytes, said: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataError, match=said) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_or_not_readable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(DataError, match="a directory"):
        read(tmp_path)
    with pytest.raises(DataError, match="by their ending"):
        read(written(tmp_path, "a,b\n1,2\n", "table.xlsx"))
    with pytest.raises(DataError, match="damaged or cut short"):
        read(written(tmp_path, gzip.compress(b"a,b\n1,2\n" * 100)[:-9], "t.csv.gz"))
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read(written(tmp_path, "a,b\n1,2\n", "t.parquet"))


def test_typed_parquet_becomes_the_text_of_a_csv(tmp_path: Path) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    table = pa.table(
        {
            "id": pa.array([7, 10_000_000_000], pa.int64()),
            "whole": pa.array([1.0, None]),
            "real": pa.array([0.1, float("nan")], pa.float32()),
            "yes": pa.array([True, None]),
            "word": pa.array(["NA", None]).dictionary_encode(),
            "large": pa.array(["é", "00012"], pa.large_string()),
            "money": pa.array([Decimal("1.50"), None], pa.decimal128(8, 2)),
            "at": pa.array([at, None], pa.timestamp("s", "UTC")),
            "none": pa.nulls(2),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    frame = read(tmp_path / "t.parquet")
    assert frame.iloc[0].tolist() == ["7", "1", "0.1", "true", "NA", "é", "1.50", "2026-01-02 03:04:05.000Z", ""]
    assert frame.iloc[1].tolist() == ["10000000000", "", "", "", "", "00012", "", "", ""]
    assert {str(dtype) for dtype in frame.dtypes} == {"str"}


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}, b"bytes"])
def test_nested_columns_of_parquet_are_refused_by_name(tmp_path: Path, cell: object) -> None:
    pq.write_table(pa.table({"id": ["a"], "tags": pa.array([cell])}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="column 'tags': a cell of type"):
        read(tmp_path / "t.parquet")
