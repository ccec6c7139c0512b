"""Results of a batch as the requester's website wrote them, and assignments as boto3 gives them."""

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from xml.sax.saxutils import escape

from hitl.formats import Annotation
from hitl.formats.mturk import narrow

PST = timezone(timedelta(hours=-8))
FIXED = (
    *("HITId", "HITTypeId", "Title", "Description", "Keywords", "Reward", "CreationTime", "MaxAssignments"),
    *("RequesterAnnotation", "AssignmentDurationInSeconds", "AutoApprovalDelayInSeconds", "Expiration"),
    *("NumberOfSimilarHITs", "LifetimeInSeconds", "AssignmentId", "WorkerId", "AssignmentStatus", "AcceptTime"),
    *("SubmitTime", "AutoApprovalTime", "ApprovalTime", "RejectionTime", "RequesterFeedback", "WorkTimeInSeconds"),
    *("LifetimeApprovalRate", "Last30DaysApprovalRate", "Last7DaysApprovalRate"),
)
STATUS = {"": "Submitted", "approved": "Approved", "rejected": "Rejected"}


def exported(flavour: str, annotations: Sequence[Annotation]) -> tuple[str, bytes]:
    handed_in = [one for one in annotations if one.status not in ("skipped", "draft")]
    classes = sorted({label for one in handed_in for label in one.labels} | {"none of these", "I cannot tell"})
    if flavour == "assignments":
        listed = [_assignment(one, classes) for one in handed_in]
        return "assignments.json", json.dumps({"NumResults": len(listed), "Assignments": listed}, indent=1).encode()
    if flavour == "answers":
        return "answers.zip", _packed([_answer(one, classes) for one in handed_in])
    return "Batch_1_batch_results.csv", _results(handed_in, classes)


def _packed(files: Sequence[str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, text in enumerate(files):
            archive.writestr(f"answer{number}.xml", text)
    return packed.getvalue()


def told(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(PST).strftime("%a %b %d %H:%M:%S PST %Y") if at else ""


def _form(one: Annotation, classes: Sequence[str]) -> str:
    return json.dumps([{"comment": one.comment, "label": {name: name in one.labels for name in classes}}])


def _verdict(one: Annotation) -> dict[str, str]:
    at = {"rejected": "RejectionTime", "approved": "ApprovalTime"}
    return {
        "AssignmentStatus": STATUS.get(one.review_status, "Approved"),
        "RequesterFeedback": one.review_comment,
        **({at[one.review_status]: one.reviewed_at} if one.review_status in at else {}),
    }


def _results(annotations: Sequence[Annotation], classes: Sequence[str]) -> bytes:
    inputs = ("item_id", "batch_id", "text", "model_class", "model_confidence", "model_version")
    header = (*FIXED, *(f"Input.{name}" for name in inputs), "Answer.taskAnswers", "Approve", "Reject")
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    for one in annotations:
        confidence = "" if one.shown_confidence is None else str(one.shown_confidence)
        given = (one.item_id, one.batch_id, (one.content or {})["text"], one.shown_class, confidence, one.shown_model)
        verdict = _verdict(one)
        row: dict[str, Any] = {
            "HITId": one.source_item_id,
            "Reward": f"${one.reward}",
            "RequesterAnnotation": f"BatchId:{one.project_id};OriginalHitTemplateId:928390909;",
            "AssignmentId": one.source_annotation_id,
            "WorkerId": one.annotator_id,
            "AcceptTime": told(one.started_at),
            "SubmitTime": told(one.labeled_at),
            **verdict,
            **{name: told(verdict[name]) for name in ("ApprovalTime", "RejectionTime") if name in verdict},
            "WorkTimeInSeconds": "" if one.seconds is None else one.seconds,
            "LifetimeApprovalRate": "0% (0/0)",
            **{f"Input.{name}": narrow(value) for name, value in zip(inputs, given, strict=True)},
            "Answer.taskAnswers": _form(one, classes),
        }
        writer.writerow([row.get(name, "") for name in header[:-2]])  # Approve and Reject have no cells
    return text.getvalue().encode()


def _answer(one: Annotation, classes: Sequence[str]) -> str:
    address = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"
    said = escape(_form(one, classes))
    answer = f"<QuestionIdentifier>taskAnswers</QuestionIdentifier><FreeText>{said}</FreeText>"
    body = f"<QuestionFormAnswers xmlns='{address}'><Answer>{answer}</Answer></QuestionFormAnswers>"
    return f"<?xml version='1.0' encoding='ASCII'?>{body}"


def _assignment(one: Annotation, classes: Sequence[str]) -> dict[str, str]:
    return {
        "AssignmentId": one.source_annotation_id,
        "WorkerId": one.annotator_id,
        "HITId": one.source_item_id,
        "AcceptTime": one.started_at,
        "SubmitTime": one.labeled_at,
        "AutoApprovalTime": one.labeled_at,
        **_verdict(one),
        "Answer": _answer(one, classes),
    }
