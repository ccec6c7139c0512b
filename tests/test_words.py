"""GLOSSARY.md is the source: the words it refuses are not names in our code. Names of tests are plain sentences."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSES = ("hitl", "tasks", "flows", "tests", "benchmarks", "docs")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

Named = tuple[str, int]
"""A name that code gives to something, and its line."""


def ours() -> list[Path]:
    """Every file of our code."""
    return [path for house in HOUSES for path in sorted((ROOT / house).rglob("*.py"))]


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the glossary, without its two head rows."""
    text = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").split(heading)[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def refused() -> dict[str, str]:
    """Each refused word (several words joined by _) and the word to use."""
    table = rows("# Glossary")
    return {"_".join(map(_singular, other.split())): word for word, _, others in table for other in others.split(", ")}


def elsewhere() -> set[tuple[str, str]]:
    """The files in which a refused word means something else: (word, end of the path)."""
    return {
        (word, path) for word, where, _ in rows("## Words of other trades") for path in re.findall(r"`(.+?)`", where)
    }


def parts(name: str) -> Iterator[str]:
    """The words of a name in snake_case or CamelCase, in the singular, alone and in pairs."""
    words = [_singular(part.lower()) for part in _PARTS.findall(name)]
    yield from words
    yield from (f"{one}_{other}" for one, other in pairwise(words))


def names(tree: ast.AST) -> Iterator[Named]:
    """What code names: functions, classes, arguments, variables, attributes, and what it imports under another name."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno


def violations(path: Path) -> Iterator[str]:
    place, words, allowed = path.relative_to(ROOT).as_posix(), refused(), elsewhere()
    for name, line in names(ast.parse(path.read_text(encoding="utf-8"))):
        for word in parts(name):
            if word in words and not name.startswith("test_") and not _allowed(word, place, allowed):
                yield f"{place}:{line}: {name}: not {word!r} but {words[word]!r} (GLOSSARY.md)"


def _allowed(word: str, place: str, allowed: set[tuple[str, str]]) -> bool:
    return any(word == other and _is_at(place, end) for other, end in allowed)


def _is_at(place: str, end: str) -> bool:
    """Whether the file at `place` is the one called `end`, or its test."""
    return any(f"/{one}".endswith(f"/{end}") for one in (place, place.replace("/test_", "/")))


def test_our_code_uses_the_words_of_the_glossary() -> None:
    found = [one for path in ours() for one in violations(path)]
    assert not found, "\n" + "\n".join(found)


def test_the_glossary_refuses_no_word_of_its_own() -> None:
    assert not {word.replace(" ", "_") for word, *_ in rows("# Glossary")} & set(refused())


def test_every_exception_is_needed() -> None:
    used = {
        (word, end)
        for path in ours()
        for word, end in elsewhere()
        if _is_at(path.as_posix(), end)
        for name, _ in names(ast.parse(path.read_text(encoding="utf-8")))
        if word in parts(name)
    }
    assert elsewhere() - used == set()


@pytest.mark.parametrize(
    "name", ["sample", "samples", "n_samples", "SampleStore", "_seed_set", "groundTruth", "categories", "status_tables"]
)
def test_a_refused_word_is_found_in_any_spelling(name: str) -> None:
    assert set(parts(name)) & set(refused())


@pytest.mark.parametrize("name", ["item_id", "taskbar", "logarithm", "seed", "Batch"])
def test_other_words_are_not(name: str) -> None:
    assert not set(parts(name)) & set(refused())


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
