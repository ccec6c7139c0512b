"""Letters after one real round, some of whose items three people answered and some of which only bob did."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flows.cli import hitl
from hitl import hidden
from hitl.errors import DataError, MomentError
from hitl.hidden import Sent
from hitl.layout import Workspace
from tasks import expected, gold, journal, letters
from tasks.edges import files, tables
from tests.tasks import small_workspace as small

GUIDELINE = "- `wet`: it rains, or has rained\n- `dry`: everything else\n"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """ann and cem are right, bob takes two wet gold items for dry, and most others; spreadsheets would change ids."""
    made = small.made(
        tmp_path_factory.mktemp("letters") / "ws",
        small.table(240, ids="{:05d}"),
        gold=9,
        query={"batch": 24},
        export={"gold": 6, "overlap": 3, "overlap_share": 0.5, "columns": ["size", "note"]},
        delivery={"annotators": ["ann", "bob", "cem"]},
        privacy={"mask_patterns": ["nº [0-9]+"]},
    )
    files.write_text(made.guideline, GUIDELINE)
    name = small.opened(made)
    wanted = expected.manifest(made, name)["overlap"]
    rows = small.answers(made, name)
    many = [row for row in rows if wanted["items"].get(row["item_id"], wanted["default"]) == 3]
    bob = [{**row, "annotator_id": "bob", "comment": "? is dew wet"} for row in rows]
    known = expected.gold(made, name)
    gold = {sent for item, sent in expected.sent_ids(made, name).items() if item in known}
    tried = sorted(row["item_id"] for row in rows if row["item_id"] in gold and row["label"] == "wet")[:2]
    bob = [
        {**row, "label": "dry"} if row["item_id"] in tried or (row["item_id"] not in gold and place % 3) else row
        for place, row in enumerate(bob)
    ]
    assert small.deliver(made, "bob.csv", bob).receipt["verdict"] == "accept"
    small.deliver(made, "others.csv", [{**row, "annotator_id": who} for row in many for who in ("ann", "cem")])
    small.closed(made, name)
    return made


@pytest.fixture(scope="module")
def facts(workspace: Workspace) -> dict[str, Any]:
    """What is told of each letter."""
    told = letters.letters(workspace)["letters"]
    return {one["annotator_id"]: one for one in told}  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def texts(facts: dict[str, Any]) -> dict[str, str]:
    return {name: Path(one["text"]).read_text("utf-8") for name, one in facts.items()}


@pytest.fixture
def guarded(workspace: Workspace) -> Iterator[Workspace]:
    kept = {path: path.read_bytes() for path in (workspace.params, workspace.guideline)}
    yield workspace
    for path, data in kept.items():
        path.write_bytes(data)


def test_everybody_gets_a_page_and_a_text_and_again_the_same_bytes(workspace: Workspace, facts: dict[str, Any]) -> None:
    names = sorted(path.name for path in (workspace.letters / "r0001").iterdir())
    assert names == ["ann.html", "ann.txt", "bob.html", "bob.txt", "cem.html", "cem.txt"]
    before = {path: path.read_bytes() for path in (workspace.letters / "r0001").iterdir()}
    assert letters.letters(workspace)["letters"] == list(facts.values())
    assert all(path.read_bytes() == data for path, data in before.items())
    assert all(path.stat().st_mode & 0o077 == 0 for path in before)


def test_mistakes_are_shown_as_the_pack_showed_their_items(
    workspace: Workspace, facts: dict[str, Any], texts: dict[str, str]
) -> None:
    sent = small.rows(workspace.pack("r0001") / "batch.csv")
    cells = {row["item_id"]: row for row in sent}
    assert len(facts["bob"]["shown"]) == 5
    for item in facts["bob"]["shown"]:
        assert f"- item: {item} (r0001)\n  what you saw: size: {cells[item]['size']} · note: " in texts["bob"]
    assert "[masked]" in texts["bob"] and not re.search(r"nº|town|odd|\b00\d{3}\b", texts["bob"])
    assert "the guideline says: “wet: it rains, or has rained”" in texts["bob"]
    assert "ann" not in texts["bob"].replace("answer", "") and "cem" not in texts["bob"]
    assert "None of your answers is known to be wrong" in texts["ann"]


def test_a_gold_item_that_a_letter_tells_of_never_goes_to_its_reader_again(
    workspace: Workspace, facts: dict[str, Any]
) -> None:
    known, state = expected.gold(workspace, "r0001"), journal.read(workspace)
    item_of = {sent: item for item, sent in expected.sent_ids(workspace, "r0001").items()}
    told = {item_of[sent] for sent in facts["bob"]["shown"]} & known.keys()
    assert told
    (sent,) = gold._sent(workspace, journal.params(workspace), state)
    assert isinstance(sent, Sent)
    assert told <= hidden.seen([sent], vendor=sent.vendor, annotators=["bob"])


def test_what_somebodys_labels_changed_is_measured(
    workspace: Workspace, facts: dict[str, Any], texts: dict[str, str]
) -> None:
    folder = workspace.round("r0001")
    said = tables.read_parquet(folder / "annotations.parquet", ["item_id", "annotator_id", "label"])
    labels = tables.read_parquet(folder / "labels.parquet", ["item_id", "label", "votes", "from"])
    given = labels[labels["from"] == "human"].merge(said[said["annotator_id"] == "bob"], on=["item_id", "label"])
    alone = int(given["votes"].str.endswith(": 1}").sum())
    assert facts["bob"]["labels"] == len(given) > alone > 0
    assert f"{len(given)} are what you answered; {alone} of these on your answer alone" in texts["bob"]
    measured = journal.read(workspace).round("r0001").facts["evaluated"]["metrics"]
    assert facts["bob"]["gain"]["among"] == measured["accuracy"]  # type: ignore[index]
    assert f"Learned anew without the {alone} labels" in texts["bob"]


def test_a_question_is_followed_by_whether_the_guideline_has_changed(guarded: Workspace) -> None:
    letters.letters(guarded, ["bob"])
    path = guarded.letters / "r0001" / "bob.txt"
    assert "you asked: ? is dew wet\n  the guideline: has not changed since" in path.read_text("utf-8")
    files.write_text(guarded.guideline, GUIDELINE.replace("everything else", "also under dew"))
    letters.letters(guarded, ["bob"])
    assert "the guideline: has changed since: please look there" in path.read_text("utf-8")
    assert "the guideline says: The guideline has changed since. “wet" in path.read_text("utf-8")


def test_a_leaderboard_is_shown_when_params_ask_for_it(guarded: Workspace, texts: dict[str, str]) -> None:
    assert not any("Leaderboard" in text for text in texts.values())
    text = guarded.params.read_text("utf-8")
    assert "leaderboard: false" in text
    guarded.params.write_text(text.replace("leaderboard: false", "leaderboard: true"), "utf-8")
    letters.letters(guarded)
    assert "- place: 1\n  who: ann\n" in (guarded.letters / "r0001" / "bob.txt").read_text("utf-8")


def test_the_command_writes_letters_where_it_is_told_to_and_names_who_there_is(
    workspace: Workspace, tmp_path: Path
) -> None:
    done = CliRunner().invoke(hitl, ["-C", str(workspace.root), "letter", "bob", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "1 letter up to r0001:" in done.output and (tmp_path / "out" / "bob.html").is_file()
    strange = CliRunner().invoke(hitl, ["-C", str(workspace.root), "letter", "bobby", "--json"])
    assert strange.exit_code == 5 and "there are ann, bob, cem" in strange.output
    early = CliRunner().invoke(hitl, ["-C", str(workspace.root), "letter", "--round", "r0002"])
    assert early.exit_code == 3 and "the newest is r0001" in early.output


def test_nobody_is_written_to_before_a_round_is_closed(workspace: Workspace) -> None:
    with pytest.raises(MomentError, match="letters tell of r0001"):
        letters.letters(workspace, round_id="r0000")
    with pytest.raises(DataError, match="'dan'"):
        letters.letters(workspace, ["dan", "ann"])
