"""Packs and deliveries for tests of the page: what Python says of a file, and what the page says of it."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from hitl import pack
from hitl.contract import SKIP
from hitl.delivery.judgement import Judgement
from hitl.delivery.receipt import redo_csv
from tasks.edges.check_page import check_html
from tasks.ingest import asked_by, judging

EXPORTED = datetime(2026, 11, 2, 9, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 20, 9, tzinfo=UTC)
Answer = dict[str, Any]


@dataclass(frozen=True)
class Pack:
    """A pack in a folder: MANIFEST.json, batch.csv, check.html."""

    folder: Path
    manifest: Mapping[str, Any]
    batch: bytes

    @property
    def page(self) -> str:
        return (self.folder / "check.html").as_uri()


def write_pack(folder: Path, batch: bytes, **promises: Any) -> Pack:
    """A pack around a batch.csv; `promises` replace what its manifest says by default."""
    plain: dict[str, Any] = {
        "round_id": "r0001",
        "batch_id": "b1",
        "classes": ["cat", "dog", "horse"],
        "default_overlap": 1,
        "overlap": {},
        "exported_at": EXPORTED,
        "deadline": RECEIVED,
        "files": {},
        "guideline_sha256": "0" * 64,
    }
    manifest = pack.manifest(**(plain | promises))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "batch.csv").write_bytes(batch)
    (folder / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "check.html").write_bytes(check_html(manifest, batch))
    return Pack(folder, manifest, batch)


def by_python(one: Pack, path: Path, at: datetime = RECEIVED) -> Answer:
    """What `hitl check --pack` finds of the file at `path`, at a moment."""
    with judging(path, asked_by(one.folder, at)) as (judged, _, _):
        return _told(judged)


def _told(judged: Judgement) -> Answer:
    return {
        "delivery": judged.sha256,
        "verdict": judged.verdict,
        "reasons": list(map(str, judged.reasons)),
        "warnings": list(map(str, judged.warnings)),
        "rows": [judged.delivered, judged.accepted, judged.quarantined, judged.duplicate],
        "accepted": [[each.item_id, each.label or SKIP, each.annotator_id] for each in judged.annotations],
        "complete": judged.complete,
        "redo": redo_csv(judged).decode() if judged.quarantined else "",
    }


def by_page(browser: Chrome, files: Sequence[tuple[str, bytes]]) -> Answer:
    """What the open page says of files that never were on a disk."""
    script = """
        const [files, done] = arguments;
        const bytes = (text) => Uint8Array.from(atob(text), (mark) => mark.charCodeAt(0));
        hitlCheck(files.map(([name, text]) => new File([bytes(text)], name)))
            .then((found) => done({...found, redo: found.redo.join("")}), (error) => done({error: String(error)}));
    """
    sent = [(name, base64.b64encode(data).decode()) for name, data in files]
    return plain(browser.execute_async_script(script, sent))


def shown(browser: Chrome) -> Answer:
    """The answer behind what the page shows now."""
    return plain(browser.execute_script("return {...hitlAnswer, redo: hitlAnswer.redo.join('')}"))


def plain(found: Answer) -> Answer:
    """The page's answer in the terms of `by_python`."""
    if "error" in found:
        return found
    names = ("delivery", "verdict", "reasons", "warnings", "accepted", "redo")
    rows = [found["rows"][name] for name in ("delivered", "accepted", "quarantined", "duplicate")]
    return {**{name: found[name] for name in names}, "rows": rows, "complete": found["items"]["complete"]}


def open_page(browser: Chrome, url: str, at: datetime = RECEIVED) -> None:
    """Open the page at `url` as if it were `at`: a page has no other clock than the computer's."""
    clock = {"source": f"Date.now = () => {round(at.timestamp() * 1000)};"}
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", clock)
    browser.get(url)
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def choose(browser: Chrome, *paths: Path) -> str:
    """Choose files in the page's own input, as a person does; the text of the answer it shows."""
    browser.execute_script("document.getElementById('result').replaceChildren()")
    # The driver's own way takes a line end in a path for the next file.
    root = browser.execute_cdp_cmd("DOM.getDocument", {})["root"]["nodeId"]
    found = browser.execute_cdp_cmd("DOM.querySelector", {"nodeId": root, "selector": "#file"})
    browser.execute_cdp_cmd("DOM.setFileInputFiles", {**found, "files": list(map(str, paths))})
    return _answered(browser)


def drop(browser: Chrome, *paths: Path) -> str:
    """Drop files on the page, as a person does; the text of the answer it shows."""
    data = {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
    return _answered(browser)


def _answered(browser: Chrome) -> str:
    WebDriverWait(browser, 120, 0.02).until(lambda page: page.find_elements(By.CSS_SELECTOR, "#result .verdict"))
    return browser.find_element(By.ID, "result").text
