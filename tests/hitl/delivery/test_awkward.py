"""Files as spreadsheets, scripts and people in a hurry make them: what is sound in them is taken, nothing is guessed.

A case changes a faultless answer to a pack of 40 items, of which every fourth is gold.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from hitl.delivery.judge import Bytes, Expectation, judge

CLASSES = ("cat", "dog", "horse")
HEADER = ["item_id", "text", "x", "label", "annotator_id", "labeled_at", "seconds", "comment"]
ID, TEXT, X, LABEL, ANNOTATOR, TIME, SECONDS, COMMENT = range(8)
ITEMS = {f"it_{n:04x}": {"text": f"some text, {n}", "x": f"{n / 4:.2f}"} for n in range(40)}
WANTED = Expectation(
    round="r0001",
    classes=CLASSES,
    items=ITEMS,
    annotators=("ann", "bob"),
    exported_at=datetime(2026, 11, 1, tzinfo=UTC),
    received_at=datetime(2026, 11, 21, tzinfo=UTC),
    gold={item: CLASSES[n % 3] for n, item in enumerate(ITEMS) if n % 4 == 0},
)
Row = list[str]
ROWS: list[Row] = [
    [
        item,
        shown["text"],
        shown["x"],
        CLASSES[n % 3],
        ("ann", "bob")[n % 2],
        "2026-11-05T10:00:00Z",
        f"{n % 9 + 1}.5",
        "",
    ]
    for n, (item, shown) in enumerate(ITEMS.items())
]
TRUE = {(row[ID], row[LABEL], row[ANNOTATOR]) for row in ROWS}


def written(rows: Sequence[Row], header: Row | None = HEADER, *, sep: str = ",", eol: str = "\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=sep, lineterminator=eol).writerows([*([header] if header else []), *rows])
    return text.getvalue()


def edited(column: int, edit: Callable[[str], str], *at: int) -> str:
    """The file with the cells of `column` edited, in the rows `at` or in all."""
    rows = [list(row) for row in ROWS]
    for n in at or range(40):
        rows[n][column] = edit(rows[n][column])
    return written(rows)


def unfilled(*kept: int) -> str:
    """The file with its second half not begun, but for the columns `kept`."""
    rows = [list(row) for row in ROWS]
    for row in rows[20:]:
        row[LABEL:] = [cell if n in kept else "" for n, cell in enumerate(row) if n >= LABEL]
    return written(rows)


def moved(move: Callable[[int], int]) -> str:
    """The file with each row's answer taken from another one."""
    return written([[*row[:LABEL], *ROWS[move(n) % 40][LABEL:]] for n, row in enumerate(ROWS)])


PLAIN = written(ROWS)
FULLWIDTH = {ord("0") + n: 0xFF10 + n for n in range(10)}
CASES: dict[str, tuple[str | bytes, str, str, int]] = {
    "a hint for Excel above": ("sep=;\n" + written(ROWS, sep=";"), "reject", "F_HEADER_MISSING", 0),
    "semicolons": (written(ROWS, sep=";"), "reject", "F_DELIMITER", 0),
    "tabs": (written(ROWS, sep="\t"), "reject", "F_DELIMITER", 0),
    "Unicode text of Excel": (written(ROWS, sep="\t").encode("utf-16"), "reject", "F_NUL", 0),
    "a Markdown table": ("|" + written(ROWS, sep="|").replace("\n", "|\n|"), "reject", "F_DELIMITER", 0),
    "another code page": (edited(COMMENT, lambda _: "café", 3).encode("cp1252"), "reject", "F_ENCODING", 0),
    "a title above": ("Table 1\n" + PLAIN, "reject", "F_HEADER_MISSING", 0),
    "a second header": (
        written([["Item", "T", "X", "L", "Who", "At", "s", "Note"], *ROWS]),
        "quarantine",
        "R_ID_UNKNOWN",
        40,
    ),
    "the header at the end": (PLAIN + written([]), "quarantine", "R_HEADER_REPEATED", 40),
    "a page break": (written(ROWS[:20]) + written(ROWS[20:]), "quarantine", "R_HEADER_REPEATED", 40),
    "the file twice": (PLAIN + PLAIN, "quarantine", "R_HEADER_REPEATED", 40),
    "a row of totals": (PLAIN + "Total,,,40,,,160,\n", "quarantine", "R_ID_UNKNOWN", 40),
    "a short row of totals": (PLAIN + "Total,40\n", "quarantine", "R_CELL_COUNT", 40),
    "a merge conflict": (PLAIN.replace("it_0004", "<<<<<<< HEAD\nit_0004", 1), "quarantine", "R_CELL_COUNT", 40),
    "empty rows below": (PLAIN + ",,,,,,,\n" * 500, "accept", "", 40),
    "empty lines between": (PLAIN.replace("\n", "\n\n\n"), "accept", "", 40),
    "empty columns beside": (PLAIN.replace("\n", ",,\n"), "reject", "F_COLUMN_BLANK", 0),
    "a million columns": (",".join([*HEADER, *map(str, range(10**6))]) + "\n", "reject", "F_TOO_MANY_COLUMNS", 0),
    "an index column": (written([["7", *row] for row in ROWS], ["", *HEADER]), "reject", "F_COLUMN_BLANK", 0),
    "a column more": (written([["7", *row] for row in ROWS], ["n", *HEADER]), "accept", "", 40),
    "columns from right to left": (written([row[::-1] for row in ROWS], HEADER[::-1]), "accept", "", 40),
    "a renamed column": (PLAIN.replace("item_id", "Item ID", 1), "reject", "F_COLUMN_MISSING", 0),
    "line ends of an old Mac": (written(ROWS, eol="\r"), "accept", "", 40),
    "line ends doubled": (written(ROWS, eol="\r\r\n"), "accept", "", 40),
    "line ends of two systems": (PLAIN.replace("\n", "\r\n", 10), "accept", "", 40),
    "a NUL": (PLAIN.replace("it_0004", "it_\0", 1), "reject", "F_NUL", 0),
    "a file cut off": (PLAIN[:-30], "reject", "F_TRUNCATED", 0),
    "gzip": (gzip.compress(PLAIN.encode()), "reject", "F_ARCHIVE", 0),
    "a web page": ("<HTML><table>", "reject", "F_BINARY", 0),
    "JSON": (json.dumps([dict(zip(HEADER, row, strict=True)) for row in ROWS]), "reject", "F_HEADER_MISSING", 0),
    "an open quote at the start": ('"' + PLAIN, "reject", "F_QUOTING", 0),
    "quotes with backslashes": (PLAIN.replace(",\n", ',"a \\"b\\", c"\n', 1), "reject", "F_QUOTING", 0),
    "commas with backslashes": (PLAIN.replace("1.5,\n", "1.5,a\\, b\n", 1), "quarantine", "R_CELL_COUNT", 39),
    "a whole row in each cell": ('"' + PLAIN.strip().replace("\n", '"\n"') + '"\n', "reject", "F_HEADER_MISSING", 0),
    "capital ids": (edited(ID, str.upper), "reject", "F_TOO_MANY_BAD_ROWS", 0),
    "ids with an invisible space": (edited(ID, lambda id: f"{id}\u200b", 3, 5), "quarantine", "R_ID_UNKNOWN", 38),
    "ids with a fixed space": (edited(ID, lambda id: f"\xa0{id}", 3, 5), "quarantine", "R_ID_UNKNOWN", 38),
    "ids in full width": (edited(ID, lambda id: id.translate(FULLWIDTH), 3), "quarantine", "R_ID_UNKNOWN", 39),
    "ids marked as text": (edited(ID, lambda id: f"'{id}", 3, 5), "quarantine", "R_ID_UNKNOWN", 38),
    "capital labels": (edited(LABEL, str.upper), "reject", "F_TOO_MANY_BAD_ROWS", 0),
    "a quoted label": (edited(LABEL, lambda label: f"\u201c{label}\u201d", 3), "quarantine", "R_LABEL_UNKNOWN", 39),
    "a label with a tab": (edited(LABEL, lambda label: f"{label}\t", 3), "quarantine", "R_LABEL_UNKNOWN", 39),
    "a label with a mark": (edited(LABEL, lambda label: f"\ufeff{label}", 3), "quarantine", "R_CONTROL_CHARS", 39),
    "two labels": (edited(LABEL, lambda _: "cat;dog", 3), "quarantine", "R_LABEL_UNKNOWN", 39),
    "labels with spaces": (edited(LABEL, lambda label: f" {label} "), "accept", "", 40),
    "numbered labels": (edited(LABEL, lambda label: f"1. {label}"), "reject", "F_TOO_MANY_BAD_ROWS", 0),
    "decimal commas": (edited(SECONDS, lambda text: text.replace(".", ",")), "reject", "F_TOO_MANY_BAD_ROWS", 0),
    "no seconds at all": (edited(SECONDS, lambda _: ""), "accept", "", 40),
    "a day before the month": (edited(TIME, lambda _: "05.11.2026 10:00", 3), "quarantine", "R_TIME_FORMAT", 39),
    "a space for the T": (edited(TIME, lambda _: "2026-11-05 10:00:00+00:00"), "accept", "", 40),
    "numbers without zeros": (edited(X, lambda text: text.rstrip("0").rstrip(".")), "accept", "", 40),
    "a number made a date": (edited(X, lambda _: "25. Jan", 1), "quarantine", "R_ECHO_CHANGED", 39),
    "texts cut short": (edited(TEXT, lambda text: text[:8]), "reject", "F_TOO_MANY_BAD_ROWS", 0),
    "rows moved right": (written([["", *row[:-1]] for row in ROWS]), "reject", "F_TOO_MANY_BAD_ROWS", 0),
    "answers moved down": (moved(lambda n: n - 1), "reject", "F_GOLD_FAIL", 0),
    "answers moved up": (moved(lambda n: n + 1), "reject", "F_GOLD_FAIL", 0),
    "answers sorted": (moved(lambda n: n * 3 % 40 + n * 3 // 40), "reject", "F_GOLD_FAIL", 0),
    "half of it": (written(ROWS[:20]), "accept", "", 20),
    "half of it begun": (unfilled(), "quarantine", "R_LABEL_EMPTY", 20),
    "half of it begun, annotators filled in": (unfilled(ANNOTATOR), "quarantine", "R_LABEL_EMPTY", 20),
    "half of it without labels": (unfilled(ANNOTATOR, TIME, SECONDS), "reject", "F_TOO_MANY_BAD_ROWS", 0),
    "annotators in the first row only": (
        edited(ANNOTATOR, lambda _: "", *range(1, 40)),
        "reject",
        "F_TOO_MANY_BAD_ROWS",
        0,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_awkward_file_is_answered_safely(case: str) -> None:
    sent, verdict, code, accepted = CASES[case]

    judged = judge(Bytes(sent.encode() if isinstance(sent, str) else sent), WANTED)

    assert (judged.verdict, judged.accepted) == (verdict, accepted)
    assert code in judged.reasons or not (code or judged.reasons)
    assert {(one.item_id, one.label, one.annotator_id) for one in judged.annotations} <= TRUE
