"""A round whose items go out to labeling tools and come back as their exports: the same ledger, the same tables."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows import repair
from hitl.formats import FORMATS
from hitl.layout import Workspace
from tasks import rebuild
from tasks.edges import files
from tasks.ingest import Answer, check_with_pack, ingest
from tests.tasks.small_workspace import answers, closed, made, opened, rows, sent

TOOLS = [name for name, one in FORMATS.items() if one.write]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    export: dict[str, Any] = {
        "columns": ["note", "size"],
        "show_prediction": True,
        "gold": 3,
        "format": ["csv", *TOOLS],
    }
    root = tmp_path_factory.mktemp("tools") / "workspace"
    workspace = made(root, export=export, privacy={"mask_patterns": ["nº"]}, delivery={"importers": ["admin"]})
    opened(workspace)
    return workspace


def labeled(workspace: Workspace, *, skip: int = 0) -> list[dict[str, Any]]:
    """The Label Studio import of the pack as it comes back: each item answered, the first ones skipped."""
    imported = json.loads((workspace.pack("r0001") / "label_studio.json").read_text(encoding="utf-8"))
    label = {row["item_id"]: row["label"] for row in answers(workspace, "r0001")}
    for number, item in enumerate(imported):
        choice = {"type": "choices", "from_name": "label", "value": {"choices": [label[item["data"]["item_id"]]]}}
        given = {"id": number, "completed_by": {"id": 5}, "result": [choice], "lead_time": 3.25}
        item["annotations"] = [given if number >= skip else {**given, "was_cancelled": True, "result": []}]
    return imported


def flattened(exported: list[dict[str, Any]]) -> bytes:
    """The same as Label Studio's CSV."""
    rows = [["annotation_id", "annotator", "item_id", "label", "lead_time"]]
    for item in exported:
        (given,) = item["annotations"]
        label = given["result"][0]["value"]["choices"][0]
        rows.append([str(given["id"]), "5", item["data"]["item_id"], label, str(given["lead_time"])])
    return "".join(f"{','.join(row)}\n" for row in rows).encode()


def delivered(workspace: Workspace, name: str, exported: object) -> Answer:
    path = workspace.root / "sent" / name
    files.write_bytes(path, json.dumps(exported).encode())
    return ingest(workspace, path)


def test_every_tool_gets_the_items_of_the_pack_and_nothing_else(workspace: Workspace) -> None:
    batch = rows(workspace.pack("r0001") / "batch.csv")
    listed = json.loads((workspace.pack("r0001") / "MANIFEST.json").read_text(encoding="utf-8"))["files"]
    imported = json.loads((workspace.pack("r0001") / "label_studio.json").read_text(encoding="utf-8"))
    assert [item["data"]["item_id"] for item in imported] == sent(workspace, "r0001")
    for item, row in zip(imported, batch, strict=True):
        shown = [one["result"][0]["value"]["choices"] for one in item.get("predictions", [])]
        assert shown == ([[row["model_class"]]] if row["model_class"] else [])
        assert (item["data"]["text"], item["data"]["row"]) == (row["note"], {"size": row["size"].removeprefix("'")})
        assert "nº" not in item["data"]["text"]
    assert 0 < sum("predictions" not in item for item in imported) < len(imported)
    for name in TOOLS:
        made_files = FORMATS[name].write
        assert made_files is not None
        texts = [(workspace.pack("r0001") / file).read_text(encoding="utf-8") for file in listed if file not in COMMON]
        assert any(all(item in text for item in sent(workspace, "r0001")) for text in texts)
    held = pd.read_parquet(workspace.round("r0001") / "batch.parquet")
    everything = b"".join((workspace.pack("r0001") / file).read_bytes() for file in listed if file not in COMMON)
    assert b"gold" not in everything and not held.empty


COMMON = {"batch.csv", "guideline.md", "datapackage.json", "contract.md", "check.html"}


def test_an_export_is_taken_kept_undone_and_recomputed(workspace: Workspace) -> None:
    exported = labeled(workspace, skip=1)
    path = workspace.root / "sent" / "again.json"
    files.write_bytes(path, json.dumps(exported).encode())
    assert check_with_pack(path, workspace.pack("r0001"))["verdict"] == "accept"

    taken = delivered(workspace, "project-1.json", exported)

    assert (taken.receipt["verdict"], taken.receipt["tool"]) == ("accept", "label_studio")
    sha256 = str(taken.receipt["delivery"])
    assert (workspace.deliveries / f"{sha256}.csv").read_bytes() == path.read_bytes()
    assert ingest(workspace, path).receipt["reasons"] == ["F_DUPLICATE_DELIVERY"]
    repair.undo(workspace, "delivery", sha256[:12], reason="a test")
    flat = workspace.root / "sent" / "project-1.csv"
    files.write_bytes(flat, flattened(labeled(workspace)))
    without = ingest(workspace, flat).receipt
    assert (without["verdict"], without["reasons"]) == ("reject", ["F_EXPORT"])
    assert "export as JSON" in str(without["note"])
    again = ingest(workspace, flat, accept_loss=True)
    assert again.receipt["rows"] == {"delivered": 15, "accepted": 15, "quarantined": 0, "duplicate": 0}
    closed(workspace, "r0001")
    told = pd.read_parquet(workspace.round("r0001") / "annotations.parquet")
    assert set(told["tool"]) == {"label_studio"}
    assert set(told["annotator_id"]) == {"5"} and set(told["seconds"]) == {3.25}
    assert rebuild.rebuild(workspace, check=True)["differences"] == []


def test_annotators_who_must_not_see_the_model_are_shown_nothing_of_it(tmp_path: Path) -> None:
    workspace = made(tmp_path / "blind", export={"columns": ["note"], "format": TOOLS})
    opened(workspace)
    folder = workspace.pack("r0001")
    for path in folder.iterdir():
        if path.name not in COMMON | {"MANIFEST.json"}:
            assert b"model_" not in path.read_bytes() and b"predictions" not in path.read_bytes()
    assert check_refused(folder, tmp_path)["note"].startswith("this Label Studio export holds only 1 labels")


def check_refused(folder: Path, outside: Path) -> dict[str, Any]:
    spans = [{"data": {"text": "x"}, "annotations": [{"result": [{"type": "labels", "value": {"start": 1}}]}]}]
    (outside / "spans.json").write_text(json.dumps(spans), encoding="utf-8")
    return dict(check_with_pack(outside / "spans.json", folder))
