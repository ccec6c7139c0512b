"""A pack opens safely in a spreadsheet, says how it is to be answered, and can be answered by filling it in."""

import csv
import io
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from hitl.contract import SKIP, label_schema_sha256, neutral, original
from hitl.delivery.judge import Bytes, Expectation, judge
from hitl.errors import DataError
from hitl.pack import batch_csv, datapackage, exported_items, manifest

AT = datetime(2026, 11, 21, 10, tzinfo=timezone(timedelta(hours=1)))


def read(batch: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(batch.decode(), newline=""), strict=True))


def rows_of(*texts: str) -> list[Mapping[str, str]]:
    return [{"item_id": f"i{n}", "text": text} for n, text in enumerate(texts)]


def test_a_batch_has_a_row_an_item_and_room_for_the_answer() -> None:
    batch = batch_csv(rows_of("one", "two"), ["text"], show_prediction=False)

    assert batch.splitlines()[0] == b'"item_id","text","label","annotator_id","labeled_at","seconds","comment"'
    assert batch.splitlines()[1] == b'"i0","one","","","","",""'
    assert batch.endswith(b"\n")


def test_only_the_columns_asked_for_leave() -> None:
    row = {"item_id": "i0", "text": "one", "label": "cat", "utility": "0.9", "model_class": "cat"}

    assert b"cat" not in batch_csv([row], ["text"], show_prediction=False)
    assert b"0.9" not in batch_csv([row], ["text"], show_prediction=False)


def test_a_prediction_is_shown_on_request_alone() -> None:
    row = {"item_id": "i0", "model_class": "-1", "model_confidence": "1e-05"}
    shown = read(batch_csv([row], [], show_prediction=True))[0]

    assert (shown["model_class"], shown["model_confidence"]) == ("'-1", "1e-05")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t1", "\r1", "\uff1d1+1", "  =1", "'=1", "'plain"])
def test_no_cell_runs_as_a_formula(cell: str) -> None:
    written = read(batch_csv(rows_of(cell), ["text"], show_prediction=False))[0]["text"]

    assert written == f"'{cell}"
    assert original(written) == cell


def test_plain_numbers_in_numeric_columns_stay_numbers() -> None:
    rows = [{"item_id": "i0", "x": "-0.5"}, {"item_id": "i1", "x": "-1+cmd"}]
    batch = batch_csv(rows, ["x"], show_prediction=False, numeric=["x"])

    assert [row["x"] for row in read(batch)] == ["-0.5", "'-1+cmd"]


def test_line_ends_inside_cells_survive() -> None:
    text = "a\r\nb\rc\n\nd"

    assert read(batch_csv(rows_of(text, "x"), ["text"], show_prediction=False))[0]["text"] == text


@pytest.mark.parametrize("ids", [("a", "a"), ("a", "a "), ("caf\u00e9", "cafe\u0301"), ("", "a"), ("=a", "'=a")])
def test_ids_that_could_be_taken_for_each_other_do_not_leave(ids: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="item ids"):
        batch_csv([{"item_id": item} for item in ids], [], show_prediction=False)


def test_ids_that_differ_by_case_are_two_ids() -> None:
    assert len(read(batch_csv([{"item_id": "ab"}, {"item_id": "AB"}], [], show_prediction=False))) == 2


@pytest.mark.parametrize("column", ["label", "comment", "code", "model_class"])
def test_a_visible_column_may_not_have_the_name_of_one_of_ours(column: str) -> None:
    with pytest.raises(DataError, match=column):
        batch_csv([], [column], show_prediction=False)


def test_a_nul_is_named_before_it_breaks_the_answer() -> None:
    with pytest.raises(DataError, match=r"'i1'.*'text'"):
        batch_csv(rows_of("fine", "a\0b"), ["text"], show_prediction=False)


def test_what_was_sent_out_can_be_read_back() -> None:
    batch = batch_csv([{"item_id": "@a", "text": "=1"}], ["text"], show_prediction=False)

    assert exported_items(batch) == {"@a": {"text": "'=1"}}


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=5))
def test_a_filled_in_batch_is_a_sound_delivery(texts: list[str]) -> None:
    batch = batch_csv(rows_of(*texts, "last"), ["text"], show_prediction=False)
    wanted = Expectation(round="r0001", classes=("cat",), items=exported_items(batch), exported_at=AT, received_at=AT)

    judgement = judge(Bytes(batch.replace(b',"","","","",""\n', b',"cat","ann","","",""\n')), wanted)

    assert (judgement.verdict, judgement.accepted) == ("accept", len(texts) + 1)


@given(st.text())
def test_neutral_text_can_always_be_undone(text: str) -> None:
    assert original(neutral(text)) == text


def test_the_data_package_lists_classes_and_skip_and_lets_answers_be_empty() -> None:
    resource = datapackage(["text"], ["cat", "NA"])["resources"]
    assert isinstance(resource, list)
    schema = resource[0]["schema"]

    fields = {field["name"]: field for field in schema["fields"]}
    assert list(fields)[:3] == ["item_id", "text", "label"]
    assert fields["label"]["constraints"] == {"enum": ["cat", "NA", SKIP]}
    assert schema["missingValues"] == [""]


def test_the_manifest_says_what_a_delivery_is_judged_by_and_no_more() -> None:
    said = manifest(
        round_id="r0001",
        batch_id="r0001",
        classes=("cat", "dog"),
        default_overlap=1,
        overlap={"i2": 2, "i1": 3},
        exported_at=AT,
        deadline=AT,
        files={"guideline.md": "b" * 64, "batch.csv": "a" * 64},
        guideline_sha256="b" * 64,
        annotators=("ann",),
    )

    assert said["overlap"] == {"default": 1, "items": {"i1": 3, "i2": 2}}
    assert said["deadline"] == "2026-11-21T09:00:00Z"
    assert said["skip"] == SKIP
    assert said["label_schema_sha256"] == label_schema_sha256(["cat", "dog"])
    assert list(said["files"]) == ["batch.csv", "guideline.md"]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("x;=1+2", "x;'=1+2"),
        ("x; =1+2;y", "x;' =1+2;y"),
        ('x;"=1+2', "x;'\"=1+2"),
        ("hello\n=cmd|'/C calc'!A0\nbye", "hello\n'=cmd|'/C calc'!A0\nbye"),
        ("a\t\uff1d1", "a\t'\uff1d1"),
        ("=1;=2", "'=1;'=2"),
        ("\t=1", "'\t'=1"),
        ("\n=cmd|'/C calc'!A0\n", "'\n'=cmd|'/C calc'!A0\n"),
        ("one; two, 1-2;3", "one; two, 1-2;3"),
    ],
)
def test_no_part_of_a_cell_runs_where_a_spreadsheet_separates_at_semicolons(cell: str, written: str) -> None:
    assert read(batch_csv(rows_of(cell), ["text"], show_prediction=False))[0]["text"] == written


@given(st.text(st.sampled_from('=+-@;\t\r\n" x\uff1d\ufe63')))
def test_however_a_spreadsheet_takes_a_row_apart_no_cell_begins_like_a_formula(text: str) -> None:
    sent = batch_csv(rows_of(text), ["text"], show_prediction=False)
    parts = [part.lstrip(' "') for part in re.split("[;\t\r\n]", sent.decode())]
    cells = [cell.lstrip() for row in csv.reader(io.StringIO(sent.decode(), newline="")) for cell in row]
    assert not set("=+-@\uff1d\ufe63") & {each[:1] for each in (*parts, *cells)}


def test_the_name_of_a_column_does_not_run_either() -> None:
    batch = batch_csv([{"item_id": "i0", "=1+1": "x"}], ["=1+1"], show_prediction=False)
    package = datapackage(["=1+1"], ["cat"])["resources"]
    assert isinstance(package, list)
    assert batch.startswith(b'"item_id","\'=1+1",')
    assert package[0]["schema"]["fields"][1]["name"] == "'=1+1"
    assert exported_items(batch) == {"i0": {"'=1+1": "x"}}


@pytest.mark.parametrize(
    "cell", ["=1+1", "+49 30", "-x", "@x", "\t=1", "\r\n=1", "\uff1d1", "'=1", "'tis", "=1;=2\n-3"]
)
@pytest.mark.parametrize("stripped", [False, True])
def test_an_answer_is_taken_whether_or_not_the_apostrophe_came_back(cell: str, stripped: bool) -> None:
    batch = batch_csv(rows_of(cell, "last"), ["text"], show_prediction=False)
    wanted = Expectation(round="r0001", classes=("cat",), items=exported_items(batch), exported_at=AT, received_at=AT)
    back = batch.replace(b',"","","","",""\n', b',"cat","ann","","",""\n')
    judgement = judge(Bytes(back.replace(b'"i0","\'', b'"i0","') if stripped else back), wanted)
    assert (judgement.verdict, judgement.accepted) == ("accept", 2)
