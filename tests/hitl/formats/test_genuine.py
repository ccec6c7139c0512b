"""Exports that tools really wrote, as far as they are at hand: read with the counts of their list, or refused."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hitl.delivery.source import Bytes
from hitl.formats import Asked, WrongExport, recognised
from hitl.formats.tally import Tally

ROOT = Path(__file__).parents[4] / "shared" / "data"
MANIFEST = ROOT / "MANIFEST.json"
CLASSES = {"choices", "taxonomy", "rating", "pairwise"}
"""The kinds of result that say something of a whole item (Label Studio)."""

pytestmark = pytest.mark.skipif(not MANIFEST.is_file(), reason="no genuine exports at hand")


def entries() -> list[dict[str, Any]]:
    listed = json.loads(MANIFEST.read_text(encoding="utf-8"))["exports"] if MANIFEST.is_file() else []
    return [one for one in listed if (ROOT / one["file"]).is_file()]


def counted(file: str) -> Tally | str:
    """What an export holds, or why it is refused."""
    path, tally = ROOT / file, Tally()
    try:
        found = recognised(path.name, Bytes(path.read_bytes()))
        if found is None:
            return "no tool's"
        for _ in tally.over(found.read(Asked(accept_loss=True))):
            pass
    except WrongExport as error:
        return error.found
    return tally


def promised(tool: str, stats: Mapping[str, Any]) -> Mapping[str, int]:
    """The counts that the list states, in our words."""
    names = {"rows": "annotations", "annotations": "annotations", "annotators": "annotators", "workers": "annotators"}
    found = {ours: stats[theirs] for theirs, ours in names.items() if theirs in stats}
    if "cancelled" in stats:
        found["skipped"] = stats["cancelled"]
    if tool == "prodigy":
        found["annotations"] = stats["records"]
        found["skipped"] = stats["answers"].get("ignore", 0)
    if tool == "doccano":
        found["annotations"] = stats["records"] - stats["empty"]
    return found


@pytest.mark.parametrize("entry", entries(), ids=lambda one: one["file"])
def test_a_genuine_export_is_read_with_the_counts_of_its_list_or_refused(entry: dict[str, Any]) -> None:
    found = counted(entry["file"])
    if isinstance(found, str):
        assert found
        assert not CLASSES & set(entry["stats"].get("types", ())), f"refused: {found}"
        return
    facts = {
        "annotators": len(found.annotators),
        "annotations": found.annotations,
        "skipped": found.statuses["skipped"],
    }
    expected = promised(entry["tool"], entry["stats"])
    assert {name: facts[name] for name in expected} == expected
