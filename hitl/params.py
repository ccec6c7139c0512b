"""params.yaml: everything that changes a result, typed, with every problem told at once and by line."""

import difflib
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, cast, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from hitl.consensus.names import MethodName
from hitl.errors import ParamsError
from hitl.formats import FORMATS
from hitl.ledger import digest

Kind = Literal["numeric", "categorical", "boolean", "text", "ignored"]
StrategyName = Literal[
    "diverse",
    "margin",
    "least_confident",
    "entropy",
    "vote_entropy",
    "consensus_divergence",
    "density_weighted",
    "k_center",
    "badge",
    "typiclust",
    "random",
]
EstimatorName = Literal["logistic_regression", "hist_gradient_boosting", "random_forest"]
MetricName = Literal["accuracy", "macro_f1", "balanced_accuracy"]
Marked = Literal["draft", "rejected", "expelled"]
PolicyName = Literal["note", "hold", "exclude"]
MaskName = Literal["email", "phone", "card"]
SKIP = "<skip>"
"""The word an annotator writes for "I cannot say". No class may be called so."""

KINDS: tuple[str, ...] = get_args(Kind)
MAY_CHANGE_MID_ROUND = frozenset({"budget", "letter", "promote", "schedule", "stop", "versioning"})
"""Sections that an open round does not depend on."""


def _money(value: object) -> object:
    """0.12 and "0.12" alike are the decimal number that was written, not the float nearest to it."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            return value
    return value


def _gold(value: object) -> object:
    """A count of items, or a share of the batch; one message for whatever is neither."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not ((isinstance(value, int) and value >= 0) or 0 <= cast(float, value) < 1):
        raise ValueError(
            f"a number of items (0, 1, 2, ...) or a share of the batch below 1, such as 0.1 (got {value!r})"
        )
    return value


def _compiles(pattern: str) -> str:
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression of Python: {error} (got {pattern!r})") from None
    if compiled.search(""):
        raise ValueError(f"it matches where nothing stands, so it would mask between all letters (got {pattern!r})")
    return pattern


def _is_type(name: str) -> str:
    if len(parts := name.split(".")) < 2 or not all(map(str.isidentifier, parts)):
        raise ValueError(f"not the full name of a type, such as module.Type (got {name!r})")
    return name


def _is_reading(name: str) -> str:
    if name not in ("auto", "csv", *FORMATS):
        raise ValueError(f"no such format; there are auto, csv, {', '.join(FORMATS)} (got {name!r})")
    return name


_IMPORTS = ("csv", *(name for name, one in FORMATS.items() if one.write))


def _is_import(name: str) -> str:
    if name not in _IMPORTS:
        raise ValueError(f"no such format; there are {', '.join(_IMPORTS)} (got {name!r})")
    return name


FormatName = Annotated[str, AfterValidator(_is_import), Field(json_schema_extra={"enum": [*_IMPORTS]})]
Money = Annotated[Decimal, BeforeValidator(_money), Field(ge=0, max_digits=12, decimal_places=6)]
Gold = Annotated[Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)], BeforeValidator(_gold)]
Share = Annotated[float, Field(ge=0, le=1)]
Pattern = Annotated[str, AfterValidator(_compiles)]
Named = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")]
TypeName = Annotated[str, AfterValidator(_is_type)]


class Section(BaseModel):
    """A part of params.yaml: frozen, typed, without keys of its own making."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Image(Section):
    """How columns make a picture, for the report."""

    prefix: str = Field(description="The pixel columns are PREFIX0, PREFIX1, ... row by row")
    width: int = Field(gt=0, description="Pixels in a row")
    height: int = Field(gt=0, description="Rows of pixels")
    maximum: float = Field(gt=0, description="The value of a full pixel")


class Data(Section):
    """What the items are."""

    id: str = Field(description="The column of the source file that named the items")
    label: str = Field(description="The column of the source file that held the classes")
    classes: Annotated[tuple[str, ...], Field(min_length=2, strict=False)] = Field(
        description="The answers the contract allows"
    )
    columns: dict[str, Kind] = Field(
        description=f"What each column is: {', '.join(KINDS)} (ignored columns are not learned from)"
    )
    image: Image | None = Field(default=None, description="Columns that make a picture, or null")

    @model_validator(mode="after")
    def _classes_are_distinct(self) -> "Data":
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("a class is named twice")
        if SKIP in self.classes:
            raise ValueError(f"{SKIP!r} is reserved for skips and cannot be a class")
        return self


class Model(Section):
    """What is trained."""

    estimator: EstimatorName = Field(default="logistic_regression", description="The scikit-learn estimator")
    options: dict[str, bool | int | float | str | None] = Field(
        default={}, description="Its keyword arguments, as scikit-learn names them"
    )
    factory: str | None = Field(
        default=None, description="module:function returning an estimator with predict_proba; overrides estimator"
    )
    seed: int = Field(default=0, ge=0, description="Seed of the training")
    trusted_types: Annotated[tuple[TypeName, ...], Field(strict=False)] = Field(
        default=(),
        description="Types and functions, as module.name, that a model file may hold besides scikit-learn's own; "
        "loading one runs its code",
    )


class Query(Section):
    """Which items are asked about."""

    strategy: StrategyName = Field(default="diverse", description="How the batch is chosen")
    batch: int = Field(default=30, gt=0, description="New items a round")
    random_share: Share = Field(
        default=0.1, description="Share of the batch drawn at random, so that accuracy on the pool stays estimable"
    )
    seed: int = Field(default=0, ge=0, description="Seed of every draw")


class Export(Section):
    """What goes out in a pack."""

    columns: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="The columns a vendor may see, and no others"
    )
    vendor: str = Field(
        default="vendor",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="The name of the vendor that packs go to; pseudonyms are made for this name",
    )
    show_prediction: bool = Field(default=False, description="Show the annotator the model's class and confidence")
    blind_share: Share = Field(
        default=0.1,
        description="Share of the batch on which show_prediction shows nothing: only beside these can it be measured "
        "who follows the model",
    )
    format: Annotated[tuple[FormatName, ...], Field(strict=False)] = Field(
        default=("csv",),
        description="Whose own import file lies in the pack beside batch.csv, which always does",
    )
    overlap: int = Field(default=1, ge=1, le=20, description="Annotators an overlap item gets")
    overlap_share: Share = Field(default=0.0, description="Share of the batch that is overlap items")
    overlap_most: int | None = Field(
        default=None,
        ge=1,
        le=20,
        description="An item without consensus goes to one more annotator in a later batch, until so many answered it; "
        "null: to an adjudicator at once",
    )
    gold: Gold = Field(
        default=0,
        description="Items with a known answer hidden in each batch: a number, or a share of what goes out (0.1)",
    )


class Delivery(Section):
    """What may come back, and what is paid for it."""

    annotators: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="The annotators we expect; empty: anybody"
    )
    deadline_days: float = Field(default=7.0, gt=0, strict=False, description="Days a vendor has for a pack")
    minimum_share: Share = Field(
        default=1.0, strict=False, description="Share of the answers with which a round may close after its deadline"
    )
    bad_row_share: Share = Field(default=0.2, description="More bad rows than this and a delivery is rejected whole")
    format: Annotated[str, AfterValidator(_is_reading)] = Field(
        default="auto",
        json_schema_extra={"enum": ["auto", "csv", *FORMATS]},
        description="What may come: our CSV or any labeling tool's export (auto), the CSV alone, or one tool's exports",
    )
    label_field: str = Field(
        default="",
        description="The question that counts, where a tool's annotations answer several",
    )
    importers: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="Users of a tool whose labels came with an import (doccano): no human gave those"
    )
    take: Annotated[tuple[Marked, ...], Field(strict=False)] = Field(
        default=(),
        description="Answers that count although a tool marks them: draft, rejected, expelled; a machine's never do",
    )
    repeat: Literal["hold", "last", "keep"] = Field(
        default="hold",
        description="Several answers of one annotator to one item in one delivery: hold them, the last counts, or all",
    )
    price: Money = Field(default=Decimal(0), description="Price of one accepted annotation")
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$", description="Its currency (ISO 4217)")

    def reading(self) -> dict[str, object]:
        """What a pack says of how the exports of labeling tools are read."""
        return self.model_dump(mode="json", include={"format", "label_field", "importers", "take", "repeat"})


class Resolve(Section):
    """How annotations become labels."""

    method: MethodName = Field(
        default="auto", description="How answers are weighed; auto chooses by what the answers can carry, and says why"
    )
    confidence: Share = Field(
        default=0.6, description="An item whose likeliest class is less likely than this goes to adjudication"
    )
    agreement: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="By majority, an item whose winning answer has no more than this share goes there too",
    )
    policy: PolicyName = Field(
        default="note",
        description="What follows from suspicious answers: the report tells, their annotator's answers wait for a "
        "person's word, or they are withdrawn; the last two can be undone",
    )
    reasons: Annotated[tuple[Named, ...], Field(min_length=1, strict=False)] = Field(
        default=("plain mistake", "guideline unclear", "ambiguous item", "other"),
        description="Why an adjudicator may override what was said before; other asks for a comment",
    )


class Evaluate(Section):
    """How models are measured, always on the same test set."""

    metric: MetricName = Field(default="accuracy", description="The metric that decides")
    bootstrap: int = Field(default=1000, ge=100, le=100_000, description="Bootstrap draws behind each interval")
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0, description="Confidence of each interval")
    seed: int = Field(default=0, ge=0, description="Seed of the bootstrap")


class Promote(Section):
    """When a challenger becomes champion."""

    margin: float = Field(
        default=0.0, ge=-1, le=1, strict=False, description="The lower bound of the gain must be above this"
    )


class Budget(Section):
    """What we may still spend."""

    annotations: int | None = Field(default=None, ge=0, description="Annotations over all rounds; null: no limit")
    money: Money | None = Field(default=None, description="Money over all rounds; null: no limit")


class Stop(Section):
    """When `hitl advance` asks for no more labels; `hitl open` still does."""

    target: float | None = Field(
        default=None,
        ge=0,
        le=1,
        strict=False,
        description="The lower bound of the champion's metric (evaluate.metric) is at least this; null: no target",
    )
    gain: float | None = Field(
        default=None,
        gt=0,
        le=1,
        strict=False,
        description="The next round is expected to raise the metric by less than this (0.01: one point); null: never",
    )
    confidence: float = Field(
        default=0.9, gt=0.5, lt=1.0, description="How sure it must be that the next round raises it by less"
    )


class Privacy(Section):
    """What a vendor does not learn of the items that it sees."""

    pseudonymise: bool = Field(
        default=False,
        description="Send every item under a pseudonym that no other vendor gets; needs a key in HITL_PSEUDONYM_KEY",
    )
    mask: Annotated[tuple[MaskName, ...], Field(strict=False)] = Field(
        default=(),
        description="Masked in exported text, of email, phone, card; the model still learns from the original",
    )
    mask_patterns: Annotated[tuple[Pattern, ...], Field(strict=False)] = Field(
        default=(), description="Regular expressions of your own; what they match is masked too"
    )


class Letter(Section):
    """What annotators are told by `hitl letter`."""

    leaderboard: bool = Field(
        default=False,
        description="Show every annotator in every letter by accuracy on gold, with names; those whose intervals "
        "overlap share a place",
    )


class Schedule(Section):
    """When `hitl serve` runs `advance`."""

    cron: str = Field(default="*/15 * * * *", description="A cron line")
    timezone: str = Field(default="UTC", description="The IANA zone it is read in")

    @model_validator(mode="after")
    def _cron_has_five_fields(self) -> "Schedule":
        if len(self.cron.split()) != 5:
            raise ValueError(f"a cron line has five fields (got {self.cron!r})")
        return self


class Versioning(Section):
    """What happens to a closed round's data."""

    push: bool = Field(default=False, description="Push to DVC's default remote after each round")


class Params(Section):
    """All of params.yaml."""

    data: Data
    model: Model = Model()
    query: Query = Query()
    export: Export = Export()
    delivery: Delivery = Delivery()
    resolve: Resolve = Resolve()
    evaluate: Evaluate = Evaluate()
    promote: Promote = Promote()
    budget: Budget = Budget()
    stop: Stop = Stop()
    privacy: Privacy = Privacy()
    letter: Letter = Letter()
    schedule: Schedule = Schedule()
    versioning: Versioning = Versioning()

    @model_validator(mode="after")
    def _an_item_may_get_what_it_begins_with(self) -> "Params":
        most, least = self.export.overlap_most, self.export.overlap
        if most is not None and most < least:
            raise ValueError(
                f"export.overlap_most: fewer annotators than export.overlap asks at once, {least} (got {most})"
            )
        return self

    @model_validator(mode="after")
    def _a_vendor_sees_known_columns(self) -> "Params":
        unknown = sorted(set(self.export.columns) - set(self.data.columns))
        if unknown:
            raise ValueError(f"export.columns: no such column in data.columns: {', '.join(unknown)}")
        return self

    def sha256(self) -> str:
        """The digest of what an open round depends on: all sections but those that may change meanwhile."""
        return digest(self.model_dump(mode="json", exclude=set(MAY_CHANGE_MID_ROUND)))

    def model_sha256(self) -> str:
        """The digest of what a model depends on besides its labeled set."""
        learned = {"data": {"classes", "columns"}, "model": set(Model.model_fields) - {"trusted_types"}}
        return digest(self.model_dump(mode="json", include=learned))

    @property
    def features(self) -> dict[str, Kind]:
        """The columns that are learned from, with their kinds."""
        return {name: kind for name, kind in self.data.columns.items() if kind != "ignored"}


def parse(text: str, *, file: str = "params.yaml") -> Params:
    """The parameters in the text of a params.yaml.

    Raises ParamsError that lists every problem as `FILE:LINE: key: what is wrong (got VALUE)`.
    """
    try:
        tree = yaml.compose(text, Loader=yaml.CSafeLoader)
        raw = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        raise ParamsError(f"{file}: not YAML: {error}") from error
    if not isinstance(raw, dict) or not isinstance(tree, yaml.MappingNode):
        raise ParamsError(f"{file}:1: expected sections such as `data:` and `model:`, found none")
    lines = dict(_lines(tree))
    twice = [f"{file}:{line}: {'.'.join(key)}: the key stands here twice" for key, line in _repeated(tree)]
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        raise ParamsError("\n".join(twice + _problems(error, lines, file))) from None
    if twice:
        raise ParamsError("\n".join(twice))
    return params


def _lines(node: yaml.Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, str(key.value)), key.start_mark.line + 1
            yield from (pair for pair in _lines(value, (*path, str(key.value))) if pair[0] != (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*path, str(index)))


def _repeated(node: yaml.Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        here = (*path, str(key.value))
        if key.value in seen:
            yield here, key.start_mark.line + 1
        seen.add(key.value)
        yield from _repeated(value, here)


def _problems(error: ValidationError, lines: Mapping[tuple[str, ...], int], file: str) -> list[str]:
    found = error.errors()
    # A list with a wrong entry is told to be short by that entry: the entry is the problem.
    wrong = {one["loc"][:-1] for one in found if one["loc"] and isinstance(one["loc"][-1], int)}
    told = [one for one in found if one["type"] != "too_short" or one["loc"] not in wrong]
    return [_problem(dict(one), lines, file) for one in told]


def _problem(one: Mapping[str, object], lines: Mapping[tuple[str, ...], int], file: str) -> str:
    loc = tuple(str(part) for part in one["loc"] if isinstance(part, str | int))  # type: ignore[attr-defined]
    line = next((lines[loc[:end]] for end in range(len(loc), -1, -1) if loc[:end] in lines), 1)
    got = "" if one["type"] in ("missing", "value_error") else f" (got {one['input']!r})"
    said = str(one["msg"]).removeprefix("Value error, ")
    if one["type"] == "extra_forbidden":
        said, got = f"no such key{_closest(loc)}", ""
    if one["type"] == "string_type":
        said += "; put it in quotes"
    if one["type"] == "is_instance_of":
        said = "Input should be a decimal number"
    return f"{file}:{line}: {'.'.join(loc) or 'params'}: {said}{got}"


def _closest(loc: tuple[str, ...]) -> str:
    section: type[BaseModel] = Params
    for name in loc[:-1]:
        section = _section(section, name)
    names = list(section.model_fields)
    close = difflib.get_close_matches(loc[-1], names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(names)}"


def _section(section: type[BaseModel], name: str) -> type[BaseModel]:
    """The section that the key `name` of `section` holds, whether or not it may be null."""
    annotation = section.model_fields[name].annotation
    return next(
        one for one in (annotation, *get_args(annotation)) if isinstance(one, type) and issubclass(one, BaseModel)
    )
