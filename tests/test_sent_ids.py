"""Whole rounds with ids that spreadsheets spoil, and with pseudonyms: every answer arrives under the item's own id."""

import csv
import re
from pathlib import Path

import pandas as pd
import pytest

from flows import engine, start
from hitl.errors import ParamsError
from hitl.layout import Workspace
from hitl.surrogate import is_safe, is_surrogate
from tasks import journal, simulate, verify
from tasks.edges import files
from tasks.edges.key import VARIABLE

AWKWARD = (
    "00012",
    "1E5",
    "3-4",
    "12345678901234567890",
    "=1+1",
    "'quote",
    "a\nb",
    "MARCH1",
    "TRUE",
    "caf\u00e9",
    " x y",
)
KEY = "0123456789abcdef" * 3


def made(root: Path, **changes: str) -> Workspace:
    """A workspace of 60 items whose whole pool goes out; `changes` are replaced in its params.yaml."""
    root.mkdir()
    ids = [*AWKWARD, *(f"{number:05d}" for number in range(100, 120)), *(f"item_{number}" for number in range(29))]
    source = root.parent / f"{root.name}.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        rows = [[id, f"text of number {place}", place % 7, ("odd", "even")[place % 2]] for place, id in enumerate(ids)]
        csv.writer(file).writerows([["key", "words", "size", "parity"], *rows])
    workspace = Workspace(root)
    options = {"label": "parity", "id": "key", "text": "words", "initial": 8, "test": 0.2, "hide": True, "gold": 3}
    start.from_file(workspace, source, **options)
    text = workspace.params.read_text(encoding="utf-8")
    for old, new in {"batch: 30": "batch: 60", "gold: 0": "gold: 2", **changes}.items():
        assert old in text
        text = text.replace(old, new)
    files.write_text(workspace.params, text)
    return workspace


def batch(workspace: Workspace) -> list[dict[str, str]]:
    with (workspace.pack("r0001") / "batch.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def labeled(workspace: Workspace) -> dict[str, str]:
    found = pd.read_parquet(workspace.labeled)
    return dict(zip(found["item_id"], found["label"], strict=True))


def truth(workspace: Workspace) -> dict[str, str]:
    with workspace.truth.open(newline="", encoding="utf-8") as file:
        return {row["item_id"]: row["label"] for row in csv.DictReader(file)}


def whole_round(workspace: Workspace) -> None:
    engine.perform("open", workspace, "direct")
    (answer,) = simulate.simulate(workspace, noise=0.0)
    assert answer.receipt["verdict"] == "accept"
    assert answer.receipt["warnings"] == []
    engine.perform("close", workspace, "direct")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose first round is closed."""
    workspace = made(tmp_path_factory.mktemp("plain") / "w")
    whole_round(workspace)
    return workspace


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> list[Workspace]:
    """Two workspaces of the same items, with pseudonyms for two vendors; the first one's round is closed."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, KEY)
        for name in ("acme", "zeta"):
            folder, vendor = tmp_path_factory.mktemp(name), {'vendor: "vendor"': f'vendor: "{name}"'}
            found.append(made(folder / "w", **{"pseudonymise: false": "pseudonymise: true"}, **vendor))
        whole_round(found[0])
        engine.perform("open", found[1], "direct")
    return found


def test_no_id_that_a_spreadsheet_spoils_leaves(plain: Workspace) -> None:
    ids = [row["item_id"] for row in batch(plain)]
    assert all(map(is_safe, ids))
    assert any(id.startswith("item_") for id in ids)
    assert any(map(is_surrogate, ids))


@pytest.mark.parametrize("kind", ["plain", "hidden"])
def test_labels_arrive_under_the_ids_that_the_items_have(kind: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(kind)
    workspace = found[0] if kind == "hidden" else found
    known, learned = truth(workspace), labeled(workspace)
    assert len(set(AWKWARD) & set(known)) > 3
    assert {item: learned[item] for item in known} == known
    annotations = pd.read_parquet(workspace.round("r0001") / "annotations.parquet")
    assert set(known) <= set(annotations["item_id"])


@pytest.mark.parametrize("kind", ["plain", "hidden"])
def test_gold_answers_are_found_right(kind: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(kind)
    one = journal.read(found[0] if kind == "hidden" else found).round("r0001")
    assert one.facts["resolved"]["gold"] == {"answered": 2, "correct": 2}


@pytest.mark.parametrize("kind", ["plain", "hidden"])
def test_verify_covers_the_map(kind: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(kind)
    workspace = found[0] if kind == "hidden" else found
    assert verify.verify(workspace)["problems"] == []
    path = workspace.round("r0001") / "ids.csv"
    assert path.stat().st_mode & 0o077 == 0
    data = path.read_bytes()
    files.write_bytes(path, data.replace(b"item_", b"itme_", 1), mode=files.PRIVATE)
    assert any("ids.csv was changed" in str(one) for one in verify.verify(workspace)["problems"])
    files.write_bytes(path, data, mode=files.PRIVATE)


def test_two_vendors_cannot_join_their_files(hidden: list[Workspace]) -> None:
    here, there = map(batch, hidden)
    assert {row["words"] for row in here} == {row["words"] for row in there}
    assert all(is_surrogate(row["item_id"]) for row in (*here, *there))
    assert {row["item_id"] for row in here}.isdisjoint(row["item_id"] for row in there)
    assert [row["words"] for row in here] != [row["words"] for row in there]


def test_no_pack_holds_an_id_that_is_ours(hidden: list[Workspace]) -> None:
    sent = b"".join(path.read_bytes() for one in hidden for path in one.pack("r0001").iterdir())
    assert not re.search(rb"item_[0-9]|'quote|1E5|001[01][0-9]\"", sent)


def test_the_key_gets_into_no_file(hidden: list[Workspace]) -> None:
    from hitl.surrogate import vendor_key

    derived = vendor_key(KEY.encode(), "acme")
    secrets = (KEY.encode(), bytes.fromhex(KEY), derived, derived.hex().encode())
    written = [path for path in hidden[0].root.rglob("*") if path.is_file()]
    assert len(written) > 50
    assert not [path for path in written for secret in secrets if secret in path.read_bytes()]


def test_without_a_key_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = made(tmp_path / "w", **{"pseudonymise: false": "pseudonymise: true"})
    before = workspace.ledger.read_bytes(), sorted(workspace.data.rglob("*"))
    monkeypatch.delenv(VARIABLE, raising=False)
    for key in (None, "", " " * 40, KEY[:31]):
        if key is not None:
            monkeypatch.setenv(VARIABLE, key)
        with pytest.raises(ParamsError, match=rf"{VARIABLE}.*secrets\.token_hex") as caught:
            engine.perform("open", workspace, "direct")
        assert caught.value.exit_code == 2
        assert KEY[:8] not in str(caught.value)
    assert (workspace.ledger.read_bytes(), sorted(workspace.data.rglob("*"))) == before
