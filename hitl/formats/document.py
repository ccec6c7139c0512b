"""The files that tools write, seen as records or as a table, by their content: a name proves nothing.

A document is read as a stream, again and again: one of any size takes no more memory than its largest record.
"""

import codecs
import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Literal, TextIO, cast

from hitl.delivery.source import Opened
from hitl.errors import DeliveryError

Shape = Literal["records", "table", "text", "page", "nothing"]
"""`records`: JSON, one array or a value after another; `table`: delimited text; `page`: XML or HTML."""
FIRST = 50
"""Records that a look at a document reads."""
RECORD_LIMIT = 1 << 26
"""Characters that one record may have."""
UNPACKED_LIMIT = 1 << 32
"""Bytes that a packed file may unpack to."""
_CELL_LIMIT = 1 << 26
_AT_ONCE = 1 << 20
_NAMED = 8
"""Columns or keys that a message names."""
_NEAR = 16
"""A record that is cut off shows it so many characters before its end."""
_SPACE = re.compile(r"[ \t\r\n]*")
_ENCODINGS = ("utf-8-sig", "cp1252")
"""UTF-8, or what Windows writes where the bytes are not that: tables of old tools are often saved so."""
_DELIMITERS = ",\t;|"
_NO_DELIMITER = "\x1f"
_PACKED = (b"PK\x03\x04", b"PK\x05\x06")
_MARKS = ((codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))

Record = dict[str, Any]


class Unreadable(DeliveryError):
    """The file is damaged, or not what it looks like: says where and why."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file of a tool. `first` are its first records, as far as they are JSON objects; `header` is a table's."""

    name: str
    source: Opened
    shape: Shape
    first: tuple[Record, ...] = ()
    header: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8-sig"

    @property
    def keys(self) -> frozenset[str]:
        """All keys that the first records have."""
        return frozenset(key for record in self.first for key in record)

    @property
    def stem(self) -> str:
        """The file's name without folders and what follows the first dot."""
        return self.name.replace("\\", "/").rpartition("/")[2].partition(".")[0]

    def records(self) -> Iterator[tuple[str, Record]]:
        """Each JSON record with its place: `line 7`, or `record 7` of an array.

        Raises Unreadable where the JSON is not sound, repeats a key, or a record is no object.
        """
        with self._text() as text:
            for place, value in _values(text, self.name):
                if not isinstance(value, dict):
                    raise Unreadable(f"{self.name}, {place}: an object was expected here, not {_kind(value)}")
                yield place, value

    def rows(self) -> Iterator[tuple[str, list[str]]]:
        """Each row of a table below its header, blank ones left out, with the line that it ends on.

        The cells are as they stand, fewer or more than the header has. Raises Unreadable where quotes do not pair up.
        """
        with self._text() as text:
            rows = _rows(text, self)
            next(rows, None)
            yield from ((f"line {line}", cells) for line, cells in rows)

    def dicts(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Each row of a table by its header; raises Unreadable where a row has more or fewer cells."""
        for place, cells in self.rows():
            if len(cells) != len(self.header):
                raise Unreadable(
                    f"{self.name}, {place}: {len(cells)} cells where the header has {len(self.header)}; "
                    "take the file as the tool wrote it, not one that was saved again"
                )
            yield place, dict(zip(self.header, cells, strict=True))

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each line of a text that is not blank, without its end; one in quotes may have line ends within."""
        with self._text() as text:
            reader = csv.reader(text, delimiter=_NO_DELIMITER)
            yield from ((f"line {reader.line_num}", cells[0]) for cells in reader if any(map(str.strip, cells)))

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        with self.source.open() as file, io.TextIOWrapper(file, self.encoding, newline="") as text:
            yield text


def documents(name: str, source: Opened) -> Iterator[Document]:
    """The document at `source`, or those in a zip, in the order of their names; raises Unreadable."""
    with source.open() as file:
        head = file.read(4)
    if not head.startswith(_PACKED):
        yield document(name, source)
        return
    try:
        archive = zipfile.ZipFile(source.open())  # open as long as a document of it is: its list is read once
        members = sorted(filter(_is_member, archive.infolist()), key=lambda one: one.filename)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise Unreadable(f"{name}: the zip file is damaged ({error}); download it again") from error
    if sum(one.file_size for one in members) > UNPACKED_LIMIT:
        raise Unreadable(f"{name}: unpacks to more than {UNPACKED_LIMIT >> 30} GiB; unpack it, and give its files")
    if any(one.flag_bits & 1 for one in members):
        raise Unreadable(f"{name}: the zip file has a password; unpack it, and give its files")
    for member in members:
        yield document(member.filename, _Member(archive, member, name))


def described(name: str, source: Opened) -> str:
    """What a file looks like, for who must be told that no tool writes such."""
    one = next(documents(name, source), None)
    if one is None or one.shape == "nothing":
        return "it is empty"
    if one.shape == "table":
        return f"it is a table with the columns {_listed(one.header)}"
    if one.shape == "records":
        return f"it is JSON with the keys {_listed(sorted(one.keys))}" if one.keys else "it is JSON without records"
    return "it is XML or a web page" if one.shape == "page" else "it is plain text"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(ascii(name)[1:-1][:40] for name in names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


def document(name: str, source: Opened) -> Document:
    """One look at the bytes of `source`; raises Unreadable when they are no text, or JSON that is not sound."""
    with source.open() as file:
        head = file.read(1 << 16)
    if head.startswith(b"\x1f\x8b"):
        return document(name, _Unpacked(source, name))
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            raise Unreadable(f"{name}: this is {encoding} text; export it again, or save it as UTF-8")
    if b"\0" in head:
        raise Unreadable(f"{name}: holds NUL bytes, so it is no text: give the file as the tool wrote it")
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if not start:
        return Document(name, source, "nothing")
    if start == b"<":
        return Document(name, source, "page")
    if start in (b"{", b"["):
        with io.TextIOWrapper(source.open(), "utf-8-sig", newline="") as text:
            first = [value for _, value in islice(_values(text, name), FIRST)]
        return Document(name, source, "records", tuple(one for one in first if isinstance(one, dict)))
    return _table(name, source)


@dataclass(frozen=True, slots=True)
class _Unpacked:
    """What a gzip file holds."""

    source: Opened
    name: str

    def open(self) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Limited(gzip.GzipFile(fileobj=self.source.open()), self.name)))


@dataclass(frozen=True, slots=True)
class _Member:
    """One file in a zip."""

    archive: zipfile.ZipFile
    member: zipfile.ZipInfo
    name: str

    def open(self) -> BinaryIO:
        name = f"{self.name}:{self.member.filename}"
        try:
            return cast(BinaryIO, io.BufferedReader(_Limited(self.archive.open(self.member), name)))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise Unreadable(f"{name}: the packed file is damaged ({error}); download it again") from error


class _Limited(io.RawIOBase):
    """Unpacks no more than UNPACKED_LIMIT, whatever the packed file says of itself; damage is Unreadable."""

    def __init__(self, file: Any, name: str) -> None:  # noqa: ANN401 - a ZipExtFile or a GzipFile
        super().__init__()
        self._file, self._name, self._left = file, name, UNPACKED_LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - as io has it
        try:
            part: bytes = self._file.read(len(buffer))
        except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, OSError, ValueError) as error:
            raise Unreadable(f"{self._name}: the packed file is damaged ({error}); download it again") from error
        self._left -= len(part)
        if self._left < 0:
            raise Unreadable(f"{self._name}: unpacks to more than {UNPACKED_LIMIT >> 30} GiB")
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._file.close()
        super().close()


def _is_member(one: zipfile.ZipInfo) -> bool:
    """Whether a file in a zip is one that the tool wrote, and not a folder or what a Mac adds."""
    parts = one.filename.split("/")
    return not one.is_dir() and "__MACOSX" not in parts and not parts[-1].startswith(".")


def _table(name: str, source: Opened) -> Document:
    encoding = next((one for one in _ENCODINGS if _decodes(source, one)), None)
    if encoding is None:
        return Document(name, source, "table")  # without a header, which no tool knows
    found = Document(name, source, "table", encoding=encoding)
    with found._text() as text:  # noqa: SLF001 - our own
        line = text.readline(_CELL_LIMIT)
    if line.startswith(("__label__", '"__label__')):
        return Document(name, source, "text", encoding=found.encoding)
    headers = {mark: _header(found, mark) for mark in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda mark: len(headers[mark]))
    return Document(name, source, "table", (), headers[delimiter], delimiter, found.encoding)


def _header(found: Document, delimiter: str) -> tuple[str, ...]:
    with found._text() as text:  # noqa: SLF001 - our own
        try:
            return tuple(next((cells for cells in csv.reader(text, delimiter=delimiter) if any(cells)), ()))
        except csv.Error:
            return ()


def _decodes(source: Opened, encoding: str) -> bool:
    """Whether all of it can be read so."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with source.open() as file:
        try:
            while part := file.read(_AT_ONCE):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _rows(text: TextIO, document: Document) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(max(_CELL_LIMIT, csv.field_size_limit()))
    reader = csv.reader(text, delimiter=document.delimiter, strict=True)
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise Unreadable(f"{document.name}, line {reader.line_num}: the quotes do not pair up ({error})") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"{document.name}, after line {reader.line_num}: not UTF-8 ({error.reason})") from error


class _Repeated(ValueError):
    """A key stands twice in an object: plain json keeps the last one without a word."""


def _once(pairs: Sequence[tuple[str, object]]) -> Mapping[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Repeated(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return found


def _no_constant(word: str) -> object:
    raise _Repeated(f"{word} is no number in JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


class _Feed:
    """Text that is read on as far as the next value takes; knows its line."""

    def __init__(self, text: TextIO, name: str) -> None:
        self._text, self._name = text, name
        self.buffer, self.at, self.whole = "", 0, False
        self.line, self.count, self._counted = 1, 0, 0
        self.is_array = False

    @property
    def place(self) -> str:
        """Where the next value stands."""
        return f"record {self.count + 1}" if self.is_array else f"line {self.line}"

    def peek(self) -> str:
        """The next character that is no space, "" at the end."""
        while True:
            found = _SPACE.match(self.buffer, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.buffer) or not self._more():
                break
        self.line += self.buffer.count("\n", self._counted, self.at)
        self._counted = self.at
        return self.buffer[self.at : self.at + 1]

    def value(self) -> object:
        """The next value; raises Unreadable where there is none."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.buffer, self.at)
            except json.JSONDecodeError as error:
                if not self._is_cut(error) or not self._more():
                    raise self._unsound(error.msg, error.pos) from None
            except (_Repeated, ValueError, RecursionError) as error:
                why = str(error) if isinstance(error, _Repeated) else "a number is too long, or it nests too deeply"
                raise self._unsound(why, self.at) from None
            else:
                if end < len(self.buffer) or not self._more():
                    break
        self._check_letters(value, end)
        self.at, self.count = end, self.count + 1
        return value

    def unsound(self, why: str) -> Unreadable:
        return self._unsound(why, self.at)

    def _more(self) -> bool:
        """Read on: as much again as is waiting, so that a long record is not begun too often."""
        if self.whole:
            return False
        waiting = len(self.buffer) - self.at
        if waiting > RECORD_LIMIT:
            raise self._unsound(f"one record is longer than {RECORD_LIMIT} characters", self.at)
        self.line += self.buffer.count("\n", self._counted, self.at)
        try:
            part = self._text.read(max(_AT_ONCE, waiting))
        except UnicodeDecodeError as error:
            raise Unreadable(f"{self._name}, {self.place} or soon after: not UTF-8 ({error.reason})") from error
        self.buffer = self.buffer[self.at :] + part
        self.at = self._counted = 0
        self.whole = not part
        return bool(part)

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether the value may only seem unsound because the rest of it was not read yet."""
        return error.pos >= len(self.buffer) - _NEAR or error.msg.startswith("Unterminated string")

    def _unsound(self, why: str, position: int) -> Unreadable:
        line = self.line + self.buffer.count("\n", self._counted, position)
        near = self.buffer[max(self.at, position - 20) : position + 20]
        return Unreadable(f"{self._name}, {self.place} (line {line}): not sound JSON: {why}, near {near!r}")

    def _check_letters(self, value: object, end: int) -> None:
        if self.buffer.find("\\ud", self.at, end) < 0 and self.buffer.find("\\uD", self.at, end) < 0:
            return
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            lone = str(error.object)[error.start : error.start + 1]
            raise self._unsound(f"half a character ({lone!a}), as cut text leaves it", self.at) from None


def _values(text: TextIO, name: str) -> Iterator[tuple[str, object]]:
    """The values of a JSON array, or one after another, with their places."""
    feed = _Feed(text, name)
    feed.is_array = feed.peek() == "["
    if not feed.is_array:
        while feed.peek():
            place = feed.place
            yield place, feed.value()
        return
    feed.at += 1
    if feed.peek() == "]":
        feed.at += 1
    else:
        while True:
            place = feed.place
            yield place, feed.value()
            mark = feed.peek()
            if mark not in (",", "]") or not mark:
                raise feed.unsound("the list is not closed: the file was cut" if not mark else "a comma is missing")
            feed.at += 1
            if mark == "]":
                break
            feed.peek()
    if feed.peek():
        raise feed.unsound("there is more after the end of the list")


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}
    return names.get(type(value), "null")
