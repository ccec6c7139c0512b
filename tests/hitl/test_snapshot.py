"""A state that was written down is the fold of the same events, wherever the ledger is cut."""

from hypothesis import given, strategies as st

from hitl import ledger, snapshot
from hitl.state import MOVES, fold, may
from tests.factories import Told, baseline, delivery, events, told, undone

NAMES = ("r0000", "r0001", "r0002", "r0003")


@st.composite
def tales(draw: st.DrawFn) -> list[Told]:
    """Events as they may come, in any order that the moves allow."""
    tale = baseline()
    for number in range(draw(st.integers(1, 40))):
        now = fold(events(*tale))
        possible = [
            (event, name)
            for event in MOVES
            for name in (*NAMES[: len(now.rounds)], now.next_round)
            if not may(now, event, name)
        ]
        event, name = draw(st.sampled_from(possible))
        if event == "undone":
            kind = draw(st.sampled_from([("annotator", "bob"), ("round", name), ("delivery", "d1")]))
            void = [one.id for one in now.closed if one.id >= max(name, "r0001")]
            left = {one: [number, 1] for one in now.round(name).standing}
            tale.append(undone(*kind, *void, of_round=name, **draw(st.sampled_from([{}, {name: left}]))))
        elif event in ("delivered", "refused"):
            tale.append((event, name, delivery(f"d{number}", accepted=number, revised=number // 2)))
        else:
            tale.append(told(event, name))
    return tale


@given(tales(), st.data())
def test_at_any_cut_it_is_the_fold(tale: list[Told], data: st.DataObject) -> None:
    lines = [ledger.line(one) for one in events(*tale)]
    past = ledger.parse(b"".join(lines))
    cut, middle = (data.draw(st.integers(0, len(past)), label=name) for name in ("cut", "middle"))
    middle = min(cut, middle)

    places = snapshot.placed(past[:middle], b"".join(lines[:middle]))
    start = sum(map(len, lines[:middle]))
    places = snapshot.placed(past[middle:cut], b"".join(lines[middle:cut]), start=start, since=places)
    assert places == snapshot.placed(past[:cut], b"".join(lines[:cut]))

    whole, written = fold(past[:cut]), snapshot.dumps(fold(past[:cut]), places)
    again, same = snapshot.loads(written, b"".join(lines))
    assert (again.annotations, again.spent) == (whole.annotations, whole.spent)
    assert (again, same) == (whole, places)
    assert [list(one.facts) for one in again.rounds] == [list(one.facts) for one in whole.rounds]
    assert [list(one.standing) for one in again.rounds] == [list(one.standing) for one in whole.rounds]
    assert snapshot.dumps(again, same) == written
    assert fold(past[cut:], since=again) == fold(past)
