"""Every labeling tool's format, one file each, in one registry: exports become annotations, batches become imports.

To add one: a module with a `FORMAT`, and its name here. Params, docs and the tests of what each format cannot hold
follow from it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from hitl.delivery.source import Opened
from hitl.errors import DeliveryError
from hitl.formats.annotation import Annotation, Dropped
from hitl.formats.document import Document, Unreadable, documents
from hitl.formats.format import Asked, Batch, Flavour, Format, Lossy, SeveralFields, WrongExport

__all__ = [
    "FORMATS", "Annotation", "Asked", "Batch", "Document", "Dropped", "Flavour", "Format", "Lossy",
    "Recognised", "SeveralFields", "Unreadable", "WrongExport", "recognised",
]  # fmt: skip

_ALL: tuple[Format, ...] = ()
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
        """Every annotation, and what else it holds; raises Lossy, WrongExport and Unreadable."""
        if self.kind.lost and not asked.accept_loss:
            raise Lossy(f"{self.format.title}'s {self.kind.title}", self.kind.lost, self.kind.instead)
        for document in self.documents:
            where = f"{document.name}, " if len(self.documents) > 1 else ""
            for one in self.format.read(document, self.flavour, asked):
                yield one._replace(place=f"{where}{one.place}") if where else one


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


def _kind(document: Document, formats: Mapping[str, Format]) -> tuple[str, str]:
    for one in formats.values():
        flavour = one.recognise(document)
        if flavour is not None:
            return one.name, flavour
    return "", ""
