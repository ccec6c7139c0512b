"""Close: seal a round by the digests of all its files."""

import csv
import io
from typing import cast

from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.metrics import METRICS
from hitl.state import State
from tasks import journal
from tasks.edges import files


def close(workspace: Workspace, round_id: str) -> Facts:
    """Write data/learning_curve.csv; says the sha256 of each file of the round by its path."""
    curve_sha256 = files.write_text(workspace.learning_curve, _curve(journal.read(workspace)))
    found = sorted(path for path in workspace.round(round_id).rglob("*") if path.is_file())
    digests = {path.relative_to(workspace.root).as_posix(): files.sha256(path) for path in found}
    return {"files": digests, "learning_curve_sha256": curve_sha256}


def _curve(state: State) -> str:
    """A row for each measured round: its labels and every metric with its interval."""
    text = io.StringIO()
    measured = [one for one in state.rounds if one.done("evaluated")]
    names = [f"{name}{end}" for name in METRICS for end in ("", "_low", "_high")]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["round", "labels", *names])
    for one in measured:
        found = cast(dict[str, float], one.facts["evaluated"]["metrics"])
        writer.writerow([one.id, one.facts["trained"]["labels"], *(found[name] for name in names)])
    return text.getvalue()
