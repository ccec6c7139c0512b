"""Resolve: turn the round's annotations into labels, and the labeled set of the next model."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import cast

import pandas as pd

from hitl import metrics, resolve as deciding, suspicion as suspecting
from hitl.layout import BASELINE, Workspace, round_number
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import State
from tasks import annotators, decisions, doubts, expected, guideline, journal, overlap, suspicion
from tasks.annotations import foreseen, standing
from tasks.edges import tables


def resolve(workspace: Workspace, round_id: str) -> Facts:
    """Write labels.parquet, annotators.json and doubts.json of the round, and data/labeled.parquet as of it.

    Beside the items of the batch, labels.parquet has those that adjudicators decided and that count from this round on.
    An item that was answered in earlier rounds too has the label that all its answers come to.
    """
    params, state = journal.params_of(workspace, round_id), journal.read(workspace)
    folder = workspace.round(round_id)
    annotations = standing(workspace, round_id)
    batch = tables.read_parquet(folder / "batch.parquet")
    hidden = expected.gold(workspace, round_id)
    gold = decisions.corrected(workspace, state, hidden, until=round_id)
    suspected = suspicion.findings(workspace, state, round_id)
    held = suspecting.held(suspected, params.resolve.policy, state.cleared)
    pooled = overlap.annotated(workspace, overlap.before(state, round_id)) & (
        set(annotations["item_id"]) - hidden.keys()
    )
    found = deciding.resolve(
        _heard(annotations[~annotations["item_id"].isin(list(pooled))], held),
        params.resolve,
        gold=gold,
        classes=params.data.classes,
        probabilities=foreseen(batch, params) if params.resolve.method == "with_model" else None,
    )
    labels, answers = found.labels, annotations["item_id"].value_counts()
    if pooled:
        history = overlap.history(workspace, state, round_id, pooled)
        answers = pd.concat([answers.drop(list(pooled)), history["item_id"].value_counts()])
        labels = pd.concat([labels, _pooled(workspace, state, params, round_id, _heard(history, held))])
    labels = _no_gold(labels.sort_values("item_id", ignore_index=True), hidden.keys() - gold.keys())
    labels = _with_decisions(workspace, state, round_id, labels)
    unresolved = labels[labels["label"].isna() & (labels["from"] == "human")]
    labels_sha256 = tables.write_parquet(folder / "labels.parquet", labels)
    labeled_sha256 = tables.write_parquet(workspace.labeled, labeled_set(workspace, state, round_id))
    return {
        "labels_sha256": labels_sha256,
        guideline.FACT: guideline.written(workspace, state, params, round_id),
        "annotators_sha256": annotators.written(workspace, state, params, round_id),
        "labeled_sha256": labeled_sha256,
        **doubts.written(workspace, params, round_id),
        "resolved": int((labels["label"].notna() & (labels["from"] == "human")).sum()),
        **({"adjudicated": decided} if (decided := int((labels["from"] == "adjudicated").sum())) else {}),
        "unresolved": sorted(unresolved["item_id"]),
        "answers": {item: int(answers[item]) for item in sorted(unresolved["item_id"])},
        **({"pooled": sorted(pooled)} if pooled else {}),
        "method": found.method,
        "why": found.reason,
        "temperature": found.temperature,
        "reliability": [asdict(one) for one in found.reliability],
        "skipped": int(annotations["label"].isna().sum()),
        "agreement": deciding.agreement(annotations),
        "gold": _gold_answers(annotations, gold),
        "suspicion": suspecting.told(suspected),
        "policy": params.resolve.policy,
        "held": held,
        **({"held_answers": _counts(annotations, held)} if held else {}),
        "pool_accuracy": _pool_accuracy(batch, labels, params),
    }


def labeled_set(workspace: Workspace, state: State, until: str) -> pd.DataFrame:
    """The initial set and every label that humans gave up to round `until`, with features; sorted by item_id.

    An item has one label: the last decision of an adjudicator, else what the last round made of it that it was
    answered in; that may be none.
    """
    rounds = [one.id for one in state.until(until).rounds[1:]]
    found = [tables.read_parquet(workspace.initial).assign(**{"from": "initial", "round": BASELINE})]
    found += [_labeled_in(workspace, name) for name in rounds]
    frame = pd.concat([part for part in found if len(part)]).drop_duplicates("item_id", keep="last")
    frame = frame.dropna(subset="label")
    decided = _decided(workspace, rounds)
    if len(decided):
        told = frame.drop(columns=["label", "from", "round"])
        told = pd.concat([told, *(_items(workspace, name, decided["item_id"]) for name in rounds)])
        told = told.drop_duplicates("item_id").merge(decided.dropna(subset="label"), on="item_id")
        frame = pd.concat([frame[~frame["item_id"].isin(decided["item_id"])], told[frame.columns]])
    return frame.sort_values("item_id", ignore_index=True)


def _decided(workspace: Workspace, rounds: Sequence[str]) -> pd.DataFrame:
    """The last decision for each item, of gold too; a missing label takes the item out of the labeled set."""
    parts = [_labels(workspace, name).assign(round=name) for name in rounds]
    found = pd.concat(parts) if parts else pd.DataFrame(columns=["item_id", "label", "from", "round"])
    return found[found["from"] == "adjudicated"].drop_duplicates("item_id", keep="last")


def _items(workspace: Workspace, round_id: str, wanted: pd.Series) -> pd.DataFrame:
    items = tables.read_parquet(workspace.round(round_id) / "items.parquet")
    return items[items["item_id"].isin(wanted)]


def _labels(workspace: Workspace, round_id: str) -> pd.DataFrame:
    return tables.read_parquet(workspace.round(round_id) / "labels.parquet", ["item_id", "label", "from"])


def _with_decisions(workspace: Workspace, state: State, round_id: str, labels: pd.DataFrame) -> pd.DataFrame:
    """The labels with what adjudicators decided: of the batch by now, of other items what counts from this round on.

    Gold is among them only where it is in the initial set too: else it does not train, and was corrected before.
    """
    stands = state.decisions(until=round_id)
    if not stands:
        return labels
    gold = {item for one in stands for item in cast(list[str], one["gold"])}
    gold -= set(tables.read_parquet(workspace.initial, ["item_id"])["item_id"]) if gold else set()
    new = {item for one in stands if one["counts_from"] == round_id for item in cast(list[str], one["items"])} - gold
    decided = {item: one.label for item, one in decisions.newest(workspace, state, until=round_id).items()}
    earlier = state.rounds[1 : round_number(round_id)] if new else ()
    before = [tables.read_parquet(workspace.round(one.id) / "labels.parquet") for one in earlier]
    told = pd.concat([labels.iloc[:0], *(part[part["item_id"].isin(new)] for part in before)])
    wanted = {item: label for item, label in decided.items() if item not in gold}
    return deciding.overruled(labels, wanted, told, new=new)


def _no_gold(labels: pd.DataFrame, items: Collection[str]) -> pd.DataFrame:
    """The labels without any for these gold items, of which an adjudicator says that nobody can tell."""
    out = labels["item_id"].isin(list(items))
    return labels.assign(label=labels["label"].mask(out), **{"from": labels["from"].mask(out, "gold")})


def _heard(annotations: pd.DataFrame, held: Collection[str]) -> pd.DataFrame:
    """The answers without what those who are held said: that counts for nothing now, and is answered all the same.

    So an item that only they answered goes to adjudication.
    """
    return annotations.assign(label=annotations["label"].mask(annotations["annotator_id"].isin(list(held))))


def _pooled(workspace: Workspace, state: State, params: Params, round_id: str, history: pd.DataFrame) -> pd.DataFrame:
    """The labels of the items of `history`, by all answers that they had in all rounds.

    What annotators are worth on them is learned from these answers alone: items on which people disagree are harder
    than the others, and by what they are worth there a label would be told with far too much confidence. Who has one
    name at two vendors is two people.
    """
    views = None
    if params.resolve.method == "with_model":
        rounds = [*overlap.before(state, round_id), state.round(round_id)]
        batches = [tables.read_parquet(workspace.round(one.id) / "batch.parquet") for one in rounds]
        views = pd.concat([foreseen(batch, params) for batch in batches])
        views = views[~views.index.duplicated(keep="last")]
    return deciding.resolve(
        history.assign(annotator_id=history["vendor"] + "\n" + history["annotator_id"]),
        params.resolve,
        gold={},
        classes=params.data.classes,
        probabilities=views,
    ).labels


def _labeled_in(workspace: Workspace, round_id: str) -> pd.DataFrame:
    """The items of which a crowd spoke in the round; the label is missing where it found none."""
    labels = _labels(workspace, round_id)
    items = tables.read_parquet(workspace.round(round_id) / "items.parquet")
    return items.merge(labels[labels["from"] == "human"], on="item_id").assign(round=round_id)


def _counts(annotations: pd.DataFrame, held: Collection[str]) -> dict[str, int]:
    """How many answers of each who is held count for nothing."""
    own = annotations[annotations["annotator_id"].isin(list(held)) & annotations["label"].notna()]
    return {who: int((own["annotator_id"] == who).sum()) for who in held}


def _gold_answers(annotations: pd.DataFrame, gold: Mapping[str, str]) -> dict[str, int]:
    answers = annotations[annotations["item_id"].isin(list(gold)) & annotations["label"].notna()]
    right = answers["label"] == answers["item_id"].map(gold)
    return {"answered": len(answers), "correct": int(right.sum())}


def _pool_accuracy(batch: pd.DataFrame, labels: pd.DataFrame, params: Params) -> Facts:
    """How often the model that scored the pool was right on the random slice: unbiased for the pool of this round."""
    drawn = batch[batch["reason"] == "random"].merge(labels[["item_id", "label"]], on="item_id").dropna(subset="label")
    right = int((drawn["model_class"] == drawn["label"]).sum())
    share, low, high = metrics.proportion(right, len(drawn), params.evaluate.confidence)
    return {
        "estimate": None if math.isnan(share) else share,
        "low": low,
        "high": high,
        "items": len(drawn),
        "right": right,
    }
