"""What is masked, and what looks like it and is not."""

import pytest
from hypothesis import given, strategies as st

from hitl.params import MaskName
from hitl.personal import FINDERS, found

EMAILS = (
    "joe@x.com",
    "j\u00fcrgen.m\u00fcller+news@b\u00fccher.example",
    "jose\u0301@correo.es",
    "o'brien@mail.co.uk",
    "\u30e6\u30fc\u30b6\u30fc@\u4f8b\u3048.\u30c6\u30b9\u30c8",
    '"john smith"@x.com',
    "user@[192.168.0.1]",
    "joe%40x.com",
    "joe\uff20x\uff0ecom",
    "jo\u200be@x.com",
    "a@xn--bcher-kva.example",
    "a_b@sub_d.x.museum",
)
PHONES = (
    "+49 30 1234567",
    "+49 (0) 30 123-456",
    "+49\u00a030\u202f1234567",
    "+1 (555) 123-4567",
    "+1-555-123-4567 ext. 89",
    "+33 1 23 45 67 89",
    "+34 612 345 678",
    "\uff0b\uff14\uff19 \uff13\uff10 \uff11\uff12\uff13\uff14\uff15\uff16\uff17",
    "0049 30 1234567",
    "030 1234567",
    "03012345678",
    "(030) 123 456",
    "089/1234567",
    "020 7946 0958",
    "01 23 45 67 89",
    "01.23.45.67.89",
    "03-1234-5678",
    "\u0660\u0665\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
    "(555) 123-4567",
    "555-123-4567",
    "555.123.4567",
    "1-800-555-0199",
    "98765 43210",
    "138 1234 5678",
    "(11) 91234-5678",
    "8 (495) 123-45-67",
    "20 12 34 56",
)
CARDS = (
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111\u20111111\u20111111\u20111111",
    "3782 822463 10005",
    "4222222222222",
    "4222 2222 2222 2",
    "6304000000000000",
    "\uff15555555555554444",
)
NONE = (
    "12.05.2024",
    "2024-05-01 10:30:00",
    "2024-05-01T10:30:00Z",
    "01.02.2024 12:30",
    "05/06/2024",
    "01/2024 - 05/2025",
    "1990-2000",
    "08:00-17:00",
    "order 4711",
    "order no. 0301234567",
    "Bestellnummer: 0301234567",
    "ORD-0301234567",
    "#0301234567",
    "INV2024-001-0002",
    "ISBN 0306406152",
    "978-3-16-148410-0",
    "12345678",
    "1234567890",
    "00012345",
    "1.234.567,89 EUR",
    "+10 000 000 EUR",
    "\u20ac 1 234 567 890",
    "$1,000,000",
    "123 456 789",
    "+1.234.567",
    "0.123456789",
    "3.14159265",
    "0.4111111111111111",
    "192.168.10.20",
    "4111 1111 1111 1112",
    "0000 0000 0000 0000",
    "1 2 3 4 5 6 7 8 9 10 11 12",
    "follow @joe",
    "3 apples @ 2",
    "me@localhost",
    "",
)


def places(text: str) -> list[tuple[int, int, MaskName]]:
    return found(text, list(FINDERS))


@pytest.mark.parametrize(
    ("name", "text"),
    [("email", one) for one in EMAILS] + [("phone", one) for one in PHONES] + [("card", one) for one in CARDS],
)
@pytest.mark.parametrize("around", ["{}", "reach me: {}, please", "<{}>", "({}).", "\u201e{}\u201c"])
def test_it_is_found_whole_in_its_sentence(name: MaskName, text: str, around: str) -> None:
    sentence, start = around.format(text), around.index("{")
    spans = found(sentence, [name])
    assert (start, start + len(text)) in [span[:2] for span in spans]


@pytest.mark.parametrize("text", NONE)
def test_orders_dates_and_amounts_stay(text: str) -> None:
    assert places(text) == []
    assert places(f"see {text} there") == []


@pytest.mark.parametrize(
    ("text", "phone"), [("tel. 555-1234", "555-1234"), ("my phone number is 5551234567", "5551234567")]
)
def test_a_bare_number_is_a_phone_where_the_word_says_so(text: str, phone: str) -> None:
    assert [text[start:end] for start, end, _ in found(text, ["phone"])] == [phone]


def test_a_card_is_found_beside_other_numbers() -> None:
    text = "4111 1111 1111 1111 12/27 12, 378282246310005"
    assert [text[start:end] for start, end, _ in found(text, ["card"])] == ["4111 1111 1111 1111", "378282246310005"]


def test_each_address_of_a_list_is_one() -> None:
    text = "a@x.org;b@x.org, mailto:c@x.org?subject=hi"
    assert [text[start:end] for start, end, _ in found(text, ["email"])] == ["a@x.org", "b@x.org", "c@x.org"]


@given(st.text(st.sampled_from("a@.+0123456789 -()/\u00e9\u200b\uff14%")))
def test_a_place_is_in_the_text_and_holds_something(text: str) -> None:
    assert all(0 <= start < end <= len(text) for start, end, _ in places(text))


@pytest.mark.parametrize(
    "piece", ["a", "@", "a@", "0", "+1 ", "12 ", "1234 ", "0 1", "(", "a.b", "@a.", "555-", '"', "\u0301"]
)
def test_no_text_takes_more_than_time_in_proportion(piece: str) -> None:
    assert len(places(piece * (100_000 // len(piece)))) <= 100_000
