"""What a format says it cannot hold is lost, and nothing else: for every flavour in the registry."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import Phase, assume, given, settings, strategies as st

from hitl.delivery.source import Bytes
from hitl.formats import FORMATS, Annotation, Asked, Flavour, Unreadable, recognised
from hitl.formats.moments import utc
from tests.hitl.formats.servers import exported

FLAVOURS = [(name, flavour) for name, one in FORMATS.items() for flavour in one.flavours]
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
TEXTS = st.lists(WORDS, min_size=1, max_size=3).map("  ".join)
NAMES = st.text("abcdefgh0123456789", min_size=1, max_size=8)
TIMES = st.integers(10**9, 2 * 10**9).map(utc)
ZONELESS = TIMES.map(lambda at: f"{at[5:7]}/{at[8:10]}/{at[:4]} {at[11:19]}")
NUMBERS = st.integers(1, 4000).map(lambda number: number / 8)
CHOICES = {
    "status": ("labeled", "skipped", "empty", "draft", "rejected", "expelled"),
    "origin": ("human", "machine"),
    "seconds_kind": ("active", "client", "wallclock"),
    "review_status": ("", "approved", "rejected", "fixed"),
}
"""The fields with few values; a flavour may say of one that it cannot hold it: `status=draft`."""
QUICK = settings(max_examples=12, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
"""To shrink a record of thirty fields takes minutes, and tells no more than its difference."""
NOT_COMPARED = ("place",)


def holds(flavour: Flavour, field: str, value: str) -> bool:
    """Whether a flavour can hold a value: by its declarations, `field=value` or, of texts, `field=part of it`."""
    if field in CHOICES:
        return f"{field}={value}" not in flavour.cannot_hold
    parts = [key.partition("=")[2] for key in flavour.cannot_hold if key.startswith(f"{field}=")]
    return not any(part in value for part in parts)


@st.composite
def answers(draw: st.DrawFn, flavour: Flavour, number: int) -> Annotation:
    """An annotation with a value in every field that goes with the others."""

    def one_of(field: str) -> str:
        return draw(st.sampled_from([value for value in CHOICES[field] if holds(flavour, field, value)]))

    numbers = NUMBERS.filter(lambda number: holds(flavour, "seconds", f"{number:g}"))
    status, seconds = one_of("status"), draw(st.none() | numbers)
    review = "rejected" if status == "rejected" else one_of("review_status")
    assume(status == "rejected" or review != "rejected" or "review_status" in flavour.cannot_hold)
    label = WORDS.filter(lambda word: holds(flavour, "labels", word))
    count = {"labeled": st.integers(1, 3), "rejected": st.integers(1, 3), "draft": st.integers(1, 2)}
    labels = draw(st.lists(label, min_size=1, unique=True, max_size=draw(count[status]))) if status in count else []
    shown, stamp, edited = draw(WORDS | st.just("")), draw(WORDS | st.just("")), draw(st.just("") | NAMES)
    who = draw(NAMES)
    return Annotation(
        item_id=draw(TEXTS),
        labels=tuple(sorted(labels)),
        annotator_id=who,
        labeled_at=draw(TIMES),
        seconds=seconds,
        comment=draw(TEXTS | st.just("")),
        status=status,  # type: ignore[arg-type]
        origin=one_of("origin"),  # type: ignore[arg-type]
        label_field="label" if labels else "",
        batch_id=draw(NAMES),
        started_at=draw(TIMES),
        updated_at=draw(TIMES),
        edited_by="" if edited == who else edited,
        time_text=draw(ZONELESS) if {"time_text", "labeled_at"} & flavour.cannot_hold.keys() else "",
        seconds_kind="" if seconds is None else one_of("seconds_kind"),  # type: ignore[arg-type]
        annotator_confidence=draw(st.none() | st.integers(1, 5).map(float)),
        shown_class=shown,
        shown_confidence=draw(NUMBERS) if shown else None,
        shown_model=draw(WORDS) if shown else "",
        stamp_class=stamp,
        stamp_confidence=draw(NUMBERS) if stamp else None,
        stamp_model=draw(WORDS) if stamp else "",
        review_status=review,
        reviewer_id=draw(NAMES) if review else "",
        reviewed_at=draw(TIMES) if review else "",
        review_comment=draw(TEXTS) if review else "",
        review_label=draw(WORDS) if review else "",
        is_gold=draw(st.booleans()),
        reward="0.05",
        currency="USD",
        project_id=draw(NAMES),
        source_item_id=f"t{number}",
        source_annotation_id=f"a{number}",
        content={"text": draw(TEXTS)},
    )


def carried(flavour: Flavour, one: Annotation) -> Annotation:
    """What is left of an annotation by the flavour's own declaration."""
    lost = {field: Annotation._field_defaults[field] for field in flavour.cannot_hold if field in Annotation._fields}
    return one._replace(**lost)


def came_back(name: str, flavour: str, annotations: list[Annotation]) -> Iterator[Annotation]:
    file, data = exported(name, flavour, annotations)
    found = recognised(file, Bytes(data))
    if found is None:  # it holds nothing
        return iter(())
    assert (found.format.name, found.flavour) == (name, flavour)
    told = (one for one in found.read(Asked(accept_loss=True)) if isinstance(one, Annotation))
    hidden = {field: Annotation._field_defaults[field] for field in NOT_COMPARED}
    return (one._replace(**hidden) for one in told)


def differing(one: Annotation, other: Annotation) -> Iterator[tuple[str, object, object]]:
    """The fields in which two annotations differ, and what they are in each."""
    yield from (
        (field, *both) for field, *both in zip(Annotation._fields, one, other, strict=True) if both[0] != both[1]
    )


@pytest.mark.parametrize(("name", "flavour"), FLAVOURS)
def test_all_comes_back_but_what_is_declared_lost(name: str, flavour: str) -> None:
    kind = FORMATS[name].flavours[flavour]
    numbers = st.integers(1, 4).flatmap(lambda count: st.tuples(*(answers(kind, number) for number in range(count))))

    @QUICK
    @given(numbers)
    def check(annotations: tuple[Annotation, ...]) -> None:
        expected = sorted((carried(kind, one) for one in annotations), key=repr)
        found = sorted(came_back(name, flavour, list(annotations)), key=repr)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert {field: (was, is_) for field, was, is_ in differing(one, other)} == {}

    check()


@pytest.mark.parametrize(("name", "flavour"), FLAVOURS)
def test_a_value_that_is_declared_lost_never_comes_back(name: str, flavour: str) -> None:
    kind = FORMATS[name].flavours[flavour]
    whole = replace(kind, cannot_hold={key: why for key, why in kind.cannot_hold.items() if "=" not in key})
    lost = [key.partition("=")[::2] for key in kind.cannot_hold if "=" in key and key.partition("=")[0] in CHOICES]

    @QUICK
    @given(answers(whole, 1))
    def check(annotation: Annotation) -> None:
        with suppress(Unreadable):  # a text alone may look like something else
            for one in came_back(name, flavour, [annotation]):
                assert not [(field, value) for field, value in lost if getattr(one, field) == value]

    check()


def test_every_declaration_names_a_field() -> None:
    known = {*Annotation._fields}
    wrong = [
        (name, key)
        for name, one in FORMATS.items()
        for kind in one.flavours.values()
        for key in kind.cannot_hold
        if key.partition("=")[0] not in known
    ]
    assert list(islice(wrong, 5)) == []
