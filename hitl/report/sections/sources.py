"""Everything a round's report is made from, as values: whoever calls has read the files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hitl.annotators import Record
from hitl.curve import CurvePoint
from hitl.label_errors import InDoubt
from hitl.ledger import Facts
from hitl.mix import Share
from hitl.params import Params
from hitl.state import RoundState, State


@dataclass(frozen=True, slots=True)
class BatchItem:
    """An item of the batch: why it was chosen, and what the model thought of it."""

    item_id: str
    reason: str
    rank: int
    utility: float | None
    model_class: str | None
    model_confidence: float | None
    selection_probability: float | None = None
    nearest_item: str | None = None
    nearest_label: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one annotator said of one item; None is a skip."""

    item_id: str
    annotator_id: str
    label: str | None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of a test item, and what the item is."""

    item_id: str
    label: str
    predicted: str


@dataclass(frozen=True)
class Sources:
    """The values behind one report. `state` is the ledger's as it stood before the report was written.

    `shown` holds per item the columns its annotators saw, `pixels` its image row by row, `labels` the class it
    ended with (None: unresolved). `doubted` are labels of all rounds that are in doubt, the worst first (None: nobody
    looked). `records` tell of vendors and annotators over all rounds so far,
    `regraded` what gold that was corrected since the closing before changed for them, `guideline` what
    became of answers when it changed, and what people ask. `mix` tells what the batch and the pool are made of.
    `before` are the predictions of the champion that the challenger met; `comparison` has what random choice reached, a
    point a round after the baseline.
    """

    workspace: str
    round_id: str
    state: State
    params: Params
    batch: tuple[BatchItem, ...] = ()
    shown: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pixels: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    mix: tuple[Share, ...] = ()
    answers: tuple[Answer, ...] = ()
    labels: Mapping[str, str | None] = field(default_factory=dict)
    gold: Mapping[str, str] = field(default_factory=dict)
    doubted: tuple[InDoubt, ...] | None = None
    records: tuple[Record, ...] = ()
    regraded: Facts | None = None
    guideline: Facts | None = None
    receipts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    before: tuple[Prediction, ...] = ()
    after: tuple[Prediction, ...] = ()
    comparison: tuple[CurvePoint, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def round(self) -> RoundState:
        return self.state.round(self.round_id)

    @property
    def metric(self) -> str:
        return self.params.evaluate.metric

    @cached_property
    def said(self) -> Mapping[str, tuple[Answer, ...]]:
        """The answers to each item, by annotator; the last one stands when somebody answered twice."""
        standing = {(one.item_id, one.annotator_id): one for one in self.answers}
        said: dict[str, list[Answer]] = {}
        for key in sorted(standing):
            said.setdefault(key[0], []).append(standing[key])
        return {item_id: tuple(answers) for item_id, answers in said.items()}

    def facts(self, event: str) -> Facts:
        """The facts of a step of this round; empty when it did not happen."""
        return self.round.facts.get(event, {})


def champion_before(state: State, round_id: str) -> str | None:
    """The round whose model was champion when `round_id` was judged; None when it was the first."""
    return next(reversed(state.champions(before=round_id)), None)
