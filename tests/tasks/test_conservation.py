"""Every row has one outcome, every accepted answer its price, and the order of the files decides no more than it must.

Random deliveries of a small batch, with rows of all kinds, re-sends, overlaps and revisions; judged in memory, and a
few taken by the real `ingest`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from hitl.contract import SKIP
from hitl.delivery.expectation import Expectation
from hitl.delivery.judge import Bytes, Judgement, judge
from hitl.delivery.receipt import receipt
from hitl.state import fold
from tasks import expected, journal
from tasks.ingest import ingest
from tests import factories
from tests.spec import batch, desk
from tests.spec.rule import Sent

ITEMS = tuple(f"i{n}" for n in range(8))
PEOPLE, CLASSES = ("ann", "bob", "cem"), ("cat", "dog")
TWICE = {"i0": 2, "i1": 2, "i2": 3}
WANTED = Expectation(
    round="r0001",
    classes=CLASSES,
    items={item: {} for item in ITEMS},
    annotators=PEOPLE,
    overlap=TWICE,
    exported_at=datetime(2026, 11, 1, tzinfo=UTC),
    received_at=datetime(2026, 11, 21, tzinfo=UTC),
)
Row = tuple[str, str, str, str]
"""Item, label, annotator, seconds."""

ROWS = st.tuples(
    st.sampled_from([*ITEMS, *ITEMS, "x1", ""]),
    st.sampled_from([*CLASSES, *CLASSES, *CLASSES, SKIP, " cat", "Cat", ""]),
    st.sampled_from([*PEOPLE, *PEOPLE, *PEOPLE, "dan"]),
    st.sampled_from(["5", "5", "5", "-1"]),
)
SOUND = st.tuples(st.sampled_from(ITEMS), st.sampled_from([*CLASSES, SKIP]), st.sampled_from(PEOPLE), st.just("5"))
PRICE = st.decimals(min_value=0, max_value=10, places=4)


@dataclass(frozen=True)
class File:
    """Rows as delivered. `replaced` is the place of an earlier delivery that the manifest, or each row, supersedes."""

    rows: tuple[Row, ...]
    replaced: int | None = None
    by_row: bool = False

    def sent(self, earlier: Sequence[str]) -> tuple[bytes, bytes | None]:
        """The bytes of the file and of its manifest."""
        old = earlier[self.replaced % len(earlier)] if earlier and self.replaced is not None else ""
        named = old[:8] if self.by_row else ""
        lines = [f"{','.join(row)},{named}\n" for row in self.rows]
        header = "item_id,label,annotator_id,seconds,supersedes\n"
        manifest = f'{{"supersedes": "{old}"}}'.encode() if old and not self.by_row else None
        return "".join([header, *lines]).encode(), manifest


FILES = st.lists(ROWS | SOUND | SOUND, min_size=1, max_size=14).map(tuple)
PLAIN = st.lists(FILES.map(File), min_size=2, max_size=4)
REVISING = st.lists(
    st.builds(File, FILES, st.none() | st.integers(0, 3), st.booleans()), min_size=1, max_size=5
).flatmap(lambda files: st.lists(st.sampled_from(files), min_size=1, max_size=6))


def taken(files: Iterable[File]) -> tuple[list[Judgement], Expectation]:
    """The judgement of each file as they arrive one after the other, and what is expected after the last."""
    wanted, judged = WANTED, list[Judgement]()
    for file in files:
        data, manifest = file.sent([one.sha256 for one in judged])
        judged.append(judge(Bytes(data), wanted, manifest=manifest))
        if judged[-1].verdict != "reject":
            wanted = expected.after(wanted, judged[-1])
    return judged, wanted


@settings(max_examples=100)
@given(REVISING)
def test_every_row_that_was_delivered_has_one_outcome(files: list[File]) -> None:
    for file, judged in zip(files, taken(files)[0], strict=True):
        told = [one.row for one in (*judged.annotations, *judged.held)]

        assert judged.delivered == len(file.rows) == len(told) + judged.duplicate
        assert (judged.accepted, judged.quarantined) == (len([*judged.annotations]), len([*judged.held]))
        assert len(set(told)) == len(told)


@settings(max_examples=100)
@given(REVISING, PRICE)
def test_the_answers_that_stand_are_paid_once_and_exactly(files: list[File], price: Decimal) -> None:
    judged, wanted = taken(files)
    said = [receipted(one, price) for one in judged if one.verdict != "reject"]
    exported = {"price": str(price), "currency": "EUR"}

    paid = sum((Decimal(one["payable"]["amount"]) for one in said), Decimal(0))
    one_round = fold(
        factories.events(
            *factories.baseline(),
            *factories.a_round(1, *said, until="delivered" if said else "exported", exported=exported),
        )
    )

    assert paid == price * len(wanted.taken) == one_round.round("r0001").spent
    assert one_round.round("r0001").accepted == len(wanted.taken)


def receipted(judged: Judgement, price: Decimal) -> dict[str, Any]:
    return receipt(
        judged,
        received_at=WANTED.received_at,
        price=price,
        currency="EUR",
        expected_items=8,
        complete_items=judged.complete,
    )


@settings(max_examples=100)
@given(REVISING)
def test_a_file_that_comes_again_changes_nothing(files: list[File]) -> None:
    judged, wanted = taken(files)
    for one in judged:
        if one.verdict != "reject":
            data = next(sent for sent in every_form(files, judged) if hashlib.sha256(sent).hexdigest() == one.sha256)
            again = judge(Bytes(data), wanted)
            assert (again.verdict, again.reasons, again.accepted) == ("reject", ("F_DUPLICATE_DELIVERY",), 0)
            assert again.delivered == again.duplicate == one.delivered


def every_form(files: Sequence[File], judged: Sequence[Judgement]) -> Iterable[bytes]:
    for number, file in enumerate(files):
        yield file.sent([one.sha256 for one in judged[:number]])[0]


@settings(max_examples=200)
@given(PLAIN, st.randoms(use_true_random=False))
def test_the_order_of_the_files_changes_nothing_that_is_not_in_conflict(files: list[File], random: Random) -> None:
    shuffled = random.sample(files, len(files))

    one, other = (undisputed(taken(order)[1], files) for order in (files, shuffled))

    assert one == other


def undisputed(wanted: Expectation, files: Iterable[File]) -> dict[tuple[str, str], str]:
    """The answers taken for which no file has another one, to items that no more people answered than were asked."""
    said = {(item, who, label.strip(" ")) for file in files for item, label, who, _ in file.rows if who in PEOPLE}
    said = {(item, who, label) for item, who, label in said if label in (*CLASSES, SKIP)}
    answers = Counter((item, who) for item, who, _ in said)
    people = Counter(item for item, _ in answers)
    return {
        key: answer
        for key, answer in wanted.taken.items()
        if answers[key] == 1 and people[key[0]] <= wanted.overlap_of(key[0])
    }


def test_a_file_that_contradicts_an_earlier_one_throughout_is_still_taken_row_by_row() -> None:
    first = File(tuple((item, "cat", "ann", "5") for item in ITEMS[:4]))
    second = File(tuple((item, "dog" if item in ITEMS[:4] else "cat", "ann", "5") for item in ITEMS))

    judged, wanted = taken([first, second])

    assert (judged[1].verdict, judged[1].reasons) == ("quarantine", ("R_RELABEL_CONFLICT",))
    assert wanted.taken == {(item, "ann"): "cat" for item in ITEMS}


@pytest.mark.parametrize("seed", range(6))
def test_ingest_keeps_the_same_books(tmp_path: Path, seed: int) -> None:
    random, workspace = Random(seed), desk.made(tmp_path / "workspace")
    receipts: list[dict[str, Any]] = []
    for number in range(5):
        sent = a_file(random, [str(one["delivery"]) for one in receipts])
        for folder in (f"sent-{number}", f"sent-again-{number}"):
            with desk.laid(tmp_path / folder, sent) as path:
                receipts.append(dict(ingest(workspace, path).receipt))
    state = journal.read(workspace)
    told, standing = state.round("r0002"), expected.now(workspace, state, journal.now()).taken

    assert all(one["rows"]["delivered"] == sum([*one["rows"].values()][1:]) for one in receipts)
    assert told.accepted == len(standing) == sum(one["payable"]["annotations"] for one in receipts)
    assert told.spent == Decimal("0.12") * len(standing) == sum(Decimal(one["payable"]["amount"]) for one in receipts)


def a_file(random: Random, earlier: Sequence[str]) -> Sent:
    """Some rows of the contract's batch, mostly sound, some of them revising an earlier delivery."""
    rows = random.sample(batch.rows(), random.randint(2, 12))
    for row in rows:
        row["label"] = random.choices([row["label"], *batch.CLASSES, "", "othr"], [24, 1, 1, 1, 1, 1])[0]
        row["supersedes"] = random.choice(["", "", *earlier[-1:]])
    return batch.written(rows, (*batch.HEADER, "supersedes"))
