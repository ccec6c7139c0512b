"""Appen (CrowdFlower): what its reports hold beside the plain case."""

import csv
import io

import pytest

from hitl.delivery.source import Bytes
from hitl.formats import Annotation, Asked, Batch, Lossy, WrongExport, recognised
from hitl.formats.crowdflower import write

HEADER = "_unit_id,_created_at,_golden,_id,_started_at,_tainted,_worker_id,seen,verdict,page,text,verdict_gold"


def told(*rows: str, header: str = HEADER) -> list[Annotation]:
    found = recognised("f1.csv", Bytes("\n".join([header, *rows]).encode()))
    assert found is not None and found.format.name == "crowdflower"
    return [one for one in found.read() if isinstance(one, Annotation)]


def row(number: int, verdict: str, *, gold: str = "false", tainted: str = "false", unit: str = "u1") -> str:
    return f"{unit},8/31/2018 08:18:12,{gold},{number},8/31/2018 08:18:02,{tainted},w{number},{unit},{verdict},p,hi,"


def test_answers_are_what_differs_between_annotators_of_a_row() -> None:
    one, *_ = told(row(1, "yes"), row(2, "no"), row(3, "no"), row(4, "yes"))
    assert (one.labels, one.label_field, one.annotator_id) == (("yes",), "verdict", "w1")
    assert one.content == {"seen": "u1", "page": "p", "text": "hi"}


def test_a_time_without_a_zone_is_kept_as_it_stands() -> None:
    one, *_ = told(row(1, "yes"), row(2, "no"), row(3, "no"), row(4, "yes"))
    assert (one.labeled_at, one.time_text, one.seconds) == ("", "8/31/2018 08:18:12", 10.0)


def test_the_expelled_and_the_gold_are_marked() -> None:
    rows = (row(1, "yes", tainted="true"), row(2, "no", gold="true"), row(3, "no"), row(4, "yes"))
    found = told(*rows)
    assert [(one.status, one.is_gold) for one in found[:2]] == [("expelled", False), ("labeled", True)]


def test_a_report_whose_annotators_were_cut_out_is_read_without_them() -> None:
    header = "_unit_id,_id,_created_at,verdict,text,verdict_gold"
    (one, *others) = told(
        *(f"u1,{n},8/31/2018 08:18:12,{'yes' if n % 3 else 'no'},hi," for n in range(6)), header=header
    )
    assert (one.annotator_id, one.labels, len(others)) == ("", ("no",), 5)


def test_free_text_is_refused() -> None:
    with pytest.raises(WrongExport, match=r"free text, numbers or codes \(verdict\)"):
        told(*(row(number, f"I think {number}") for number in range(9)))


def test_an_aggregated_report_is_taken_only_with_its_loss() -> None:
    header = "_unit_id,_golden,_unit_state,_trusted_judgments,_last_judgment_at,mood,mood:confidence,text"
    data = Bytes(f"{header}\nu1,false,finalized,3,8/24/2013 23:01:45,happy,0.7,a\nu2,false,new,0,,,,b\n".encode())
    found = recognised("a1.csv", data)
    assert found is not None
    with pytest.raises(Lossy, match="take the full report"):
        list(found.read())
    with pytest.raises(WrongExport):  # one answer proves no classes
        list(found.read(Asked(accept_loss=True)))
    one, other = found.read(Asked(accept_loss=True, label_field="mood"))
    assert isinstance(one, Annotation) and (one.labels, one.annotator_confidence) == (("happy",), 0.7)
    assert not isinstance(other, Annotation)


def test_a_pack_goes_out_as_data_of_a_job() -> None:
    sent = {"item_id": "007", "text": "a,b", "model_class": "cat", "model_confidence": "0.5"}
    batch = Batch("r0001", "b1", ("cat", "dog"), ("text",), [sent], shows_model=True, model_version="v3", text="text")
    (back,) = csv.DictReader(io.StringIO(write(batch)["appen_data.csv"].decode(), newline=""))
    assert back == {**sent, "batch_id": "b1", "model_version": "v3"}
