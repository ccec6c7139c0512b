import json
import unicodedata

from hypothesis import given, strategies as st

from hitl.visible import clipped, escaped, quoted, visible, visible_lines


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


@given(st.text(st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Ll"])))
def test_json_means_the_same_when_what_hides_in_it_is_escaped(text: str) -> None:
    shown = escaped(json.dumps({"label": text}, indent=2, ensure_ascii=False))
    assert json.loads(shown) == {"label": text}
    assert all(visible(line) == line for line in shown.split("\n"))


def test_a_message_keeps_its_lines_and_nothing_else_that_a_terminal_obeys() -> None:
    assert visible_lines("one\ntwo\r\x1b[2J") == "one\ntwo␍␛[2J"
