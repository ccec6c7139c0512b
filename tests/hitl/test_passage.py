import pytest

from hitl.passage import LONGEST, passage

GUIDELINE = """\
# Guideline

Answer with `wet`, `dry` or `frozen`.

## Frozen

Ice, snow and hail.
Not cold rain.

### At night

Look at the lamp.

## The others

1. **Wet**: it rained, even if
   the sun is out again.
2. dry or wet? If it is *dew*, it is dry.

| class | when |
|---|---|
| dry | nothing fell |

```
wet: an example of a file
```
"""
CLASSES = ("wet", "dry", "frozen")


@pytest.mark.parametrize(
    ("label", "instead", "said"),
    [
        ("frozen", "", "Frozen: Ice, snow and hail. Not cold rain. At night Look at the lamp."),
        ("wet", "", "Wet: it rained, even if the sun is out again."),
        ("dry", "", "dry | nothing fell"),
        ("foggy", "", ""),
    ],
)
def test_the_passage_that_names_a_class_is_quoted_as_it_stands(label: str, instead: str, said: str) -> None:
    assert passage(GUIDELINE, label, instead=instead, classes=CLASSES) == said


@pytest.mark.parametrize(
    ("text", "label", "said"),
    [
        ("Ask the other people.\n", "other", ""),
        ("- `other`: nothing fits\n", "other", "other: nothing fits"),
        ("There are 3 columns.\n", "3", ""),
        ("3: three strokes\n", "3", "3: three strokes"),
        ("Call it late when it is not there at noon.\n", "late", "Call it late when it is not there at noon."),
        ("A related thing.\n", "late", ""),
        ("NA: not there\n\nna: a grain\n", "na", "na: a grain"),
        ("## late\n\n## early\n", "late", ""),
        ("- `late`: TO BE WRITTEN\n", "late", ""),
        ("Choose cat if it purrs.\n\nCat, not dog, if both.\n", "cat", "Cat, not dog, if both."),
        ("", "cat", ""),
    ],
)
def test_what_only_looks_like_a_class_is_not_quoted(text: str, label: str, said: str) -> None:
    assert passage(text, label, instead="dog", classes=("NA", "na"), unwritten="TO BE WRITTEN") == said


def test_what_lists_every_class_tells_of_none() -> None:
    assert passage("Answer with wet, dry or frozen.", "wet", classes=CLASSES) == ""


def test_a_long_passage_is_cut() -> None:
    assert len(passage(f"cat: {'meow ' * 500}", "cat")) <= LONGEST + 1
