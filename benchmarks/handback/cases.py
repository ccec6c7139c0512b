"""Runs one case through `check`, through `check --pack` where it has a context of its own, and through `ingest`.

What is taken is read where the product itself reads it: for `check` the judgement behind its receipt, for `ingest` the
deliveries that stand, judged again from the bytes that were kept. Ids are those of the pack, as delivered.
"""

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from handback import forks
from handback.corpus_files import Case, Corpus

from hitl import pack
from hitl.contract import MODEL_CLASS, MODEL_CONFIDENCE, SKIP
from hitl.delivery.judgement import Judgement
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import expected, ingest, journal

Triple = list[str]

OWN_CONTEXT = ("exported", "labels")
"""What a case's context may say that the workspace's open round does not: it is checked against a pack of its own."""

ANY_ANNOTATOR = ("I19",)
"""Cases that add one more annotator's answer and have it taken wherever several are asked for: the corpus cannot know
that a pack asks for two. They are checked against a pack that asks everybody."""

URGENT = "metadata"
"""The cases whose times are meant from now on: they come first, before the minutes pass that they allow for."""


def triples(judged: Judgement) -> list[Triple]:
    """What is taken: (item, label, annotator)."""
    return [[one.item_id, one.label or SKIP, one.annotator_id] for one in judged.annotations]


def has_own_pack(corpus: Corpus, case: Case) -> bool:
    """Whether a case speaks of another batch, other classes, or a larger overlap than the workspace's round."""
    own = any(key in case["context"] for key in OWN_CONTEXT)
    return own or (case["id"] in ANY_ANNOTATOR and corpus.document["multi_annotator"])


def checked(workspace: Workspace, corpus: Corpus, case: Case, *, scratch: Path) -> forks.Answer:
    """The answer of `check`, or of `check --pack` for a case that brings its own pack."""
    path = corpus.path(case)
    with _overheard() as taken:
        if has_own_pack(corpus, case):
            facts = ingest.check_with_pack(path, _pack(corpus, case, scratch / case["id"]))
        else:
            facts = ingest.check(workspace, path)
    return _answer(facts, taken, list(_off_balance(facts, taken)))


def ingested(workspace: Workspace, corpus: Corpus, case: Case, *, scratch: Path) -> forks.Answer:
    """The answer of `ingest` on a copy of the workspace, and what is wrong with what it left there."""
    copy = Workspace(scratch / f"ingest-{case['id']}")
    shutil.copytree(workspace.root, copy.root, symlinks=True)
    try:
        path = corpus.path(case)
        answer = ingest.ingest(copy, path)
        taken = standing(copy, expected.asked(journal.read(copy)).id)
        wrong = [*_off_balance(answer.receipt, taken), *_unkept(copy, path, answer)]
        return _answer(answer.receipt, taken, wrong)
    finally:
        shutil.rmtree(copy.root, ignore_errors=True)


def standing(workspace: Workspace, round_id: str) -> list[Triple]:
    """The answers that stand in a round: a later one replaces the earlier one of the same annotator for the item."""
    answers: dict[tuple[str, str], str] = {}
    for judged in expected.standing(workspace, journal.read(workspace), round_id):
        for item, label, annotator in triples(judged):
            answers[item, annotator] = label
    return [[item, label, annotator] for (item, annotator), label in sorted(answers.items())]


def run(workspace: Workspace, corpus: Corpus, *, only: set[str], scratch: Path) -> dict[str, list[forks.Answer]]:
    """The answers to every case, by way: check and ingest."""
    cases = [case for case in corpus.cases if not only or case["id"] in only]
    cases.sort(key=lambda case: case["category"] != URGENT)
    taken_in = [case for case in cases if not has_own_pack(corpus, case)]
    return {
        "check": _each(cases, partial(checked, workspace, corpus, scratch=scratch)),
        "ingest": _each(taken_in, partial(ingested, workspace, corpus, scratch=scratch)),
    }


def _each(cases: list[Case], act: Callable[[Case], forks.Answer]) -> list[forks.Answer]:
    acts = [partial(act, case) for case in cases]
    limits = [case["limits"]["max_seconds"] + 10 for case in cases]
    found = zip(cases, forks.spread(acts, limits), strict=True)
    return [{"verdict": "error", "accepted": [], **_beyond(case), **one, "id": case["id"]} for case, one in found]


def _beyond(case: Case) -> forks.Answer:
    """An error where the input made us write outside our folder."""
    made = [path for path in case["post"].get("must_not_exist", []) if Path(path).exists()]
    return {"error": f"{made[0]} exists: written outside the folder"} if made else {}


@contextmanager
def _overheard() -> Iterator[list[Triple]]:
    """What is taken by the judgements made meanwhile: the receipt of `check` counts it, and does not list it."""
    told, judge = list[Triple](), ingest.judge

    def telling(*given: Any, **options: Any) -> Judgement:  # noqa: ANN401 - as `judge` has it
        judged = judge(*given, **options)
        told.extend(triples(judged))
        return judged

    ingest.judge = telling
    try:
        yield told
    finally:
        ingest.judge = judge


def _pack(corpus: Corpus, case: Case, folder: Path) -> Path:
    """A pack made of the case's own context: its batch, its classes."""
    document, context = corpus.document, case["context"]
    rows = _rows(corpus.root / context.get("exported", document["exported"]["file"]))
    shown = [name for name in rows[0] if name not in (pack.ITEM_ID, MODEL_CLASS, MODEL_CONFIDENCE)]
    batch = pack.batch_csv(rows, shown, show_prediction=MODEL_CLASS in rows[0], numeric=shown)
    exported_at = datetime.fromisoformat(document["exported_at"])
    manifest = pack.manifest(
        round_id="r0001",
        batch_id=document["batch_id"],
        classes=context.get("labels", document["labels"]),
        default_overlap=len(document["annotators"]) if document["multi_annotator"] else 1,
        overlap={},
        exported_at=exported_at,
        deadline=exported_at + timedelta(days=7),
        files={},
        guideline_sha256=document["instructions_sha256"],
        annotators=document["annotators"],
    )
    folder.mkdir(parents=True)
    (folder / "batch.csv").write_bytes(batch)
    (folder / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def _answer(facts: Facts, taken: list[Triple], wrong: list[str]) -> forks.Answer:
    answer = {key: facts[key] for key in ("verdict", "reasons", "warnings", "rows")}
    answer |= {"accepted": taken, "held": facts["held"]}
    return {**answer, "error": "; ".join(wrong)} if wrong else answer


def _off_balance(facts: Facts, taken: list[Triple]) -> Iterator[str]:
    """Every row has one outcome, and the counts are those of what is taken."""
    rows: Any = facts["rows"]
    held, more = len(list(facts["held"])), facts.get("held_more", 0)  # type: ignore[call-overload]
    payable: Any = facts["payable"]
    if rows["delivered"] != rows["accepted"] + rows["quarantined"] + rows["duplicate"]:
        yield f"rows do not add up: {rows}"
    if rows["accepted"] != len(taken) or payable["annotations"] != len(taken) - int(str(facts.get("revised", 0))):
        yield f"{rows['accepted']} rows accepted, {payable['annotations']} payable, {len(taken)} taken"
    if rows["quarantined"] != held + int(str(more)):
        yield f"{rows['quarantined']} rows quarantined, {held} + {more} listed"


def _unkept(workspace: Workspace, path: Path, answer: ingest.Answer) -> Iterator[str]:
    """What is wrong with the folder of deliveries after one was answered."""
    digest = str(answer.receipt["delivery"])
    if answer.receipt_path is None:
        left = list(workspace.deliveries.glob(f"{digest}*")) if digest else []
        yield from (f"{one.name} was kept, and no receipt" for one in left)
        return
    kept = workspace.deliveries / f"{digest}.csv"
    if sha256(kept) != digest or sha256(path) != digest:
        yield "the bytes that were kept are not those that were delivered"
    if json.loads(answer.receipt_path.read_text(encoding="utf-8")) != answer.receipt:
        yield "the receipt on disk is another one"
    rows: Any = answer.receipt["rows"]
    redone = 0 if answer.redo_path is None else len(_rows(answer.redo_path))
    if redone != rows["quarantined"]:
        yield f"{rows['quarantined']} rows held, {redone} in the redo file"
    spoken = journal.events(workspace)[-1]
    if spoken.facts.get("delivery") != digest:
        yield "the ledger's last event does not speak of the delivery"


def sha256(path: Path) -> str:
    """The digest of the file at `path`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
