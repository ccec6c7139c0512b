"""Close: seal a round by the digests of all its files."""

import csv
import io

from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks import journal, plan
from tasks.edges import files


def close(workspace: Workspace, round_id: str) -> Facts:
    """Write data/learning_curve.csv; says the sha256 of every file of the round, by its path in the workspace."""
    params, state = journal.params(workspace), journal.read(workspace)
    text = io.StringIO()
    columns = ["round", "labels", params.evaluate.metric, "low", "high"]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for point in plan.curve(params, state):
        writer.writerow([point["round"], point["labels"], point["value"], point["low"], point["high"]])
    files.write_text(workspace.learning_curve, text.getvalue())
    found = sorted(path for path in workspace.round(round_id).rglob("*") if path.is_file())
    return {"files": {path.relative_to(workspace.root).as_posix(): files.sha256(path) for path in found}}
