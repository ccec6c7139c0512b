"""What a round has taken is a mapping of (item, annotator) to the answer, and knows how far the round is."""

from datetime import UTC, datetime

from hypothesis import given, strategies as st

from hitl.delivery.expectation import Expectation
from hitl.delivery.taken import Taken

ITEMS, PEOPLE, DAY = ("a", "b", "c"), ("ann", "bob", "cy"), datetime(2026, 11, 1, tzinfo=UTC)
KEYS = st.tuples(st.sampled_from(ITEMS), st.sampled_from(PEOPLE))


def expectation(taken: dict[tuple[str, str], str]) -> Expectation:
    plain = {"exported_at": DAY, "received_at": DAY, "overlap": {"b": 2}}
    return Expectation(round="r0001", classes=("cat",), items={item: {} for item in ITEMS}, taken=taken, **plain)  # type: ignore[arg-type]


@given(st.lists(st.tuples(KEYS, st.sampled_from(["cat", "dog"]))))
def test_it_is_the_mapping_of_the_last_answers(answers: list[tuple[tuple[str, str], str]]) -> None:
    taken = Taken.of(expectation({}))
    for key, answer in answers:
        taken.add(key, answer, "d1")

    assert taken == dict(answers)
    assert taken.answered == len({item for (item, _), _ in answers})
    asked = {"a": 1, "b": 2, "c": 1}
    people = {item: len({who for one, who in dict(answers) if one == item}) for item in ITEMS}
    assert taken.complete == sum(people[item] >= asked[item] for item in ITEMS)


def test_it_knows_which_delivery_gave_an_answer() -> None:
    taken = Taken.of(expectation({("a", "ann"): "cat"}))
    taken.add(("b", "ann"), "cat", "d2")

    ann = taken.people["ann"]
    assert [taken.origin(place, ann) for place in range(3)] == ["", "d2", ""]
