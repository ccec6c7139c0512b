"""How every annotator, and every vendor, has done so far: one record each, out of annotations, gold and labels.

Only what was measured is said, with an interval; nothing follows from it here. Fast is not careless, so the pace is
told and never judged, by a median: people leave pages open.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl import agreement, drift
from hitl.agreement import Measured
from hitl.consensus.crowd import crowd_of
from hitl.drift import Drift
from hitl.ledger import Facts

COLUMNS = ("round", "item_id", "annotator_id", "label", "labeled_at", "seconds", "delivery", "row")
"""What is looked at of annotations.parquet."""
SESSION = pd.Timedelta(minutes=30)
"""Who answers nothing for so long has begun another session."""
NOTHING = Measured(math.nan, math.nan, math.nan, 0)
_DECIMALS = 6
_DRIFTS = ("by_round", "by_position")
_MEASURES = ("gold", "agrees", "kappa", "alpha", "fleiss", "seconds")

Confused = tuple[str, str, int]
"""The known class of gold items, what was said of them, and how often."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one annotator, or of a vendor as a whole (`annotator_id` None), over `rounds`.

    `gold` is the share of answers to gold items that are right, with Wilson's interval: at few answers it holds the
    truth about as often as it says, where Clopper and Pearson's exact one is too wide (Brown, Cai & DasGupta,
    "Interval estimation for a binomial proportion", 2001). `confusion` has the same answers by class, right ones too.
    `agrees` is the share of the other answers that are the label of their item, of items that somebody else answered
    as well. `kappa` is Cohen's of an annotator with the others of the same items; `alpha` (Krippendorff) and `fleiss`
    are a vendor's. `seconds` is the median time an answer took, `spread` the median distance from it, in seconds.
    `by_round` and `by_position` (in a session) tell whether gold answers got worse or better, see `hitl.drift`.
    """

    vendor: str
    annotator_id: str | None
    annotators: int
    rounds: tuple[str, ...]
    answers: int
    skips: int
    gold: Measured
    confusion: tuple[Confused, ...]
    agrees: Measured
    kappa: Measured
    alpha: Measured
    fleiss: Measured
    seconds: Measured
    spread: float
    by_round: Drift
    by_position: Drift


def records(
    annotations: pd.DataFrame,
    *,
    gold: Mapping[str, str],
    labels: pd.DataFrame,
    vendors: Mapping[str, str],
    confidence: float,
    draws: int,
    seed: int,
) -> tuple[Record, ...]:
    """A record of every vendor, each before its annotators; sorted by name, and the same in any order of rows.

    `annotations` has COLUMNS, of the answers that stand, of any rounds; a missing label is a skip. `labels` has round,
    item_id, label (missing: none). `vendors` says by round whom its pack went to; people of two vendors are different
    people, whatever they are called.
    """
    told = _told(annotations, gold, labels, vendors)
    found: list[Record] = []
    for vendor, own in told.groupby("vendor", sort=True):
        rng = np.random.default_rng(seed)
        found.append(_record(own, str(vendor), None, rng=rng, confidence=confidence, draws=draws))
        others = crowd_of(own[["item_id", "annotator_id", "label"]])
        place = {name: code for code, name in enumerate(others.annotators)}
        for who, mine in own.groupby("annotator_id", sort=True):
            one = others.annotator == place.get(who, -1)
            rest = others.votes[others.item[one]]
            rest[np.arange(len(rest)), others.answer[one]] -= 1
            kappa = agreement.cohen_with_others(others.answer[one], rest, confidence)
            found.append(_record(mine, str(vendor), str(who), kappa=kappa, confidence=confidence))
    return tuple(found)


def told(found: Iterable[Record]) -> list[Facts]:
    """The records as JSON-able values, numbers to six decimals, None for what cannot be said."""
    return [cast(Facts, _plain(_facts(one))) for one in found]


def records_of(told: Sequence[Facts]) -> tuple[Record, ...]:
    """The records that `told` made these values of."""
    return tuple(_record_of(one) for one in told)


def _told(
    annotations: pd.DataFrame, gold: Mapping[str, str], labels: pd.DataFrame, vendors: Mapping[str, str]
) -> pd.DataFrame:
    """The annotations, each with its vendor, what is known of its item, and whether it came late in its session."""
    names = [name for name in COLUMNS if name in annotations]
    frame = annotations[names].sort_values(["round", "item_id", "annotator_id", "delivery", "row"], ignore_index=True)
    frame = frame.assign(vendor=frame["round"].map(vendors).astype(object), known=frame["item_id"].map(gold))
    frame = frame.merge(labels.rename(columns={"label": "came_to"}), on=["round", "item_id"], how="left")
    answered = frame["label"].notna()
    frame["right"] = (frame["label"] == frame["known"]).where(answered & frame["known"].notna())
    asked = frame[answered].groupby(["round", "item_id"])["annotator_id"].transform("nunique")
    shared = asked.reindex(frame.index, fill_value=0) > 1
    judged = answered & shared & frame["known"].isna() & frame["came_to"].notna()
    frame["agrees"] = (frame["label"] == frame["came_to"]).where(judged)
    return frame.assign(late=_late(frame))


def _late(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """For each row, whether it lies in the later half of its session: 1, 0, or nan where the session is one answer.

    A session is what one person answers without a pause of SESSION, by `labeled_at`; where that is missing, what they
    sent in one delivery, in the order of its rows.
    """
    moment = pd.to_datetime(frame["labeled_at"], utc=True, format="ISO8601", errors="coerce")
    person = [frame["vendor"], frame["annotator_id"]]
    keys = frame.assign(moment=moment, source=frame["delivery"].where(moment.isna(), ""))
    order = keys.sort_values(["vendor", "annotator_id", "source", "moment", "delivery", "row"]).index
    keys = keys.loc[order]
    pause = keys.groupby(["vendor", "annotator_id", "source"])["moment"].diff() > SESSION
    session = [
        *(one.loc[order] for one in person),
        keys["source"],
        pause.groupby([one.loc[order] for one in person]).cumsum(),
    ]
    grouped = keys.groupby(session, sort=False)["row"]
    size, place = grouped.transform("size").to_numpy(), grouped.cumcount().to_numpy()
    late = pd.Series(np.where(size > 1, place * 2 >= size, np.nan), index=order)
    return np.asarray(late.reindex(frame.index), dtype=np.float64)


def _record(
    own: pd.DataFrame,
    vendor: str,
    annotator_id: str | None,
    *,
    confidence: float,
    kappa: Measured = NOTHING,
    rng: np.random.Generator | None = None,
    draws: int = 0,
) -> Record:
    gold = own[own["right"].notna()]
    alpha = fleiss = NOTHING
    if rng is not None:
        answered = crowd_of(own[["item_id", "annotator_id", "label"]]).votes
        alpha = agreement.alpha_measured(answered, draws=draws, confidence=confidence, rng=rng)
        fleiss = agreement.fleiss_measured(answered, draws=draws, confidence=confidence, rng=rng)
    times = own["seconds"].dropna().to_numpy(dtype=np.float64)
    seconds = agreement.pace(times, confidence=confidence)
    return Record(
        vendor=vendor,
        annotator_id=annotator_id,
        annotators=own["annotator_id"].nunique(),
        rounds=tuple(sorted(set(own["round"]))),
        answers=int(own["label"].notna().sum()),
        skips=int(own["label"].isna().sum()),
        gold=_share(gold["right"], confidence),
        confusion=_confusion(gold),
        agrees=_share(own["agrees"].dropna(), confidence),
        kappa=kappa,
        alpha=alpha,
        fleiss=fleiss,
        seconds=seconds,
        spread=float(np.median(np.abs(times - seconds.value))) if len(times) else math.nan,
        by_round=_drift(gold, drift.later_half(gold["round"].to_numpy(dtype=object)), confidence),
        by_position=_drift(gold, gold["late"].to_numpy(dtype=np.float64), confidence),
    )


def _share(right: pd.Series, confidence: float) -> Measured:
    return agreement.share(int(right.astype(bool).sum()), len(right), confidence)


def _confusion(gold: pd.DataFrame) -> tuple[Confused, ...]:
    counted = Counter(zip(gold["known"].tolist(), gold["label"].tolist(), strict=True))
    return tuple((known, said, times) for (known, said), times in sorted(counted.items()))


def _drift(gold: pd.DataFrame, late: npt.NDArray[np.float64], confidence: float) -> Drift:
    placed = ~np.isnan(late)
    right = gold["right"].to_numpy(dtype=bool)[placed]
    kinds = gold["known"].to_numpy(dtype=object)[placed]
    return drift.drift(right, late[placed] > 0, kinds, confidence=confidence)


def _facts(one: Record) -> Facts:
    drifts = {name: cast(Drift, getattr(one, name)) for name in _DRIFTS}
    return {**asdict(one), **{name: {**asdict(drift), "is_real": drift.is_real} for name, drift in drifts.items()}}


def _plain(value: object) -> object:
    """JSON has no nan, and the last bits of a logarithm depend on the processor."""
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, _DECIMALS)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value


def _record_of(facts: Facts) -> Record:
    values = {name: _measured(cast(Facts, value)) if name in _MEASURES else value for name, value in facts.items()}
    for name in _DRIFTS:
        one = cast(Facts, facts[name])
        values[name] = Drift(_measured(cast(Facts, one["change"])), cast(float, one["p"]))
    values["rounds"] = tuple(cast(list[str], facts["rounds"]))
    values["confusion"] = tuple((known, said, times) for known, said, times in cast(list[Confused], facts["confusion"]))
    values["spread"] = _number(facts["spread"])
    return Record(**values)  # type: ignore[arg-type]


def _measured(facts: Facts) -> Measured:
    value, low, high = (_number(facts[name]) for name in ("value", "low", "high"))
    return Measured(value, low, high, cast(int, facts["of"]))


def _number(value: object) -> float:
    return math.nan if value is None else cast(float, value)
