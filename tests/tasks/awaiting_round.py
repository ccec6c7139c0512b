"""A workspace whose first round is out for labeling, made of files alone: quick, with the params a test asks for."""

import csv
import io
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hitl import pack
from hitl.layout import Workspace
from hitl.ledger import stamp
from tasks import journal
from tasks.edges import files
from tests import factories

EXPORTED = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
COLUMNS = ("item_id", "label", "annotator_id", "comment")


def made(root: Path, *, items: int = 4, **params: Any) -> Workspace:
    """The workspace at `root`: r0001 asks one annotation for each of the items i0000, i0001, ..."""
    workspace, ids = Workspace(root), [f"i{number:04d}" for number in range(items)]
    files.write_text(workspace.params, factories.params_text(**params))
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", root], check=True)
    opened: dict[str, object] = {"params_sha256": journal.params(workspace).sha256()}
    for event, name, facts in [*factories.baseline(), *factories.a_round(1, until="selected", opened=opened)]:
        journal.append(workspace, event, name, facts)
    event, name, facts = factories.told("exported", "r0001", **export(workspace, ids))
    journal.append(workspace, event, name, facts)
    return workspace


def export(workspace: Workspace, ids: list[str]) -> dict[str, object]:
    """Write the pack of r0001; the facts that the ledger keeps of it."""
    folder, deadline = workspace.pack("r0001"), stamp(EXPORTED + timedelta(days=7))
    rows = [{"item_id": one, "weight": "1"} for one in ids]
    batch = files.write_bytes(folder / "batch.csv", pack.batch_csv(rows, ["weight"], show_prediction=False))
    manifest = pack.manifest(
        round_id="r0001",
        batch_id="b",
        classes=["cat", "dog"],
        default_overlap=1,
        overlap={},
        exported_at=EXPORTED,
        deadline=EXPORTED + timedelta(days=7),
        files={"batch.csv": batch},
        guideline_sha256="g",
    )
    files.write_json(folder / "MANIFEST.json", manifest)
    files.write_text(workspace.round("r0001") / "gold.csv", "item_id,label\n")
    counts = {"items": len(ids), "annotations": len(ids)}
    files_out = {"batch.csv": batch, "guideline.md": "g"}
    return {**counts, "deadline": deadline, "exported_at": stamp(EXPORTED), "files": files_out}


def delivery(*ids: str, label: str = "cat", annotator: str = "ann", comment: str = "") -> bytes:
    """A delivery that answers these items."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([COLUMNS, *([one, label, annotator, comment] for one in ids)])
    return text.getvalue().encode()
