from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from hitl.errors import IntegrityError, MomentError
from hitl.state import MOVES, Phase, fold, may
from tests.factories import Told, a_round, baseline, delivery, events, told, undone


def state_after(*tale: Told):  # noqa: ANN201 - it is what fold returns
    return fold(events(*tale))


def test_no_events_are_no_rounds() -> None:
    state = fold(())
    assert (state.rounds, state.champion, state.current, state.next_round) == ((), None, None, "r0000")


def test_the_baseline_is_the_first_champion() -> None:
    state = state_after(*baseline())
    assert state.champion == "r0000"
    assert [one.id for one in state.closed] == ["r0000"]
    assert state.next_round == "r0001"


@pytest.mark.parametrize(
    ("until", "phase"),
    [
        ("opened", Phase.OPENING),
        ("selected", Phase.OPENING),
        ("exported", Phase.AWAITING),
        ("delivered", Phase.AWAITING),
        ("validated", Phase.CLOSING),
        ("reported", Phase.CLOSING),
        ("closed", Phase.CLOSED),
    ],
)
def test_a_round_goes_from_opening_to_closed(until: str, phase: Phase) -> None:
    state = state_after(*baseline(), *a_round(1, delivery(), until=until))
    assert state.round("r0001").phase is phase


def test_an_answer_that_replaces_another_counts_and_is_paid_once() -> None:
    one = state_after(
        *baseline(), *a_round(1, delivery("d1", accepted=20), delivery("d2", accepted=12, revised=5))
    ).round("r0001")

    assert (one.admitted, one.accepted, one.spent) == (32, 27, Decimal("1.35"))


def test_deliveries_are_counted_and_paid_in_the_order_they_came() -> None:
    state = state_after(*baseline(), *a_round(1, delivery("d1", accepted=20), delivery("d2", accepted=12)))
    one = state.round("r0001")
    assert [taken["delivery"] for taken in one.deliveries] == ["d1", "d2"]
    assert (one.accepted, one.expected, one.spent) == (32, 32, Decimal("1.60"))
    assert (state.annotations, state.spent) == (32, Decimal("1.60"))


def test_a_kept_champion_stays() -> None:
    kept = {"verdict": "kept", "champion": "r0000", "challenger": "r0001"}
    state = state_after(*baseline(), *a_round(1, delivery(), judged=kept))
    assert state.champion == "r0000"


def test_a_promoted_challenger_is_champion() -> None:
    assert state_after(*baseline(), *a_round(1, delivery())).champion == "r0001"


def test_a_reopened_round_begins_again() -> None:
    tale = [*baseline(), *a_round(1, until="selected"), told("reopened", "r0001", params_sha256="q")]
    one = state_after(*tale).round("r0001")
    assert one.phase is Phase.OPENING
    assert set(one.facts) == {"opened"}
    assert one.facts["opened"]["params_sha256"] == "q"


def test_the_model_that_chose_the_batch_is_not_the_rounds_own() -> None:
    assert state_after(*baseline(), *a_round(1, until="exported")).round("r0001").done("trained")
    assert not state_after(*baseline(), *a_round(1, delivery(), until="resolved")).round("r0001").done("trained")


def test_a_rejected_delivery_may_come_at_any_time_and_changes_nothing_else() -> None:
    refused = told("refused", "r0001", **delivery("bad", accepted=0))
    before = state_after(*baseline(), *a_round(1, delivery()))
    after = state_after(*baseline(), *a_round(1, delivery()), refused)
    assert after.round("r0001").phase is before.round("r0001").phase
    assert after.annotations == before.annotations
    assert [one["delivery"] for one in after.round("r0001").refused] == ["bad"]


def test_deliveries_taken_and_rejected_are_known_by_their_digests() -> None:
    refused = told("refused", "r0001", **delivery("bad", accepted=0))
    state = state_after(*baseline(), *a_round(1, delivery("good")), refused)
    assert (state.taken, state.refused) == ({"good"}, {"bad"})


def test_events_that_are_not_known_are_refused() -> None:
    with pytest.raises(IntegrityError, match="'teleported', which this version"):
        state_after(told("teleported", "r0000"))


def test_an_event_out_of_place_is_refused_by_its_number() -> None:
    with pytest.raises(IntegrityError, match=r"ledger event 1 \(exported of r0000\) cannot be: .*comes only when"):
        state_after(told("created", "r0000"), told("exported", "r0000"))


@pytest.mark.parametrize(
    ("tale", "event", "name", "why"),
    [
        ([], "opened", "r0000", "there is no workspace yet"),
        (baseline(), "created", "r0000", "created already"),
        (baseline(), "opened", "r0002", "the next round is r0001"),
        (baseline(), "delivered", "r0001", "there is no round r0001"),
        ([*baseline(), *a_round(1, until="exported")], "opened", "r0002", "r0001 is still awaiting"),
        ([*baseline(), *a_round(1, until="scored")], "delivered", "r0001", "only when a round is awaiting"),
        ([*baseline(), *a_round(1, delivery())], "delivered", "r0001", "r0001 is closed"),
    ],
)
def test_a_refusal_says_why(tale: list[Told], event: str, name: str, why: str) -> None:
    assert why in (may(state_after(*tale), event, name) or "")


def test_a_round_that_is_not_there_is_named_with_the_newest() -> None:
    with pytest.raises(MomentError, match="no round r0007; the newest is r0000"):
        state_after(*baseline()).round("r0007")


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=12))
def test_the_fold_refuses_what_may_would_refuse_and_nothing_else(names: list[str]) -> None:
    tale: list[Told] = []
    for event in names:
        before = state_after(*tale)
        name = before.next_round if not MOVES[event].allowed else "r0000"
        one = (event, name, delivery()) if event in ("delivered", "refused") else told(event, name)
        if may(before, event, name) is None:
            tale.append(one)
            state_after(*tale)
        else:
            with pytest.raises(IntegrityError):
                state_after(*tale, one)


def test_every_phase_can_be_left_but_closed() -> None:
    left = {phase for move in MOVES.values() for phase in move.allowed if move.leads_to not in (None, phase)}
    assert left == set(Phase) - {Phase.CLOSED}


TWO = [*baseline(), *a_round(1, delivery("d1")), *a_round(2, delivery("d2"))]
AGAIN = ("validated", "resolved", "trained", "evaluated", "judged", "reported", "closed")


def test_an_undo_sends_closed_rounds_back_to_be_rebuilt_and_erases_nothing() -> None:
    before, state = state_after(*TWO), state_after(*TWO, undone("delivery", "d1", "r0001", "r0002", r0001={}))
    one = state.round("r0001")

    assert [other.id for other in state.rebuilding] == ["r0001", "r0002"]
    assert (one.accepted, one.spent, state.round("r0002").accepted, state.champion) == (0, Decimal(0), 32, "r0000")
    assert one.earlier[0]["judged"] == before.round("r0001").facts["judged"]
    assert set(one.facts) == {"opened", "scored", "selected", "exported"}
    assert (one.deliveries, one.version) == (before.round("r0001").deliveries, "r0001.1")
    assert (state.taken, state.withdrawn) == ({"d1", "d2"}, {"d1"})


def test_rounds_are_rebuilt_in_order() -> None:
    tale = [*TWO, undone("delivery", "d1", "r0001", "r0002", r0001={})]
    assert "r0001 is rebuilding" in str(may(state_after(*tale), "validated", "r0002"))

    tale += [told(event, "r0001") for event in AGAIN]
    assert may(state_after(*tale), "validated", "r0002") is None


def test_a_round_is_not_undone_while_another_is_half_way() -> None:
    opening, closing = a_round(2, until="scored"), a_round(2, delivery("d2"), until="resolved")
    one = [*baseline(), *a_round(1, delivery("d1"))]

    assert "r0002 is opening: run hitl open" in str(may(state_after(*one, *opening), "undone", "r0001"))
    assert "r0002 is closing: run hitl close" in str(may(state_after(*one, *closing), "undone", "r0001"))
    assert may(state_after(*one, *a_round(2, until="exported")), "undone", "r0001") is None


def test_what_comes_after_an_undo_counts_on_top_of_what_stands() -> None:
    tale = [*baseline(), *a_round(1, delivery("d1"), delivery("d2"), until="delivered")]
    tale += [undone("delivery", "d1", r0001={"d2": [30, 2]}), ("delivered", "r0001", delivery("d3", accepted=4))]
    one = state_after(*tale).round("r0001")

    assert (one.standing, one.admitted, one.accepted) == ({"d2": (30, 2), "d3": (4, 0)}, 34, 32)


def test_each_rollback_goes_back_one_champion_further() -> None:
    back = told("rolled_back", "r0002", champion="r0001", previous="r0002", reason="complaints")
    kept = {"verdict": "kept", "champion": "r0001", "challenger": "r0003"}

    assert state_after(*TWO).champions() == ["r0000", "r0001", "r0002"]
    assert state_after(*TWO, back).champion == "r0001"
    assert state_after(*TWO, back, back).champion == "r0000"
    assert state_after(*TWO, back, *a_round(3, delivery("d3"), judged=kept)).champion == "r0001"
    assert state_after(*TWO, back, *a_round(3, delivery("d3"))).champions() == ["r0000", "r0001", "r0003"]


def test_a_rollback_holds_when_the_rounds_before_it_are_rebuilt() -> None:
    back = told("rolled_back", "r0002", champion="r0001", previous="r0002", reason="complaints")
    tale = [*TWO, back, undone("delivery", "d1", "r0001", "r0002", r0001={})]
    tale += [told(event, name) for name in ("r0001", "r0002") for event in AGAIN]

    assert state_after(*tale).champion == "r0001"
