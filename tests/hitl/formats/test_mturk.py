"""Mechanical Turk: what its users' files hold beside the plain case."""

import csv
import io
from collections.abc import Sequence
from itertools import repeat

import pytest

from hitl.delivery.source import Bytes
from hitl.errors import ParamsError
from hitl.formats import Annotation, Asked, Batch, Dropped, WrongExport, recognised
from hitl.formats.mturk import write

FIXED = (
    "HITId",
    "RequesterAnnotation",
    "AssignmentId",
    "WorkerId",
    "AssignmentStatus",
    "SubmitTime",
    "WorkTimeInSeconds",
)
AT = "Mon Oct 05 12:00:00 PDT 2020"
OURS = ("3H", "BatchId:7;", "3A", "A1", "Approved", AT, "12")


def told(names: Sequence[str], *answers: Sequence[str], label_field: str = "", **changed: str) -> list[Annotation]:
    """What is read of a download with these columns of inputs and answers, a row an assignment."""
    fixed = [changed.get(name, cell) for name, cell in zip(FIXED, OURS, strict=True)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([*FIXED, *names, "Approve", "Reject"])
    writer.writerows([*fixed, *cells] for cells in answers)
    found = recognised("results.csv", Bytes(text.getvalue().encode()))
    assert found is not None and found.format.name == "mturk"
    return [one for one in found.read(Asked(label_field=label_field)) if isinstance(one, Annotation)]


def test_rows_end_before_the_columns_that_the_requester_fills_in() -> None:
    (one,) = told(["Input.item_id", "Answer.category.label"], ["007", "cat"])
    assert (one.item_id, one.labels, one.label_field) == ("007", ("cat",), "category")
    assert (one.labeled_at, one.seconds, one.seconds_kind) == ("2020-10-05T19:00:00Z", 12.0, "wallclock")
    assert (one.review_status, one.project_id) == ("approved", "7")


def test_an_item_that_the_file_does_not_name_is_known_by_its_hit() -> None:
    (one,) = told(["Answer.category.label"], ["cat"])
    assert (one.item_id, one.source_item_id) == ("", "3H")


def test_rejected_work_is_kept_and_marked() -> None:
    (one,) = told(["Answer.category.label"], ["cat"], AssignmentStatus="Rejected")
    assert (one.status, one.review_status, one.labels) == ("rejected", "rejected", ("cat",))


def test_radio_buttons_are_a_column_an_option() -> None:
    one, other = told(["Answer.label.cat", "Answer.label.dog"], ["false", "true"], ["true", "true"])
    assert (one.labels, other.labels, one.label_field) == (("dog",), ("cat", "dog"), "label")


def test_a_multi_select_has_several_classes() -> None:
    one, other = told(["Answer.pets.labels"], ['["cat","dog"]'], ["cat|dog"])
    assert one.labels == other.labels == ("cat", "dog")


def test_a_form_comes_as_json() -> None:
    (one,) = told(["Answer.taskAnswers"], ['[{"label":{"cat":false,"dog":true},"comment":"it barks"}]'])
    assert (one.labels, one.comment) == (("dog",), "it barks")


def test_a_question_left_out_is_an_empty_answer() -> None:
    one, other = told(["Answer.category.label"], ["cat"], [""])
    assert (one.status, other.status) == ("labeled", "empty")


def test_answers_that_repeat_are_classes_and_codes_are_not() -> None:
    codes = [[animal, f"code {number}"] for number, animal in enumerate(["cat", "dog"] * 5)]
    found = told(["Answer.animal", "Answer.surveycode"], *codes)
    assert {one.label_field for one in found} == {"animal"}


def test_free_text_is_refused_and_named() -> None:
    with pytest.raises(WrongExport, match=r"free text.*\(surveycode\).*--label-field"):
        told(["Answer.surveycode"], *([f"code {number}"] for number in range(10)))


def test_ratings_are_classes_with_a_reason_beside_them_and_not_with_other_text() -> None:
    rows = [[str(number % 3), f"said {number}"] for number in range(9)]
    assert {one.label_field for one in told(["Answer.rating", "Answer.why"], *rows)} == {"rating"}
    with pytest.raises(WrongExport, match="free text"):
        told(["Answer.clicks", "Answer.transcript"], *rows)


def test_a_question_can_be_named() -> None:
    rows = [["1", "yes"], ["2", "no"]]
    assert [one.labels for one in told(["Answer.a", "Answer.b"], *rows, label_field="a")] == [("1",), ("2",)]
    with pytest.raises(ParamsError, match="'c'; there are a, b"):
        told(["Answer.a", "Answer.b"], *rows, label_field="c")


def test_several_questions_with_classes_are_parts_of_one_annotation() -> None:
    found = told(["Answer.q1.label", "Answer.q2.label"], *repeat(["cat", "big"], 2))
    assert [(one.label_field, one.part) for one in found] == [("q1", 0), ("q2", 1)] * 2


def test_hits_that_nobody_took_are_counted_in_files_of_the_command_line_tools() -> None:
    rows = ["hitid\tassignmentid\tworkerid\tassignmentsubmittime\tAnswer.label", f"h1\ta1\tw1\t{AT}\tcat", "h2\t\t\t\t"]
    found = recognised("old.results", Bytes("\n".join(rows).encode()))
    assert found is not None
    one, none = found.read()
    assert isinstance(one, Annotation) and (one.annotator_id, one.labels) == ("w1", ("cat",))
    assert isinstance(none, Dropped)


def test_what_goes_out_comes_back_though_mechanical_turk_refuses_wide_characters() -> None:
    text = "fine \N{GRINNING FACE}, not &#x1f600;"
    row = {"item_id": "007", "text": text, "model_class": "cat", "model_confidence": "0.5"}
    batch = Batch("r0001", "b1", ("cat", "dog"), ("text",), [row], shows_model=True, model_version="v3", text="text")
    sent = write(batch)["mturk_input.csv"].decode()
    assert max(sent) < "\U00010000"
    header, cells = csv.reader(io.StringIO(sent, newline=""))
    (one,) = told([f"Input.{name}" for name in header] + ["Answer.category.label"], [*cells, "dog"])
    assert one.content == {"text": text}
    assert (one.item_id, one.batch_id, one.shown_class, one.shown_confidence, one.shown_model) == (
        *("007", "b1", "cat"),
        *(0.5, "v3"),
    )
