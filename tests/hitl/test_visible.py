import unicodedata

from hypothesis import given, strategies as st

from hitl.visible import clipped, quoted, visible


@given(st.text(st.characters()))
def test_nothing_that_hides_or_reorders_is_left(text: str) -> None:
    left = {unicodedata.category(char) for char in visible(text) if char not in "\u200c\u200d"}
    assert not left & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(st.characters()))
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.text(st.characters(categories=["L", "N", "P", "M", "S", "Zs"])))
def test_ordinary_text_of_any_script_is_untouched(text: str) -> None:
    assert visible(text) == text


def test_each_hidden_character_can_be_told_from_the_others() -> None:
    assert visible("a\x00\t\x7f\x85\u202e\ud800") == "a␀␉␡⟨U+0085⟩⟨U+202E⟩⟨U+D800⟩"


def test_a_clipped_text_is_one_line() -> None:
    assert clipped("two\r\n  lines", 40) == "two lines"


def test_a_clipped_text_says_that_it_goes_on() -> None:
    assert clipped("x" * 10, 10) == "x" * 10
    assert clipped("x" * 11, 10) == "x" * 10 + "…"
    assert clipped(" " * 100 + "x", 10) == "…"


def test_a_quoted_value_keeps_its_white_space() -> None:
    assert quoted(" cat\n", 10) == " cat␊"
