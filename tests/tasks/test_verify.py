import json
import random
import secrets
import shutil
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hitl import ledger
from hitl.errors import MomentError
from hitl.layout import Workspace
from hitl.ledger import Event
from tasks import verify as verifying
from tasks.edges import files, lock, tables, verifier
from tests.rounds import shell

Found = dict[str, Any]
BROKEN = ("data/rounds/r0001/labels.parquet", "data/test.parquet", "data/rounds/r0002/pack/batch.csv")


def verify(root: Path) -> Found:
    return verifying.verify(Workspace(root))


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << (place % 8)
    path.write_bytes(data)


def lines(root: Path) -> list[bytes]:
    return (root / "data/ledger.jsonl").read_bytes().splitlines(keepends=True)


def rechained(events: list[Event], seq: int, **facts: object) -> bytes:
    """The ledger with other facts in one event and a fresh, valid chain, as somebody could who may write all of it."""
    told: list[Event] = []
    for event in events:
        new = {**event.facts, **(facts if event.seq == seq else {})}
        at = verifying.journal.datetime.fromisoformat(event.at)
        told.append(ledger.extend(told, at=at, actor=event.actor, event=event.event, round=event.round, facts=new))
    return b"".join(ledger.line(event) for event in told)


def test_what_the_rounds_left_is_sound_and_nothing_in_it_is_unchecked(root: Path) -> None:
    found = verify(root)
    assert (found["problems"], found["unchecked"]) == ([], [])
    assert found["anchors"] == {"git": 2, "mlflow": 2}
    assert found["events"] == len(lines(root))


def test_every_file_of_a_closed_round_and_every_delivery_is_named(root: Path) -> None:
    events, _ = verifier.chain((root / "data/ledger.jsonl").read_bytes())
    named = verifier.files_named(events)
    folders = [root / "data" / name for name in ("rounds/r0000", "rounds/r0001", "deliveries", "pool")]
    there = {path.relative_to(root).as_posix() for folder in folders for path in folder.rglob("*") if path.is_file()}
    sets = {f"data/{name}.parquet" for name in ("initial", "test", "gold", "labeled")}
    assert there | sets | {"data/truth.csv", "data/learning_curve.csv"} <= set(named)


def test_a_flipped_bit_in_any_named_file_is_found_and_located(root: Path) -> None:
    events, _ = verifier.chain((root / "data/ledger.jsonl").read_bytes())
    named = verifier.files_named(events)
    for file, one in named.items():
        path = root / file
        before, size = path.read_bytes(), path.stat().st_size
        for place in sorted({0, size // 3, size // 2, size - 1}):
            flip(path, place)
            (problem,) = verifier.changed(root, named.values())
            assert (problem.file, problem.line, problem.expected) == (file, one.by["seq"] + 1, one.sha256)
            assert json.loads(lines(root)[problem.seq])["event"] == problem.event
            path.write_bytes(before)
        path.unlink()
        (problem,) = verifier.changed(root, named.values())
        assert (problem.file, problem.found) == (file, "missing")
        path.write_bytes(before)


def test_any_flipped_bit_is_found_where_it_is(root: Path) -> None:
    """Other bits in every run; the seed is told when one is missed."""
    seed = secrets.randbits(32)
    rng, ledger_path = random.Random(seed), root / "data/ledger.jsonl"
    events, _ = verifier.chain(ledger_path.read_bytes())
    named = verifier.files_named(events)
    sizes = [(root / file).stat().st_size for file in named]
    for file in rng.choices(list(named), sizes, k=15):
        data = (root / file).read_bytes()
        (root / file).write_bytes(flipped(data, rng))
        assert [one.file for one in verifier.changed(root, named.values())] == [file], seed
        (root / file).write_bytes(data)
    data = ledger_path.read_bytes()
    for _ in range(60):
        broken = flipped(data, rng)
        place = next(index for index, pair in enumerate(zip(data, broken, strict=True)) if pair[0] != pair[1])
        problems = verifier.chain(broken)[1]
        assert problems and problems[0].line == data[:place].count(b"\n") + 1, (seed, place)


def flipped(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data) * 8)
    return data[: place // 8] + bytes([data[place // 8] ^ 1 << place % 8]) + data[place // 8 + 1 :]


@pytest.mark.parametrize("file", BROKEN)
def test_the_whole_answer_names_the_file_the_event_and_what_was_expected(root: Path, file: str) -> None:
    flip(root / file, 5)
    (problem,) = verify(root)["problems"]
    assert problem["file"] == file
    assert (
        f"event {problem['seq']} ({problem['event']} of {problem['round']}, line {problem['line']}" in problem["says"]
    )
    assert problem["expected"][:12] in problem["says"] and problem["found"][:12] in problem["says"]


@pytest.mark.parametrize(
    "file",
    [
        "data/rounds/r0001/labels.parquet",
        "data/pool/part-00000.parquet",
        "data/labeled.parquet",
        "data/learning_curve.csv",
        "data/rounds/r0001/pack/MANIFEST.json",
    ],
)
@pytest.mark.parametrize("harm", ["flip", "remove"])
def test_the_named_command_brings_the_file_back(root: Path, file: str, harm: str) -> None:
    flip(root / file, 3) if harm == "flip" else (root / file).unlink()
    (problem,) = verify(root)["problems"]
    done = shell(problem["mend"], root)
    assert done.returncode == 0, done.stderr
    assert verify(root)["problems"] == []


def test_a_whole_round_that_is_gone_comes_back_file_by_file(root: Path) -> None:
    shutil.rmtree(root / "data/rounds/r0001")
    for problem in verify(root)["problems"]:
        assert shell(problem["mend"], root).returncode == 0
    assert verify(root)["problems"] == []


def test_a_delivery_since_the_last_version_comes_back_from_the_inbox(root: Path) -> None:
    event = ledger.parse((root / "data/ledger.jsonl").read_bytes())[-1]
    delivery = root / f"data/deliveries/{event.facts['delivery']}.csv"
    flip(delivery, 0)
    (problem,) = verify(root)["problems"]
    assert problem["mend"].startswith("cp data/inbox/half.csv ")
    assert shell(problem["mend"], root).returncode == 0
    assert verify(root)["problems"] == []


def test_a_file_with_no_other_copy_is_said_to_have_none(root: Path) -> None:
    flip(root / "data/rounds/r0002/batch.parquet", 9)
    (problem,) = verify(root)["problems"]
    assert problem["mend"] == verifier.NO_COPY


def test_a_damaged_file_in_the_cache_is_not_offered_as_the_remedy(root: Path) -> None:
    file = "data/rounds/r0001/labels.parquet"
    (cached,) = verifier._cached(root, file)
    cached.chmod(0o644)
    flip(cached, 7)
    flip(root / file, 7)
    (problem,) = verify(root)["problems"]
    assert problem["mend"] == verifier.NO_COPY


@pytest.mark.parametrize("number", [0, 7, -2])
def test_a_changed_line_of_the_ledger_comes_back_without_losing_what_came_since(root: Path, number: int) -> None:
    text, before = lines(root), (root / "data/ledger.jsonl").read_bytes()
    text[number] = text[number].replace(b'"actor":"', b'"actor":"x', 1)
    (root / "data/ledger.jsonl").write_bytes(b"".join(text))
    problem = verify(root)["problems"][0]
    assert problem["line"] == number % len(text) + 1
    if number >= 0:
        assert shell(problem["mend"], root).returncode == 0
        assert (root / "data/ledger.jsonl").read_bytes() == before
    else:  # no version has it yet
        assert problem["mend"] == verifier.NO_COPY


@pytest.mark.parametrize("end", [b"", b"\x0b"])
def test_a_last_line_without_its_line_end_is_found_and_mended(root: Path, end: bytes) -> None:
    before = (root / "data/ledger.jsonl").read_bytes()
    (root / "data/ledger.jsonl").write_bytes(before[:-1] + end)
    problem = verify(root)["problems"][0]
    assert problem["line"] == len(lines(root))
    assert shell(problem["mend"], root).returncode == 0
    assert (root / "data/ledger.jsonl").read_bytes() == before


@pytest.mark.parametrize("anchor", ["git", "mlflow"])
def test_each_anchor_alone_sees_a_ledger_that_was_rewritten_from_the_start(root: Path, anchor: str) -> None:
    events = list(ledger.parse((root / "data/ledger.jsonl").read_bytes()))
    (root / "data/ledger.jsonl").write_bytes(rechained(events, 0, notes=["not so"]))
    if anchor == "git":
        (root / ".hitl/mlflow.db").unlink()
    else:
        shutil.rmtree(root / ".git")
    found = verify(root)
    assert [problem["round"] for problem in found["problems"]] == ["r0000", "r0001"]
    assert all(problem["file"] == "data/ledger.jsonl" for problem in found["problems"])
    assert found["problems"][0]["line"] == (1 if anchor == "git" else None)


@pytest.mark.parametrize("anchor", ["git", "mlflow"])
def test_each_anchor_alone_sees_a_ledger_whose_end_was_cut_off(root: Path, anchor: str) -> None:
    events = ledger.parse((root / "data/ledger.jsonl").read_bytes())
    end = next(event.seq for event in events if (event.event, event.round) == ("closed", "r0001"))
    (root / "data/ledger.jsonl").write_bytes(b"".join(lines(root)[:end]))
    if anchor == "git":
        (root / ".hitl/mlflow.db").unlink()
    else:
        shutil.rmtree(root / ".git")
    anchors = [problem for problem in verify(root)["problems"] if "anchors another ledger" in problem["says"]]
    assert [problem["round"] for problem in anchors] == ["r0001"]


def test_the_ledger_of_the_newest_version_comes_back_from_git(root: Path) -> None:
    events = list(ledger.parse((root / "data/ledger.jsonl").read_bytes()))
    (root / "data/ledger.jsonl").write_bytes(rechained(events, 0, notes=["not so"]))
    mend = verify(root)["problems"][0]["mend"]
    assert mend == "git checkout refs/tags/r0001 -- data/ledger.jsonl"
    assert shell(mend, root).returncode == 0
    assert verify(root)["problems"] == []


def test_an_mlflow_database_that_cannot_be_read_proves_nothing(root: Path) -> None:
    (root / ".hitl/mlflow.db").write_bytes(b"torn")
    found = verify(root)
    assert (found["problems"], found["anchors"]) == ([], {"git": 2, "mlflow": 0})


def test_looking_at_the_database_leaves_it_as_it_was(root: Path) -> None:
    before = (root / ".hitl/mlflow.db").read_bytes()
    verify(root)
    assert (root / ".hitl/mlflow.db").read_bytes() == before
    assert sqlite3.connect(root / ".hitl/mlflow.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_nobody_put_into_the_pool_is_found(root: Path) -> None:
    (root / "data/pool/more items.parquet").write_bytes(b"")
    (problem,) = verify(root)["problems"]
    assert problem["file"] == "data/pool/more items.parquet"
    assert shell(problem["mend"], root).returncode == 0
    assert verify(root)["problems"] == []


def test_events_that_cannot_be_are_a_problem_however_well_they_are_chained(root: Path) -> None:
    events = ledger.parse((root / "data/ledger.jsonl").read_bytes())
    at = verifying.journal.now()
    new = ledger.extend(events, at=at, actor="eve", event="closed", round="r0000", facts={})
    with (root / "data/ledger.jsonl").open("ab") as file:
        file.write(ledger.line(new))
    (problem,) = verify(root)["problems"]
    assert "cannot be: r0000 is closed" in problem["says"]


def test_what_another_command_is_writing_is_not_called_broken(root: Path) -> None:
    workspace = Workspace(root)
    with lock.locked(workspace, "close"):
        assert verify(root)["problems"] == []
        flip(root / "data/labeled.parquet", 5)
        with pytest.raises(MomentError, match=r"`hitl close` \(pid \d+ on .+\) is at work .*: verify again"):
            verify(root)
    assert len(verify(root)["problems"]) == 1


def test_a_copy_of_the_verifier_gives_the_same_answer_without_any_of_our_code(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "check it.py"
    shell(f"hitl verify --standalone '{copy}'", root)
    python = f"'{sys.executable}' -I -S '{copy}' --json '{root}'"
    answers = []
    for harm in (lambda: None, lambda: flip(root / BROKEN[0], 1), lambda: flip(root / "data/ledger.jsonl", 2000)):
        harm()
        alone, ours = shell(python, tmp_path), shell("hitl verify --json", root)
        assert json.loads(alone.stdout) == json.loads(ours.stdout)
        answers.append((alone.returncode, ours.returncode))
    assert answers == [(0, 0), (6, 6), (6, 6)]


def test_the_copy_says_it_in_words_and_says_where_there_is_nothing_to_verify(root: Path, tmp_path: Path) -> None:
    verifying.standalone(tmp_path / "v.py")
    said = shell(f"'{sys.executable}' -I -S '{tmp_path}/v.py'", root)
    assert said.stdout.startswith("sound: ")
    assert shell(f"'{sys.executable}' -I -S '{tmp_path}/v.py' '{tmp_path}'", root).returncode == 3


def test_a_test_item_among_the_labels_is_found_though_the_ledger_tells_of_them_so(root: Path) -> None:
    workspace = Workspace(root)
    labeled, test = tables.read_parquet(workspace.labeled), tables.read_parquet(workspace.test)
    copy, before = test.head(1).assign(item_id="copy"), files.sha256(workspace.labeled)
    rows = pd.concat([labeled, copy.reindex(columns=labeled.columns)])
    after = tables.write_parquet(workspace.labeled, rows)
    events = ledger.parse(workspace.ledger.read_bytes())
    told = [replace(one, facts=json.loads(json.dumps(one.facts).replace(before, after))) for one in events]
    workspace.ledger.write_bytes(rechained(told, -1))
    found = [problem["says"] for problem in verify(root)["problems"] if problem["file"] == "data/labeled.parquet"]
    assert found == ["data/labeled.parquet: 1 of its items are in the test set, by id or by content: 'copy'"]
