"""A delivery that supersedes another: the new answer stands and is not paid again, the old one stays in the history."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hitl import resolve
from hitl.errors import IntegrityError
from hitl.layout import Workspace
from hitl.state import RoundState
from tasks import expected, journal
from tasks.edges import tables
from tasks.ingest import ingest
from tasks.validate import validate
from tests.spec import batch, desk
from tests.spec.rule import Sent

HEADER = (*batch.HEADER, "supersedes")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = desk.made(tmp_path / "workspace")
    earlier, before = workspace.round("r0001"), pd.DataFrame({"item_id": [item for item, *_ in batch.EARLIER]})
    for name in ("batch", "annotations"):
        tables.write_parquet(earlier / f"{name}.parquet", before.assign(reason="uncertain"))
    items = [item for item, *_ in batch.BATCH]
    frame = pd.DataFrame({"item_id": items, "model_class": "other", "reason": "uncertain"})
    tables.write_parquet(workspace.round("r0002") / "batch.parquet", frame)
    amounts = pd.Series([row[2] for row in batch.BATCH], dtype="object")
    columns = {"item_id": items, "subject": [row[1] for row in batch.BATCH], "amount": pd.to_numeric(amounts)}
    tables.write_parquet(workspace.round("r0002") / "items.parquet", pd.DataFrame(columns))
    test = pd.DataFrame({"item_id": ["elsewhere"], "subject": ["elsewhere"], "amount": [0.5]})
    tables.write_parquet(workspace.test, test)
    return workspace


def sent(label: str, supersedes: str = "", *, item: str = "T03") -> Sent:
    """One row: another answer for the item, and the delivery it replaces."""
    old = next(row for row in batch.rows() if row["item_id"] == item)
    return batch.written([{**old, "label": label, "supersedes": supersedes}], HEADER)


def answered(workspace: Workspace, sent: Sent) -> dict[str, Any]:
    folder = workspace.root.parent / f"sent-{len(list(workspace.root.parent.iterdir()))}"
    with desk.laid(folder, sent) as path:
        return dict(ingest(workspace, path).receipt)


def taken(workspace: Workspace, *labels: str) -> Sequence[str]:
    """Deliver everything, then each of the labels for T03 as a revision of the one before; their sha256 in order."""
    said = [answered(workspace, batch.sound())]
    for label in labels:
        said.append(answered(workspace, sent(label, str(said[-1]["delivery"]))))
    assert {one["verdict"] for one in said} == {"accept"}
    return [str(one["delivery"]) for one in said]


def the_round(workspace: Workspace) -> RoundState:
    return journal.read(workspace).round("r0002")


def test_a_revision_of_a_revision_stands_and_is_paid_once(workspace: Workspace) -> None:
    first, second, third = taken(workspace, "other", "billing")

    validate(workspace, "r0002")
    told = tables.read_parquet(workspace.round("r0002") / "annotations.parquet")
    mine = told[told["item_id"] == "T03"].set_index("delivery")
    assert mine["label"].to_dict() == {first: "delivery", second: "other", third: "billing"}
    assert mine["superseded_by"].dropna().to_dict() == {first: second, second: third}
    standing = resolve.standing(told)
    assert len(standing) == the_round(workspace).accepted == 13
    assert standing.set_index("item_id").loc["T03", "label"] == "billing"
    assert the_round(workspace).spent == Decimal("1.56")


def test_a_receipt_counts_what_was_revised_and_pays_it_no_more(workspace: Workspace) -> None:
    first = answered(workspace, batch.sound())

    said = answered(workspace, sent("other", str(first["delivery"])[:8]))

    assert (said["rows"]["accepted"], said["revised"], said["payable"]["amount"]) == (1, 1, "0.00")


def test_only_the_delivery_whose_answer_stands_can_be_superseded(workspace: Workspace) -> None:
    first, second = taken(workspace, "other")

    said = answered(workspace, sent("billing", first))

    assert said["reasons"] == ["R_RELABEL_CONFLICT"]
    assert said["held"][0]["expected"].startswith(f"{second} in a column supersedes")


def test_a_manifest_supersedes_as_a_column_does(workspace: Workspace) -> None:
    first = answered(workspace, batch.sound())["delivery"]

    said = answered(workspace, batch.row(label="other").beside(json.dumps({"supersedes": first})))

    assert (said["verdict"], said["rows"]["duplicate"], said["revised"]) == ("accept", 12, 1)


def test_a_manifest_that_was_changed_later_is_found(workspace: Workspace) -> None:
    first = answered(workspace, batch.sound())["delivery"]
    said = answered(workspace, batch.row(label="other").beside(json.dumps({"supersedes": first})))
    kept = workspace.deliveries / f"{said['delivery']}.csv.manifest.json"
    kept.chmod(0o600)
    kept.write_text("{}")

    with pytest.raises(IntegrityError, match=r"manifest\.json was changed"):
        list(expected.standing(workspace, journal.read(workspace), "r0002"))


def test_a_delivery_of_another_round_cannot_be_superseded(workspace: Workspace) -> None:
    answered(workspace, batch.sound())

    assert answered(workspace, sent("other", "d1" * 32))["reasons"] == ["R_SUPERSEDES_UNKNOWN"]


def test_what_is_expected_is_the_same_whether_or_not_this_process_took_the_deliveries(workspace: Workspace) -> None:
    taken(workspace, "other", "billing")
    state, at = journal.read(workspace), journal.now()

    seen = expected.now(workspace, state, at)
    fresh = expected.now(Workspace(workspace.root / "." / "data" / ".."), state, at)

    assert dict(seen.taken) == dict(fresh.taken)
    assert seen.known == fresh.known
