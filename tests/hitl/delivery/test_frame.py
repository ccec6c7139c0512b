"""Bytes are a table only in one encoding, with one delimiter and the agreed columns; otherwise the file is refused."""

import gzip

import pytest

from hitl.delivery.frame import MAX_FIELD, survey
from hitl.delivery.source import Bytes

HEADER = b"item_id,label,annotator_id,comment\n"
ROWS = b"i1,cat,ann,fine\ni2,dog,ann,fine\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "F_EMPTY"),
        (b"\xef\xbb\xbf\r\n\r\n", "F_EMPTY"),
        (HEADER, "F_NO_ROWS"),
        (gzip.compress(HEADER + ROWS, mtime=0), "F_ARCHIVE"),
        (b"%PDF-1.4\n", "F_BINARY"),
        (b"<html><table>", "F_BINARY"),
        (HEADER + b"i1,cat,ann,\0\n", "F_NUL"),
        ((HEADER + ROWS).decode().encode("utf-16"), "F_NUL"),
        (HEADER + b"i1,cat,ann,caf\xe9\n", "F_ENCODING"),
        (b"item_id,Label,annotator_id\n" + ROWS * 600 + b"\xff", "F_ENCODING"),
        (HEADER + ROWS + b"i3,cat,ann,caf\xc3", "F_ENCODING"),
        (HEADER + b'i1,cat,ann,"open\n' + ROWS, "F_QUOTING"),
        (HEADER + b'i1,cat,ann,"said \\"no\\", twice"\n', "F_QUOTING"),
        (HEADER + ROWS + b'i3,cat,ann,"cut', "F_TRUNCATED"),
        (HEADER + ROWS + b"i3,c", "F_TRUNCATED"),
        (HEADER + b"i1,cat,ann," + b"z" * (MAX_FIELD + 1) + b"\n", "F_FIELD_TOO_LARGE"),
        ((HEADER + ROWS).replace(b",", b";"), "F_DELIMITER"),
        (ROWS, "F_HEADER_MISSING"),
        (b"Report\n" + HEADER + ROWS, "F_HEADER_MISSING"),
        (b"item_id,Label,annotator_id\n" + ROWS, "F_COLUMN_MISSING"),
        (b"item_id,label,annotator_id,label\n" + ROWS, "F_COLUMN_DUPLICATE"),
        (b"item_id,label,annotator_id,\n" + ROWS, "F_COLUMN_BLANK"),
        (b"item_id,label,annotator_id\n" + ROWS, "F_HEADER_WIDTH"),
        (b"item_id,label,annotator_id," + b",".join(b"c%d" % n for n in range(3000)) + b"\n", "F_TOO_MANY_COLUMNS"),
        (HEADER + ROWS + b"\xef\xbb\xbf" + HEADER + ROWS, "F_HEADER_REPEATED"),
        (HEADER + ROWS * 6, "F_TOO_MANY_ROWS"),
    ],
)
def test_a_file_that_is_no_table_of_ours_is_refused(data: bytes, reason: str) -> None:
    frame = survey(Bytes(data), row_limit=10)

    assert (frame.reasons, frame.rows) == ((reason,), 0)


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (b"\xef\xbb\xbf" + HEADER + ROWS, "W_BOM"),
        ((HEADER + ROWS).replace(b"\n", b"\r"), "W_EOL"),
        (HEADER.replace(b"\n", b"\r\n") + ROWS, "W_EOL"),
        (HEADER + b"\n" + ROWS + b",,,\n", "W_BLANK_LINES"),
        (b"label,item_id,annotator_id,comment\n" + ROWS, "W_COLUMN_ORDER"),
    ],
)
def test_a_harmless_oddity_is_read_and_said(data: bytes, warning: str) -> None:
    frame = survey(Bytes(data), row_limit=10)

    assert warning in frame.warnings
    assert [cells for _, cells in frame.records()] == [["i1", "cat", "ann", "fine"], ["i2", "dog", "ann", "fine"]]


def test_a_character_may_lie_across_two_parts_of_a_file() -> None:
    at_once = 1 << 20
    cells = b"i1,cat,ann," + b"x" * (1 << 10) + b"\n"
    rows = cells * (at_once // len(cells))
    rest = at_once - len(HEADER) - len(rows) - len(b"i2,dog,ann,") - 1
    data = HEADER + rows + b"i2,dog,ann," + b"y" * rest + "\u00e9\n".encode()
    assert data[:at_once].endswith(b"y\xc3")
    assert survey(Bytes(data), row_limit=2000).reasons == ()


def test_line_ends_inside_quotes_are_not_mixed_line_ends() -> None:
    data = HEADER + b'i1,cat,ann,"one\r\ntwo"\n'

    assert "W_EOL" not in survey(Bytes(data), row_limit=10).warnings


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    frame = survey(Bytes(HEADER + b"i1,cat,ann,\n\ni2,dog,ann,\n"), row_limit=10)

    assert [row for row, _ in frame.records()] == [1, 3]
    assert (frame.rows, frame.last_row) == (2, 3)
