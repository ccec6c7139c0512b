import csv
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from hitl.errors import DataError, HitlError, MomentError, ParamsError
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts
from hitl.params import parse
from tasks import founding, journal
from tasks.edges import files, tables
from tasks.init import Draw, init, init_frame

SHARED = Path(__file__).parents[3] / "shared" / "data"
TEXT = ["the cat sat down here", "a dog ran off today", "one fish swam by then"]


def source(folder: Path, *, rows: int = 60, labeled: int = 60, name: str = "mine.csv") -> Path:
    """A table of items with ids, classes and cells that naive readers lose."""
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "texte", "âge", "ville", "ok", "label"])
        for n in range(rows):
            label = ("NA", "None")[n % 2] if n < labeled else ""
            age = "NA" if n % 9 == 0 else str(20 + n / 2)
            writer.writerow(
                [f"{n:05d}", f"{TEXT[n % 3]} {n}", age, ("Orléans", "NA", "")[n % 3], ("yes", "no")[n % 2], label]
            )
    return path


def snapshot(workspace: Workspace) -> dict[str, str]:
    return {str(path): files.sha256(path) for path in workspace.root.rglob("*") if path.is_file()}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws")


def test_a_table_becomes_a_workspace(tmp_path: Path, workspace: Workspace) -> None:
    facts = init(workspace, source(tmp_path, rows=160), label="label")
    assert facts["counts"] == {"initial": 44, "test": 16, "pool": 100, "gold": 44, "out": 0}
    assert facts["classes"] == ["NA", "None"]
    params = parse(workspace.params.read_text(encoding="utf-8"))
    assert params.sha256() == facts["params_sha256"]
    assert params.data.columns == {"texte": "text", "âge": "numeric", "ville": "categorical", "ok": "boolean"}
    assert (params.data.id, params.data.label, params.model.options) == ("id", "label", {"C": 10})
    assert params.export.columns == tuple(params.data.columns)
    test = tables.read_parquet(workspace.test)
    assert list(test.columns) == ["item_id", *params.data.columns, "label"]
    assert set(test["label"]) == {"NA", "None"} and set(test["ville"]) == {"Orléans", "NA", ""}
    labeled = tables.read_parquet(workspace.labeled)
    assert set(labeled.pop("from")) == {"initial"}
    assert set(labeled.pop("round")) == {"r0000"}
    pd.testing.assert_frame_equal(labeled, tables.read_parquet(workspace.initial))
    assert "`None`" in workspace.guideline.read_text(encoding="utf-8") and "<skip>" in workspace.guideline.read_text()
    assert not workspace.truth.exists()


def test_no_label_of_the_pool_is_in_its_files(tmp_path: Path, workspace: Workspace) -> None:
    init(workspace, source(tmp_path), label="label", hide=True)
    pool = pd.concat(tables.read_parquet(path) for path in tables.parts(workspace.pool))
    assert "label" not in pool.columns
    with workspace.truth.open(newline="", encoding="utf-8") as file:
        truth = {row["item_id"]: row["label"] for row in csv.DictReader(file)}
    assert sorted(truth) == list(pool["item_id"])
    assert all(label == ("NA", "None")[int(item_id) % 2] for item_id, label in truth.items())


def test_the_pool_is_cut_into_files_in_order(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(founding, "PART_ROWS", 30)
    init(workspace, source(tmp_path, rows=160), label="label")
    parts = [tables.read_parquet(path, ["item_id"])["item_id"] for path in tables.parts(workspace.pool)]
    assert [len(part) for part in parts] == [30, 30, 30, 10]
    assert pd.concat(parts).is_monotonic_increasing


def test_the_facts_name_every_file_that_must_not_change(tmp_path: Path, workspace: Workspace) -> None:
    facts = init(workspace, source(tmp_path), label="label", hide=True)
    found = facts["files"]
    assert isinstance(found, dict)
    assert list(found) == [
        "data/gold.parquet",
        "data/initial.parquet",
        "data/pool/part-00000.parquet",
        "data/test.parquet",
        "data/truth.csv",
    ]
    assert all(files.sha256(workspace.root / name) == digest for name, digest in found.items())


def test_init_again_changes_nothing_and_says_the_same(tmp_path: Path, workspace: Workspace) -> None:
    path = source(tmp_path)
    facts = init(workspace, path, label="label", hide=True, overrides={"query": {"batch": 5}})
    journal.append(workspace, "created", BASELINE, facts)
    before = snapshot(workspace)
    assert init(workspace, path, label="label", hide=True, overrides={"query": {"batch": 5}}) == facts
    assert snapshot(workspace) == before


@pytest.mark.parametrize(
    ("rows", "seed", "said"), [(80, 0, "made of another table"), (60, 1, "made with other options")]
)
def test_another_workspace_is_not_touched(
    tmp_path: Path, workspace: Workspace, rows: int, seed: int, said: str
) -> None:
    journal.append(workspace, "created", BASELINE, init(workspace, source(tmp_path), label="label", hide=True))
    before = snapshot(workspace)
    with pytest.raises(MomentError, match=said):
        init(workspace, source(tmp_path, rows=rows, labeled=rows), label="label", hide=True, seed=seed)
    assert snapshot(workspace) == before


def test_a_call_that_was_killed_is_completed_by_the_next(tmp_path: Path, workspace: Workspace) -> None:
    path = source(tmp_path)
    facts = init(workspace, path, label="label", hide=True)
    whole = snapshot(workspace)
    workspace.params.unlink()
    workspace.initial.unlink()
    (workspace.pool / ".part-00001.parquet.tmp12345").write_bytes(b"cut")
    assert init(workspace, path, label="label", hide=True) == facts
    assert snapshot(workspace) == whole


def test_a_directory_with_other_files_is_fine_but_none_is_overwritten(tmp_path: Path, workspace: Workspace) -> None:
    workspace.data.mkdir(parents=True)
    (workspace.root / ".gitignore").write_text("theirs\n")
    (workspace.root / "notes.md").write_text("mine\n")
    init(workspace, source(tmp_path), label="label", hide=True)
    assert (workspace.root / ".gitignore").read_text() == "theirs\n"


def test_files_in_the_way_are_all_named_and_nothing_is_written(tmp_path: Path, workspace: Workspace) -> None:
    workspace.pool.mkdir(parents=True)
    (workspace.pool / "old.parquet").write_bytes(b"old")
    workspace.params.write_text("mine: 1\n")
    before = snapshot(workspace)
    with pytest.raises(MomentError, match=r"data/pool/old\.parquet, params\.yaml; move them away"):
        init(workspace, source(tmp_path), label="label", hide=True)
    assert snapshot(workspace) == before


def test_the_same_seed_gives_the_same_bytes_in_any_order_of_rows(tmp_path: Path) -> None:
    path = source(tmp_path)
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    turned = tmp_path / "turned.csv"
    turned.write_text("\n".join([head, *reversed(lines)]) + "\n", encoding="utf-8")
    one = init(Workspace(tmp_path / "one"), path, label="label", hide=True)
    other = init(Workspace(tmp_path / "other"), turned, label="label", hide=True)
    assert one["files"] == other["files"]


def test_overrides_are_written_and_a_bad_one_is_named(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(ParamsError, match=r"query\.batc"):
        init(workspace, source(tmp_path), label="label", hide=True, overrides={"query": {"batc": 5}})
    init(workspace, source(tmp_path), label="label", hide=True, overrides={"model": {"estimator": "random_forest"}})
    params = parse(workspace.params.read_text(encoding="utf-8"))
    assert (params.model.estimator, params.model.options) == ("random_forest", {})


def test_text_by_decree(tmp_path: Path, workspace: Workspace) -> None:
    init(workspace, source(tmp_path), label="label", hide=True, text="ville")
    assert parse(workspace.params.read_text(encoding="utf-8")).data.columns["ville"] == "text"


def test_a_column_with_a_name_of_ours_is_renamed_aloud(tmp_path: Path, workspace: Workspace) -> None:
    path = source(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("texte", "comment", 1), encoding="utf-8")
    facts = init(workspace, path, label="label", hide=True, text="comment")
    assert "item_comment" in tables.read_parquet(workspace.test).columns
    assert any("'comment' is called 'item_comment' here" in note for note in facts["notes"])  # type: ignore[attr-defined]


def test_a_frame_in_memory_keeps_its_types_when_the_kinds_are_given(workspace: Workspace) -> None:
    frame = pd.DataFrame(
        {
            "item_id": [f"d{n:03d}" for n in range(40)],
            "p0": [n / 7 for n in range(40)],
            "p1": 0.0,
            "label": list("ab") * 20,
        }
    )
    init_frame(
        workspace,
        frame,
        label="label",
        kinds={"p0": "numeric", "p1": "ignored"},
        origin={"name": "digits"},
        draw=Draw(hide=True),
    )
    found = tables.read_parquet(workspace.test)
    assert found["p0"].dtype == "float64" and list(found.columns) == ["item_id", "p0", "p1", "label"]


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (lambda text: text, {"label": "lable"}, "no column 'lable' for the label; did you mean 'label'"),
        (lambda text: text, {"label": "label", "id": "key"}, "no column 'key' for the id"),
        (lambda text: text, {"label": "label", "id": "label"}, "must be different columns"),
        (
            lambda text: text.replace("00001,", "00002,", 1),
            {"label": "label", "id": "id"},
            "stands there twice: row 3 '00002', row 4",
        ),
        (lambda text: text.replace(",None", ",NA"), {"label": "label"}, "a single class, 'NA'"),
        (lambda text: text.replace(",None", ",rare", 1), {"label": "label"}, "1 of 3 classes .* 'rare' .1 item."),
        (lambda text: text.replace(",None", ",<skip>"), {"label": "label"}, "'<skip>' is the word"),
    ],
)
def test_what_cannot_serve_is_refused_before_anything_is_written(
    tmp_path: Path, workspace: Workspace, change: Callable[[str], str], options: dict[str, str], said: str
) -> None:
    path = source(tmp_path)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(DataError, match=said):
        init(workspace, path, hide=True, **options)  # type: ignore[arg-type]
    assert not workspace.root.exists()


def test_the_pipeline_of_dvc_names_files_of_the_layout(tmp_path: Path, workspace: Workspace) -> None:
    init(workspace, source(tmp_path), label="label", hide=True)
    pipeline = yaml.safe_load(workspace.dvc_yaml.read_text(encoding="utf-8"))
    assert list(pipeline["stages"]) == ["train", "evaluate"]
    assert [stage["cmd"] for stage in pipeline["stages"].values()] == ["hitl step train", "hitl step evaluate"]
    ours = {str(path.relative_to(workspace.root)) for path in (workspace.labeled, workspace.test, workspace.model)}
    assert {dep for stage in pipeline["stages"].values() for dep in stage["deps"]} == ours


@pytest.mark.parametrize(
    ("path", "label", "classes", "kinds"),
    [
        ("text/sms_spam", "label", 2, {"text": 1, "categorical": 1}),
        ("text/banking77", "label", 77, {"text": 1, "categorical": 1}),
        ("tabular/adult", "income", 2, {"numeric": 6, "categorical": 9}),
        ("tabular/mammography", "label", 2, {"numeric": 6, "categorical": 1}),
    ],
)
def test_real_tables_become_workspaces(
    workspace: Workspace, path: str, label: str, classes: int, kinds: dict[str, int]
) -> None:
    table = SHARED / path / "data.csv.gz"
    if not table.is_file():
        pytest.skip(f"{table} is not there: the shared data sets are not part of the repository")
    facts: Facts = init(workspace, table, label=label, hide=True)
    params = parse(workspace.params.read_text(encoding="utf-8"))
    assert len(params.data.classes) == classes
    assert pd.Series(params.data.columns).value_counts().to_dict() == kinds
    test, pool = tables.read_parquet(workspace.test), pd.concat(map(tables.read_parquet, tables.parts(workspace.pool)))
    initial = tables.read_parquet(workspace.initial)
    assert initial["label"].value_counts().min() >= 2 and initial["label"].nunique() == classes
    seen = list(params.features)
    assert not set(map(tuple, test[seen].astype(str).to_numpy())) & set(map(tuple, pool[seen].astype(str).to_numpy()))
    counts = facts["counts"]
    assert isinstance(counts, dict) and counts["out"] == 0
    assert len(test) / (len(test) + len(pool) + len(initial)) == pytest.approx(0.25, abs=0.005)


@pytest.mark.parametrize("twin", ["{}", "{} ", "\t{}", "e\u0301{}"])
def test_a_pool_whose_ids_could_be_taken_for_each_other_is_refused_with_the_list(
    twin: str, tmp_path: Path, workspace: Workspace
) -> None:
    path = source(tmp_path, labeled=40)
    lines = path.read_text(encoding="utf-8").replace("\n00055,", "\n\u00e900055,").splitlines()
    number = "00055" if "e" in twin else "00056"
    path.write_text("\n".join([*lines, f"{twin.format(number)},a fish and more,,,yes,"]), encoding="utf-8")
    with pytest.raises(DataError, match=rf"'id': .*row 5[78] .*{number}.*, row 62 .*2 rows in all") as caught:
        init(workspace, path, label="label", id="id")
    assert caught.value.exit_code == 5
    assert not workspace.ledger.exists()
    assert not workspace.pool.exists()


def test_refusals_are_errors_with_exit_code_5(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(HitlError) as caught:
        init(workspace, tmp_path / "none.csv", label="label")
    assert caught.value.exit_code == 5
