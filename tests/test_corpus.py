"""The shared corpus of awkward files, read by our reader: nothing unsafe, nothing lost, nearly all exactly as expected.

The corpus, its verdicts and its scorer are not ours and lie outside the repository; without them this file is skipped.
"""

import csv
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hitl.delivery.judge import SKIP, Expectation, Judgement, judge
from tasks.edges.intake import read_manifest, taken

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def expectation_of(context: dict[str, Any]) -> Expectation:
    """What a case's context says of its round, in our terms."""
    document, earlier = context["doc"], context.get("other_rounds", [])
    annotators = tuple(context["annotators"])
    return Expectation(
        round=document["batch_id"],
        classes=tuple(context["labels"]),
        items={row["item_id"]: row for row in rows_of(context["exported"])},
        exported_at=datetime.fromisoformat(context["exported_at"]),
        received_at=datetime.fromisoformat(context["received_at"]),
        annotators=annotators,
        default_overlap=len(annotators) if document["multi_annotator"] else 1,
        other_rounds={row["item_id"]: "r0000" for path in earlier for row in rows_of(path)},
        gold={row["item_id"]: row["label"] for row in rows_of(context["gold"])} if "gold" in context else {},
        retired=tuple(context.get("retired_labels", ())),
        guideline_sha256=document["instructions_sha256"],
        bad_row_share=document["policy"]["quarantine_reject_share"],
    )


def reader(path: str, context: dict[str, Any]) -> dict[str, Any]:
    """Our answer in the corpus's terms; its own runner can call this too."""
    delivery = Path(path)
    wanted = expectation_of(context)
    with taken(delivery, limit=wanted.size_limit) as copy:
        if isinstance(copy, Judgement):
            return told(copy)
        return told(judge(copy, wanted, file=delivery.name, manifest=read_manifest(delivery)))


def told(judged: Judgement) -> dict[str, Any]:
    return {
        "verdict": judged.verdict,
        "reasons": list(judged.reasons),
        "warnings": list(judged.warnings),
        "accepted": [[each.item_id, each.label or SKIP, each.annotator_id] for each in judged.annotations],
    }


def context_of(case: dict[str, Any], document: dict[str, Any], root: Path) -> dict[str, Any]:
    """The case's own context over the document's, its paths made absolute."""
    context = {key: document[key] for key in ("labels", "annotators", "exported_at", "received_at")}
    own = {key: root / value if key in ("exported", "gold") else value for key, value in case["context"].items()}
    own["other_rounds"] = [root / path for path in own.get("other_rounds", [])]
    return {**context, "doc": document, "exported": root / document["exported"]["file"], **own}


def answers(root: Path) -> str:
    document = json.loads((root / "expected.json").read_text(encoding="utf-8"))
    incoming = [case for case in document["cases"] if case["category"] != "export"]
    lines = []
    for case in incoming:
        answer = reader(str(root / case["dir"] / case["deliver"]), context_of(case, document, root))
        lines.append(json.dumps({"id": case["id"], **answer}))
    return "\n".join(lines) + "\n"


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(CORPUS / script), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


@needs_corpus
def test_no_awkward_file_loses_a_label_or_gives_a_false_one(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    run("make_bad_csvs.py", "--demo", "240", "--out", str(root), "--suite", "shared")
    (root / "verdicts.jsonl").write_text(answers(root), encoding="utf-8")

    said = run("score_corpus.py", str(root / "expected.json"), str(root / "verdicts.jsonl"), "--list")

    tally = json.loads(said.splitlines()[-1].split(maxsplit=2)[2].replace("'", '"'))
    assert not tally.keys() & {"UNSAFE", "LOST", "ABSENT"}, said
    assert tally["EXACT"] >= 0.97 * sum(tally.values()), said
