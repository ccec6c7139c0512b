"""Every labeling tool's format, one file each, in one registry: exports become annotations, batches become imports.

To add one: a module with a `FORMAT`, and its name here. Params, docs and the tests of what each format cannot hold
follow from it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby
from typing import Final

from hitl.delivery.source import Opened
from hitl.errors import DeliveryError, ParamsError
from hitl.formats import argilla, crowdflower, doccano, ground_truth, label_studio, labelbox, mturk, prodigy, scale
from hitl.formats.annotation import Annotation, Dropped
from hitl.formats.document import Document, Unreadable, documents
from hitl.formats.format import Asked, Batch, Flavour, Format, Lossy, SeveralFields, WrongExport

__all__ = [
    "FORMATS", "Annotation", "Asked", "Batch", "Document", "Dropped", "Flavour", "Format", "Lossy",
    "Recognised", "SeveralFields", "Unreadable", "WrongExport", "recognised",
]  # fmt: skip

# A file is of the first that knows it: doccano's have little of their own, so it comes last.
_ALL = (
    label_studio.FORMAT,
    mturk.FORMAT,
    crowdflower.FORMAT,
    ground_truth.FORMAT,
    prodigy.FORMAT,
    labelbox.FORMAT,
    scale.FORMAT,
    argilla.FORMAT,
    doccano.FORMAT,
)
FORMATS: Final[Mapping[str, Format]] = {one.name: one for one in _ALL}
PLAIN: Final = Asked()
"""Nothing said beyond what the export says itself."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file whose tool is known, or several in a zip; `documents` without those that hold nothing."""

    format: Format
    flavour: str
    documents: tuple[Document, ...]

    @property
    def kind(self) -> Flavour:
        return self.format.flavours[self.flavour]

    def read(self, asked: Asked = PLAIN) -> Iterator[Annotation | Dropped]:
        """Every annotation, and what else it holds; raises Lossy, WrongExport, ParamsError and Unreadable."""
        if self.kind.lost and not asked.accept_loss:
            raise Lossy(f"{self.format.title}'s {self.kind.title}", self.kind.lost, self.kind.instead)
        told = chain.from_iterable(map(partial(self._told, asked), self.documents))
        return _of_field(told, asked.label_field) if asked.label_field else told

    def _told(self, asked: Asked, document: Document) -> Iterator[Annotation | Dropped]:
        where = f"{document.name}, " if len(self.documents) > 1 else ""
        for one in self.format.read(document, self.flavour, asked):
            if isinstance(one, Dropped):
                yield one._replace(place=f"{where}{one.place}")
            else:
                who = one.annotator_id or asked.annotator
                yield one._replace(place=f"{where}{one.place}", annotator_id=who) if where or asked.annotator else one


def recognised(name: str, source: Opened, formats: Mapping[str, Format] = FORMATS) -> Recognised | None:
    """The tool and flavour of a file by its content; None when no format knows it.

    Raises Unreadable when the bytes are damaged, DeliveryError when a zip holds files of several kinds.
    """
    found = [(document, *_kind(document, formats)) for document in documents(name, source)]
    kinds = Counter((tool, flavour) for document, tool, flavour in found if document.shape != "nothing")
    if len(kinds) > 1:
        names = ", ".join(f"{document.name} ({tool or 'unknown'} {flavour})" for document, tool, flavour in found[:5])
        raise DeliveryError(f"{name} holds files of several kinds: {names}; give those of one kind")
    if not kinds or not next(iter(kinds))[0]:
        return None
    tool, flavour = next(iter(kinds))
    return Recognised(formats[tool], flavour, tuple(one for one, _, _ in found if one.shape != "nothing"))


def _of_field(told: Iterator[Annotation | Dropped], name: str) -> Iterator[Annotation | Dropped]:
    """What is told, with of each annotation the answer to one question: empty where it has none."""
    names: set[str] = set()
    for _, parts in groupby(told, key=_whose()):
        first, *others = parts
        if isinstance(first, Dropped):
            yield from (first, *others)
            continue
        fields = {one.label_field: one for one in (first, *others) if isinstance(one, Annotation)}
        names |= fields.keys()
        empty = "empty" if first.status == "labeled" else first.status
        given = fields.get(name) or first._replace(label_field=name, labels=(), status=empty)
        yield given._replace(part=0)
    if names and name not in names:
        raise ParamsError(f"no annotation answers a question called {name!r}; there are {', '.join(sorted(names))}")


def _whose() -> Callable[[Annotation | Dropped], int]:
    """Numbers the annotations that are told, so that all parts of one have the same."""
    count = 0

    def number(one: Annotation | Dropped) -> int:
        nonlocal count
        count += isinstance(one, Dropped) or not one.part
        return count

    return number


def _kind(document: Document, formats: Mapping[str, Format]) -> tuple[str, str]:
    for one in formats.values():
        flavour = one.recognise(document)
        if flavour is not None:
            return one.name, flavour
    return "", ""
