import csv
import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.cli import hitl
from hitl.errors import DataError
from hitl.params import Resolve
from tasks import consensus
from tests.hitl.consensus.crowds import crowd

NO_NAMES = {"item_id": None, "annotator_id": None, "label": None}


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row["item_id"]: row for row in csv.DictReader(file, strict=True)}


def resolved(path: Path, out: Path, **options: object) -> tuple[dict[str, object], dict[str, dict[str, str]]]:
    rule = Resolve(method=options.pop("method", "majority"))  # type: ignore[arg-type]
    facts = consensus.consensus(path, out, rule, columns=NO_NAMES, **options)  # type: ignore[arg-type]
    return facts, read(out)


def test_a_file_of_another_tool_becomes_labels(tmp_path: Path) -> None:
    said = written(
        tmp_path / "said.csv",
        "task,worker,label",
        "007,w1,NA", "007,w2,NA", "007,w3,cat", "1E5,w1,cat", "1E5,w2,NA", "é,w1,", "é,w2,<skip>",
    )  # fmt: skip
    facts, labels = resolved(said, tmp_path / "labels.csv")
    assert [(name, row["label"], row["votes"]) for name, row in labels.items()] == [
        ("007", "NA", '{"NA": 2, "cat": 1}'),
        ("1E5", "", '{"NA": 1, "cat": 1}'),
        ("é", "", "{}"),
    ]
    assert [row["best"] for row in labels.values()] == ["NA", "NA", ""]
    assert (facts["items"], facts["resolved"], facts["to_adjudicate"], facts["skips"]) == (3, 1, 2, 2)
    assert facts["columns"] == {"item_id": "task", "annotator_id": "worker", "label": "label"}


def test_the_command_says_what_it_chose_and_why(tmp_path: Path) -> None:
    table, _ = crowd(0, able=[0.9, 0.8, 0.7], overlap=3, items=40)
    with gzip.open(tmp_path / "said.csv.gz", "wt", encoding="utf-8") as file:
        table.to_csv(file, index=False, lineterminator="\n")
    command = ["consensus", str(tmp_path / "said.csv.gz"), "--out", str(tmp_path / "labels.csv")]
    plain, asked = CliRunner().invoke(hitl, command), CliRunner().invoke(hitl, [*command, "--json"])
    assert (plain.exit_code, asked.exit_code) == (0, 0), plain.output
    facts = json.loads(asked.stdout)
    assert (facts["method"], facts["annotators"], facts["items"]) == ("dawid_skene", 3, 40)
    assert facts["resolved"] + facts["to_adjudicate"] == 40
    assert f"method dawid_skene: {facts['reason']}." in plain.output


def test_gold_keeps_its_answer_and_tempers_the_others(tmp_path: Path) -> None:
    table, true = crowd(1, able=[0.6] * 5, overlap=5, items=100)
    table.to_csv(tmp_path / "said.csv", index=False)
    gold = written(tmp_path / "gold.csv", "item_id,label", *(f"i{item:03},{true[f'i{item:03}']}" for item in range(50)))
    free, _ = resolved(tmp_path / "said.csv", tmp_path / "free.csv")
    facts, labels = resolved(tmp_path / "said.csv", tmp_path / "labels.csv", gold=gold)
    assert facts["gold"] == 50
    assert facts["temperature"] != free["temperature"]
    assert all(labels[f"i{item:03}"]["label"] == true[f"i{item:03}"] for item in range(50))


def test_a_model_has_a_column_a_class(tmp_path: Path) -> None:
    table, true = crowd(2, able=[0.7] * 9, overlap=3, items=200)
    table.to_csv(tmp_path / "said.csv", index=False)
    view = (f"{name},{0.9 if one == 'c1' else 0.1},{0.1 if one == 'c1' else 0.9}" for name, one in true.items())
    model = written(tmp_path / "model.csv", "item_id,c1,c0", *view)
    facts, labels = resolved(tmp_path / "said.csv", tmp_path / "labels.csv", method="auto", probabilities=model)
    assert facts["method"] == "with_model"
    assert sum(labels[name]["best"] == one for name, one in true.items()) > 180


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["item_id,annotator_id,label", ",w1,cat"], "column 'item_id': empty in row 2"),
        (["item_id,annotator_id,label", "a,w1,cat", "a, ,cat"], "column 'annotator_id': empty in row 3"),
        (["item_id,label", "a,cat"], "--annotator"),
        (["item_id,annotator_id,label"], "no rows"),
    ],
)
def test_what_cannot_be_read_is_named_by_place(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        resolved(written(tmp_path / "said.csv", *lines), tmp_path / "labels.csv")
    assert not (tmp_path / "labels.csv").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a,0.5,x", "row 2, column 3: not a probability from 0 to 1 .got 'x'"),
        ("a,1.5,0", "row 2, column 2: .*got '1.5'"),
    ],
)
def test_what_is_no_probability_is_named_by_place(tmp_path: Path, line: str, said: str) -> None:
    answers = written(tmp_path / "said.csv", "item_id,annotator_id,label", "a,w1,cat")
    model = written(tmp_path / "model.csv", "item_id,cat,dog", line)
    with pytest.raises(DataError, match=said):
        resolved(answers, tmp_path / "labels.csv", probabilities=model)
