"""What a round expects back: everything a delivery is judged against, gathered by the caller."""

from collections.abc import Collection, Mapping, Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from hitl.contract import SKIP
from hitl.delivery.intake_rules import size_limit
from hitl.errors import DataError
from hitl.formats.door import PLAIN, Reading

# A file with three times the rows that were asked for is some other file: it is refused without being read to its end.
ROW_FACTOR, ROW_SLACK = 3, 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """The open round as its deliveries must see it. Only ids, texts and times: no features, no model.

    `items` maps each exported item_id (gold ones are among them) to its visible columns as exported. `taken` holds the
    answers of earlier deliveries, a skip as SKIP; `origin` says which delivery (sha256) each of them came from. `known`
    are the deliveries of this round taken before, None where nothing is known of them (then nobody can tell what one
    supersedes), and `elsewhere` those of other rounds and those withdrawn. `sources` says what some known deliveries
    were the latest state of, in order of arrival. Rows of the annotators in `without` are read as if they stood not
    in the file. `reading` says how the exports of labeling tools
    are read. `answered` names for some items who answered them in an earlier round: they ask for somebody else.
    Raises DataError when a class has the name that is reserved for a skip.
    """

    round: str
    classes: tuple[str, ...]
    items: Mapping[str, Mapping[str, str]]
    exported_at: datetime
    received_at: datetime
    batch: str = ""
    annotators: tuple[str, ...] = ()
    answered: Mapping[str, Collection[str]] = field(default_factory=dict)
    overlap: Mapping[str, int] = field(default_factory=dict)
    default_overlap: int = 1
    taken: Mapping[tuple[str, str], str] = field(default_factory=dict)
    origin: Mapping[tuple[str, str], str] = field(default_factory=dict)
    known: AbstractSet[str] | None = frozenset()
    sources: Mapping[str, str] = field(default_factory=dict)
    elsewhere: AbstractSet[str] = frozenset()
    other_rounds: Mapping[str, str] = field(default_factory=dict)
    gold: Mapping[str, str] = field(default_factory=dict)
    retired: tuple[str, ...] = ()
    guideline_sha256: str = ""
    bad_row_share: float = 0.2
    closed: bool = False
    without: frozenset[str] = frozenset()
    reading: Reading = PLAIN

    def __post_init__(self) -> None:
        if SKIP in self.classes:
            raise DataError(
                f"{SKIP!r} is how an annotator skips an item, so no class can be called so: rename the class"
            )

    def has_taken(self, sha256: str) -> bool:
        """Whether these bytes were taken before, for whatever round."""
        return sha256 in (self.known or ()) or sha256 in self.elsewhere

    def overlap_of(self, item_id: str) -> int:
        """How many different annotators may answer this item."""
        return self.overlap.get(item_id, self.default_overlap)

    @property
    def annotations(self) -> int:
        """How many annotations the round asks for in all."""
        special = {item: count for item, count in self.overlap.items() if item in self.items}
        return self.default_overlap * (len(self.items) - len(special)) + sum(special.values())

    @property
    def row_limit(self) -> int:
        """More data rows than this cannot be an answer to the pack."""
        return ROW_FACTOR * self.annotations + ROW_SLACK

    @property
    def size_limit(self) -> int:
        """More bytes than this are not read."""
        return size_limit(self.row_limit)
