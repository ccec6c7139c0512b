import pytest
from hypothesis import given, strategies as st

from hitl.errors import ParamsError
from hitl.push import TITLE_LIMIT, Copy, Plan, Posting, check_classes, missing, parts, surplus, title, twice

ids = st.lists(st.text("abc", min_size=1, max_size=2), unique=True)
copies = st.lists(st.builds(Copy, st.integers(1, 99), st.booleans()), max_size=4, unique_by=lambda one: one.id)


def posted(names: list[str]) -> list[Posting]:
    return [Posting(name, {}) for name in names]


@given(ids, ids)
def test_what_is_missing_is_what_is_asked_for_and_not_there(asked: list[str], there: list[str]) -> None:
    found = {item: [Copy(1, is_touched=False)] for item in there}
    assert [one.item_id for one in missing(posted(asked), found)] == [item for item in asked if item not in there]


@given(copies)
def test_one_copy_of_an_item_stays_and_none_that_somebody_worked_on_goes(there: list[Copy]) -> None:
    gone = surplus({"item": there})
    left = [one for one in there if one.id not in gone]
    assert all(not one.is_touched for one in there if one.id in gone)
    assert len(left) == max(min(1, len(there)), sum(one.is_touched for one in there))
    assert twice({"item": there}) == (["item"] if len(left) > 1 else [])


def test_the_first_of_untouched_copies_stays() -> None:
    assert surplus({"item": [Copy(7, is_touched=False), Copy(3, is_touched=False)]}) == [7]


def test_classes_that_a_project_does_not_offer_are_named() -> None:
    check_classes(["cat", "dog", "more"], ("dog", "cat"), "project 3")
    with pytest.raises(ParamsError, match="project 3 does not offer 1 of the 2 classes: 'dog'"):
        check_classes(["cat"], ("cat", "dog"), "project 3")


@given(st.text(max_size=80))
def test_a_title_is_never_too_long_and_tells_batches_apart(workspace: str) -> None:
    assert len(title(workspace, "r0001", "ab" * 32)) <= TITLE_LIMIT
    assert title(workspace, "r0001", "ab" * 32) != title(workspace, "r0001", "cd" * 32)


@given(st.integers(0, 20), st.integers(1, 7))
def test_parts_are_the_whole_in_its_order(count: int, size: int) -> None:
    whole = posted([str(number) for number in range(count)])
    assert [one for part in parts(whole, size) for one in part] == whole
    assert all(len(part) <= size for part in parts(whole, size))


def test_an_item_gets_as_many_annotators_as_the_batch_says() -> None:
    plan = Plan("r0001", "b", "t", ("cat",), tuple(posted(["i1", "i2"])), {"i1": 3, "elsewhere": 9})
    assert plan.most == 3
