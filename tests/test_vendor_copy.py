"""A whole round whose pack holds what params allow, masked, and nothing else; and an answer to it is taken whole."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from flows import engine, start
from hitl.errors import ParamsError
from hitl.layout import Workspace
from tasks import journal, simulate
from tasks.edges import files

CANARY = "canary-7f3a9c"
FORMULAS = ("=1+1", "+49 30 1234567", "-2+3", "@SUM(1,1)", "\t=1", "\r=1", "\uff1d1+1", "'=1", '"=1', "x;=1+2", " =1")


def made(root: Path, **changes: str) -> Workspace:
    """A workspace of 60 items with columns that a vendor may see, and some that none may."""
    root.mkdir()
    source = root.parent / f"{root.name}.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["key", "words", "contact", "size", f"{CANARY}-team", f"{CANARY}-diagnosis", f"{CANARY}-salary", "parity"]
        )
        writer.writerows([_row(number) for number in range(60)])
    workspace = Workspace(root)
    options = {"label": "parity", "id": "key", "text": "words", "initial": 8, "test": 0.2, "hide": True, "gold": 3}
    start.from_file(workspace, source, **options)
    text = workspace.params.read_text(encoding="utf-8")
    masks = {"mask: []": 'mask: ["email", "phone", "card"]', "mask_patterns: []": r"mask_patterns: ['\bK-\d+\b']"}
    for old, new in {"batch: 30": "batch: 60", "gold: 0": "gold: 2", **masks, **changes}.items():
        assert old in text
        text = text.replace(old, new)
    first, last = text.index("  columns:", text.index("export:")), text.index("  # The name of the vendor")
    files.write_text(workspace.params, f'{text[:first]}  columns: ["words", "contact", "size"]\n{text[last:]}')
    return workspace


def _row(number: int) -> list[object]:
    words = f"{FORMULAS[number % len(FORMULAS)]} of K-{number}, secret{number}@hidden.example, 4111 1111 1111 1111"
    team = f"{CANARY}-team{number % 3}"
    hidden = [team, f"{CANARY} a long diagnosis number {number}", 90_000_017 + 7 * number]
    return [f"item_{number}", words, f"secret{number}@hidden.example", number % 7, *hidden, ("odd", "even")[number % 2]]


def batch(workspace: Workspace) -> list[dict[str, str]]:
    with (workspace.pack("r0001") / "batch.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose first round went out, was answered without a word of doubt, and is closed."""
    workspace = made(tmp_path_factory.mktemp("copy") / "w")
    engine.perform("open", workspace, "direct")
    (answer,) = simulate.simulate(workspace, noise=0.0)
    assert (answer.receipt["verdict"], answer.receipt["warnings"]) == ("accept", [])
    engine.perform("close", workspace, "direct")
    return workspace


def test_no_file_of_the_pack_holds_what_the_vendor_may_not_see(closed: Workspace) -> None:
    pool = pd.read_parquet(closed.pool)
    salaries = {f"{value:.0f}" for value in pool[f"{CANARY}-salary"]}
    hidden = [CANARY, "secret", "hidden.example", "4111 1111", *salaries, *(f"K-{number}," for number in range(60))]
    sent = {path.name: path.read_text(encoding="utf-8") for path in closed.pack("r0001").iterdir()}
    assert {"batch.csv", "check.html", "datapackage.json", "guideline.md", "MANIFEST.json"} <= set(sent)
    assert "[masked]" in sent["check.html"]  # the rows are in it
    assert len(pool) > 30
    assert [(name, word) for name, text in sent.items() for word in hidden if word in text] == []


def test_a_reader_sees_that_and_what_was_masked(closed: Workspace) -> None:
    rows = batch(closed)
    assert all(row["contact"] == "[email]" for row in rows)
    assert all(row["words"].endswith("of [masked], [email], [card]") for row in rows)
    assert any("[phone] of" in row["words"] for row in rows)


def test_the_auditor_is_told_how_many_cells_were_masked(closed: Workspace) -> None:
    items = len(batch(closed))
    masked = journal.read(closed).round("r0001").facts["exported"]["masked"]
    phones = sum("[phone]" in row["words"] for row in batch(closed))
    assert masked == {"email": 2 * items, "card": items, "mask_patterns": items, "phone": phones}
    page = (closed.round("r0001") / "report.html").read_text(encoding="utf-8")
    assert f"Masked in the vendor's copy: card in {items} cells, email in {2 * items} cells" in page.replace(
        "&#39;", "'"
    )


def test_our_own_tables_keep_the_original(closed: Workspace) -> None:
    labeled = pd.read_parquet(closed.labeled)
    assert labeled["words"].str.contains("@hidden.example").all()
    assert pd.read_parquet(closed.round("r0001") / "items.parquet")["contact"].str.startswith("secret").all()


def test_no_cell_of_the_copy_runs_as_a_formula(closed: Workspace) -> None:
    risky = [row["words"] for row in batch(closed) if row["words"].lstrip()[:1] in ("=", "+", "-", "@", "\uff1d")]
    assert risky == []
    assert sum(row["words"].startswith("'") for row in batch(closed)) > 20


def test_a_pattern_without_an_end_stops_the_export_and_can_be_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.edges.patterns.SECONDS", 0.2)
    workspace = made(tmp_path / "w")
    good = workspace.params.read_text(encoding="utf-8")
    files.write_text(workspace.params, good.replace(r"\bK-\d+\b", r"([a-z0-9@. ]+)+!"))
    with pytest.raises(ParamsError, match=r"mask_patterns: .*takes more than"):
        engine.perform("open", workspace, "direct")
    assert not workspace.pack("r0001").exists()
    files.write_text(workspace.params, good)
    engine.perform("open", workspace, "direct")
    assert batch(workspace)
