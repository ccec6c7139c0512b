"""`hitl convert`: any tool's export to annotations.csv, or a refusal that leaves things as they were."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flows.cli import hitl

ITEMS = [
    {
        "id": 1,
        "data": {"text": "hello", "item_id": "i1"},
        "annotations": [
            {
                "id": 7,
                "completed_by": 3,
                "result": [{"type": "choices", "from_name": "q", "value": {"choices": ["cat"]}}],
            },
            {"id": 8, "completed_by": 4, "was_cancelled": True, "result": []},
        ],
    },
    {"id": 2, "data": {"text": "there", "item_id": "i2"}, "annotations": []},
]


def converted(folder: Path, data: object, *options: str) -> Result:
    (folder / "export.json").write_text(json.dumps(data), encoding="utf-8")
    arguments = ["convert", str(folder / "export.json"), "--out", str(folder / "out" / "annotations.csv"), *options]
    return CliRunner().invoke(hitl, arguments)


def test_an_export_becomes_a_csv_and_counts(tmp_path: Path) -> None:
    facts = json.loads(converted(tmp_path, ITEMS, "--json").stdout)
    assert {name: facts[name] for name in ("tool", "annotations", "annotators", "skipped", "labeled")} == {
        "tool": "label_studio",
        "annotations": 2,
        "annotators": 2,
        "skipped": 1,
        "labeled": 1,
    }
    assert facts["dropped"] == {"items that nobody has answered": 1}
    with (tmp_path / "out" / "annotations.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert [(row["item_id"], row["label"], row["annotator_id"], row["labels"]) for row in rows] == [
        ("i1", "cat", "3", '["cat"]'),
        ("i1", "<skip>", "4", ""),
    ]


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        ([{"data": {}, "annotations": [{"result": [{"type": "labels", "value": {"start": 1}}]}]}], 4, "only 1 labels"),
        ({"some": "thing"}, 4, "it is JSON with the keys some"),
        (ITEMS, 2, "no annotation answers a question called 'mood'"),
    ],
)
def test_what_cannot_be_carried_is_refused_and_nothing_is_written(
    data: object, code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    run = converted(tmp_path, data, *(["--label-field", "mood"] if data is ITEMS else []))
    assert run.exit_code == code
    assert said in run.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_an_export_is_never_written_over(tmp_path: Path) -> None:
    converted(tmp_path, ITEMS)
    run = CliRunner().invoke(hitl, ["convert", str(tmp_path / "export.json"), "--out", str(tmp_path / "export.json")])
    assert run.exit_code == 4
    assert json.loads((tmp_path / "export.json").read_text(encoding="utf-8")) == ITEMS
