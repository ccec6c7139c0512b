"""What a push to a labeling tool must do: which items are not there yet, which are there twice, which classes lack."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hitl.errors import ParamsError
from hitl.visible import quoted

TITLE_LIMIT = 50
"""Characters that Label Studio allows in the title of a project."""
_SHOWN = 10


class Posting(NamedTuple):
    """An item as a tool takes it: its sent id, and what is sent."""

    item_id: str
    body: Mapping[str, Any]


class Copy(NamedTuple):
    """An item as it stands at a tool: under which id, and whether somebody has worked on it."""

    id: int
    is_touched: bool


Found = Mapping[str, Sequence[Copy]]
"""What stands at a tool of a batch, by sent id."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a tool is to have of one round. `overlap` is how many annotators the items get, where not 1."""

    round: str
    batch_id: str
    title: str
    classes: tuple[str, ...]
    postings: tuple[Posting, ...]
    overlap: Mapping[str, int]
    guideline: str = ""
    config: str = ""
    model_version: str = ""

    @property
    def most(self) -> int:
        """How many annotators an item gets at most."""
        return max((self.overlap.get(one.item_id, 1) for one in self.postings), default=1)


def title(workspace: str, round_id: str, batch_id: str) -> str:
    """What the project of a round is called: a push that was interrupted finds it again by that.

    >>> title("tickets", "r0001", "0123456789abcdef")
    'tickets r0001 01234567'
    """
    end = f" {round_id} {batch_id[:8]}"
    return f"{workspace[: TITLE_LIMIT - len(end)]}{end}"


def missing(postings: Iterable[Posting], found: Found) -> list[Posting]:
    """What is not there yet, in the order in which it is to stand there."""
    return [one for one in postings if not found.get(one.item_id)]


def surplus(found: Found) -> list[int]:
    """The copies too many that nobody has worked on, by their ids at the tool: they may go. One of each item stays."""
    return sorted(one.id for copies in found.values() for one in _too_many(copies))


def twice(found: Found) -> list[str]:
    """The items of which more than one copy was worked on: that is for a person to settle."""
    return sorted(item for item, copies in found.items() if sum(one.is_touched for one in copies) > 1)


def check_classes(offered: Iterable[str], classes: Sequence[str], where: str) -> None:
    """Raises ParamsError naming the classes that a project does not offer its annotators."""
    there = set(offered)
    lacking = [one for one in classes if one not in there]
    if lacking:
        named = ", ".join(repr(quoted(one, 60)) for one in lacking[:_SHOWN]) + (
            ", ..." if len(lacking) > _SHOWN else ""
        )
        raise ParamsError(
            f"{where} does not offer {len(lacking)} of the {len(classes)} classes: {named}; add them to the project, "
            "or leave --project out: a project is made then"
        )


def parts(postings: Sequence[Posting], size: int) -> Iterator[Sequence[Posting]]:
    """The postings in parts of so many."""
    return (postings[at : at + size] for at in range(0, len(postings), size))


def _too_many(copies: Sequence[Copy]) -> list[Copy]:
    kept = min(copies, key=lambda one: (not one.is_touched, one.id), default=None)
    return [one for one in copies if one is not kept and not one.is_touched]
