"""Resolve: turn the round's annotations into labels, and the labeled set of the next model."""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd

from hitl import metrics, resolve as deciding, suspicion as suspecting
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts
from hitl.params import Params
from hitl.state import State
from tasks import annotators, expected, guideline, journal, suspicion
from tasks.edges import files, tables


def resolve(workspace: Workspace, round_id: str) -> Facts:
    """Write labels.parquet, annotators.json and adjudicate.csv of the round, and data/labeled.parquet as of it."""
    params, state = journal.params_of(workspace, round_id), journal.read(workspace)
    folder = workspace.round(round_id)
    annotations = deciding.standing(tables.read_parquet(folder / "annotations.parquet"))
    batch = tables.read_parquet(folder / "batch.parquet")
    gold = expected.gold(workspace, round_id)
    suspected = suspicion.findings(workspace, state, round_id)
    held = suspecting.held(suspected, params.resolve.policy, state.cleared)
    found = deciding.resolve(
        # What is held answers nothing for now, and is answered all the same: such an item goes to adjudication.
        annotations.assign(label=annotations["label"].mask(annotations["annotator_id"].isin(list(held)))),
        params.resolve,
        gold=gold,
        classes=params.data.classes,
        probabilities=_probabilities(batch, params) if params.resolve.method == "with_model" else None,
    )
    labels, unresolved = found.labels, found.unresolved
    labels_sha256 = tables.write_parquet(folder / "labels.parquet", labels)
    files.write_text(folder / "adjudicate.csv", _adjudicate(unresolved, annotations))
    people = annotators.records(workspace, state, params, round_id)
    labeled_sha256 = tables.write_parquet(workspace.labeled, labeled_set(workspace, state, round_id))
    return {
        "labels_sha256": labels_sha256,
        guideline.FACT: guideline.written(workspace, state, params, round_id),
        "annotators_sha256": annotators.written(workspace, round_id, people),
        "labeled_sha256": labeled_sha256,
        "resolved": int((labels["label"].notna() & (labels["from"] != "gold")).sum()),
        "unresolved": sorted(unresolved["item_id"]),
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
        "pool_accuracy": _pool_accuracy(batch, labels, params),
    }


def labeled_set(workspace: Workspace, state: State, until: str) -> pd.DataFrame:
    """The initial set and every label that humans gave up to round `until`, with features; sorted by item_id.

    An item has one label. Where an undo made more of an earlier round stand, another round may have asked about it too:
    then the later label counts.
    """
    found = [tables.read_parquet(workspace.initial).assign(**{"from": "initial", "round": BASELINE})]
    found += [_labeled_in(workspace, one.id) for one in state.rounds[1:] if one.id <= until]
    frame = pd.concat([part for part in found if len(part)]).drop_duplicates("item_id", keep="last")
    return frame.sort_values("item_id", ignore_index=True)


def _probabilities(batch: pd.DataFrame, params: Params) -> pd.DataFrame:
    """What the model that chose the batch thinks of its items: it had not seen their answers."""
    told = batch[batch["probabilities"].notna()]
    return pd.DataFrame(
        told["probabilities"].tolist(), index=pd.Index(told["item_id"]), columns=list(params.data.classes)
    )


def _labeled_in(workspace: Workspace, round_id: str) -> pd.DataFrame:
    labels = tables.read_parquet(workspace.round(round_id) / "labels.parquet")
    items = tables.read_parquet(workspace.round(round_id) / "items.parquet")
    won = labels[labels["label"].notna() & labels["from"].isin(["human", "adjudicated"])]
    return items.merge(won[["item_id", "label", "from"]], on="item_id").assign(round=round_id)


def _adjudicate(unresolved: pd.DataFrame, annotations: pd.DataFrame) -> str:
    """What a person must settle: item_id, answers so far, then empty label, adjudicator, reason."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["item_id", "votes", "annotators", "label", "adjudicator", "reason"])
    who = annotations.groupby("item_id")["annotator_id"].agg(lambda ids: " ".join(sorted(ids)))
    for item_id, votes in zip(unresolved["item_id"], unresolved["votes"], strict=True):
        writer.writerow([item_id, votes, who[item_id], "", "", ""])
    return text.getvalue()


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
