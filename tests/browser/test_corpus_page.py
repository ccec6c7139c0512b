"""The shared corpus of awkward files through the page, and through Python with the same pack: the same answers.

The corpus is not ours and lies outside the repository; without it this file is skipped.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome

from hitl.contract import RESERVED
from hitl.pack import batch_csv
from tests.browser.pages import Pack, by_python, choose, open_page, shown, write_pack

MAKER = Path(__file__).parents[3] / "shared" / "corpus" / "make_bad_csvs.py"
pytestmark = pytest.mark.skipif(not MAKER.is_file(), reason=f"no corpus at {MAKER.parent}")

NOT_FOR_A_BROWSER = {
    "P20": "a link: the browser's own dialog follows it and hands over the file behind it",
    "P21": "a link: as P20",
    "P22": "a link that leads nowhere: no dialog can choose it",
    "P23": "a folder: no dialog can choose it as a file",
    "P24": "a FIFO: no dialog can choose it",
    "P25": "a device: no dialog can choose it",
}
NOT_A_DELIVERY = "export"
"""The category of cases that are about packs going out."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus") / "cases"
    command = [sys.executable, str(MAKER), "--demo", "240", "--out", str(root), "--suite", "shared"]
    subprocess.run(command, check=True, capture_output=True)
    return root


def contexts(root: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each case of a delivery, and the document's context with the case's own laid over it."""
    document = json.loads((root / "expected.json").read_text(encoding="utf-8"))
    plain = {name: document[name] for name in ("labels", "annotators", "exported_at", "received_at")}
    for case in document["cases"]:
        if case["category"] != NOT_A_DELIVERY:
            yield case, {"exported": document["exported"]["file"], "doc": document, **plain, **case["context"]}


def pack_of(root: Path, context: dict[str, Any]) -> Pack:
    """The pack that a case's context tells of; gold, earlier rounds and deliveries no pack tells."""
    number = sum(1 for _ in root.parent.glob("pack*"))
    with (root / context["exported"]).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if name not in RESERVED]
    document = context["doc"]
    return write_pack(
        root.parent / f"pack{number}",
        batch_csv(rows, columns, show_prediction=False),
        round_id=document["batch_id"],
        classes=context["labels"],
        annotators=context["annotators"],
        exported_at=datetime.fromisoformat(context["exported_at"]),
        guideline_sha256=document["instructions_sha256"],
        bad_row_share=document["policy"]["quarantine_reject_share"],
    )


def test_every_file_a_browser_can_read_gets_pythons_answer(browser: Chrome, corpus: Path) -> None:
    packs = cache(lambda exported, labels: pack_of(corpus, by_key[exported, labels]))
    by_key, different, opened, read = {}, {}, None, 0
    for case, context in contexts(corpus):
        if case["id"] in NOT_FOR_A_BROWSER:
            continue
        key = (context["exported"], tuple(context["labels"]))
        by_key.setdefault(key, context)
        one, at = packs(*key), datetime.fromisoformat(context["received_at"])
        if opened != (one.page, at):
            open_page(browser, one.page, at)
            opened = (one.page, at)
        path = corpus / case["dir"] / case["deliver"]
        manifest = path.with_name(f"{path.name}.manifest.json")

        choose(browser, path, *([manifest] if manifest.exists() else []))

        read += 1
        page, python = shown(browser), by_python(one, path, at)
        if page != python:
            different[case["id"]] = [(name, page[name], python[name]) for name in python if page[name] != python[name]]
    assert different == {}
    assert read > 200


def test_the_cases_left_out_are_no_plain_files(corpus: Path) -> None:
    left_out = {case["id"]: corpus / case["dir"] / case["deliver"] for case, _ in contexts(corpus)}
    for case in NOT_FOR_A_BROWSER:
        path = left_out[case]
        assert path.is_symlink() or not path.is_file()
