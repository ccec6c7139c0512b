"""What a tracking server is told about a closed round: runs with params, metrics and tags, all of it from the ledger.

Item ids, names of files and words of vendors never leave: only settings, numbers and digests do.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from hitl.errors import MomentError
from hitl.layout import round_number
from hitl.ledger import Event
from hitl.params import Params
from hitl.state import Phase, RoundState, State, fold

PARTS: Mapping[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "select": (frozenset({"opened", "reopened", "scored", "selected", "exported"}), ("query", "export")),
    "deliveries": (frozenset({"delivered", "refused", "validated", "resolved"}), ("delivery", "resolve", "budget")),
    "train": (frozenset({"trained"}), ("model",)),
    "evaluate": (frozenset({"evaluated", "judged"}), ("evaluate", "promote")),
}
"""The nested runs: the events that each tells of, and the sections of params.yaml that decide it."""

LISTED = 20
"""How many words of a list a param shows: a table of runs with 784 columns in it is read by nobody."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number after so many labels; `at` is in milliseconds since 1970."""

    key: str
    value: float
    step: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as MLflow shows it; times in milliseconds since 1970, `step` is the number of labels."""

    name: str
    step: int
    began: int
    ended: int
    params: Mapping[str, str]
    metrics: Sequence[Metric]
    tags: Mapping[str, str]
    parts: Sequence["Run"] = ()


def workspace_id(events: Sequence[Event]) -> str:
    """What tells this workspace from all others: the hash of its first event."""
    return events[0].hash


def run_of(events: Sequence[Event], name: str, params: Params) -> Run:
    """The run of the closed round `name`, with a nested run for each part; raises MomentError when it is not closed."""
    state = fold(events)
    one = state.round(name)
    if one.phase is not Phase.CLOSED:
        raise MomentError(f"{name} is {one.phase}: only a closed round is tracked")
    own = _last_closing([event for event in events if event.round == name])
    curve = _curve(state.until(name).rounds, params.evaluate.metric)
    drawn = {metric.key for metric in curve}
    tags = {"hitl.workspace_id": workspace_id(events), "hitl.round": name}
    tags |= {"hitl.revision": str(len(one.earlier))} if one.earlier else {}
    return Run(
        name=name,
        step=_labels(one),
        began=milliseconds(one.began_at),
        ended=milliseconds(one.at["closed"]),
        params=flat(params),
        metrics=[*curve, *(metric for metric in _headline(one) if metric.key not in drawn)],
        tags={**tags, "hitl.part": "round", **_lineage(one, own)},
        parts=[part for word in PARTS if (part := _part(word, one, own, params, tags))],
    )


def _last_closing(own: Sequence[Event]) -> list[Event]:
    """The round's events without the closings that an undo made void."""
    begins = max((place for place, event in enumerate(own) if event.event == "validated"), default=0)
    opening = next((place for place, event in enumerate(own) if event.event == "validated"), 0)
    return [*own[:opening], *own[begins:]]


def tagged(run: Run, tags: Mapping[str, str]) -> Run:
    """The run with `tags` as well, those that are empty left out."""
    return replace(run, tags={**run.tags, **{key: value for key, value in tags.items() if value}})


def flat(params: Params, sections: Iterable[str] | None = None) -> dict[str, str]:
    """Every parameter by its dotted name, as text; of data.columns only how many there are of each kind."""
    tree = params.model_dump(mode="json", include=set(sections) if sections is not None else None)
    if "data" in tree:
        kinds = list(params.data.columns.values())
        tree["data"]["columns"] = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    return dict(_leaves(tree))


def aliases(state: State, versions: Mapping[str, str]) -> dict[str, str]:
    """Which registered version is challenger and which champion; `versions` are those there are, by round.

    The newest round that was sent has the challenger. The champion is the ledger's, or, while that one is still to be
    sent, the one it replaced.
    """
    if not versions:
        return {}
    newest = max(versions, key=round_number)
    judged = cast(str, state.round(newest).facts.get("judged", {}).get("champion", newest))
    champion = state.champion if state.champion and state.champion in versions else judged
    return {"challenger": versions[newest]} | ({"champion": versions[champion]} if champion in versions else {})


def milliseconds(at: str) -> int:
    """A ledger's time as milliseconds since 1970."""
    return int(datetime.fromisoformat(at).timestamp() * 1000)


def _curve(rounds: Sequence[RoundState], metric: str) -> list[Metric]:
    """The deciding metric and its interval for every round of `rounds`: one run draws the whole learning curve."""
    keys = (metric, f"{metric}_low", f"{metric}_high")
    known = [(one, _told(one, "evaluated")) for one in rounds if one.done("evaluated")]
    return [Metric(key, told[key], _labels(one), _at(one)) for one, told in known for key in keys if key in told]


def _headline(one: RoundState) -> list[Metric]:
    """The round's metrics, its gain over the champion, and what it cost."""
    cost = {"annotations_accepted": float(one.accepted), "money_spent": float(one.spent)}
    told = _told(one, "evaluated") | _told(one, "judged") | cost
    return [Metric(key, value, _labels(one), _at(one)) for key, value in told.items()]


def _told(one: RoundState, event: str) -> dict[str, float]:
    """The numbers of the round's last `event`, by name."""
    facts: Mapping[str, object] = one.facts.get(event, {})
    if event == "evaluated":
        facts = cast(Mapping[str, object], facts.get("metrics", {}))
    if event == "judged":
        facts = {f"gain_{key}" if key in ("low", "high") else key: value for key, value in facts.items()}
    return dict(_numbers(facts))


def _at(one: RoundState) -> int:
    return milliseconds(one.at["evaluated"])


def _labels(one: RoundState) -> int:
    return cast(int, one.facts.get("trained", {}).get("labels", 0))


def _part(word: str, one: RoundState, own: Sequence[Event], params: Params, tags: Mapping[str, str]) -> Run | None:
    names, sections = PARTS[word]
    places = [index for index, event in enumerate(own) if event.event in names]
    if not places:
        return None
    began = milliseconds(own[max(places[0] - 1, 0)].at)
    ended = milliseconds(own[places[-1]].at)
    told = dict(_deliveries(one)) if word == "deliveries" else {}
    for name in sorted(names):
        told |= _told(one, name)
    metrics = [Metric(key, value, _labels(one), ended) for key, value in told.items()]
    part = {**tags, "hitl.part": word}
    return Run(
        name=word,
        step=_labels(one),
        began=began,
        ended=ended,
        params=flat(params, sections),
        metrics=metrics,
        tags=part,
    )


def _deliveries(one: RoundState) -> Iterable[tuple[str, float]]:
    yield "deliveries", float(len(one.deliveries))
    yield "deliveries_refused", float(len(one.refused))
    yield "money_spent", float(one.spent)
    rows = [cast(Mapping[str, int], delivery["rows"]) for delivery in one.deliveries]
    for outcome in sorted({outcome for counts in rows for outcome in counts}):
        yield f"rows_{outcome}", float(sum(counts.get(outcome, 0) for counts in rows))


def _lineage(one: RoundState, own: Sequence[Event]) -> dict[str, str]:
    """Every digest that the round's facts name, the verdict, and the end of the ledger when it closed."""
    judged = one.facts.get("judged", {})
    return {
        **_digests(own),
        "hitl.model_id": str(one.facts.get("trained", {}).get("model_id", "")),
        "hitl.verdict": str(judged.get("verdict", "")),
        "hitl.champion": str(judged.get("champion", "")),
        "hitl.ledger_head": own[-1].hash,
        "hitl.ledger_seq": str(own[-1].seq),
        "mlflow.user": own[-1].actor,
        "mlflow.source.name": "hitl",
        "mlflow.note.content": _note(one),
    }


def _digests(own: Sequence[Event]) -> dict[str, str]:
    """The digests that the round's steps tell of. A model's params, fewer than the round's, have another name."""
    steps = [event for event in own if event.event not in ("delivered", "refused", "adjudicated")]
    told = [(event.event, key, str(value)) for event in steps for key, value in event.facts.items()]
    return {
        f"hitl.model_{key}" if (event, key) == ("trained", "params_sha256") else f"hitl.{key}": value
        for event, key, value in told
        if key.endswith("_sha256")
    }


def _note(one: RoundState) -> str:
    judged = one.facts.get("judged", {})
    metric = str(judged.get("metric", "accuracy"))
    value = _told(one, "evaluated").get(metric)
    reached = "" if value is None else f", {metric} {value:.4f}"
    return f"Round {one.id}: {_labels(one)} labels{reached}, {judged.get('verdict', 'not judged')}."


def _numbers(value: object, prefix: str = "") -> Iterable[tuple[str, float]]:
    """The finite numbers in facts, by their names joined with `_`; of a list its length."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _numbers(one, f"{prefix}_{key}" if prefix else str(key))
    elif isinstance(value, list):
        yield prefix, float(len(value))
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield prefix, float(value)


def _leaves(value: object, name: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(one, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        shown = [*map(str, value[:LISTED]), *([f"and {len(value) - LISTED} more"] if len(value) > LISTED else [])]
        yield name, ", ".join(shown)
    else:
        yield name, str(value)
