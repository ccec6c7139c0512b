"""The pool is scored as a stream: what comes out does not depend on how it is kept in files, read, or shared out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hitl import choose, firewall, pipeline, strategies
from hitl.errors import DataError
from hitl.lookup import lookup
from hitl.params import Params
from hitl.shortlist import Limits
from tasks import score
from tasks.edges import tables
from tests.tasks.small_workspace import table

ROWS = 700
KINDS = {"size": "numeric", "weight": "numeric", "town": "categorical", "note": "text"}
KEY = choose.key(seed=0, round_number=1)


def items() -> pd.DataFrame:
    found = table(ROWS)
    rng = np.random.default_rng(3)
    found["weight"] = np.where(rng.random(ROWS) < 0.2, np.nan, rng.normal(0, 1, ROWS)).astype(np.float32)
    return found


ITEMS = items()


def scoring(columns: Sequence[str], strategy: str = "margin") -> score.Scoring:
    data: dict[str, object] = {"id": "item_id", "label": "label", "classes": ["dry", "rare", "wet"]}
    params = Params.model_validate(
        {
            "data": {**data, "columns": {name: KINDS[name] for name in columns}},
            "query": {"strategy": strategy, "batch": 40},
        }
    )
    model = pipeline.fit(pipeline.build(params.model, params.features), ITEMS[:60], params.features)
    return score.Scoring(
        params=params,
        model=model,
        members=[model],
        number=1,
        limits=Limits(useful=44, drawn=4),
        out=lookup(ITEMS["item_id"][:60], *KEY),
        again=lookup(ITEMS["item_id"][100:103], *KEY),
        test=firewall.wall(ITEMS[300:320].assign(item_id=[f"test-{n}" for n in range(20)]), params.features),
    )


def write(folder: Path, frame: pd.DataFrame, files: int, group: int) -> list[Path]:
    folder.mkdir()
    for number, places in enumerate(np.array_split(np.arange(len(frame)), files)):
        part = pa.Table.from_pandas(frame.iloc[places].drop(columns="label"), preserve_index=False)
        pq.write_table(part, folder / f"part-{number:05d}.parquet", row_group_size=group)
    return tables.parts(folder)


@pytest.mark.parametrize(
    ("columns", "group"), [(("size", "weight"), 40), (("size", "weight"), 10_000), (tuple(KINDS), 40)]
)
def test_the_candidates_do_not_depend_on_files_chunks_or_workers(
    columns: Sequence[str], group: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = scoring(columns)
    whole = score.candidates_of(write(tmp_path / "one", ITEMS, 1, 10_000), asked)
    assert (whole.rows, whole.barred) == (ROWS - 60 - 20, 20)
    assert set(ITEMS["item_id"][100:103]) <= set(whole.items["item_id"])
    assert not set(ITEMS["item_id"][:60]) & set(whole.items["item_id"])
    monkeypatch.setattr(tables, "ROW_GROUP", 97)
    monkeypatch.setattr(score, "FAST_ROWS", 13)
    paths = write(tmp_path / "many", ITEMS[::-1], 7, group)
    shared = score.merge(
        [score.candidates_of(some, asked) for some in (paths[4:], paths[:1], paths[1:4])], asked.limits
    )
    assert (shared.rows, shared.barred) == (whole.rows, whole.barred)
    one, other = (score.described(found.items, asked) for found in (whole, shared))
    assert list(one) == list(other) == [*choose.CANDIDATE_COLUMNS, *(choose.SEEN + name for name in columns)]
    for name, cells in one.items():
        if cells.dtype.kind == "f":
            np.testing.assert_allclose(other[name], cells, rtol=0, atol=1e-12)
        else:
            assert other[name].tolist() == cells.tolist()
    assert shared.items["utility"].tolist() == whole.items["utility"].tolist()


@pytest.mark.parametrize("strategy", ["margin", "least_confident", "entropy"])
def test_the_stream_keeps_what_sorting_the_whole_pool_would(strategy: str, tmp_path: Path) -> None:
    asked = scoring(["size", "weight"], strategy)
    found = score.candidates_of(write(tmp_path / "pool", ITEMS, 2, 100), asked).items
    free = ITEMS.drop(index=[*range(60), *range(300, 320), 100, 101, 102])
    probabilities = pipeline.aligned(asked.model, pipeline.inputs(free, asked.params.features), ["dry", "rare", "wet"])
    utility = strategies.STRATEGIES[strategy].utility(probabilities.T, np.zeros(len(free)))
    best = free.assign(utility=utility.round(9)).sort_values(["utility", "item_id"], ascending=[False, True])
    assert set(best["item_id"][:44]) <= set(found["item_id"])
    draw = choose.draw(free["item_id"].to_numpy(dtype=object), seed=0, round_number=1)
    assert set(free["item_id"].to_numpy()[np.argsort(draw)[:4]]) <= set(found["item_id"])


def test_an_item_whose_number_is_none_is_named(tmp_path: Path) -> None:
    pool = ITEMS.copy()
    pool.loc[444, "size"] = np.inf
    with pytest.raises(DataError, match="'item-00444' a probability that is not a number"):
        score.candidates_of(write(tmp_path / "pool", pool, 1, 100), scoring(["size", "weight"]))


def test_a_number_that_a_later_file_keeps_as_text_is_a_number_and_a_word_is_told(tmp_path: Path) -> None:
    asked, pool = scoring(["size", "weight"]), ITEMS.astype({"size": str})
    told = score.candidates_of(write(tmp_path / "text", pool, 1, 100), asked)
    same = score.candidates_of(write(tmp_path / "numbers", ITEMS, 1, 100), asked)
    assert told.items["utility"].tolist() == same.items["utility"].tolist()
    pool.loc[5, "size"] = "large"
    with pytest.raises(DataError, match=r"column .size. is numeric in data\.columns"):
        score.candidates_of(write(tmp_path / "word", pool, 1, 100), asked)


def test_an_item_without_an_id_is_told(tmp_path: Path) -> None:
    paths = write(tmp_path / "pool", ITEMS.assign(item_id=[None, *ITEMS["item_id"][1:]]), 1, 100)
    with pytest.raises(DataError, match="1 items have no item_id"):
        score.candidates_of(paths, scoring(["size", "weight"]))


def test_arrays_are_written_as_a_frame_of_them_would_be(tmp_path: Path) -> None:
    said = {"text": np.array(["a", "", "é"], dtype=object), "number": np.array([1.5, np.nan, -0.0])}
    cells = {**said, "flag": np.array([True, False, True]), "shares": np.array([[0.25, 0.75], [1, 0], [0.5, 0.5]])}
    frame = pd.DataFrame({**cells, "shares": list(cells["shares"])})
    arrays, framed = tmp_path / "arrays.parquet", tmp_path / "frame.parquet"
    assert tables.write_parquet(arrays, cells) == tables.write_parquet(framed, frame)
    assert tables.read_parquet(arrays)["number"].isna().tolist() == [False, True, False]


def test_row_groups_are_read_together_or_in_pieces_and_a_name_that_begins_another_is_not_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROW_GROUP", 5)
    frame = pd.DataFrame({"item_id": [f"i{n}" for n in range(12)], "a.b": range(12, 24), "a": range(12)})
    for group, lengths in ((1, [5, 5, 2]), (2, [4, 4, 4]), (4, [4, 4, 4]), (12, [5, 5, 2])):
        pq.write_table(pa.Table.from_pandas(frame), tmp_path / "pool.parquet", row_group_size=group)
        found = list(tables.items(tmp_path / "pool.parquet", ["a"]))
        assert [len(ids) for ids, _ in found] == lengths
        assert np.concatenate([ids.at(range(len(ids))) for ids, _ in found]).tolist() == frame["item_id"].tolist()
        assert [set(cells) for _, cells in found] == [{"a"}] * 3
        assert np.concatenate([cells["a"] for _, cells in found]).tolist() == list(range(12))


def test_a_large_row_group_is_read_a_few_columns_at_a_time_whatever_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROW_GROUP", 97)
    rng, path, rows = np.random.default_rng(3), tmp_path / "pool.parquet", 1_000
    words = [f"word {number}" for number in rng.integers(0, 700, rows)]
    cells = {
        "item_id": [f"i{number}" for number in range(rows)],
        **{f"x{at}": rng.standard_normal(rows).astype(np.float32) for at in range(6)},
        "kind": pd.Categorical(words),
        "text": pd.array([*words[:-1], None], dtype="str"),
        "count": pd.array([*range(rows - 1), None], dtype="Int64"),
        "flag": rng.random(rows) < 0.5,
    }
    frame = pd.DataFrame(cells)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, path, row_group_size=rows)
    decoded = tables._decoded

    def short_where_texts_are_long(file: pq.ParquetFile, groups: Sequence[int], columns: Sequence[str]) -> Any:
        for batch in decoded(file, groups, columns):
            yield from [batch[:40], batch[40:]] if "text" in columns and len(batch) > 40 else [batch]

    monkeypatch.setattr(tables, "_decoded", short_where_texts_are_long)
    found, whole = list(tables.items(path, list(frame)[1:])), pq.read_table(path)
    assert max(len(ids) for ids, _ in found) <= 97
    assert [item_id for ids, _ in found for item_id in ids.at(range(len(ids)))] == cells["item_id"]
    for name in list(frame)[1:]:
        assert all(len(ids) == len(cells[name]) for ids, cells in found)
        read = pd.Series(np.concatenate([cells[name] for _, cells in found]))
        kept = whole.column(name).combine_chunks().to_numpy(zero_copy_only=False)
        pd.testing.assert_series_equal(read, pd.Series(kept))
    again = tables.rows_of([path], ["i500", "i3"], ["text", "x5", "kind", "not there", "x0", "count"])
    assert again["item_id"].tolist() == ["i3", "i500"]
    assert again["x5"].tolist() == frame["x5"][[3, 500]].tolist()
    assert again["kind"].tolist() == [words[3], words[500]]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_is_full_of_what_waits_is_named() -> None:
    with pytest.raises(OSError, match=r"No space left on device \(TMPDIR says where such files lie\): '/dev/full'"):
        tables._lay_aside(iter([pa.record_batch({"x": range(9)})]), "/dev/full")


def test_rows_are_found_by_id_and_only_the_columns_asked_for(tmp_path: Path) -> None:
    parts = write(tmp_path / "pool", ITEMS, 3, 50)
    wanted = ["item-00699", "item-00003", "item-00650"]
    found = tables.rows_of(parts, wanted, ["note", "not there"])
    assert list(found) == ["item_id", "note"]
    assert found["item_id"].tolist() == sorted(wanted)
    assert found["note"].tolist() == [ITEMS["note"][number] for number in (3, 650, 699)]
