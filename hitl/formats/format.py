"""What a labeling tool's format is made of, and what can go wrong with a file of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hitl.contract import ITEM_ID, MODEL_CLASS, MODEL_CONFIDENCE
from hitl.errors import DeliveryError, ParamsError
from hitl.formats.annotation import BATCH_ID, MODEL_VERSION, Annotation, Dropped
from hitl.formats.document import Document

Read = Iterator[Annotation | Dropped]


class Asked(NamedTuple):
    """What a person says of an export that the export does not say itself.

    `label_field`: the question to take, of several; `annotator`: who answered, where the file names nobody;
    `importers`: the users whose labels came with an import (doccano); `accept_loss`: take a flavour that has less than
    the tool could give.
    """

    label_field: str = ""
    annotator: str = ""
    importers: frozenset[str] = frozenset()
    accept_loss: bool = False


class Batch(NamedTuple):
    """What goes out in a pack, ready to be written in any format.

    Each row has `item_id`, the `columns` that params show, and `model_class` and `model_confidence` where
    `shows_model`: then `model_version` says which model's. `text` is the column that holds the text, "" where items are
    rows of a table.
    """

    round: str
    batch_id: str
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, str]]
    shows_model: bool = False
    model_version: str = ""
    text: str = ""

    def others(self, row: Mapping[str, str]) -> dict[str, str]:
        """The columns of an item beside its text."""
        return {name: row[name] for name in self.columns if name != self.text}

    def shown(self, row: Mapping[str, str]) -> str:
        """An item as text, for a tool that has no tables: its text, else a line a column."""
        lines = "\n".join(f"{name}: {value}" for name, value in self.others(row).items())
        return (row[self.text] if self.text else lines) or row[ITEM_ID]

    def carried(self, row: Mapping[str, str]) -> dict[str, str]:
        """What goes with an item through a tool to come back: its id, the batch, and what the model says if shown."""
        known = {ITEM_ID: row[ITEM_ID], BATCH_ID: self.batch_id}
        if not self.shows_model:
            return known
        model = {MODEL_CLASS: row[MODEL_CLASS], MODEL_CONFIDENCE: row[MODEL_CONFIDENCE]}
        return {**known, **model, MODEL_VERSION: self.model_version}


class WrongExport(DeliveryError):
    """The file holds no classification, or another export of the tool would: `found`, and which to choose `instead`."""

    def __init__(self, tool: str, found: str, instead: str = "") -> None:
        way_out = f": {instead}" if instead else ""
        super().__init__(f"this {tool} export holds {found}, and no classes of whole items{way_out}")
        self.found, self.instead = found, instead


class Lossy(DeliveryError):
    """The tool has an export that keeps more than this one: `lost` says what, `instead` which."""

    def __init__(self, title: str, lost: str, instead: str) -> None:
        super().__init__(f"{title} drops {lost}: {instead}, or take it as it is with --accept-loss")
        self.lost, self.instead = lost, instead


class SeveralFields(ParamsError):
    """The export answers several questions, and nobody said which one is meant."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"the annotations answer {len(names)} questions ({', '.join(names)}): choose one by --label-field"
        )
        self.names = tuple(names)


@dataclass(frozen=True, slots=True)
class Flavour:
    """One kind of file that a tool writes. `cannot_hold` has each field of an Annotation that it cannot, and why.

    `lost`: what the tool knows and drops here, though its export `instead` has it: such a file is refused unless the
    loss is accepted.
    """

    title: str
    cannot_hold: Mapping[str, str] = field(default_factory=dict)
    lost: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """A tool's formats: pure functions over documents and batches.

    `recognise` tells the flavour of a document by its content, None when it is none of this tool's. `read` yields every
    annotation in it, and what it holds besides; raises WrongExport when it holds none of a whole item, and Unreadable.
    `write` gives the files that the tool imports, by name; None where the tool has no import of its own. `transport`
    says in a sentence how far the way to the tool itself was tested, `reading` what is made of its answers.
    """

    name: str
    title: str
    flavours: Mapping[str, Flavour]
    recognise: Callable[[Document], str | None]
    read: Callable[[Document, str, Asked], Read]
    write: Callable[[Batch], Mapping[str, bytes]] | None
    transport: str
    reading: str = ""
