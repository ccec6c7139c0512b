import pytest

from hitl.errors import MomentError
from hitl.projection import Run, aliases, flat, run_of, tagged
from hitl.state import fold
from tests.factories import a_round, baseline, delivery, events, params

TWO = events(*baseline(), *a_round(1, delivery(accepted=20), delivery("d2", accepted=12)))


def part(run: Run, name: str) -> Run:
    return next(one for one in run.parts if one.name == name)


def metrics(run: Run) -> dict[str, float]:
    return {metric.key: metric.value for metric in run.metrics}


def test_a_round_has_a_part_for_each_thing_it_did() -> None:
    run = run_of(TWO, "r0001", params())
    assert [one.name for one in run.parts] == ["select", "deliveries", "train", "evaluate"]
    assert [one.name for one in run_of(TWO, "r0000", params()).parts] == ["train", "evaluate"]


def test_a_run_knows_nothing_of_later_rounds() -> None:
    assert run_of(TWO, "r0000", params()) == run_of(TWO[:5], "r0000", params())


def test_the_deciding_metric_is_told_for_every_round_so_far() -> None:
    told_of = [
        (metric.step, metric.value) for metric in run_of(TWO, "r0001", params()).metrics if metric.key == "accuracy"
    ]
    assert told_of == [(30, 0.8), (60, 0.81)]


def test_deliveries_add_up() -> None:
    run = run_of(TWO, "r0001", params())
    expected = {"deliveries": 2.0, "rows_accepted": 32.0, "rows_quarantined": 0.0, "money_spent": 1.6}
    assert metrics(part(run, "deliveries")).items() >= expected.items()
    assert metrics(run)["annotations_accepted"] == 32.0


def test_the_batch_is_told_by_its_reasons() -> None:
    found = metrics(part(run_of(TWO, "r0001", params()), "select"))
    assert found.items() >= {"rows": 500.0, "items": 32.0, "reasons_gold": 2.0, "reasons_random": 3.0}.items()


def test_a_gain_and_its_bounds_are_named_as_such() -> None:
    judged = {"gain": 0.02, "low": -0.01, "high": 0.05}
    found = metrics(run_of(events(*baseline(), *a_round(1, judged=judged)), "r0001", params()))
    assert found.items() >= {"gain": 0.02, "gain_low": -0.01, "gain_high": 0.05}.items()


def test_what_is_no_number_is_no_metric() -> None:
    story = a_round(1, resolved={"agreement": None, "unresolved": ["00077"], "settled": True, "method": "majority"})
    found = metrics(part(run_of(events(*baseline(), *story), "r0001", params()), "deliveries"))
    assert found["unresolved"] == 1.0
    assert not {"agreement", "settled", "method"} & set(found)


def test_tags_lead_back_to_the_ledger() -> None:
    tags = run_of(TWO, "r0001", params()).tags
    assert (
        tags.items()
        >= {
            "hitl.ledger_head": TWO[-1].hash,
            "hitl.workspace_id": TWO[0].hash,
            "hitl.batch_sha256": "b",
            "hitl.model_id": "model1",
            "hitl.verdict": "promoted",
            "mlflow.user": "ada",
            "mlflow.note.content": "Round r0001: 60 labels, accuracy 0.8100, promoted.",
        }.items()
    )


def test_the_params_of_a_model_do_not_pass_for_those_of_the_round() -> None:
    story = a_round(1, opened={"params_sha256": "round"}, trained={"params_sha256": "model"})
    tags = run_of(events(*baseline(), *story), "r0001", params()).tags
    assert (tags["hitl.params_sha256"], tags["hitl.model_params_sha256"]) == ("round", "model")


def test_empty_tags_are_left_out() -> None:
    run = tagged(run_of(TWO, "r0001", params()), {"hitl.git_commit": "c1", "hitl.prefect_flow_run": ""})
    assert run.tags["hitl.git_commit"] == "c1"
    assert "hitl.prefect_flow_run" not in run.tags


def test_an_open_round_has_no_run() -> None:
    with pytest.raises(MomentError, match="r0001 is awaiting: only a closed round is tracked"):
        run_of(events(*baseline(), *a_round(1, until="exported")), "r0001", params())


def test_columns_are_told_by_how_many_there_are() -> None:
    columns = {f"pixel{number}": "numeric" for number in range(784)} | {"title": "text"}
    found = flat(params(data={"columns": columns}), ["data"])
    assert (found["data.columns.numeric"], found["data.columns.text"]) == ("784", "1")
    assert found["data.classes"] == "cat, dog"
    assert not [name for name in found if "pixel" in name]


def test_a_long_list_is_cut() -> None:
    classes = [f"c{number:02}" for number in range(77)]
    assert flat(params(data={"classes": classes}), ["data"])["data.classes"].endswith("c18, c19, and 57 more")


def test_a_part_has_the_params_that_decide_it() -> None:
    assert {name.split(".")[0] for name in part(run_of(TWO, "r0001", params()), "train").params} == {"model"}


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({}, {}),
        ({"r0000": "1"}, {"challenger": "1", "champion": "1"}),
        ({"r0000": "1", "r0001": "3"}, {"challenger": "3", "champion": "3"}),
        ({"r0001": "1"}, {"challenger": "1", "champion": "1"}),
    ],
)
def test_aliases_name_the_newest_round_and_the_champion(versions: dict[str, str], expected: dict[str, str]) -> None:
    assert aliases(fold(TWO), versions) == expected


def test_a_round_that_was_not_promoted_is_challenger_alone() -> None:
    kept = events(*baseline(), *a_round(1, judged={"verdict": "kept", "champion": "r0000"}))
    assert aliases(fold(kept), {"r0000": "1", "r0001": "2"}) == {"challenger": "2", "champion": "1"}
