"""A million attempts to get the test set out, in or learned from, and none of them succeeds."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pytest

from hitl.errors import IntegrityError
from hitl.firewall import leaks
from hitl.layout import Workspace
from tasks import expected, export, firewall, journal, resolve, score, select, train, validate
from tasks.edges import tables
from tests.tasks import small_workspace as small

FILES, ROWS = 20, 50_000
MOMENT = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}")
CONTENT = ["size", "town", "odd", "note"]
Spelling = Callable[[str], str]

IDS: Sequence[Spelling] = (
    lambda text: text,
    lambda text: f" {text}",
    lambda text: f"{text}\u00a0",
    lambda text: f"{text}\n",
    lambda text: f"\ufeff{text}",
    lambda text: text.replace("-", "-\u200b"),
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: f"\t{unicodedata.normalize('NFD', text)}\u200d ",
)
"""Ways to write an id so that it looks, to a person or to a program, like that of no test item."""
NOTES: Sequence[Spelling] = (
    lambda text: text,
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: text.replace(" ", "  "),
    lambda text: text.replace(" ", "\r\n"),
    lambda text: f"{text} ",
    lambda text: text.replace(" ", "\u00a0"),
    lambda text: text.replace("a", "a\u200b"),
    lambda text: f"\u2060{unicodedata.normalize('NFD', text)}\u00ad",
)
NUMBERS: Sequence[Callable[[pd.Series], pd.Series]] = (
    lambda column: column,
    lambda column: column.map("{:.6f}".format).astype("str"),
    lambda column: column.map("{:+.9e}".format).astype("str"),
    lambda column: column.map(lambda number: f"00{number}" if number >= 0 else str(number)).astype("str"),
)
"""Ways to write the numbers of a file; each file has one."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose ids have accents, with its first round open up to its pack."""
    items = small.table(240, ids="objet-é-{:05d}")
    return small.made(tmp_path_factory.mktemp("wall") / "ws", items, export={"gold": 50})


@pytest.fixture(scope="module", name="test_set")
def apart(workspace: Workspace) -> pd.DataFrame:
    return tables.read_parquet(workspace.test)


@pytest.fixture(scope="module")
def attempts(workspace: Workspace, test_set: pd.DataFrame) -> list[pd.DataFrame]:
    """A million rows in the pool: ids of test items on other content, their content under other ids, and new items."""
    found = list(_attempts(test_set, np.random.default_rng(20261121)))
    assert sum(map(len, found)) == FILES * ROWS
    for number, rows in enumerate(found):
        tables.write_parquet(workspace.pool / f"later-{number:02d}.parquet", rows.drop(columns="attempt"))
    return found


def _attempts(test_set: pd.DataFrame, rng: np.random.Generator) -> Iterator[pd.DataFrame]:
    ids, notes = _ways(test_set["item_id"], IDS), _ways(test_set["note"], NOTES)
    towns = _ways(test_set["town"], NOTES[:2])
    for number in range(FILES):
        place = rng.integers(0, len(test_set), ROWS)
        kind = rng.choice(["id", "content", "both", "new"], ROWS, p=[0.35, 0.4, 0.22, 0.03])
        picked = test_set.iloc[place].reset_index(drop=True)
        fresh = np.array([f"later-{number:02d}-{row:05d}" for row in range(ROWS)], dtype=object)
        # In capital letters an id is another one: such a row is told by its content alone.
        loud = np.where(rng.random(ROWS) < 0.5, picked["item_id"].str.upper(), fresh)
        size = picked["size"].where(np.isin(kind, ["content", "both"]), rng.normal(1000, 1, ROWS))
        columns = {
            "item_id": np.select([kind == "content", kind == "new"], [loud, fresh], _one_of(ids, place, rng)),
            "size": NUMBERS[number % len(NUMBERS)](size),
            "town": _one_of(towns, place, rng),
            "odd": picked["odd"],
            "note": _one_of(notes, place, rng),
            "attempt": kind,
        }
        yield pd.DataFrame({name: columns[name] for name in rng.permutation(list(columns))})


def _ways(column: pd.Series, ways: Sequence[Spelling]) -> np.ndarray:
    """Every way to write every cell (ways, items)."""
    return np.array([[way(text) for text in column] for way in ways], dtype=object)


def _one_of(ways: np.ndarray, place: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return ways[rng.integers(0, len(ways), len(place)), place]


def test_every_attempt_is_seen_and_nothing_else(
    workspace: Workspace, test_set: pd.DataFrame, attempts: list[pd.DataFrame]
) -> None:
    wall, rows = firewall.wall(workspace, journal.params(workspace)), attempts[1]
    assert leaks(rows, wall) == tuple(sorted(rows.loc[rows["attempt"] != "new", "item_id"]))


@pytest.fixture(scope="module")
def round_id(workspace: Workspace, attempts: list[pd.DataFrame]) -> str:
    return small.opened(workspace)


def test_no_attempt_becomes_a_candidate(workspace: Workspace, round_id: str, attempts: list[pd.DataFrame]) -> None:
    kinds = pd.concat([rows["attempt"] for rows in attempts]).value_counts()
    new = set(pd.concat([rows.loc[rows["attempt"] == "new", "item_id"] for rows in attempts]))
    counts = journal.read(workspace).rounds[0].facts["created"]["counts"]
    facts = journal.read(workspace).round(round_id).facts["scored"]
    assert facts["barred_test_content"] == kinds["content"]
    assert facts["rows"] == kinds["new"] + counts["pool"]  # type: ignore[index]
    found = set(tables.read_parquet(workspace.round(round_id) / "candidates.parquet")["item_id"])
    assert found & new and not {one for one in found if one.startswith("later")} - new


def test_no_attempt_goes_out(workspace: Workspace, round_id: str) -> None:
    wall = firewall.wall(workspace, journal.params(workspace))
    assert leaks(tables.read_parquet(workspace.round(round_id) / "items.parquet"), wall) == ()
    ids = pd.DataFrame({"item_id": [*small.asked(workspace, round_id), *small.sent(workspace, round_id)]})
    assert len(ids) == 48 and leaks(ids.reindex(columns=["item_id", *CONTENT]), wall) == ()


def test_no_answer_about_a_test_item_is_taken(workspace: Workspace, round_id: str, test_set: pd.DataFrame) -> None:
    """In a whole file of them, and hidden among good rows."""
    foreign = [
        {"item_id": way(item_id), "label": label, "annotator_id": "ann"}
        for item_id, label in zip(test_set["item_id"], test_set["label"], strict=True)
        for way in IDS
    ]
    good = small.answers(workspace, round_id)
    for place in range(0, len(foreign), 60):
        assert small.deliver(workspace, f"{place}.csv", foreign[place : place + 60]).receipt["verdict"] == "reject"
        said = small.deliver(workspace, f"among-{place}.csv", [*good, *foreign[place : place + 3]]).receipt
        assert (said["verdict"], said["rows"]["quarantined"]) == ("quarantine", 3)  # type: ignore[index]
    taken = expected.now(workspace, journal.read(workspace), journal.now()).taken
    assert sorted({item_id for item_id, _ in taken}) == sorted(small.sent(workspace, round_id))


def test_the_pack_is_the_same_whichever_items_are_gold_and_whatever_their_answers(
    workspace: Workspace, round_id: str
) -> None:
    """So no file of it, of today or to come, tells which items are gold, or what we know of them."""
    folder, pack = workspace.round(round_id), workspace.pack(round_id)
    kept = {path: path.read_bytes() for path in (*folder.glob("*.*"), *pack.iterdir(), workspace.gold)}
    export.export(workspace, round_id)
    before, batch = _told(pack), small.batch(workspace, round_id)
    gold = pd.read_csv(folder / "gold.csv", dtype=str)
    assert len(gold) == (batch["reason"] == "gold").sum() == 12
    other = batch["item_id"].isin(batch.loc[batch["reason"] != "gold", "item_id"].head(3))
    tables.write_parquet(folder / "batch.parquet", batch.assign(reason=other.map({True: "gold", False: "uncertain"})))
    gold.head(3).assign(item_id=batch.loc[other, "item_id"].to_numpy(), label="wet").to_csv(folder / "gold.csv")
    tables.write_parquet(workspace.gold, tables.read_parquet(workspace.gold).assign(label="dry"))
    export.export(workspace, round_id)
    assert _told(pack) == before
    assert {"batch.csv", "check.html", "MANIFEST.json"} <= set(before) == {path.name for path in pack.iterdir()}
    for path, data in kept.items():
        path.write_bytes(data)


def _told(pack: Path) -> dict[str, bytes]:
    """What the files of a pack say, but for the moments of its export, and the digests that follow from them."""
    manifest = json.loads((pack / "MANIFEST.json").read_text(encoding="utf-8"))
    del manifest["files"]
    told = {path.name: path.read_bytes() for path in pack.iterdir()} | {"MANIFEST.json": json.dumps(manifest).encode()}
    return {name: MOMENT.sub(b"", text) for name, text in told.items()}


def test_no_answer_about_gold_is_learned_from_or_given_away(workspace: Workspace, round_id: str) -> None:
    gold = expected.gold(workspace, round_id)
    said = validate.validate(workspace, round_id)
    journal.append(workspace, "validated", round_id, said)
    journal.append(workspace, "resolved", round_id, resolve.resolve(workspace, round_id))
    labeled = tables.read_parquet(workspace.labeled)
    assert not set(labeled.loc[labeled["round"] == round_id, "item_id"]) & set(gold)
    for path in workspace.deliveries.glob("*.receipt.json"):
        assert not set(gold.values()) & {one["proposed"] for one in json.loads(path.read_text())["held"]}


class Plant(Protocol):
    """Slips what a test item holds into a table, under an id that may be there; afterwards all is as it was."""

    def __call__(self, path: Path, item_id: str = "copy") -> None: ...


@pytest.fixture
def plant(test_set: pd.DataFrame) -> Iterator[Plant]:
    before: dict[Path, bytes] = {}

    def planted(path: Path, item_id: str = "copy") -> None:
        before[path] = path.read_bytes()
        frame = tables.read_parquet(path)
        copy = test_set.head(1).assign(item_id=item_id, note=lambda row: row["note"] + " ", **{"from": "human"})
        rest = frame[frame["item_id"] != item_id]
        tables.write_parquet(path, pd.concat([rest, copy.reindex(columns=frame.columns)], ignore_index=True))

    yield planted
    for path, data in before.items():
        path.write_bytes(data)


def test_a_copy_is_not_learned_from(workspace: Workspace, plant: Plant) -> None:
    plant(workspace.labeled)
    with pytest.raises(IntegrityError, match=r"data/labeled.parquet: 1 of its items .* 'copy': nothing was trained"):
        train.fit(workspace)


def test_a_copy_among_the_gold_is_passed_over(workspace: Workspace, round_id: str, plant: Plant) -> None:
    gold, folder = set(tables.read_parquet(workspace.gold)["item_id"]), workspace.round(round_id)
    plant(workspace.gold)
    before = {path: path.read_bytes() for path in folder.glob("*.*")}
    facts = select.select(workspace, round_id)
    assert len(expected.gold(workspace, round_id)) == facts["reasons"]["gold"] == len(gold)  # type: ignore[index]
    for path, data in before.items():
        path.write_bytes(data)


@pytest.mark.parametrize(
    ("step", "undone"), [(export.export, "nothing was exported"), (validate.validate, "none of them was taken")]
)
def test_a_copy_that_slipped_into_the_batch_stops_the_step(
    workspace: Workspace, round_id: str, plant: Plant, step: small.Step, undone: str
) -> None:
    item_id = small.asked(workspace, round_id)[0]
    plant(workspace.round(round_id) / "items.parquet", item_id)
    with pytest.raises(IntegrityError, match=rf"the \w+ of {round_id}: 1 of its items .*{item_id}.*: {undone}"):
        step(workspace, round_id)


def test_another_test_set_is_not_believed(workspace: Workspace, round_id: str) -> None:
    before = workspace.test.read_bytes()
    tables.write_parquet(workspace.test, tables.read_parquet(workspace.test).head(5))
    with pytest.raises(IntegrityError, match=r"test\.parquet was changed"):
        score.score(workspace, round_id)
    workspace.test.write_bytes(before)
