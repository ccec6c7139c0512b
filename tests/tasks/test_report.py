import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from hitl import gate, ledger, metrics
from hitl.errors import IntegrityError, MomentError
from hitl.layout import Workspace
from hitl.ledger import Event, Facts
from hitl.params import parse
from tasks import report as reporting
from tasks.edges import files, tables

START = datetime(2026, 11, 21, 9, tzinfo=UTC)
CLASSES = tuple("0123456789")
PIXELS = tuple(f"pixel_{index}" for index in range(64))
NASTY = '<script>alert("x")</script>\x00\x1b[31m\u202egnp.exe\u2066 <img src=x onerror=alert(1)>' + "\u0301" * 50
PARAMS = f"""\
data:
  id: item_id
  label: digit
  classes: {list(CLASSES)}
  columns: {{note: text, {", ".join(f"{name}: numeric" for name in PIXELS)}}}
  image: {{prefix: pixel_, width: 8, height: 8, maximum: 16}}
export: {{columns: [note, {", ".join(PIXELS)}], overlap: 2, overlap_share: 0.5, gold: 2}}
delivery: {{currency: EUR}}
budget: {{annotations: 300}}
"""


class Diary:
    """A workspace made by hand: what the steps would have written, and the ledger that speaks of it."""

    def __init__(self, root: Path, params: str = PARAMS) -> None:
        self.workspace = Workspace(root / "digits")
        self.params = parse(params)
        self.events: list[Event] = []
        files.write_text(self.workspace.params, params)

    def tell(self, event: str, round_id: str, facts: Facts) -> None:
        at = START + timedelta(minutes=7 * len(self.events))
        new = ledger.extend(self.events, at=at, actor="ada", event=event, round=round_id, facts=facts)
        self.events.append(new)
        files.write_bytes(self.workspace.ledger, b"".join(ledger.line(one) for one in self.events))

    def report(self, round_id: str) -> str:
        facts = reporting.report(self.workspace, round_id)
        self.tell("reported", round_id, facts)
        return (self.workspace.round(round_id) / "report.html").read_text(encoding="utf-8")


def digits() -> pd.DataFrame:
    bunch = load_digits()
    frame = pd.DataFrame(bunch.data, columns=list(PIXELS))
    frame["item_id"] = [f"digit-{index:05d}" for index in range(len(frame))]
    frame["note"] = "scanned"
    return frame.assign(label=bunch.target.astype(str))


def trained(diary: Diary, round_id: str, labeled: pd.DataFrame, test: pd.DataFrame, champion: str | None) -> None:
    """Fit, measure and judge a model, and tell of it."""
    model = LogisticRegression(max_iter=300).fit(labeled[list(PIXELS)], labeled["label"])
    probabilities = model.predict_proba(test[list(PIXELS)])
    found = pd.DataFrame(
        {"item_id": test["item_id"], "label": test["label"], "predicted": model.classes_[probabilities.argmax(1)]}
    )
    predictions = found.assign(probabilities=list(probabilities))
    sha256 = tables.write_parquet(diary.workspace.round(round_id) / "predictions.parquet", predictions)
    actual = metrics.codes(list(test["label"]), CLASSES)
    rng = np.random.default_rng(0)
    measured = metrics.measure(actual, probabilities, draws=200, confidence=0.95, rng=rng)
    diary.tell("trained", round_id, {"labels": len(labeled), "model_id": "m" * 64, "model_sha256": "a" * 64})
    diary.tell("evaluated", round_id, {"metrics": measured, "predictions_sha256": sha256})
    verdict = gate.first("accuracy")
    if champion:
        before = tables.read_parquet(diary.workspace.round(champion) / "predictions.parquet")["predicted"]
        was, now = (metrics.codes(list(column), CLASSES) for column in (before, found["predicted"]))
        verdict = gate.judge(actual, was, now, 10, metric="accuracy", margin=0.0, draws=200, confidence=0.95, rng=rng)
    kept = champion if verdict.verdict == "kept" else round_id
    diary.tell("judged", round_id, {**asdict(verdict), "champion": kept, "challenger": round_id, "previous": champion})


def labeled_round(diary: Diary, batch: pd.DataFrame, *, said: str | None = None, held: Sequence[Facts] = ()) -> None:
    """Round r0001 up to its labels: each item answered by two annotators, `said` in place of the truth."""
    workspace, folder = diary.workspace, diary.workspace.round("r0001")
    diary.tell("opened", "r0001", {"params_sha256": diary.params.sha256(), "strategy": "margin", "model": "r0000"})
    diary.tell("scored", "r0001", {"rows": 1200, "candidates_sha256": "c" * 64})
    reasons = ["uncertain"] * (len(batch) - 6) + ["random"] * 4 + ["gold"] * 2
    batch = batch.assign(
        reason=reasons, rank=range(1, len(batch) + 1), model_class="3", model_confidence=0.41, utility=0.9
    )
    batch.loc[batch["reason"] == "gold", "utility"] = np.nan
    names = ["item_id", "utility", "reason", "rank", "model_class", "model_confidence"]
    sha256 = tables.write_parquet(folder / "batch.parquet", batch[names])
    tables.write_parquet(folder / "items.parquet", batch[["item_id", "note", *PIXELS]])
    tables.write_parquet(workspace.gold, batch.loc[batch["reason"] == "gold", ["item_id", "label"]])
    counts = {str(name): int(count) for name, count in batch["reason"].value_counts().items()}
    diary.tell("selected", "r0001", {"items": len(batch), "batch_sha256": sha256, "reasons": counts})
    exported = {"items": len(batch), "annotations": 2 * len(batch), "deadline": "2026-11-28T09:00:00Z", "price": "0.12"}
    diary.tell("exported", "r0001", {**exported, "currency": "EUR", "files": {"batch.csv": "b" * 64}})
    delivered(diary, "acme.csv" if said is None else NASTY, 2 * len(batch), held)
    answers = batch.loc[batch.index.repeat(2), ["item_id", "label"]].assign(annotator_id=["ann", "bob"] * len(batch))
    answers = answers.assign(seconds=4.5, label=answers["label"] if said is None else said).reset_index(drop=True)
    answers["superseded_by"] = None
    answers.loc[0, "label"], answers.loc[3, "label"] = None, "9"
    tables.write_parquet(folder / "annotations.parquet", answers)
    labels = batch[["item_id", "label"]].reset_index(drop=True)
    labels.loc[1, "label"] = None
    tables.write_parquet(folder / "labels.parquet", labels.assign(**{"from": "human", "method": "majority"}))
    diary.tell(
        "validated", "r0001", {"annotations_sha256": "d" * 64, "annotations": len(answers), "answered": len(batch)}
    )
    counted = {
        "resolved": len(batch) - 3,
        "unresolved": [str(labels.loc[1, "item_id"])],
        "skipped": 1,
        "agreement": 0.9,
    }
    pool = {"estimate": 0.75, "low": 0.301, "high": 0.954, "items": 4, "right": 3}
    diary.tell("resolved", "r0001", {**counted, "gold": {"answered": 4, "correct": 3}, "pool_accuracy": pool})


def delivered(diary: Diary, name: str, rows: int, held: Sequence[Facts]) -> None:
    """One delivery taken with `held` rows, one refused."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    counts = {"delivered": rows + len(held), "accepted": rows, "quarantined": len(held), "duplicate": 0}
    payable = {"annotations": rows, "amount": f"{rows * 0.12:.2f}", "price": "0.12", "currency": "EUR"}
    facts: Facts = {
        "delivery": sha256,
        "file": name,
        "verdict": "quarantine",
        "reasons": ["R_LABEL_UNKNOWN"],
        "warnings": ["W_BOM"],
    }
    said = {**facts, "rows": counts, "payable": payable, "received_at": "2026-11-23T10:00:00Z"}
    receipt = files.write_json(diary.workspace.deliveries / f"{sha256}.receipt.json", {**said, "held": list(held)})
    diary.tell("delivered", "r0001", {**said, "receipt_sha256": receipt})
    none = {"delivered": 9, "accepted": 0, "quarantined": 0, "duplicate": 0}
    refused: Facts = {
        "delivery": "f" * 64,
        "file": "empty.csv",
        "verdict": "reject",
        "reasons": ["F_EMPTY"],
        "warnings": [],
        "rows": none,
    }
    diary.tell("refused", "r0001", refused)


def first_rounds(root: Path, *, size: int = 20, said: str | None = None, held: Sequence[Facts] = ()) -> Diary:
    """A baseline and a round of `size` items that waits for its report."""
    diary, items = Diary(root), digits()
    test, initial, batch = (
        items[:400].reset_index(drop=True),
        items[400:440],
        items[440 : 440 + size].reset_index(drop=True),
    )
    if said is not None:
        batch["note"] = said
    diary.tell(
        "created", "r0000", {"counts": {"initial": 40, "test": 400, "pool": 1300, "gold": 20}, "classes": list(CLASSES)}
    )
    trained(diary, "r0000", initial, test, None)
    diary.tell("closed", "r0000", {"files": {}})
    labeled_round(diary, batch, said=said, held=held)
    trained(diary, "r0001", items[400:700], test, "r0000")
    return diary


HELD: Facts = {
    "row": 17,
    "column": "label",
    "value": "seven",
    "code": "R_LABEL_UNKNOWN",
    "expected": "one of: 0 to 9",
    "proposed": "7",
}


@pytest.fixture(scope="module")
def diary(tmp_path_factory: pytest.TempPathFactory) -> Diary:
    made = first_rounds(tmp_path_factory.mktemp("report"), held=[HELD])
    made.page = made.report("r0001")  # type: ignore[attr-defined]
    return made


@pytest.fixture(scope="module")
def page(diary: Diary) -> str:
    return str(diary.page)  # type: ignore[attr-defined]


class Outline(HTMLParser):
    """What a browser would find: the tags with their attributes, in order, and whether each is closed."""

    VOID = frozenset({"meta", "img", "link", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.stack: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_says_what_became_of_the_round(page: str) -> None:
    assert "r0001 is the new champion: it gains" in page
    assert "over r0000" in page
    assert "75.0 %" in page
    assert "4.80 EUR" in page
    assert "260" in page  # annotations left of 300


def test_each_delivery_and_held_row_is_on_the_page(page: str) -> None:
    for said in ("acme.csv", "empty.csv", "F_EMPTY", "R_LABEL_UNKNOWN, W_BOM", "seven", "one of: 0 to 9"):
        assert said in page


def test_an_item_without_a_label_goes_to_adjudication(page: str) -> None:
    assert "Items for adjudication" in page
    assert "digit-00441" in page


def test_images_are_shown_as_pictures_with_a_text(page: str) -> None:
    pictures = Outline(page).named("img")
    assert len(pictures) == 21
    assert all((one["src"] or "").startswith("data:image/png;base64,") and one["alt"] for one in pictures)


def test_every_element_is_closed_and_no_id_comes_twice(page: str) -> None:
    outline = Outline(page)
    assert outline.stack == []
    ids = [str(attributes["id"]) for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {(one["href"] or "").removeprefix("#") for one in outline.named("a")} == set(ids)


def test_every_table_has_a_caption_and_headings(page: str) -> None:
    outline = Outline(page)
    assert len(outline.named("table")) == len(outline.named("caption")) > 8
    assert all(one.get("scope") for one in outline.named("th"))
    assert all(one.get("aria-label") for one in outline.named("svg"))


def test_the_page_needs_no_network_and_runs_nothing(page: str) -> None:
    outline = Outline(page)
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in outline.tags}
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|url\(|@import", page)
    assert "default-src 'none'" in page


def test_the_same_ledger_gives_the_same_bytes_even_after_later_events(diary: Diary, page: str) -> None:
    reporting.report(diary.workspace, "r0001")
    assert (diary.workspace.round("r0001") / "report.html").read_text(encoding="utf-8") == page


def test_a_lost_report_is_made_again_as_the_ledger_knows_it(diary: Diary, page: str) -> None:
    path = diary.workspace.round("r0001") / "report.html"
    path.unlink()
    assert reporting.find(diary.workspace) == {"round": "r0001", "report": str(path)}
    assert path.read_text(encoding="utf-8") == page


def test_a_report_that_would_come_out_otherwise_is_not_passed_off_as_the_lost_one(tmp_path: Path) -> None:
    diary = first_rounds(tmp_path)
    diary.report("r0001")
    (diary.workspace.round("r0001") / "report.html").unlink()
    files.write_text(diary.workspace.params, PARAMS.replace("annotations: 300", "annotations: 301"))
    with pytest.raises(IntegrityError, match="dvc checkout"):
        reporting.find(diary.workspace)


def test_a_round_without_a_report_is_named(diary: Diary) -> None:
    with pytest.raises(MomentError, match="r0000 is closed and has no report"):
        reporting.find(diary.workspace, "r0000")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    diary = first_rounds(tmp_path)
    (diary.workspace.round("r0001") / "labels.parquet").unlink()
    with pytest.raises(IntegrityError, match=r"labels\.parquet is missing"):
        reporting.report(diary.workspace, "r0001")


def test_what_strangers_write_is_text_and_nothing_else(tmp_path: Path) -> None:
    nasty = dict.fromkeys(("column", "value", "code", "expected", "proposed"), NASTY * 40)
    diary = first_rounds(tmp_path, said=NASTY * 40, held=[{"row": 1, **nasty}, {"row": 2, **dict.fromkeys(nasty)}])
    text = diary.report("r0001")
    outline = Outline(text)
    assert outline.stack == []
    assert "script" not in {tag for tag, _ in outline.tags}
    assert not any(key.startswith("on") for _, attributes in outline.tags for key in attributes)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)
    assert "&lt;script&gt;" in text
    assert len(text) < 300_000


def test_a_batch_of_500_items_stays_below_a_megabyte_and_says_its_limit(tmp_path: Path) -> None:
    diary = first_rounds(tmp_path, size=500, held=[{**HELD, "row": row} for row in range(900)])
    text = diary.report("r0001")
    assert len(text.encode()) < 1_000_000
    assert "The first 200 of 500 items are shown." in text
    assert "The first 200 of 900 held rows are shown." in text


def test_a_round_that_waits_has_a_page_of_what_is_known(tmp_path: Path) -> None:
    diary = first_rounds(tmp_path)
    names = [one.event for one in diary.events]
    kept = diary.events[: names.index("exported") + 1]
    files.write_bytes(diary.workspace.ledger, b"".join(ledger.line(one) for one in kept))
    facts = reporting.report(diary.workspace, "r0001")
    data = (diary.workspace.round("r0001") / "report.html").read_bytes()
    assert facts == {"report_sha256": hashlib.sha256(data).hexdigest()}
    assert b"r0001 has no verdict yet." in data
    assert b"No file has come back." in data


def test_the_baseline_has_a_page_too(diary: Diary) -> None:
    reporting.report(diary.workspace, "r0000")
    text = (diary.workspace.round("r0000") / "report.html").read_text(encoding="utf-8")
    assert "r0000 is the first model, so it is the champion." in text


def test_random_choice_stands_beside_the_curve_when_it_was_measured(tmp_path: Path) -> None:
    diary = first_rounds(tmp_path)
    rows = [f"{seed},30,{60 + seed},0.{80 + seed}" for seed in range(3)] + ["0,60,90,0.9"]
    files.write_text(diary.workspace.data / "comparison.csv", "\n".join(["seed,asked,labels,accuracy", *rows, ""]))
    text = diary.report("r0001")
    assert text.count('class="random"') == 2  # one point, one in the legend
    assert "chosen at random" in text


def test_receipts_are_read_as_they_were_written(diary: Diary) -> None:
    found = reporting.sources(diary.workspace, "r0001").receipts
    (receipt,) = found.values()
    assert json.loads(json.dumps(receipt))["held"] == [HELD]
