"""The inbox: where vendors leave deliveries for whoever runs `hitl advance`."""

from typing import cast

from hitl.layout import Workspace
from tasks import journal
from tasks.edges import files
from tasks.ingest import ingest


def take(workspace: Workspace) -> list[str]:
    """Take every new file in data/inbox, oldest name first; returns what was done, in words."""
    if not workspace.inbox.is_dir():
        return []
    state, said = journal.read(workspace), []
    for path in sorted(workspace.inbox.glob("*.csv")):
        if files.sha256(path) not in state.taken | state.refused:
            answer = ingest(workspace, path).receipt
            rows = cast(dict[str, int], answer["rows"])
            said.append(f"{path.name}: {answer['verdict']}, {rows['accepted']} of {rows['delivered']} rows accepted")
    return said
