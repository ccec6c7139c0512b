"""What leaves under its own id survives every spreadsheet; what does not gets a word whose slips are seen."""

import string

import pytest
from hypothesis import given, strategies as st

from hitl import surrogate as naming
from hitl.errors import DataError
from hitl.surrogate import is_safe, is_surrogate, pseudonym, sent, surrogate, vendor_key

SOME = [surrogate(f"{number:05d}") for number in range(300)]
KEY = vendor_key(b"k" * 32, "vendor")


def general_check(digits: list[int], modulus: int) -> int:
    """The check digit of a hybrid system MOD modulus+1,modulus, as ISO 7064 words it."""
    product = modulus
    for digit in digits:
        total = (product + digit) % modulus or modulus
        product = total * 2 % (modulus + 1)
    return next(one for one in range(modulus) if (product + one) % modulus == 1)


@pytest.mark.parametrize(
    "id",
    [
        *("it_0007ab", "i000001", "digit00123", "img-12.png", "0", "7", "4711", "12345678901", "train/cat.12.jpg"),
        *("a", "R", "doc-2026-01-02", "b7f3c1de-90aa-4e2c-8f00-0123456789ab", "tel:12", "E", "x5", "item-3-4"),
    ],
)
def test_what_every_spreadsheet_leaves_alone_is_safe(id: str) -> None:
    assert is_safe(id)


@pytest.mark.parametrize(
    "id",
    [
        *(
            "",
            " ",
            "00012",
            "01",
            "1E5",
            "12e3",
            "1e-5",
            "3-4",
            "3/4",
            "2020-01-02",
            "1.2.2020",
            "12:30",
            "1.50",
            "1,000",
        ),
        *("123456789012", "12345678901234567890", "+5", "-1", "=x", "@x", "'x", "5%", "$5", "(5)", "5 EUR", "0x1F"),
        *("TRUE", "false", "WAHR", "Falsch", "vrai", "VERO", "NA", "n/a", "#N/A", "nan", "NULL", "None", "inf"),
        *("MARCH1", "MARC1", "SEPT2", "DEC1", "Mai3", "jan-5", "May", "okt_12", "Dez.2020", "mrz5", "ene-1", "maj/5"),
        *(
            "R10",
            "r0001",
            "Q7",
            "EUR5",
            "kr.5",
            "Fr.5",
            "12MAR",
            "5th",
            "2a",
            "1_000",
            "v-5",
            "x/93",
            "i.6431",
            "x.3.16",
        ),
        *(" a", "a ", "a b", "a  b", "a\u00a0b", "a\tb", "a\nb", "a\r\nb", "a\x00b", "a\x7f", "\ufeffa", "a\u200bb"),
        *("\u202eab", "a\u2066b", "e\u0301", "caf\u00e9", "\u0430bc", "\uff21bc", "\u0663", "a,b", "a;b", 'a"b', "a|b"),
        *("a" * 256, "_a", ".a", "-a", "/a", "a*", "a%", "a=b", "a@b.c", "a#", "\ud800"),
    ],
)
def test_what_some_spreadsheet_changes_is_not(id: str) -> None:
    assert not is_safe(id)


@given(st.text())
def test_only_plain_words_and_short_numbers_are_safe(id: str) -> None:
    if is_safe(id):
        assert set(id) <= set(string.ascii_letters + string.digits + "._/:-")
        assert id[0].isalpha() or str(int(id)) == id


@given(st.text())
def test_every_id_has_a_surrogate_that_is_safe_and_is_known_for_one(id: str) -> None:
    found = surrogate(id)
    assert found == surrogate(id)
    assert len(found) == 16
    assert is_safe(found) and is_surrogate(found)


def test_the_check_letter_is_that_of_iso_7064() -> None:
    # The standard's own MOD 11,10 and the identifier of a music release (MOD 37,36) show that the rule is the rule.
    assert general_check([0, 7, 9, 4], 10) == 5
    assert general_check([int(char, 36) for char in "A12425GABC1234002"], 36) == int("M", 36)
    for found in SOME:
        assert ord(found[-1]) - 65 == general_check([ord(letter) - 65 for letter in found[:-1]], 26)


def test_every_wrong_letter_is_found() -> None:
    wrong = (
        found[:place] + letter + found[place + 1 :]
        for found in SOME
        for place in range(len(found))
        for letter in string.ascii_uppercase
        if letter != found[place]
    )
    assert not any(map(is_surrogate, wrong))


def test_nearly_every_swap_of_neighbours_is_found() -> None:
    swapped = [
        found[:place] + found[place + 1] + found[place] + found[place + 2 :]
        for found in SOME
        for place in range(len(found) - 1)
        if found[place] != found[place + 1]
    ]
    missed = sum(map(is_surrogate, swapped))
    assert 0 < missed < len(swapped) / 200


@pytest.mark.parametrize("text", ["", "BCD", SOME[0].lower(), SOME[0] + "B", " " + SOME[0], "A" * 16, SOME[0][:-1]])
def test_what_has_not_the_form_is_no_surrogate(text: str) -> None:
    assert not is_surrogate(text)


def test_safe_ids_go_out_as_they_are_and_others_as_surrogates() -> None:
    assert sent(["it_1", "00012", "=1+1"]) == {"it_1": "it_1", "00012": surrogate("00012"), "=1+1": surrogate("=1+1")}


def test_with_a_key_every_id_is_a_pseudonym_of_that_vendor() -> None:
    here, there = (sent(["it_1", "00012"], key=vendor_key(b"k" * 32, name)) for name in ("acme", "zeta"))
    assert all(map(is_surrogate, (*here.values(), *there.values())))
    assert set(here.values()).isdisjoint(there.values())
    assert here == sent(["00012", "it_1"], key=vendor_key(b"k" * 32, "acme"))
    assert set(here.values()).isdisjoint(map(surrogate, here))


def test_a_pseudonym_depends_on_every_bit_of_its_key() -> None:
    assert len({pseudonym("a", bytes([bit])) for bit in range(256)}) == 256


def test_an_id_that_is_the_surrogate_of_another_goes_out_under_one_of_its_own() -> None:
    other = surrogate("00012")

    assert sent(["00012", other]) == {"00012": other, other: surrogate(other)}


def test_two_items_with_one_word_do_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_LENGTH", 2)
    with pytest.raises(DataError, match="under the name of another"):
        sent([f"{number:05d}" for number in range(1000)])
