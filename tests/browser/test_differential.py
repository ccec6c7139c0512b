"""Random files, most of them nearly sound: the page and Python say the same of each."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
from selenium.webdriver import Chrome

from hitl.contract import SKIP
from hitl.pack import batch_csv, exported_items
from tests.browser.pages import Pack, by_page, by_python, open_page, write_pack

FILES = 300
SEEDS = range(4)

IDS = (
    "i1", "i2", "007", "=1+1", "-3", "é", "Σας", "ǅ", "x y", "ß", "ﬁn", "it.em", "1.0", "__proto__", "\u212b",
    "i11", "I1",
)  # fmt: skip
VALUES = (
    "1.50", "1e3", "true", "00012", "=SUM(A1)", "caf\u00e9", "", "a\r\nb", '"', "\u0663.5", "0.1",
    "123456789012345678901", " x ", "-0", "@", "nan", "1_000",
)  # fmt: skip
CLASSES = (
    "cat", "dog", "Straße", "café", "0", "1.0", "NA",
)  # fmt: skip
CELLS = (
    "", " ", "cat", "Cat", "catt", "dog ", "STRASSE", "strasse", "cafe\u0301", "CAFÉ", "c\u200bat", "0.0", "00",
    "1", "1.00", SKIP, "NA", "na", "\u201ccat\u201d", "ann", "Ann", "bob", " bob", "\u0430nn", "i1", " i1", "i1.0",
    "I1", "i11", "7", "7.0", "'=1+1", "''=1+1", "=1+1", "e\u0301", "ΣΑΣ", "SS", "fin", "A\u030a", "å",
    "2026-11-10T10:00:00Z", "2026-11-10 10:00:00+05:30", "2026-11-10T10:00:00", "2026-13-01T00:00:00Z",
    "2026-11-20T09:04:59.999999999Z", "2026-11-20T09:05:00.000001Z", "2026-11-02T08:55:00Z", "2026-11-02T08:54:59Z",
    "2026-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "0099-01-01T00:00:00Z", "2026-11-10T24:00:00Z",
    "2026-11-10t10:00:00z", "9999-12-31T23:59:59-23:59", "2026-11-10T10:00:00+24:00", "2026-11-10T10:00:00+01:60",
    "12.5", "0", "-1", "86400", "86400.000000000001", "1e3", "1,5", "\u0661", ".5", "999999999999", "1.", " 3 ",
    "line\nbreak", "x\ni2,cat,ann", "x\r\ni2,cat,ann", "a\rb", "a\tb", "\x1b[31m", "\x7f", "\x85", "\u2028",
    "\u3000", "\ufeff", "\u00a0cat", "cat\u00a0", "\U0001f600", "\U0001f468\u200d\U0001f469", "\U000e0041",
    "x" * 32767, "x" * 32768, "\U0001f600" * 32767, "x" * 131072, "x" * 131073, "a,b", 'say "hi"', '"', ",", "1000",
    "1000.0", "1e+3", "1.5", "1.500000000000001", "1.5000000000000001", "TRUE", "True", "123456789012345678902",
    "12", "3.5", "'=SUM(A1)", "=SUM(A1)", "cafe\u0301", "a\nb", "a\r\r\nb", "-0.0", "0e500", "1e399", "1e-400", "inf",
    "_1_0",
    "\U0001d7cf", "İ", "\u0131", "\u017f", "K", "\u0345", "ΐ", "\u1c8a", "\U00010d50", "\u13a0", "\uab70", "\ua7c0",
)  # fmt: skip
BYTES = (
    b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x00", b'"', b",", b"\n", b"\r", b"\r\n", b";", b"\t",
    b"\xef\xbb\xbf", b"PK\x03\x04", b"%PDF", b"  <HTML", b"\x1f\x8b", b"\xe2\x80\xa8", b'""', b"'", b" ",
)  # fmt: skip
HEADER = (
    "item_id", "text", "number", "label", "annotator_id", "labeled_at", "seconds", "comment",
)  # fmt: skip
NAMES = (
    *HEADER, "Item_ID", "item_id ", "", " ", "code", "expected", "proposed", "model_class", "extra", "supersedes",
    "\ufeffitem_id",
)  # fmt: skip


def a_pack(folder: Path, draw: Random) -> Pack:
    ids = [*dict.fromkeys(draw.sample(IDS, 12)), *(f"n{n:03d}" for n in range(draw.choice((0, 5, 40))))]
    safe = [one for n, one in enumerate(ids) if one not in {"\u212b", "I1"} or n % 2]
    rows = [{"item_id": one, "text": draw.choice(VALUES), "number": draw.choice(VALUES)} for one in safe]
    return write_pack(
        folder,
        batch_csv(rows, ["text", "number"], show_prediction=False, numeric=["number"]),
        classes=draw.sample(CLASSES, draw.randint(2, 7)),
        annotators=draw.choice(((), ("ann", "bob"), ("ann", "Ann", "ann\u00e9"))),
        default_overlap=draw.choice((1, 1, 2)),
        overlap={one: 2 for one in safe if draw.random() < 0.1},
        answered={one: ["ann"] for one in safe if draw.random() < 0.1},
        bad_row_share=draw.choice((0.2, 0.5, 1.0)),
    )


def a_table(one: Pack, draw: Random) -> list[list[str]]:
    """The pack's rows, filled in soundly."""
    people = one.manifest["annotators"] or ["ann", "bob"]
    before = one.manifest.get("answered", {}) if draw.random() < 0.7 else {}
    items = exported_items(one.batch)
    rest = ("2026-11-10T10:00:00Z", "3", "")
    rows = [
        [item, *values.values(), draw.choice(one.manifest["classes"]), draw.choice(_free(people, before, item)), *rest]
        for item, values in items.items()
    ]
    return [list(HEADER), *rows]


def _free(people: Sequence[str], before: Mapping[str, Sequence[str]], item: str) -> list[str]:
    """Who did not answer an item before."""
    return [who for who in people if who not in before.get(item, ())]


def mutated(table: list[list[str]], draw: Random) -> list[list[str]]:
    rows = [list(row) for row in table]
    for _ in range(draw.choice((0, 1, 1, 2, 3, 12))):
        draw.choice(MUTATIONS)(rows, draw)
    return rows


def _cell(rows: list[list[str]], draw: Random) -> None:
    row = rows[draw.randrange(1, len(rows)) if len(rows) > 1 else 0]
    if row:
        row[draw.randrange(len(row))] = draw.choice(CELLS)


def _column(rows: list[list[str]], draw: Random) -> None:
    """The same cell all the way down."""
    place, cell = draw.randrange(len(rows[0]) or 1), draw.choice(CELLS)
    for row in rows[1:]:
        if place < len(row) and draw.random() < 0.9:
            row[place] = cell


def _name(rows: list[list[str]], draw: Random) -> None:
    if rows[0]:
        rows[0][draw.randrange(len(rows[0]))] = draw.choice(NAMES)


def _added_column(rows: list[list[str]], draw: Random) -> None:
    place, name = draw.randrange(len(rows[0]) + 1), draw.choice(NAMES)
    for n, row in enumerate(rows):
        row.insert(place, draw.choice(CELLS[:20]) if n else name)


def _lost_column(rows: list[list[str]], draw: Random) -> None:
    place = draw.randrange(len(rows[0]) or 1)
    for row in rows:
        del row[place : place + 1]


def _moved_column(rows: list[list[str]], draw: Random) -> None:
    order = draw.sample(range(len(rows[0])), len(rows[0]))
    rows[:] = [[row[n] for n in order] if len(row) == len(order) else row for row in rows]


def _width(rows: list[list[str]], draw: Random) -> None:
    row = draw.choice(rows)
    if draw.random() < 0.5:
        row.append(draw.choice(CELLS))
    else:
        del row[-1:]


def _again(rows: list[list[str]], draw: Random) -> None:
    rows.insert(draw.randrange(1, len(rows) + 1), list(draw.choice(rows)))


def _second(rows: list[list[str]], draw: Random) -> None:
    """A row once more, with another answer or by another person."""
    row, name = list(draw.choice(rows)), draw.choice(("label", "annotator_id"))
    column = [line[rows[0].index(name)] for line in rows if name in rows[0] and len(line) == len(rows[0])]
    if len(row) == len(rows[0]) and column:
        row[rows[0].index(name)] = draw.choice(column)
        rows.insert(draw.randrange(1, len(rows) + 1), row)


def _many(rows: list[list[str]], draw: Random) -> None:
    rows.extend(list(row) for row in rows[1:] * draw.choice((1, 1, 30)))


def _blank(rows: list[list[str]], draw: Random) -> None:
    rows.insert(draw.randrange(len(rows) + 1), draw.choice(([], [""], [" ", "\u3000"], [""] * 8)))


def _lost(rows: list[list[str]], draw: Random) -> None:
    if len(rows) > 2:
        del rows[draw.randrange(1, len(rows))]


def _idle(rows: list[list[str]], draw: Random) -> None:
    for row in rows[1:]:
        if draw.random() < 0.3:
            row[3:] = [""] * len(row[3:])


MUTATIONS: tuple[Callable[[list[list[str]], Random], None], ...] = (
    *[_cell] * 8, *[_again] * 2, *[_second] * 3, _many, _column, _name,
    _added_column, _lost_column, _moved_column, _width, _blank, _lost, _idle,
)  # fmt: skip


def spelled(rows: list[list[str]], draw: Random) -> bytes:
    """The rows as some program writes them, and perhaps something that happened to the bytes since."""
    text = io.StringIO(newline="")
    quoting = draw.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))
    csv.writer(text, quoting=quoting, lineterminator=draw.choice(("\n", "\n", "\r\n", "\r"))).writerows(rows)
    data = text.getvalue().encode()
    if draw.random() < 0.1:
        data = b"\xef\xbb\xbf" + data
    for _ in range(draw.choice((0, 0, 0, 0, 1, 1, 2))):
        data = damaged(data, draw)
    return data


def damaged(data: bytes, draw: Random) -> bytes:
    place = draw.choice((0, draw.randrange(len(data) + 1), len(data)))
    match draw.randrange(4):
        case 0:
            return data[:place] + draw.choice(BYTES) + data[place:]
        case 1:
            return data[:place] + data[place + draw.choice((1, 2, 40)) :]
        case 2:
            return data[: -draw.choice((1, 2, 10))]
        case _:
            return data + data[draw.randrange(len(data) or 1) :]


def a_manifest(data: bytes, answer: dict[str, object], one: Pack, draw: Random) -> bytes | None:
    """Nothing, mostly; else what a vendor's program, or somebody's hand, may have written."""
    if draw.random() < 0.8:
        return None
    said = {
        "file_sha256": draw.choice((answer["delivery"], str(answer["delivery"]).upper(), "0" * 64, "", None, 0)),
        "rows": draw.choice((len(exported_items(one.batch)), data.count(b"\n") - 1, 1.0, True, None, "3", -0, 10**30)),
        "batch_id": draw.choice(("r0001", "b1", "other", [], {}, 0.0)),
        "label_schema_sha256": draw.choice((one.manifest["label_schema_sha256"], "x")),
        "instructions_sha256": draw.choice(("0" * 64, "1" * 64)),
        "n\u00e9": [1, {"a": [None, 1e5, float("nan")]}],
    }
    kept = {name: said[name] for name in said if draw.random() < 0.6}
    text = json.dumps(kept, ensure_ascii=draw.random() < 0.5).encode()
    return text if draw.random() < 0.7 else damaged(text, draw)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_page_and_python_say_the_same_of_random_files(browser: Chrome, tmp_path: Path, seed: int) -> None:
    draw = Random(seed)
    one = a_pack(tmp_path / "pack", draw)
    open_page(browser, one.page)
    path = tmp_path / "labels.csv"
    beside = tmp_path / "labels.csv.manifest.json"
    verdicts = set()
    for n in range(FILES // len(SEEDS)):
        data = spelled(mutated(a_table(one, draw), draw), draw)
        path.write_bytes(data)
        beside.unlink(missing_ok=True)
        wanted = by_python(one, path)
        manifest = a_manifest(data, wanted, one, draw)
        files = [(path.name, data)]
        if manifest is not None:
            beside.write_bytes(manifest)
            wanted, files = by_python(one, path), [*files, (beside.name, manifest)]
        assert by_page(browser, files) == wanted, (n, data[:2000], manifest)
        verdicts.add(wanted["verdict"])
    assert verdicts == {"accept", "quarantine", "reject"}
