"""The vendor's copy has words in the place of what params call private."""

import pytest

from hitl.mask import maskable, masked, redact, texts
from hitl.params import MaskName

EVERY: tuple[MaskName, ...] = ("email", "phone", "card")
CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("write to joe@x.com!", "write to [email]!"),
        ("call +49 30 1234567 or 030 1234567", "call [phone] or [phone]"),
        (f"{CARD}, 12/27", "[card], 12/27"),
        ("+4930123456@x.com", "[email]"),
        ("nothing of it", "nothing of it"),
        ("", ""),
    ],
)
def test_each_kind_has_its_word(text: str, said: str) -> None:
    assert masked(text, EVERY)[0] == said


def test_only_what_is_asked_for_is_masked() -> None:
    assert masked("joe@x.com, 030 1234567", ["phone"]) == ("joe@x.com, [phone]", {"phone"})


def test_places_of_ones_own_are_masked_and_overlaps_are_one() -> None:
    assert masked("id K-12 of joe@x.com", EVERY, [(3, 7), (11, 14)]) == (
        "id [masked] of [email]",
        {"email", "mask_patterns"},
    )


def test_an_empty_place_masks_nothing() -> None:
    assert masked("abc", EVERY, [(1, 1)]) == ("abc", frozenset())


def test_columns_of_words_are_masked_and_numbers_are_not() -> None:
    kinds = {"a": "text", "b": "numeric", "c": "categorical", "d": "boolean", "e": "ignored", "f": "text"}
    assert maskable(["e", "a", "b", "c", "d"], kinds) == ("e", "a", "c")  # type: ignore[arg-type]


def test_rows_are_masked_in_their_columns_and_cells_are_counted() -> None:
    rows = [
        {"item_id": "030 1234567", "text": "joe@x.com and ann@x.com", "note": "K-1"},
        {"item_id": "b@x.com", "text": "joe@x.com and ann@x.com", "note": "030 1234567"},
    ]
    found, counts = redact(rows, ["text", "note"], EVERY, {"K-1": [(0, 3)]})
    assert [row["text"] for row in found] == ["[email] and [email]"] * 2
    assert [row["note"] for row in found] == ["[masked]", "[phone]"]
    assert [row["item_id"] for row in found] == ["030 1234567", "b@x.com"]
    assert counts == {"email": 2, "mask_patterns": 1, "phone": 1}
    assert rows[0]["text"] == "joe@x.com and ann@x.com"


def test_the_path_of_a_picture_is_left() -> None:
    rows = [{"file": path} for path in ("img/030-1234567.PNG", "joe@x.com.png", "030 1234567.png")]
    assert texts(rows, ["file"]) == ["030 1234567.png", "joe@x.com.png"]
