"""A vendor's own tools can check a file with the pack's datapackage.json: Frictionless does, without a network."""

import json
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from frictionless import Package, validate

from hitl.contract import SKIP
from hitl.pack import batch_csv, datapackage

ROWS = (
    {"item_id": "k1", "text": '=1+1, "so"\non two lines', "weight": "-0.5", "model_class": "cat"},
    {"item_id": "k2", "text": "write to [email]", "weight": "", "model_class": "NA"},
    {"item_id": "k3", "text": "", "weight": "12", "model_class": "dog"},
)
EMPTY = b'"","","","",""\n'
ANSWER = b'"cat","ann","2025-03-10T10:00:00+01:00","12.5","well, ""yes"""\n'


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


def batch(*, show_prediction: bool = False) -> bytes:
    rows = [{**row, "model_confidence": "0.75"} for row in ROWS]
    return batch_csv(rows, ["text", "weight"], show_prediction=show_prediction, numeric=["weight"])


def filled(answer: bytes = ANSWER) -> bytes:
    return batch().replace(EMPTY, answer)


def faults(folder: Path, data: bytes, *, show_prediction: bool = False) -> Sequence[Sequence[object]]:
    """What Frictionless finds wrong with `data` as the batch of a pack in `folder`: (kind, line, column)."""
    described = datapackage(["text", "weight"], ["cat", "dog", "NA"], show_prediction=show_prediction)
    (folder / "datapackage.json").write_text(json.dumps(described), encoding="utf-8")
    (folder / "batch.csv").write_bytes(data)
    found: Sequence[Sequence[object]] = validate(str(folder / "datapackage.json")).flatten(
        ["type", "rowNumber", "fieldName"]
    )
    return found


def test_the_description_itself_is_sound() -> None:
    assert list(Package.metadata_validate(datapackage(["text"], ["cat", "NA"]))) == []


@pytest.mark.parametrize("show_prediction", [False, True])
def test_a_batch_passes_as_it_goes_out(tmp_path: Path, show_prediction: bool) -> None:
    assert faults(tmp_path, batch(show_prediction=show_prediction), show_prediction=show_prediction) == []


@pytest.mark.parametrize("answer", ["cat", "NA", SKIP])
def test_a_filled_in_batch_passes(tmp_path: Path, answer: str) -> None:
    assert faults(tmp_path, filled().replace(b'"cat"', f'"{answer}"'.encode())) == []


def test_a_batch_passes_as_a_spreadsheet_saves_it(tmp_path: Path) -> None:
    saved = b"\xef\xbb\xbf" + filled().replace(b"on two lines", b"on one").replace(b"\n", b"\r\n")

    assert faults(tmp_path, saved) == []


def test_an_item_may_have_a_row_for_each_annotator(tmp_path: Path) -> None:
    rows = filled().split(b"\n", 1)[1]

    assert faults(tmp_path, filled() + rows.replace(b'"ann"', b'"bob"')) == []


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        (b'"cat"', b'"Cat"', ["constraint-error", 2, "label"]),
        (b'"k1"', b'""', ["constraint-error", 2, "item_id"]),
        (b'"12.5"', b'"12,5"', ["type-error", 2, "seconds"]),
        (b'"12.5"', b'"90000"', ["constraint-error", 2, "seconds"]),
        (b"+01:00", b"", ["constraint-error", 2, "labeled_at"]),
        (b'"label"', b'"Label"', ["incorrect-label", None, "label"]),
        (b',"ann"', b"", ["missing-cell", 2, "comment"]),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, right: bytes, wrong: bytes, fault: Sequence[object]) -> None:
    assert fault in faults(tmp_path, filled().replace(right, wrong, 1))
