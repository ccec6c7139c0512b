"""Adjudicate: write what waits for an adjudicator, and take decisions, answering each file and keeping every byte."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

import pandas as pd

from hitl import adjudication, overlap, surrogate
from hitl.adjudication import Asked, Decided
from hitl.contract import ITEM_ID, SKIP
from hitl.delivery import intake_rules
from hitl.delivery.exported import Exported
from hitl.delivery.judgement import Judgement
from hitl.delivery.reasons import Reason
from hitl.errors import DataError, MomentError
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts, stamp
from hitl.params import Params
from hitl.resolve import agreement
from hitl.state import Phase, State, Unsettled, may
from tasks import annotations, decisions, export, journal
from tasks.edges import files, git, intake, tables

_KNOWN = ["item_id", "reason", "model_class", "model_confidence"]


def write(
    workspace: Workspace,
    more: Sequence[str] = (),
    doubted: Mapping[str, str] | None = None,
    *,
    everything: bool = False,
) -> Facts:
    """Write data/adjudication/: adjudicate.csv with a row for each item that waits, the guideline, and MANIFEST.json.

    It holds what is open now (with `everything` also what waits for another annotator), then the items whose labels are
    `doubted` (by item_id, and why), and those of `more` that somebody wants to look at again, gold and initial ones
    also. Returns `file`, how many `items` it has, and how many are `doubted`. Raises DataError for an item that nobody
    may decide.
    """
    params, state = journal.params(workspace), journal.read(workspace)
    known = _known(workspace, state)
    doubts = {item: why for item, why in (doubted or {}).items() if item in known.index}
    waiting = state.unsettled if everything else overlap.for_adjudicator(params, state)
    order = list(dict.fromkeys([*_in_order(workspace, waiting), *doubts, *more]))
    if strangers := [item for item in more if item not in known.index]:
        raise DataError(
            f"{', '.join(map(repr, strangers))}: no item of the initial set or of a closed round is called so"
        )
    columns = params.export.columns
    rows = _rows(workspace, params, state, known.loc[order], doubts)
    numeric = [name for name in columns if params.data.columns[name] == "numeric"]
    folder = files.private_folder(workspace.adjudication)
    data = adjudication.paper(rows, columns, numeric=numeric)
    written = {
        "adjudicate.csv": files.write_bytes(folder / "adjudicate.csv", data, mode=files.PRIVATE),
        "guideline.md": files.write_bytes(folder / "guideline.md", workspace.guideline.read_bytes()),
    }
    manifest = {
        "classes": list(params.data.classes),
        "skip": SKIP,
        "reasons": list(params.resolve.reasons),
        "guideline_sha256": written["guideline.md"],
        "files": written,
    }
    files.write_json(folder / "MANIFEST.json", manifest)
    return {
        "items": len(rows),
        "doubted": len(doubts),
        "file": str(folder / "adjudicate.csv"),
        "reasons": manifest["reasons"],
    }


def take(workspace: Workspace, path: Path) -> Facts:
    """Take the decisions in the file at `path`; the receipt, with `receipt_path` and `redo_path` where they were kept.

    They count from the closing of the open round on, or of the next one. Bytes that came before change nothing, nor
    does a file in which nothing is decided. Raises MomentError while a round is closing or is rebuilt.
    """
    git.require_branch(workspace.root)
    params, state, at = journal.params(workspace), journal.read(workspace), stamp(journal.now())
    current = state.rounds[-1].id
    refusal = may(state, "adjudicated", current)
    if refusal:
        raise MomentError(refusal)
    with intake.taken(path, folder=workspace.local / "arriving") as copy:
        if isinstance(copy, Judgement):
            refused = Decided(
                sha256="", file=copy.file, verdict="reject", reasons=cast(tuple[Reason, ...], copy.reasons)
            )
            return refused.receipt(received_at=at, counts_from=state.counts_from)
        file = intake_rules.shown(path.name)
        if copy.sha256 in {one["decision"] for one in state.adjudicated}:
            again = Decided(sha256=copy.sha256, file=file, verdict="reject", reasons=(Reason.F_DUPLICATE_DELIVERY,))
            return again.receipt(received_at=at, counts_from=state.counts_from)
        known = _known(workspace, state)
        item_of = {sent: item for item, sent in surrogate.sent(list(known.index)).items()}
        ids = Exported.of({sent: {} for sent in item_of})
        frame = adjudication.opened(copy, items=len(item_of))
        named = [item_of[one] for one in sorted(adjudication.named(frame, ids))]
        decided = adjudication.judge(frame, _asked(workspace, params, state, ids, known.loc[named]), file=file)
        said = decided.receipt(received_at=at, counts_from=state.counts_from)
        if decided.verdict == "reject":
            return said
        files.private_folder(workspace.decisions)
        name = workspace.decisions / copy.sha256
        copy.keep(name.with_suffix(".csv"))
        kept = _kept(name, decided, said, item_of)
    items = sorted({item_of[one.item_id] for one in decided.decisions})
    gold = sorted(set(items) & set(tables.read_parquet(workspace.gold, ["item_id"])["item_id"]))
    facts = {key: said[key] for key in ("decision", "file", "received_at", "counts_from", "verdict", "rows")}
    facts |= {"overridden": said["overridden"], "items": items, "gold": gold, **kept}
    journal.append(workspace, "adjudicated", current, facts)
    papers = {"receipt_path": str(name.with_suffix(".receipt.json"))}
    return {**said, **papers, **({"redo_path": str(name.with_suffix(".redo.csv"))} if decided.held else {})}


def _kept(name: Path, decided: Decided, said: Facts, item_of: Mapping[str, str]) -> Facts:
    """Keep what was taken, the receipt and the redo file; what the ledger says of them."""
    data = decisions.written(decided.decisions, item_of)
    kept: Facts = {
        "decided_sha256": files.write_bytes(name.with_suffix(".decided.csv"), data, mode=files.PRIVATE),
        "decision_receipt_sha256": files.write_json(name.with_suffix(".receipt.json"), said, mode=files.PRIVATE),
    }
    if decided.held:
        path = name.with_suffix(".redo.csv")
        kept["decision_redo_sha256"] = files.write_bytes(path, decided.redo(), mode=files.PRIVATE)
    return kept


def _asked(workspace: Workspace, params: Params, state: State, ids: Exported, known: pd.DataFrame) -> Asked:
    """What the decisions of a file are held against; `known` are the items that it names."""
    sent = surrogate.sent(list(known.index))
    stands = {item: one for item, one in decisions.newest(workspace, state).items() if item in sent}
    columns = params.export.columns
    shown = {
        row[ITEM_ID]: {adjudication.heading(name): row[f"item:{name}"] for name in columns}
        for row in _shown(workspace, params, known)
    }
    said = {}
    for item, row in known.to_dict("index").items():
        who = {"gold": "gold", "initial": "the initial set"}.get(str(row["from"]), "the crowd")
        told = {who: row["label"], "the model": row["model_class"]}
        if item in stands:
            told = {"an earlier decision": stands[str(item)].label or SKIP}
        said[sent[str(item)]] = {who: str(label) for who, label in told.items() if isinstance(label, str)}
    return Asked(
        classes=params.data.classes,
        reasons=params.resolve.reasons,
        ids=ids,
        shown=shown,
        said=said,
        stands={sent[item]: one for item, one in stands.items()},
    )


def _known(workspace: Workspace, state: State) -> pd.DataFrame:
    """Every item that may be decided, by item_id: the initial set, and what went out in a round that is closed.

    Columns: round (the last one that asked), reason, model_class and model_confidence (of the model that chose it), and
    as labels.parquet has them: label, best, votes, confidence, from.
    """
    initial = tables.read_parquet(workspace.initial, ["item_id", "label"])
    parts = [initial.assign(**{"from": "initial"}, round=BASELINE)]
    for one in state.rounds[1:]:
        if one.phase is Phase.CLOSED:
            folder = workspace.round(one.id)
            labels = tables.read_parquet(folder / "labels.parquet")
            batch = tables.read_parquet(folder / "batch.parquet", _KNOWN)
            parts.append(batch.merge(labels, on="item_id", how="left").assign(round=one.id))
    columns = [*_KNOWN, "label", "best", "votes", "confidence", "from", "round"]
    found = pd.concat([part.reindex(columns=columns).astype(object) for part in parts])
    # An item that went out again and was not answered is as the round left it that it was answered in.
    found = found.sort_values("from", key=pd.Series.notna, kind="stable")
    return found.drop_duplicates("item_id", keep="last").set_index("item_id").sort_index()


def _in_order(workspace: Workspace, waiting: Mapping[str, Unsettled]) -> list[str]:
    """The items that wait, those first that the most answers were paid for; then by round and item_id."""
    rounds = sorted({one.round for one in waiting.values()})
    said = Counter(item for name in rounds for item in annotations.standing(workspace, name)["item_id"])
    return sorted(waiting, key=lambda item: (-(waiting[item].answers or said[item]), waiting[item].round, item))


def _rows(
    workspace: Workspace, params: Params, state: State, known: pd.DataFrame, doubts: Mapping[str, str]
) -> list[dict[str, str]]:
    """The rows of adjudicate.csv for these items, in their order: what people saw and said, and why the item waits."""
    said = _said(workspace, state, known)
    rows = _shown(workspace, params, known)
    for row, (item, facts) in zip(rows, known.to_dict("index").items(), strict=True):
        answers = said.get(str(item), pd.DataFrame(columns=["annotator_id", "label"]))
        why = doubts.get(str(item)) or _why(cast(Mapping[str, object], facts), params)
        row |= {"round": str(facts["round"]), "why": why, **_told(answers)}
        row["model_class"] = str(facts["model_class"]) if isinstance(facts["model_class"], str) else ""
        sure = facts["model_confidence"]
        row["model_confidence"] = f"{sure:.4f}" if isinstance(sure, float) and math.isfinite(sure) else ""
    return rows


def _said(workspace: Workspace, state: State, known: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The answers to each of these items, of all rounds that are closed."""
    parts = [annotations.standing(workspace, one.id) for one in state.closed if one.id != BASELINE]
    found = pd.concat(parts) if parts else pd.DataFrame(columns=["item_id"])
    return {str(item): part for item, part in found[found["item_id"].isin(known.index)].groupby("item_id")}


def _told(answers: pd.DataFrame) -> dict[str, str]:
    """How often each class was answered, the share of pairs of answers that agree, and who said what."""
    labels = answers["label"].fillna(SKIP)
    counts = sorted(Counter(labels).items(), key=lambda one: (-one[1], one[0]))
    agreed = agreement(answers.assign(item_id="")) if len(answers) else None
    who = sorted(zip(answers["annotator_id"], labels, strict=True))
    return {
        "answers": "; ".join(f"{count} x {label}" for label, count in counts),
        "agreement": "" if agreed is None else f"{agreed:.2f}",
        "annotators": "; ".join(f"{annotator}: {label}" for annotator, label in who),
    }


def _why(facts: Mapping[str, object], params: Params) -> str:
    """Why an item waits, in a few words."""
    if isinstance(facts["label"], str):
        return f"asked for; its label is {facts['label']} ({facts['from']})"
    if not isinstance(facts["best"], str):
        return "nobody gave a class"
    sure = float(cast(float, facts["confidence"]))
    if sure < params.resolve.confidence:
        return f"no consensus: {facts['best']} is {sure:.0%} sure, {params.resolve.confidence:.0%} is asked for"
    return f"no consensus: {facts['best']} is tied, or has too few of the answers"


def _shown(workspace: Workspace, params: Params, known: pd.DataFrame) -> list[dict[str, str]]:
    """Of each of these items, in their order, its id as it is sent, and as `item:NAME` the columns that people see."""
    sent, columns = surrogate.sent(list(known.index)), list(params.export.columns)
    parts = [_columns(workspace, str(name), columns, part.index) for name, part in known.groupby("round")]
    empty = pd.DataFrame(columns=["item_id", *columns])
    whole = pd.concat(parts or [empty]).set_index("item_id", drop=False).reindex(known.index)
    rows, _ = export.visible(params, export.spelled(whole))
    return [
        {ITEM_ID: sent[str(item)], **{f"item:{name}": row[name] for name in columns}}
        for item, row in zip(known.index, rows, strict=True)
    ]


def _columns(workspace: Workspace, round_id: str, columns: Sequence[str], items: Iterable[object]) -> pd.DataFrame:
    path = workspace.initial if round_id == BASELINE else workspace.round(round_id) / "items.parquet"
    found = tables.read_parquet(path, ["item_id", *columns])
    return found[found["item_id"].isin(list(items))]
