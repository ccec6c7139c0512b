"""A round whose vendor is hostile: nothing that it wrote acts in a terminal, a page, a log, or a table of Prefect's."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import pytest

from flows.prefect_artifacts import table
from hitl.layout import Workspace
from hitl.visible import visible
from tasks import journal

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[1]
COMMENTS = (
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://127.0.0.1:9/?x="&A1,"click")',
    "+1+1",
    "-2+3",
    "@SUM(1,1)",
    "\t=1+1",
    'x","=1+2',
    "\uff1d1+1",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</textarea><iframe src=javascript:alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "{{7*7}}",
    "${jndi:ldap://127.0.0.1/x}",
    "%s%n%x",
    "{0.__class__}",
    "<%= 7*7 %>",
    "![x](http://127.0.0.1:9/leak.png)",
    "[click](javascript:alert(1))",
    "# Heading\n- [ ] task",
    "| a | b |\n|---|---|",
    "ok\n2026-01-01T00:00:00Z INFO round approved by admin",
    "ok\r\nERROR fake",
    "safe \u202egnp.exe\u202c",
    "\u2066hidden\u2069",
    "\x1b[2J\x1b]0;owned\x07",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b2J",
)
NAMES = ("<img src=x onerror=alert(1)>.csv", "[click](javascript:x).csv", "two\nERROR fake.csv", "\x1b[2J\u202evsc.csv")
MARKUP = re.compile(r"<script>alert|<img src=x|<svg/onload|<iframe|<a href='javascript|</textarea>")
DATA = {".parquet", ".png", ".skops", ".db", ".db-shm", ".db-wal", ".pkl"}


@dataclass
class Round:
    """The workspace, what every command said, and where the raw bytes lie."""

    root: Path
    said: list[str] = field(default_factory=list)

    def hitl(self, *words: object, code: int = 0) -> str:
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(self.root.parent)}
        environment["PYTHONPATH"] = str(ROOT)
        command = ["hitl", "-C", str(self.root), *map(str, words)]
        done = subprocess.run(command, env=environment, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == code, done.stderr.decode()
        self.said += [done.stdout.decode(), done.stderr.decode()]
        return done.stdout.decode()


def written(path: Path, rows: list[list[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """A round with hostile comments, annotators, labels, ids and file names, by inbox and by hand, closed."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = [[f"i{n:03d}", str(n * 37 % 151), "even" if n % 2 == 0 else "odd"] for n in range(150)]
    source = written(folder / "items.csv", [["id", "size", "parity"], *rows])
    made = Round(folder / "w")
    made.hitl("init", made.root, "--from", source, "--label", "parity", "--id", "id", "--initial", 20, "--hide")
    params = made.root / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace("batch: 30", "batch: 60"), encoding="utf-8")
    made.hitl("open")
    _deliver(made)
    made.hitl("status")
    made.hitl("close", "--partial")
    for words in (["report"], ["status"], ["plan"], ["verify"], ["status", "--json"]):
        made.hitl(*words)
    return made


def _deliver(made: Round) -> None:
    with (made.root / "data/rounds/r0001/pack/batch.csv").open(newline="", encoding="utf-8") as file:
        ids = [row["item_id"] for row in csv.DictReader(file)]
    head = ["item_id", "label", "annotator_id", "comment"]
    texts = cycle(text for text in COMMENTS if text.isprintable())
    good = [[one, "even", next(texts), next(texts)] for one in ids[:50]]
    bad = [[ids[50], next(texts), "ann", ""], [next(texts), "even", "ann", ""], [ids[51], "even", "ann", "\x1b[2J"]]
    bad += [[ids[52], text, text, text] for text in COMMENTS[8:14]]
    inbox = made.root / "data" / "inbox"
    written(inbox / "a.csv", [head, *good, *bad])
    written(inbox / "all-bad.csv", [head, *([one, text, text, text] for one, text in zip(ids, COMMENTS, strict=False))])
    for name in NAMES:
        written(inbox / name, [head, [ids[53], "even", "ann", ""]])
    made.hitl("check", inbox / "a.csv")
    made.hitl("check", inbox / "all-bad.csv", "--pack", made.root / "data/rounds/r0001/pack", code=4)
    made.hitl("check", inbox / "a.csv", "--json")
    made.hitl("check", inbox / NAMES[3], code=4)
    made.hitl("check", inbox / "\x1b[2J\u202enot there.csv", code=4)
    made.hitl("check", inbox / "\x1b[2J\u202enot there.csv", "--json", code=4)
    made.hitl("ingest", inbox / NAMES[2], code=4)
    made.hitl("advance")
    made.hitl("ingest", inbox / "done" / "a.csv")
    made.hitl("ingest", inbox / "refused" / "all-bad.csv", "--json", code=4)


def papers(root: Path) -> Iterator[Path]:
    """Every text that was made: not what the vendor sent, nor what git and DVC keep as they got it."""
    for folder, folders, names in os.walk(root):
        folders[:] = [one for one in folders if one not in (".git", "cache", "inbox", "mlartifacts")]
        for name in names:
            path = Path(folder) / name
            if path.suffix not in DATA and not (
                path.parent.name == "deliveries" and re.fullmatch(r"\w{64}\.csv", name)
            ):
                yield path


def test_the_hostile_delivery_was_taken(hostile: Round) -> None:
    state = journal.read(Workspace(hostile.root)).round("r0001")
    assert state.accepted >= 30
    assert {one["verdict"] for one in (*state.deliveries, *state.refused)} == {"quarantine", "reject"}


def test_nothing_that_a_command_says_moves_anything_in_a_terminal(hostile: Round) -> None:
    for text in hostile.said:
        assert text == "\n".join(visible(line) for line in text.split("\n"))
        assert not [line for line in text.splitlines() if line.startswith(("ERROR fake", "2026-01-01T00:00:00Z INFO"))]


def test_no_page_has_markup_of_a_vendor(hostile: Round) -> None:
    pages = [path for path in papers(hostile.root) if path.suffix in (".html", ".md", ".svg")]
    assert {path.name for path in pages} >= {"report.html", "guideline.md"}
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert not MARKUP.search(text), path
        assert path.suffix == ".html" or not re.search(r"\]\((javascript:|http://127)", text), path
        assert all(line == visible(line) for line in text.replace("\t", " ").split("\n")), path


def test_no_other_text_holds_what_a_terminal_obeys(hostile: Round) -> None:
    texts = [path for path in papers(hostile.root) if not path.name.endswith(".redo.csv")]
    assert len(texts) > 30
    for path in texts:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        left = [line for line in text.replace("\t", " ").split("\n") if line != visible(line)]
        assert not left, (path, left[:1])


def test_receipts_keep_what_was_written_as_a_value(hostile: Round) -> None:
    (path,) = (hostile.root / "data/outbox").glob("a.csv.*.receipt.json")
    held = json.loads(path.read_text(encoding="utf-8"))["held"]
    assert "<script>alert(1)</script>" in {one["value"] for one in held}


def test_names_in_the_outbox_are_plain(hostile: Round) -> None:
    names = [path.name for path in (hostile.root / "data/outbox").iterdir()]
    assert len([name for name in names if name.endswith(".receipt.json")]) >= 2 + len(NAMES)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name) for name in names)


def test_prefect_is_shown_a_table_and_nothing_else(hostile: Round) -> None:
    workspace = Workspace(hostile.root)
    shown = table(workspace, journal.read(workspace).round("r0001"))
    assert not set(shown) & set("<>[]()`\r\x1b\u202e")
    assert all(line.count("|") == 3 for line in shown.splitlines()[2:])
