"""What a person opens from Prefect's UI: the newest round's pages and files, as artifacts of the flow run."""

import re
from collections.abc import Iterator
from pathlib import Path

from prefect.artifacts import create_link_artifact, create_markdown_artifact

from flows import services
from hitl.layout import Workspace
from hitl.state import RoundState, State
from tasks.edges import outbox


def publish(workspace: Workspace, state: State) -> None:
    """A table of the files of the two newest rounds, and links to their MLflow runs where a page shows them."""
    page = _mlflow(workspace)
    for one in state.rounds[-2:]:
        create_markdown_artifact(table(workspace, one), key=f"{one.id}-files", description=f"The files of {one.id}")
        run = outbox.sent(workspace, one.version)
        if page and run:
            url = f"{page}/#/experiments/{run['experiment_id']}/runs/{run['run_id']}"
            create_link_artifact(url, link_text=f"{one.id} in MLflow", key=f"{one.id}-mlflow")


def _mlflow(workspace: Workspace) -> str | None:
    """Where MLflow's pages are, without any password; None where nobody shows them."""
    address = outbox.address(workspace)
    if address.startswith(("http://", "https://")):
        return re.sub("//[^/]*@", "//", address).rstrip("/")
    found = services.find(workspace)
    return found.mlflow.url if found and found.mlflow else None


def table(workspace: Workspace, one: RoundState) -> str:
    """Markdown: what there is of a round, and where. Nothing in it can become markup.

    Paths, not links: a browser follows no link from a server's page to a file.
    """
    lines = [f"| {what} | {plain(str(path))} |" for what, path in _files(workspace, one) if path.exists()]
    return "\n".join([f"{one.id} is {one.phase}.", "", "| what | where |", "| --- | --- |", *lines]) + "\n"


def plain(text: str) -> str:
    """`text` as Markdown and HTML that mean nothing but its characters.

    >>> plain("a|b <i>")
    'a&#124;b &#60;i&#62;'
    """
    return "".join(char if char.isalnum() or char in " /.:-" else f"&#{ord(char)};" for char in text)


def _files(workspace: Workspace, one: RoundState) -> Iterator[tuple[str, Path]]:
    yield "report", workspace.round(one.id) / "report.html"
    yield "pack", workspace.pack(one.id)
    for answer in (*one.deliveries, *one.refused):
        name = str(answer["delivery"])
        yield f"receipt of {plain(str(answer['file']))}", workspace.deliveries / f"{name}.receipt.json"
        yield f"rows to mend in {plain(str(answer['file']))}", workspace.deliveries / f"{name}.redo.csv"
