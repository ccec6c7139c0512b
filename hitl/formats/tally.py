"""An export on its way to an annotations.csv, and what was counted while it passed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from hitl.contract import csv_bytes
from hitl.errors import DeliveryError
from hitl.formats.annotation import COLUMNS, Annotation, Dropped, cells, name

_TOGETHER = 1_000


@dataclass(slots=True)
class Tally:
    """What an export holds: annotations by what became of them, and what else was there, by the reason it is left out.

    An annotation that answers several questions counts once, a draft only in `statuses`; `rows` are the lines that they
    take. `unnamed` are those whose item is known by the tool's id alone.
    """

    annotations: int = 0
    rows: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    machine: int = 0
    several: int = 0
    unnamed: int = 0
    anonymous: int = 0
    untimed: int = 0
    items: set[str] = field(default_factory=set)
    annotators: set[str] = field(default_factory=set)
    fields: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def over(self, told: Iterable[Annotation | Dropped]) -> Iterator[Annotation]:
        """The annotations among what is told, as they are counted."""
        for one in told:
            if isinstance(one, Dropped):
                self.dropped[one.reason] += 1
            else:
                self._add(one)
                yield one

    def _add(self, one: Annotation) -> None:
        self.rows += 1
        self.fields[one.label_field] += 1
        self.several += len(one.labels) > 1
        if one.part:
            return
        self.statuses[one.status] += 1
        if one.status == "draft":
            return
        self.annotations += 1
        self.machine += one.origin == "machine"
        self.unnamed += not one.item_id
        self.untimed += bool(one.time_text)
        self.items.add(name(one))
        if one.annotator_id:
            self.annotators.add(one.annotator_id)
        else:
            self.anonymous += 1

    def facts(self) -> dict[str, object]:
        """The counts as JSON-ready values."""
        return {
            "annotations": self.annotations,
            "rows": self.rows,
            "items": len(self.items),
            "annotators": len(self.annotators),
            "labeled": self.statuses["labeled"],
            "skipped": self.statuses["skipped"],
            "statuses": dict(sorted(self.statuses.items())),
            "machine": self.machine,
            "several_labels": self.several,
            "label_fields": sorted(filter(None, self.fields)),
            "without_item_id": self.unnamed,
            "without_annotator": self.anonymous,
            "without_zone": self.untimed,
            "dropped": dict(sorted(self.dropped.items())),
        }


def annotations_csv(annotations: Iterable[Annotation]) -> Iterator[bytes]:
    """The annotations as a CSV under COLUMNS, some at a time: UTF-8, LF, every field quoted.

    Raises DeliveryError where one holds what no CSV can.
    """
    rest = iter(annotations)
    yield _lines([COLUMNS])
    while together := list(islice(rest, _TOGETHER)):
        yield _lines(map(cells, together), together)


def _lines(rows: Iterable[Iterable[str]], told: Iterable[Annotation] = ()) -> bytes:
    try:
        return csv_bytes(rows)
    except UnicodeEncodeError as error:
        places = [one.place for one in told]
        near = f" between {places[0]} and {places[-1]}" if places else ""
        raise DeliveryError(
            f"half a character ({error.object[error.start]!a}) stands{near}: export the file again"
        ) from error
