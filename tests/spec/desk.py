"""A workspace whose second round waits for answers to the contract's batch: made of files, then used by the product."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import run
from threading import Event, Thread
from typing import Any, cast

from hitl import pack
from hitl.delivery import intake_rules
from hitl.layout import Workspace
from hitl.params import parse
from tasks import expected, journal
from tasks.edges import files
from tasks.ingest import check_with_pack, ingest
from tests import factories
from tests.spec import batch
from tests.spec.rule import Sent, Step

HUGE, LONG = 64 << 30, 32 << 20
"""More bytes than are ever taken in, and so many that reading them takes a while."""
EXPORTED_AT = datetime(2025, 3, 10, 8, tzinfo=UTC)
GUIDELINE = "# Guideline\n\nWhat is the message about?\n"
PARAMS: dict[str, dict[str, Any]] = {
    "data": {"id": "id", "label": "about", "classes": list(batch.CLASSES), "columns": batch.COLUMNS},
    "export": {"columns": list(batch.COLUMNS)},
    "delivery": {"annotators": list(batch.ANNOTATORS), "price": 0.12, "currency": "EUR"},
}


def made(root: Path) -> Workspace:
    """The workspace: one round is closed, and the pack of the second is out."""
    workspace = Workspace(root)
    out = {"items": len(batch.BATCH), "annotations": len(batch.rows()), "price": "0.12"}
    params = factories.params_text(**PARAMS)
    began = {"params_sha256": parse(params).sha256()}
    ours = factories.a_round(2, until="exported", opened=began, exported={**out, "files": {"guideline.md": "g"}})
    told = [*factories.baseline(), *factories.a_round(1), *ours]
    files.write_text(workspace.params, params)
    files.write_bytes(workspace.ledger, factories.ledger_bytes(*told))
    files.write_text(workspace.guideline, GUIDELINE)
    _export(workspace, "r0001", batch.EARLIER, ("shipping", *batch.CLASSES))
    _export(workspace, "r0002", batch.BATCH, batch.CLASSES)
    run(["git", "init", "--quiet", "--initial-branch=main", root], check=True)
    return workspace


def answered(workspace: Workspace, outside: Path, step: Step) -> dict[str, Any]:
    """The receipt that a step's file gets."""
    _happen(workspace, step.first)
    with laid(outside, step.sent) as path:
        return cast(dict[str, Any], ingest(workspace, path).receipt)


def checked(workspace: Workspace, outside: Path, step: Step) -> dict[str, Any]:
    """What a check that knows the pack alone says of a step's file."""
    with laid(outside, step.sent) as path:
        return cast(dict[str, Any], check_with_pack(path, workspace.pack("r0002")))


def accepted_rows(workspace: Workspace, sha256: str) -> set[int]:
    """The numbers of the rows that were taken from a delivery."""
    standing = expected.standing(workspace, journal.read(workspace), "r0002")
    return {one.row for judged in standing if judged.sha256 == sha256 for one in judged.annotations}


@contextmanager
def laid(folder: Path, sent: Sent) -> Iterator[Path]:
    """The file as it is sent, in a folder of its own."""
    folder.mkdir()
    path = folder / sent.name
    soon = (journal.now() + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    plain = folder / "elsewhere.csv" if sent.kind == "link" else path
    plain.write_bytes(sent.data.replace(batch.SOON.encode(), soon.encode()))
    if sent.kind == "link":
        path.symlink_to(plain.name)
    if sent.manifest:
        path.with_name(f"{path.name}{intake_rules.MANIFEST_SUFFIX}").write_text(sent.manifest, encoding="utf-8")
    os.truncate(plain, {"huge": HUGE, "growing": LONG}.get(sent.kind, plain.stat().st_size))
    with growing(path) if sent.kind == "growing" else nullcontext():
        yield path


@contextmanager
def growing(path: Path) -> Iterator[None]:
    """Somebody writes to the file all the time."""
    begun, ended = Event(), Event()

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            while not ended.wait(0.001):
                file.write(b"x")
                begun.set()

    writer = Thread(target=write)
    writer.start()
    begun.wait()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def _export(workspace: Workspace, name: str, items: Iterable[Sequence[str]], classes: tuple[str, ...]) -> None:
    rows = [{"item_id": item, "subject": subject, "amount": amount} for item, subject, amount, _ in items]
    folder, columns = workspace.pack(name), list(batch.COLUMNS)
    guideline = files.write_text(folder / "guideline.md", GUIDELINE)
    written = {
        "batch.csv": files.write_bytes(
            folder / "batch.csv", pack.batch_csv(rows, columns, show_prediction=False, numeric=["amount"])
        ),
        "datapackage.json": files.write_json(folder / "datapackage.json", pack.datapackage(columns, classes)),
        "guideline.md": guideline,
    }
    manifest = pack.manifest(
        round_id=name,
        batch_id=name,
        classes=classes,
        default_overlap=1,
        overlap={batch.TWICE: 2} if name == "r0002" else {},
        exported_at=EXPORTED_AT,
        deadline=EXPORTED_AT + timedelta(days=7),
        files=written,
        guideline_sha256=guideline,
        annotators=batch.ANNOTATORS,
        answered=batch.ANSWERED if name == "r0002" else None,
    )
    files.write_json(folder / "MANIFEST.json", manifest)
    gold = "".join(f"{item},{label}\n" for item, label in batch.GOLD.items()) if name == "r0002" else ""
    files.write_text(workspace.round(name) / "gold.csv", f"item_id,label\n{gold}")


def _happen(workspace: Workspace, what: str) -> None:
    """Make happen what a step says comes first."""
    if what:
        journal.append(workspace, {"the round is closed": "validated"}[what], "r0002", {})
