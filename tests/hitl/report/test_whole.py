from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from hitl import annotators, ledger
from hitl.curve import CurvePoint
from hitl.errors import MomentError
from hitl.label_errors import InDoubt
from hitl.ledger import Event, Facts
from hitl.mix import mix
from hitl.params import Params, parse
from hitl.report.sections import learning
from hitl.report.sections.parts import Badge, Heat, Section, Table
from hitl.report.sections.sources import Answer, BatchItem, Prediction, Sources
from hitl.report.whole import Report, report_of
from hitl.state import fold
from tests.factories import a_round, baseline, params_text

PARAMS = "data: {id: id, label: label, classes: [cat, dog], columns: {text: text}}\nexport: {columns: [text]}\n"
METRICS: Facts = {"accuracy": 0.8, "accuracy_low": 0.7, "accuracy_high": 0.9}
WHO = (("ann", "cat"), ("bob", "dog"))
POOL: Facts = {"estimate": 0.5, "low": 0.1, "high": 0.9, "items": 2, "right": 1}


def judged(verdict: str, champion: str, challenger: str, low: float = 0.0) -> Facts:
    return {"verdict": verdict, "champion": champion, "challenger": challenger, "gain": 0.02, "low": low, "high": 0.05}


def story(verdict: str = "promoted", low: float = 0.01) -> list[tuple[str, str, Facts]]:
    champion = "r0000" if verdict == "kept" else "r0001"
    counts = {"delivered": 4, "accepted": 4, "quarantined": 0, "duplicate": 0}
    payable = {"annotations": 4, "amount": "0.48", "price": "0.12", "currency": "USD"}
    return [
        ("created", "r0000", {"counts": {"pool": 500}}),
        ("trained", "r0000", {"labels": 10, "model_id": "m0"}),
        ("evaluated", "r0000", {"metrics": METRICS}),
        ("judged", "r0000", judged("first", "r0000", "r0000")),
        ("closed", "r0000", {"files": {"data/x": "e" * 64}}),
        ("opened", "r0001", {"strategy": "margin"}),
        ("scored", "r0001", {}),
        ("selected", "r0001", {"items": 4, "reasons": {}}),
        ("exported", "r0001", {"annotations": 4, "price": "0.12"}),
        (
            "delivered",
            "r0001",
            {"delivery": "d" * 64, "file": "a.csv", "verdict": "accept", "rows": counts, "payable": payable},
        ),
        ("validated", "r0001", {"answered": 4}),
        ("resolved", "r0001", {"resolved": 3, "skipped": 1, "agreement": None, "gold": {}, "pool_accuracy": POOL}),
        ("trained", "r0001", {"labels": 13, "model_id": "m1"}),
        ("evaluated", "r0001", {"metrics": METRICS, "predictions_sha256": "9" * 64}),
        ("judged", "r0001", judged(verdict, champion, "r0001", low)),
    ]


def sources(told: Sequence[tuple[str, str, Facts]], params: str = PARAMS, round_id: str = "r0001") -> Sources:
    events: list[Event] = []
    for event, name, facts in told:
        at = datetime(2026, 11, 21, 9, tzinfo=UTC) + timedelta(minutes=len(events))
        events.append(ledger.extend(events, at=at, actor="ada", event=event, round=name, facts=facts))
    found: Params = parse(params)
    return Sources(workspace="pets", round_id=round_id, state=fold(events), params=found)


def section(report: Report, name: str) -> Section:
    return next(one for one in report.sections if one.name == name)


def table(report: Report, name: str, caption: str) -> Table:
    return next(one for one in section(report, name).tables if one.caption.startswith(caption))


def items(*ids: str) -> tuple[BatchItem, ...]:
    return tuple(BatchItem(item_id, "uncertain", rank, 0.9, "cat", 0.5) for rank, item_id in enumerate(ids, start=1))


def test_labels_in_doubt_are_counted_and_shown_the_worst_first() -> None:
    told = sources(story())
    assert "in doubt" not in " ".join(section(report_of(told), "labels").words)
    doubted = (InDoubt("i9", "cat", "dog", 0.97), InDoubt("i2", "dog", "cat", 0.81))
    found = report_of(replace(told, doubted=doubted))
    assert "Of all labels so far 2 labels are in doubt." in section(found, "labels").words
    assert table(found, "labels", "Labels in doubt").rows == (
        ("i9", "cat", "dog", "97 %"),
        ("i2", "dog", "cat", "81 %"),
    )


def test_a_promotion_is_told_with_the_model_it_replaced() -> None:
    said = report_of(sources(story())).verdict
    assert said == "r0001 is the new champion: it gains 2.0 points of accuracy (95 % interval +1.0 to +5.0) over r0000."


def test_a_champion_that_stays_is_named_first() -> None:
    report = report_of(sources(story("kept", low=-0.01)))
    assert report.verdict.startswith("r0000 stays champion: r0001 is not proven better, its gain is +2.0 points")
    assert section(report, "gate").words[1].endswith("(−1.0) has to be above the margin (0.0); it is not.")


def test_the_first_model_needs_no_gate() -> None:
    report = report_of(sources(story(), round_id="r0000"))
    assert report.verdict == "r0000 is the first model, so it is the champion."
    assert not section(report, "gate").figures


def test_the_date_is_that_of_the_last_event() -> None:
    assert report_of(sources(story())).when == "21 November 2026, 09:14 UTC"


def test_a_round_that_has_only_begun_says_only_what_is_known() -> None:
    report = report_of(sources(story()[:6]))
    assert [one.name for one in report.sections] == ["learning", "provenance"]
    assert report.tiles == ()


def test_a_round_that_never_was_is_refused() -> None:
    with pytest.raises(MomentError, match="no round r0009"):
        report_of(sources(story(), round_id="r0009"))


def test_the_curve_ends_at_the_round_and_compares_as_many_points() -> None:
    random = tuple(CurvePoint("", 10 + 3 * index, 0.7) for index in range(1, 9))
    found = report_of(replace(sources(story()), comparison=random))
    rows = table(found, "learning", "The curve").rows
    assert [row[0] for row in rows] == ["r0000", "r0001", "comparison"]


def test_the_curve_says_what_is_and_was_to_be_expected() -> None:
    early = learning.section(sources(baseline(), params_text(), "r0000"))
    assert early
    assert early.words == (
        "Nothing is expected of a next round yet: that takes 4 measured models of one learner, and there is 1.",
    )
    told = [*baseline(), *(one for number in range(1, 6) for one in a_round(number))]
    found = learning.section(sources(told, params_text(), "r0004"))
    assert found
    (coming, past), (picture,) = found.words, found.figures
    assert coming.startswith("r0005 is expected to reach 83.3 % (79.2 to 87.4 %)")
    assert "with 180 labels" in coming
    assert past.startswith("So far 1 of 1 round measured within what was to be expected; an interval is to hold 95 %")
    assert picture.drawing.markup.count('class="foretold"') == 3  # r0004, r0005, and the legend
    assert picture.drawing.markup.count('class="foretold coming"') == 1


def test_confusions_are_shares_of_the_class_and_moves_are_counted() -> None:
    before = tuple(Prediction(f"t{n}", "cat", said) for n, said in enumerate(["cat", "dog", "dog", "cat"]))
    after = tuple(Prediction(f"t{n}", "cat", said) for n, said in enumerate(["cat", "cat", "cat", "dog"]))
    report = report_of(replace(sources(story()), before=before, after=after))
    assert table(report, "confusion", "After").rows[0] == ("cat", Heat("3", 0.75, True), Heat("1", 0.25, False))
    assert "2 items newly right, 1 item newly wrong" in section(report, "confusion").words[1]
    recalls = table(report, "confusion", "Recall").rows
    assert [row[:5] for row in recalls] == [("cat", "4", "50 %", "75 %", "+25"), ("dog", "0", "–", "–", "–")]


def test_many_classes_are_told_by_their_confusions_instead_of_a_matrix() -> None:
    names = [f"c{n:02d}" for n in range(40)]
    after = tuple(Prediction(name, name, names[0]) for name in names)
    report = report_of(replace(sources(story(), PARAMS.replace("cat, dog", ", ".join(names))), after=after))
    found = table(report, "confusion", "Most frequent")
    assert len(found.rows) == 25
    assert found.note == "The first 25 of 39 confusions are shown."


def test_an_item_says_its_odds_and_the_labeled_item_nearest_to_it_and_the_batch_how_it_differs() -> None:
    (one,) = items("a")
    drawn = replace(
        one, reason="random", utility=None, selection_probability=0.004, nearest_item="z", nearest_label="dog"
    )
    made = replace(sources(story()), batch=(drawn,), mix=mix({"town": (["Bern"], ["Bern", "Kyiv"])}))
    assert table(report_of(made), "batch", "Items").rows[0][2] == "random · chance 0.4 % · nearest to z (dog)"
    differs = table(report_of(made), "batch", "How the batch differs")
    assert differs.rows == (("town", "Bern", "100 %", "50 %"), ("town", "Kyiv", "0 %", "50 %"))


def test_an_item_shows_why_it_was_picked_and_what_became_of_it() -> None:
    said = {("a", "ann"): "cat", ("b", "ann"): "dog", ("b", "bob"): None, ("b", "cy"): "dog"}
    made = replace(
        sources(story()),
        batch=items("a", "b", "c"),
        shown={"a": {"text": "meow " * 99}},
        answers=tuple(Answer(*who, label) for who, label in said.items()),
        labels={"a": "cat", "b": "dog", "c": None},
    )
    rows = table(report_of(made), "batch", "Items").rows
    assert rows[0][2:] == ("uncertain · utility 0.900", "cat (50 %)", "ann: cat", Badge("cat", "good"))
    assert len(str(rows[0][1])) <= 161
    assert rows[1][4:] == ("ann, cy: dog · bob: skip", Badge("dog (corrected)", "fair"))
    assert rows[2][4:] == ("nothing", Badge("no label", "bad"))


def test_people_confirm_the_model_only_where_there_is_a_label() -> None:
    made = replace(sources(story()), batch=items("a", "b", "c"), labels={"a": "cat", "b": "dog", "c": None})
    assert table(report_of(made), "batch", "Why").rows[0][-1] == "1 of 2 (50 %)"


def test_nobody_agrees_with_himself() -> None:
    answers = (
        Answer("a", "ann", "cat"),
        Answer("b", "ann", "dog"),
        Answer("b", "bob", "cat"),
        Answer("b", "cy", "cat"),
    )
    made = replace(sources(story()), answers=answers, labels={"a": "cat", "b": "cat"})
    agreed = {row[0]: row[3] for row in table(report_of(made), "annotators", "Each").rows}
    assert agreed == {"ann": "0 of 1 (0 %)", "bob": "1 of 1 (100 %)", "cy": "1 of 1 (100 %)"}


def test_gold_counts_apart_from_agreement() -> None:
    answers = (Answer("g", "ann", "cat"), Answer("g", "bob", "dog"))
    made = replace(sources(story()), answers=answers, labels={"g": "cat"}, gold={"g": "cat"})
    rows = table(report_of(made), "annotators", "Each").rows
    assert [row[3:5] for row in rows] == [
        ("–", "1 of 1 (100 %) [20.7 to 100.0 %]"),
        ("–", "0 of 1 (0 %) [0.0 to 79.3 %]"),
    ]


def test_the_annotators_are_told_over_all_rounds_and_what_they_took_gold_for() -> None:
    rows = [("r0001", f"g{n}", who, said, None, 2.0, "d", n) for n in range(12) for who, said in WHO]
    records = annotators.records(
        pd.DataFrame(rows, columns=list(annotators.COLUMNS)),
        gold={f"g{n}": "cat" for n in range(12)},
        labels=pd.DataFrame(columns=["round", "item_id", "label"]),
        vendors={"r0001": "acme"},
        confidence=0.95,
        draws=100,
        seed=0,
    )
    made = replace(sources(story()), answers=(Answer("g0", "ann", "cat"),), records=records)
    whole = table(report_of(made), "annotators", "All rounds").rows
    assert [row[:4] for row in whole] == [
        ("acme, 2 annotators", "1", "24", "50 % of 24 [31.4 to 68.6 %]"),
        ("ann", "1", "12", "100 % of 12 [75.8 to 100.0 %]"),
        ("bob", "1", "12", "0 % of 12 [0.0 to 24.2 %]"),
    ]
    assert table(report_of(made), "annotators", "What gold").rows == (("bob", "cat", "dog", "12"),)


def test_agreement_beyond_chance_has_an_interval() -> None:
    said = [(item, who, "cat" if item < "c" else "dog") for item in "abcd" for who in ("ann", "bob")]
    made = replace(sources(story()), answers=tuple(Answer(*one) for one in said), labels={})
    assert "alpha is 1.00 over 4 items" in section(report_of(made), "annotators").words[1]


def test_confidence_is_shown_beside_the_share_right_and_the_method_says_why() -> None:
    bins = [{"items": 4, "confidence": 0.9, "right": 0.75, "low": 0.3, "high": 0.95}]
    facts = {"resolved": 3, "skipped": 0, "agreement": None, "reliability": bins, "method": "majority", "why": "few"}
    told = [(event, name, facts if event == "resolved" else one) for event, name, one in story()]
    found = section(report_of(sources(told)), "labels")
    assert "4 gold items" in found.figures[0].caption
    assert "Off the line by 15.0 %" in found.figures[0].caption
    assert "Method: majority (few)." in found.words


def test_the_last_answer_of_an_annotator_stands() -> None:
    made = replace(
        sources(story()), answers=(Answer("a", "ann", "cat"), Answer("a", "ann", "dog")), labels={"a": "dog"}
    )
    assert [one.label for one in made.said["a"]] == ["dog"]


def test_a_delivery_shows_every_outcome_of_its_rows() -> None:
    (row,) = table(report_of(sources(story())), "deliveries", "Files").rows
    assert row[3:9] == (Badge("accept", "good"), "4", "4", "0", "0", "0.48 USD")


def test_the_estimate_on_the_pool_says_how_many_items_it_stands_on() -> None:
    (said,) = section(report_of(sources(story())), "pool").words
    assert "Of 2 items drawn at random" in said
    assert "50.0 % (95 % interval 10.0 to 90.0 %)" in said


def test_without_a_random_slice_there_is_no_estimate() -> None:
    told = [(event, name, {**facts, "pool_accuracy": {**POOL, "estimate": None}}) for event, name, facts in story()]
    assert "pool" not in [one.name for one in report_of(sources(told)).sections]


def test_the_budget_left_is_what_all_rounds_leave() -> None:
    report = report_of(sources(story(), PARAMS + "budget: {annotations: 10, money: 5}\n"))
    assert table(report, "cost", "Paid").rows[-1] == ("budget left", "6", "4.52 USD")
    assert "That is 0.16 USD for each of 3 new labels." in section(report, "cost").words


def test_every_digest_of_the_round_is_listed_and_no_other() -> None:
    made = sources(story())
    digests = {str(row[1]) for row in table(report_of(made), "provenance", "Digests").rows}
    assert digests == {made.state.head, "m1", "9" * 64, "d" * 64}
