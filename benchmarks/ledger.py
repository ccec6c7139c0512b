"""What a long ledger costs: reading the state of 1,000 rounds and 100,000 events, and verifying it with its files.

The state is read in a process of its own, for the first time and again by another process (imports left out). Verifying
is set beside the floor: sha256sum of the same files, the ledger among them. CPU seconds; prints a table, with --json
one object, and with --write puts it into benchmarks/README.md.
"""

import argparse
import hashlib
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hitl import ledger
from hitl.layout import BASELINE, Workspace, round_id
from hitl.ledger import Event, Facts
from tasks.edges import verifier

README = Path(__file__).with_name("README.md")
START = datetime(2026, 1, 1, tzinfo=UTC)
OPENED = ("opened", "trained", "scored", "selected", "exported")
CLOSED = ("validated", "resolved", "trained", "evaluated", "judged", "reported", "closed")
NAMES = {"labels_sha256": "labels.parquet", "predictions_sha256": "predictions.parquet"}
SIZE = 100_000
"""Bytes of a file that a closing names."""

READ = """
import sys, time
from pathlib import Path
from hitl.layout import Workspace
from tasks import journal
before = time.process_time()
state = journal.read(Workspace(Path(sys.argv[1])))
print(time.process_time() - before, len(state.rounds), state.annotations)
"""
VERIFY = """
import sys, time
from pathlib import Path
from tasks.edges import verifier
before = time.process_time()
found = verifier.verify(Path(sys.argv[1]))
assert not found["problems"], found["problems"][:3]
print(time.process_time() - before)
"""


def write(workspace: Workspace, rounds: int, events: int) -> None:
    """A ledger as rounds leave it, of so many rounds and about as many events, with every file that it names."""
    workspace.deliveries.mkdir(parents=True)
    deliveries = events // rounds - len(OPENED) - len(CLOSED)
    last: list[Event] = []
    with workspace.ledger.open("wb") as file:
        for number, (event, name, facts) in enumerate(_story(workspace, rounds, deliveries)):
            at = START + timedelta(seconds=number)
            new = ledger.extend(last, at=at, actor="bench", event=event, round=name, facts=facts)
            last = [new]
            file.write(ledger.line(new))


def _story(workspace: Workspace, rounds: int, deliveries: int) -> Iterator[tuple[str, str, Facts]]:
    yield "created", BASELINE, {"classes": ["cat", "dog"], "files": {}}
    yield from ((event, BASELINE, _facts(workspace, event, BASELINE)) for event in ("trained", "evaluated", "judged"))
    yield "closed", BASELINE, {"files": {}}
    for number in range(1, rounds):
        name = round_id(number)
        for event in OPENED:
            yield event, name, _facts(workspace, event, name)
        for place in range(deliveries):
            yield "delivered", name, _delivery(workspace, f"{name} {place}")
        for event in CLOSED:
            yield event, name, _facts(workspace, event, name)


def _delivery(workspace: Workspace, seed: str) -> Facts:
    data = f"item_id,label,annotator_id\n{seed},cat,annotator-1\n".encode() * 20
    sha256 = hashlib.sha256(data).hexdigest()
    (workspace.deliveries / f"{sha256}.csv").write_bytes(data)
    rows = {"delivered": 20, "accepted": 20, "quarantined": 0, "duplicate": 0}
    paid = {"annotations": 20, "price": "0.12", "amount": "2.40", "currency": "USD"}
    told: Facts = {
        "delivery": sha256,
        "file": f"{seed}.csv",
        "received_at": "2026-01-01T00:00:00Z",
        "verdict": "accept",
    }
    return {**told, "reasons": [], "warnings": [], "rows": rows, "revised": 0, "payable": paid}


def _facts(workspace: Workspace, event: str, name: str) -> Facts:
    metrics = {f"{one}{end}": 0.9 for one in ("accuracy", "macro_f1") for end in ("", "_low", "_high")}
    judged = {"verdict": "promoted", "champion": name, "challenger": name, "metric": "accuracy"}
    exported = {
        "items": 1760,
        "annotations": 1760,
        "price": "0.12",
        "currency": "USD",
        "deadline": "2026-01-08T00:00:00Z",
    }
    trained = {"labels": 30, "model_id": hashlib.sha256(name.encode()).hexdigest()}
    if event == "resolved":
        return {"resolved": 30, "unresolved": [], **{key: _file(workspace, name, key) for key in NAMES}}
    return {"judged": judged, "evaluated": {"metrics": metrics}, "exported": exported, "trained": trained}.get(
        event, {}
    )


def _file(workspace: Workspace, name: str, key: str) -> str:
    data = hashlib.sha256(f"{name} {key}".encode()).digest() * (SIZE // 32)
    path = workspace.round(name) / NAMES[key]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def floor(workspace: Workspace) -> float:
    """CPU seconds of sha256sum over the ledger and every file it names."""
    events, _ = verifier.chain(workspace.ledger.read_bytes())
    names = "\0".join([verifier.LEDGER, *verifier.files_named(events)])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["xargs", "-0", "sha256sum"]
    subprocess.run(command, input=names.encode(), cwd=workspace.root, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(program: str, workspace: Workspace) -> float:
    """CPU seconds that a program, run in a process of its own, says it took."""
    command = [sys.executable, "-c", program, str(workspace.root)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0])


def compared(rounds: int, events: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "bench")
        write(workspace, rounds, events)
        size = workspace.ledger.stat().st_size
        first, again = measured(READ, workspace), measured(READ, workspace)
        verified, summed = measured(VERIFY, workspace), floor(workspace)
    return {
        "rounds": rounds,
        "events": events,
        "ledger_mb": round(size / 1e6, 1),
        "first_read_s": round(first, 3),
        "read_again_s": round(again, 3),
        "verify_s": round(verified, 2),
        "sha256sum_s": round(summed, 2),
        "verify_ratio": round(verified / summed, 1),
    }


def table(found: list[dict[str, float]]) -> str:
    rows = [list(found[0]), ["---"] * len(found[0]), *([f"{value:,}" for value in one.values()] for one in found)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write_down(text: str) -> None:
    """Put the table between this program's marks in benchmarks/README.md."""
    begin, end = "<!-- ledger.py -->\n", "<!-- end of ledger.py -->"
    page = README.read_text(encoding="utf-8")
    README.write_text(re.sub(f"(?s){begin}.*{end}", f"{begin}{text}\n{end}", page), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, nargs="+", default=[20, 1_000])
    parser.add_argument("--events", type=int, default=100, help="for each round")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    found = [compared(rounds, rounds * asked.events) for rounds in asked.rounds]
    if asked.write:
        write_down(f"{table(found)}\n\nMeasured on {time.strftime('%Y-%m-%d')} with Python {sys.version.split()[0]}.")
    print(json.dumps(found) if asked.json else table(found))


if __name__ == "__main__":
    main()
