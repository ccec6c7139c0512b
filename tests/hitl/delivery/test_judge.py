"""A delivery is taken row by row, held back with a reason, or refused whole; no row is ever lost or guessed at."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hitl.delivery.judge import SKIP, Bytes, Expectation, Judgement, judge
from hitl.errors import DataError

HEADER = "item_id,label,annotator_id"
ITEMS = tuple(f"i{n:02d}" for n in range(20))


def expectation(**changes: Any) -> Expectation:
    plain: dict[str, Any] = {
        "round": "r0001",
        "classes": ("cat", "dog", "horse"),
        "items": {item: {} for item in ITEMS},
        "annotators": ("ann", "bob"),
        "exported_at": datetime(2026, 11, 1, tzinfo=UTC),
        "received_at": datetime(2026, 11, 21, 9, tzinfo=UTC),
    }
    return Expectation(**(plain | changes))


def delivery(*rows: str, header: str = HEADER) -> bytes:
    return "".join(f"{line}\n" for line in (header, *rows)).encode()


def whole(**changed: str) -> bytes:
    """Every item answered "cat" by ann, but for the rows given by item."""
    return delivery(*(changed.get(item, f"{item},cat,ann") for item in ITEMS))


def codes(judgement: Judgement) -> list[tuple[int, str]]:
    return [(held.row, held.code) for held in judgement.held]


def test_a_sound_delivery_is_taken_whole() -> None:
    judgement = judge(Bytes(whole()), expectation(), file="acme.csv")

    assert (judgement.verdict, judgement.reasons, judgement.file) == ("accept", (), "acme.csv")
    assert (judgement.delivered, judgement.accepted) == (20, 20)
    assert list(judgement.annotations)[1].item_id == "i01"
    assert list(judgement.annotations)[1].row == 2
    assert judgement.sha256 == hashlib.sha256(whole()).hexdigest()


def test_one_bad_row_is_held_and_the_others_are_taken() -> None:
    judgement = judge(Bytes(whole(i03="i03,catt,ann")), expectation())

    assert (judgement.verdict, judgement.reasons, judgement.accepted) == ("quarantine", ("R_LABEL_UNKNOWN",), 19)
    held = next(iter(judgement.held))
    assert (held.row, held.column, held.value, held.cells) == (4, "label", "catt", ("i03", "catt", "ann"))
    assert held.expected == f"one of: cat, dog, horse, or {SKIP}"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("i03,,ann", "R_LABEL_EMPTY"),
        ("i03,Cat,ann", "R_LABEL_CASE"),
        ("i03,mule,ann", "R_LABEL_RETIRED"),
        ("i03,unsure,ann", "R_LABEL_UNKNOWN"),
        ("i03,c\u200bat,ann", "R_CONTROL_CHARS"),
        ("i03,cat,", "R_ANNOTATOR_EMPTY"),
        ("i03,cat,Ann", "R_ANNOTATOR_UNKNOWN"),
        (",cat,ann", "R_ID_EMPTY"),
        ("I03,cat,ann", "R_ID_UNKNOWN"),
        ("x99,cat,ann", "R_ID_OTHER_ROUND"),
        ("i03,cat", "R_CELL_COUNT"),
        ("i03,cat,ann,", "R_CELL_COUNT"),
        (HEADER, "R_HEADER_REPEATED"),
    ],
)
def test_a_row_is_held_for_what_is_wrong_with_it(row: str, code: str) -> None:
    judgement = judge(Bytes(whole(i03=row)), expectation(retired=("mule",), other_rounds={"x99": "r0000"}))

    assert codes(judgement) == [(4, code)]
    assert judgement.accepted == 19


@pytest.mark.parametrize(
    ("row", "proposed"),
    [
        ("i03,CAT,ann", "cat"),
        ("i03,\u201ccat\u201d,ann", "cat"),
        ("i03,catt,ann", "cat"),
        ("i03,bird,ann", ""),
        ("I03,cat,ann", "i03"),
        ("i03,cat,Ann", "ann"),
    ],
)
def test_a_certain_fix_is_proposed_and_never_taken(row: str, proposed: str) -> None:
    judgement = judge(Bytes(whole(i03=row)), expectation())

    assert next(iter(judgement.held)).proposed == proposed
    assert "i03" not in {annotation.item_id for annotation in judgement.annotations}


@pytest.mark.parametrize("word", ["NA", "None", "null", "nan", "01", "1e5"])
def test_ids_and_classes_that_look_like_something_else_stay_text(word: str) -> None:
    judgement = judge(Bytes(delivery(f"{word},{word},ann")), expectation(items={word: {}}, classes=("cat", word)))

    assert [(each.item_id, each.label) for each in judgement.annotations] == [(word, word)]


def test_a_skip_is_an_answer_of_its_own() -> None:
    judgement = judge(Bytes(whole(i03=f"i03,{SKIP},ann")), expectation())

    assert judgement.verdict == "accept"
    assert [each.label for each in judgement.annotations][3] is None


def test_no_class_may_be_called_like_a_skip() -> None:
    with pytest.raises(DataError, match="rename the class"):
        expectation(classes=("cat", SKIP))


def test_spaces_around_an_answer_are_left_out_and_said() -> None:
    judgement = judge(Bytes(whole(i03=" i03,cat , ann")), expectation())

    assert (judgement.verdict, judgement.accepted) == ("accept", 20)
    assert "W_TRIMMED" in judgement.warnings


def test_rows_nobody_has_begun_are_no_mistakes() -> None:
    judgement = judge(Bytes(delivery("i00,cat,ann", *(f"{item},," for item in ITEMS[1:]))), expectation())

    assert (judgement.verdict, judgement.accepted, judgement.quarantined) == ("quarantine", 1, 19)
    assert judgement.reasons == ("R_LABEL_EMPTY",)


def test_too_many_bad_rows_refuse_the_file_and_every_row_says_why() -> None:
    judgement = judge(Bytes(whole(**{item: f"{item},bird,ann" for item in ITEMS[:5]})), expectation())

    assert (judgement.verdict, judgement.reasons) == ("reject", ("F_TOO_MANY_BAD_ROWS", "R_LABEL_UNKNOWN"))
    assert (judgement.accepted, judgement.quarantined, judgement.delivered) == (0, 20, 20)
    assert {code for _, code in codes(judgement)} == {"F_TOO_MANY_BAD_ROWS", "R_LABEL_UNKNOWN"}


def test_two_bad_rows_are_no_systematic_fault_however_short_the_file() -> None:
    assert judge(Bytes(delivery("i00,cat,ann", "i01,bird,ann", "i02,bird,ann")), expectation()).accepted == 1


def test_an_identical_row_counts_once() -> None:
    judgement = judge(Bytes(delivery("i00,cat,ann", "i00,cat,ann")), expectation())

    assert (judgement.verdict, judgement.accepted, judgement.duplicate) == ("accept", 1, 1)
    assert "W_DUP_IDENTICAL" in judgement.warnings


def test_of_two_answers_by_one_annotator_none_is_taken() -> None:
    judgement = judge(Bytes(delivery("i00,cat,ann", "i00,dog,ann", "i01,cat,ann")), expectation())

    assert codes(judgement) == [(1, "R_DUP_CONFLICT"), (2, "R_DUP_CONFLICT")]
    assert judgement.accepted == 1


def test_more_annotators_than_the_overlap_allows_are_all_held() -> None:
    judgement = judge(Bytes(delivery("i00,cat,ann", "i00,cat,bob", "i01,cat,ann")), expectation())

    assert codes(judgement) == [(1, "R_DUP_CONFLICT"), (2, "R_DUP_CONFLICT")]


def test_an_item_takes_as_many_annotators_as_its_overlap() -> None:
    wanted = expectation(overlap={"i00": 2})
    judgement = judge(Bytes(delivery("i00,cat,ann", "i00,dog,bob")), wanted)

    assert (judgement.verdict, judgement.accepted) == ("accept", 2)
    assert judgement.complete == 1


def test_known_bytes_change_nothing() -> None:
    judgement = judge(Bytes(whole()), expectation(known=frozenset({hashlib.sha256(whole()).hexdigest()})))

    assert (judgement.verdict, judgement.reasons) == ("reject", ("F_DUPLICATE_DELIVERY",))
    assert (judgement.delivered, judgement.duplicate, list(judgement.held)) == (20, 20, [])


def test_answers_already_taken_stand() -> None:
    taken = {("i00", "ann"): "cat", ("i01", "ann"): SKIP}
    judgement = judge(
        Bytes(delivery("i00,cat,ann", "i01,dog,ann", "i02,dog,ann", "i03,dog,ann")), expectation(taken=taken)
    )

    assert (judgement.accepted, judgement.duplicate) == (2, 1)
    assert codes(judgement) == [(2, "R_RELABEL_CONFLICT")]


def test_a_manifest_that_supersedes_may_revise_what_that_delivery_said() -> None:
    taken = {("i00", "ann"): "cat", ("i01", "ann"): "cat"}
    wanted = expectation(taken=taken, known=frozenset({"first"}), origin={("i01", "ann"): "another"})
    manifest = json.dumps({"supersedes": "first"}).encode()

    judgement = judge(Bytes(delivery("i00,dog,ann", "i01,dog,ann")), wanted, manifest=manifest)

    assert [(each.item_id, each.label) for each in judgement.annotations] == [("i00", "dog")]
    assert codes(judgement) == [(2, "R_RELABEL_CONFLICT")]
    assert judgement.supersedes == "first"


def test_the_latest_state_of_a_source_supersedes_what_earlier_ones_said_and_nothing_else() -> None:
    taken = dict.fromkeys([("i00", "ann"), ("i01", "ann"), ("i02", "ann")], "cat")
    origin = {("i00", "ann"): "monday", ("i01", "ann"): "tuesday", ("i02", "ann"): "a file by hand"}
    sources = {"monday": "project 3", "tuesday": "project 3"}
    wanted = expectation(taken=taken, origin=origin, known=frozenset({*origin.values()}), sources=sources)
    data = Bytes(delivery("i00,dog,ann", "i01,dog,ann", "i02,dog,ann"))

    latest = judge(data, wanted, manifest=json.dumps({"source": "project 3"}).encode())
    another = judge(data, wanted, manifest=json.dumps({"source": "project 4"}).encode())

    assert ([each.item_id for each in latest.annotations], latest.revised) == (["i00", "i01"], 2)
    assert codes(latest) == [(3, "R_RELABEL_CONFLICT")]
    assert (latest.source, another.accepted) == ("project 3", 0)


FIRST, OTHER = "a1" * 32, "b2" * 32


def superseding(*cells: str, known: Any = frozenset({FIRST, OTHER})) -> Judgement:
    """Ann thinks better of her answers to the first items; the last of them came with another delivery."""
    taken = {(item, "ann"): "cat" for item in ITEMS[: len(cells)]}
    origin = {**dict.fromkeys(taken, FIRST), (ITEMS[len(cells) - 1], "ann"): OTHER}
    rows = [f"{item},dog,ann,{cell}" for item, cell in zip(ITEMS, cells, strict=False)]
    data = delivery(*rows, header=f"{HEADER},supersedes")
    return judge(Bytes(data), expectation(taken=taken, origin=origin, known=known))


def test_a_row_that_names_the_delivery_of_the_earlier_answer_revises_it() -> None:
    judgement = superseding(FIRST, FIRST[:8], FIRST[:12].upper(), "", FIRST)

    assert ([each.item_id for each in judgement.annotations], judgement.revised) == (["i00", "i01", "i02"], 3)
    assert codes(judgement) == [(4, "R_RELABEL_CONFLICT"), (5, "R_RELABEL_CONFLICT")]
    assert "W_EXTRA_COLUMN" not in judgement.warnings


@pytest.mark.parametrize("cell", ["c3" * 32, FIRST[:7], "the first one", "r0001"])
def test_a_row_that_supersedes_what_never_came_is_held(cell: str) -> None:
    judgement = superseding(FIRST, cell, FIRST)

    assert codes(judgement)[0] == (2, "R_SUPERSEDES_UNKNOWN")


def test_what_a_row_supersedes_is_not_judged_where_earlier_deliveries_are_not_known() -> None:
    assert (
        judge(Bytes(delivery("i00,cat,ann,nonsense", header=f"{HEADER},supersedes")), expectation(known=None)).accepted
        == 1
    )


def test_a_changed_answer_is_told_how_to_supersede() -> None:
    held = next(iter(superseding("", FIRST).held))

    assert held.expected == f"{FIRST} in a column supersedes, to replace what that delivery said: cat"


def test_a_row_that_supersedes_may_bring_something_new_or_say_the_same_again() -> None:
    rows = delivery(f"i00,cat,ann,{FIRST}", f"i01,dog,ann,{FIRST}", header=f"{HEADER},supersedes")
    taken = {("i00", "ann"): "cat"}

    judgement = judge(Bytes(rows), expectation(taken=taken, origin={("i00", "ann"): FIRST}, known={FIRST}))

    assert (judgement.accepted, judgement.duplicate, judgement.revised) == (1, 1, 0)


def test_bytes_taken_for_another_round_are_known_too() -> None:
    elsewhere = frozenset({hashlib.sha256(whole()).hexdigest()})

    assert judge(Bytes(whole()), expectation(elsewhere=elsewhere)).reasons == ("F_DUPLICATE_DELIVERY",)


def test_a_closed_round_takes_nothing_and_keeps_every_row() -> None:
    judgement = judge(Bytes(whole()), expectation(closed=True))

    assert (judgement.verdict, judgement.reasons, judgement.quarantined) == ("reject", ("F_ROUND_CLOSED",), 20)


def test_a_whole_file_for_another_round_is_named_so() -> None:
    other = {f"old{n:02d}": "r0000" for n in range(20)}
    judgement = judge(Bytes(delivery(*(f"{item},cat,ann" for item in other))), expectation(other_rounds=other))

    assert judgement.reasons[0] == "F_WRONG_ROUND"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2026-11-20T09:00:00", "R_TIME_NO_ZONE"),
        ("20/11/2026 09:00", "R_TIME_FORMAT"),
        ("2026-02-30T09:00:00Z", "R_TIME_FORMAT"),
        ("2026-11-20T09:00:00+01:99", "R_TIME_FORMAT"),
        ("2026-11-22T09:00:00Z", "R_TIME_FUTURE"),
        ("2026-10-01T09:00:00Z", "R_TIME_BEFORE_EXPORT"),
    ],
)
def test_a_time_must_be_a_moment_between_export_and_delivery(cell: str, code: str) -> None:
    sound = "2026-11-20T14:30:00+05:30"
    data = delivery(f"i00,cat,ann,{sound}", f"i01,cat,ann,{cell}", header=f"{HEADER},labeled_at")

    judgement = judge(Bytes(data), expectation())

    assert codes(judgement) == [(2, code)]
    assert next(iter(judgement.annotations)).labeled_at == sound


@pytest.mark.parametrize(
    ("cell", "code"),
    [("", "R_SECONDS_FORMAT"), ("inf", "R_SECONDS_FORMAT"), ("1e1", "R_SECONDS_FORMAT"), ("0", "R_SECONDS_RANGE")],
)
def test_seconds_must_be_a_plain_number_of_a_day_at_most(cell: str, code: str) -> None:
    data = delivery("i00,cat,ann,12.5", f"i01,cat,ann,{cell}", header=f"{HEADER},seconds")

    judgement = judge(Bytes(data), expectation())

    assert codes(judgement) == [(2, code)]
    assert next(iter(judgement.annotations)).seconds == 12.5


def test_an_optional_column_left_empty_throughout_is_as_good_as_absent() -> None:
    data = delivery("i00,cat,ann,,,", "i01,dog,ann,,,", header=f"{HEADER},labeled_at,seconds,comment")

    judgement = judge(Bytes(data), expectation())

    assert (judgement.verdict, judgement.accepted) == ("accept", 2)
    assert "W_OPTIONAL_COLUMN_MISSING" in judgement.warnings


def echoed(cell: str, column: str = "text") -> Judgement:
    items = {"i00": {"text": "=1+1", "x": "0.5"}, "i01": {"text": "plain", "x": "-3"}}
    header, row = f"{HEADER},{column}", ["i00", "cat", "ann", cell]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return judge(Bytes(delivery(text.getvalue().rstrip("\n"), header=header)), expectation(items=items))


@pytest.mark.parametrize("cell", ["=1+1", "'=1+1"])
def test_a_visible_cell_may_come_back_with_or_without_its_apostrophe(cell: str) -> None:
    assert (echoed(cell).verdict, "W_ECHO_FORMAT" in echoed(cell).warnings) == ("accept", False)


def test_a_number_may_come_back_written_in_another_way() -> None:
    assert echoed("0.50", "x").warnings == ("W_ECHO_FORMAT", "W_MISSING_ITEMS", "W_OPTIONAL_COLUMN_MISSING")


@pytest.mark.parametrize("cell", ["one\r\ntwo", "one\rtwo", "one\n\ntwo", "one\r\r\ntwo"])
def test_line_ends_in_a_visible_cell_may_come_back_as_others_or_doubled(cell: str) -> None:
    items = {"i00": {"text": "one\ntwo"}}

    judged = judge(Bytes(delivery(f'i00,cat,ann,"{cell}"', header=f"{HEADER},text")), expectation(items=items))

    assert (judged.verdict, judged.accepted, "W_ECHO_FORMAT" in judged.warnings) == ("accept", 1, False)


def test_a_value_that_came_back_changed_holds_its_row() -> None:
    judgement = echoed("2")

    assert codes(judgement) == [(1, "R_ECHO_CHANGED")]
    assert next(iter(judgement.held)).expected == "=1+1"


def test_the_columns_of_a_redo_file_are_left_alone() -> None:
    data = delivery("i00,cat,ann,R_LABEL_CASE,one of: cat,cat", header=f"{HEADER},code,expected,proposed")

    judgement = judge(Bytes(data), expectation())

    assert (judgement.verdict, judgement.accepted) == ("accept", 1)
    assert "W_EXTRA_COLUMN" not in judgement.warnings


def test_blind_answers_refuse_the_file() -> None:
    gold = dict.fromkeys(ITEMS[:8], "dog")

    judgement = judge(Bytes(whole()), expectation(gold=gold))

    assert judgement.reasons == ("F_GOLD_FAIL",)


def test_one_blind_annotator_is_held_with_all_their_rows() -> None:
    answers = [f"{item},{'cat' if n < 5 else 'dog'},{'ann' if n < 8 else 'bob'}" for n, item in enumerate(ITEMS)]
    gold = dict.fromkeys((*ITEMS[:5], *ITEMS[10:18]), "dog")

    judgement = judge(Bytes(delivery(*answers)), expectation(gold=gold))

    assert (judgement.verdict, judgement.reasons) == ("quarantine", ("R_ANNOTATOR_GOLD_FAIL",))
    assert {each.annotator_id for each in judgement.annotations} == {"bob"}
    assert (judgement.accepted, judgement.quarantined) == (12, 8)


def test_two_wrong_gold_answers_prove_nothing() -> None:
    assert judge(Bytes(whole()), expectation(gold={"i00": "dog", "i01": "dog"})).verdict == "accept"


def test_an_old_answer_never_makes_a_good_delivery_fail() -> None:
    taken = {(item, "bob"): "cat" for item in ITEMS[:8]}
    gold = dict.fromkeys(ITEMS[:8], "dog") | dict.fromkeys(ITEMS[8:16], "cat")

    judgement = judge(Bytes(delivery(*(f"{item},cat,ann" for item in ITEMS[8:]))), expectation(taken=taken, gold=gold))

    assert judgement.verdict == "accept"


CELLS = st.sampled_from(
    [*ITEMS[:4], "cat", "dog", SKIP, "ann", "bob", "", " ", '"', "\n", "Cat", "x99", ",", "\r", "é"]
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4).map(",".join), max_size=30), st.booleans())
def test_rows_in_are_the_sum_of_their_outcomes(rows: list[str], ends: bool) -> None:
    data = delivery(*rows) if ends else delivery(*rows).rstrip(b"\n")
    taken = {("i00", "ann"): "cat"}

    judgement = judge(Bytes(data), expectation(taken=taken, overlap={"i01": 2}))

    outcomes = [each.row for each in judgement.annotations] + [each.row for each in judgement.held]
    assert len(outcomes) == len(set(outcomes))
    assert judgement.delivered == len(outcomes) + judgement.duplicate
    assert judgement.verdict == "reject" or judgement.delivered == _rows(data)
    assert not judgement.accepted or judgement.verdict != "reject"


def _rows(data: bytes) -> int:
    rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    return sum(any(map(str.strip, row)) for row in rows) - 1


@given(st.binary(max_size=200), st.binary(max_size=40) | st.none())
def test_no_bytes_make_it_raise(data: bytes, manifest: bytes | None) -> None:
    assert judge(Bytes(data), expectation(), manifest=manifest).verdict == "reject"


@given(st.permutations(["i00,cat,ann", "i00,dog,ann", "i01,cat,ann", "i02,bird,ann", "i03,cat,bob", "i03,cat,ann"]))
def test_the_order_of_rows_means_nothing(rows: list[str]) -> None:
    judgement = judge(Bytes(delivery(*rows)), expectation(bad_row_share=1.0))

    assert {each.item_id for each in judgement.annotations} == {"i01"}
    assert judgement.quarantined == 5


def test_rows_of_a_withdrawn_annotator_are_as_if_they_stood_not_in_the_file() -> None:
    header = f"{HEADER},seconds"
    rows = [f"{item},cat,{'bob' if n % 2 else 'ann'},5" for n, item in enumerate(ITEMS)]
    mine = [row for row in rows if ",ann," in row]
    bad = [f"{item},horsse, bob ,-1" for item in ITEMS[:9]]
    manifest = json.dumps({"rows": len(rows) + len(bad)}).encode()

    alone = judge(Bytes(delivery(*mine, header=header)), expectation())
    without = judge(
        Bytes(delivery(*rows, *bad, header=header)), expectation(without=frozenset({"bob"})), manifest=manifest
    )

    assert (without.verdict, without.accepted, without.warnings) == (alone.verdict, 10, alone.warnings)
    assert [one.item_id for one in without.annotations] == [one.item_id for one in alone.annotations]


def test_a_file_of_withdrawn_rows_alone_has_none() -> None:
    judgement = judge(Bytes(whole()), expectation(without=frozenset({"ann"})))

    assert (judgement.verdict, judgement.reasons) == ("reject", ("F_NO_ROWS",))
