import gzip
import io
import zipfile
from itertools import islice

import pytest

from hitl.delivery.source import Bytes
from hitl.formats import document as documents_of
from hitl.formats.document import Document, Unreadable, document, documents


def seen(data: bytes, name: str = "export.json") -> Document:
    return document(name, Bytes(data))


def records(data: bytes) -> list[object]:
    return [record for one in documents("export.json", Bytes(data)) for record in one.records()]


def told(data: bytes) -> list[tuple[str, object]]:
    return list(seen(data).records())


@pytest.mark.parametrize("data", [b'[{"a": 1},\n {"a": 2}]', b'{"a": 1}\n{"a": 2}\n', b'\xef\xbb\xbf{"a":1} {"a":2}'])
def test_records_are_read_whether_a_list_or_one_after_another(data: bytes) -> None:
    assert [record for _, record in told(data)] == [{"a": 1}, {"a": 2}]


def test_a_record_says_where_it_stands() -> None:
    assert [place for place, _ in told(b'[{"a": 1}, {"a": 2}]')] == ["record 1", "record 2"]
    assert [place for place, _ in told(b'{"a": 1}\n\n{"a": 2}')] == ["line 1", "line 3"]


def test_records_longer_than_what_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_of, "_AT_ONCE", 7)
    long = b'[{"a": "%s", "n": 123456}, {"a": "\\u00e9\\n", "n": -1.5e3}, {}]' % (b"x" * 500)
    assert [record for _, record in told(long)] == [{"a": "x" * 500, "n": 123456}, {"a": "é\n", "n": -1500.0}, {}]
    assert [place for place, _ in told(b'{"a": 1}\n{"a": 22222222222222}\n{"a": 3}')] == ["line 1", "line 2", "line 3"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a": 1}\n{"a": 1, "a": 2}', "line 2 .*'a' stands twice"),
        (b'[{"a": 1}, {"a": NaN}]', "record 2 .*NaN is no number"),
        (b'{"a": 1}\n{"a": ' + b"9" * 5000 + b"}", "line 2 .*too long"),
        (b'{"a": "\\ud800"}', "line 1 .*half a character"),
        (b'{"a": "\\uD83D"}', "line 1 .*half a character"),
        (b'[{"a": 1}] {"b": 2}', "more after the end of the list"),
        (b'[{"a": 1}, {"b"', "record 2"),
        (b'[{"a": 1}', "the list is not closed"),
        (b'[{"a": 1} {"a": 2}]', "a comma is missing"),
        (b'[{"a": 1}, 2]', "record 2: an object was expected here, not a number"),
        (b'{"a": "\xe9"}', "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16 text"),
        (b'{"a": "\0"}', "NUL"),
        (b"[" * 100_000, "nests too deeply"),
        (b"\x1f\x8b damaged", "damaged"),
        (b"PK\x03\x04 damaged", "damaged"),
    ],
)
def test_json_that_is_not_sound_is_refused_with_its_place(data: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=f"export.json.*{said}"):
        records(data)


def test_a_whole_pair_of_escapes_is_a_character() -> None:
    assert told(b'{"a": "\\ud83d\\ude00"}') == [("line 1", {"a": "\U0001f600"})]


def test_a_fault_far_from_the_start_is_found_without_reading_on() -> None:
    records = seen(b'{"a": 1}\n' * 60 + b'{"a": x}\n' + b'{"a": 1}\n' * 9).records()
    assert len(list(islice(records, 60))) == 60
    with pytest.raises(Unreadable, match="line 61"):
        next(records)


@pytest.mark.parametrize(("mark", "text"), [(",", b"a,b\n1,2\n"), ("\t", b"a\tb\n1\t2\n"), (";", b"a;b\r\n1;2\r\n")])
def test_a_table_is_read_by_what_separates_its_header(mark: str, text: bytes) -> None:
    found = seen(text)
    assert (found.shape, found.delimiter) == ("table", mark)
    assert list(found.dicts()) == [("line 2", {"a": "1", "b": "2"})]


def test_a_table_that_is_not_utf_8_is_what_windows_writes() -> None:
    assert list(seen(b"a,b\n\xe9,2\n").dicts()) == [("line 2", {"a": "é", "b": "2"})]


def test_rows_of_another_width_are_told_as_they_are_or_refused() -> None:
    assert list(seen(b"a,b,c\n1,2\n\n3,4,5,6\n").rows()) == [("line 2", ["1", "2"]), ("line 4", ["3", "4", "5", "6"])]
    with pytest.raises(Unreadable, match="line 2: 2 cells where the header has 3"):
        list(seen(b"a,b,c\n1,2\n").dicts())


def test_a_quote_that_stays_open_is_refused() -> None:
    with pytest.raises(Unreadable, match="quotes do not pair up"):
        list(seen(b'a,b\n"1,2\n').rows())


def test_packed_files_are_read_by_their_content() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {
            "b.jsonl": '{"a": 2}',
            "a.jsonl": '{"a": 1}',
            "__MACOSX/._a.jsonl": "x",
            "c.jsonl": "\n",
        }.items():
            archive.writestr(name, data)
    found = list(documents("all.zip", Bytes(packed.getvalue())))
    assert [(one.stem, one.shape) for one in found] == [("a", "records"), ("b", "records"), ("c", "nothing")]
    assert [record for one in found[:2] for _, record in one.records()] == [{"a": 1}, {"a": 2}]
    assert [record for _, record in seen(gzip.compress(b'{"a": 3}')).records()] == [{"a": 3}]


def test_a_packed_file_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_of, "UNPACKED_LIMIT", 1000)
    with pytest.raises(Unreadable, match="unpacks to more than"):
        list(seen(gzip.compress(b'{"a": 1}\n' * 1000)).records())


def test_a_table_in_no_encoding_of_a_tool_is_none_of_a_tool() -> None:
    odd = seen(b"item_id,label\na,caf\xe9\nb,\x81\n")
    assert (odd.shape, odd.header) == ("table", ())
    assert seen(b"item_id,label\na,caf\xe9\n").header == ("item_id", "label")
