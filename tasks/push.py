"""Push: put the items of the open round into a labeling tool, those that are not there yet, and verify that they are.

Whatever became of an earlier push, what stands there is looked up before anything is sent; so no item goes twice.
"""

import csv
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Protocol, cast

from hitl import push as decide
from hitl.contract import csv_bytes
from hitl.errors import HitlError, MomentError, ParamsError
from hitl.formats import FORMATS, Batch
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.push import Copy, Found, Plan, Posting
from hitl.state import Phase, RoundState
from tasks import expected, journal
from tasks.edges import doccano, files, label_studio, webhook
from tasks.edges.rest import Failed, Server, Silent
from tasks.export import for_tools

log = logging.getLogger("hitl")
SETTLE = 2.0
"""Seconds between two looks that must find the same, after an answer that failed or never came."""
LOOKS, LISTED = 30, 10
"""Looks until a server that goes on changing is given up."""
HEADER = ("tool", "url", "project", "sent_id", "id")


class Tool(Protocol):
    """A labeling tool's server: what a push and a pull need of it."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def at_once(self) -> int:
        """Items that are sent in one part."""
        ...

    @property
    def server(self) -> Server: ...

    def project(self, plan: Plan, named: int | None) -> int:
        """The project for the plan: the one named, or the plan's own, made if it is not there."""
        ...

    def found(self, project: int, batch_id: str) -> dict[str, list[Copy]]:
        """What stands there of a batch, by sent id."""
        ...

    def add(self, project: int, postings: "tuple[Posting, ...] | list[Posting]") -> None:
        """Send items."""
        ...

    def remove(self, project: int, ids: list[int]) -> None:
        """Take copies away."""
        ...

    def finish(self, project: int, plan: Plan, found: Found) -> None:
        """Set what can be set once the items are there."""
        ...

    def export(self, project: int) -> bytes:
        """What annotators have finished, as the tool tells it."""
        ...


TOOLS: Mapping[str, Callable[[str | None], Tool]] = {
    label_studio.NAME: label_studio.opened,
    doccano.NAME: doccano.opened,
}
POSTINGS: Mapping[str, Callable[[Mapping[str, bytes]], tuple[Posting, ...]]] = {
    label_studio.NAME: label_studio.postings,
    doccano.NAME: doccano.postings,
}


def awaiting(workspace: Workspace) -> RoundState:
    """The round whose answers are awaited; raises MomentError when there is none."""
    current = expected.asked(journal.read(workspace))
    if current.phase is not Phase.AWAITING:
        raise MomentError(f"no round is out for labeling ({current.id} is {current.phase}): run hitl open")
    return current


def push(
    workspace: Workspace, tool: str, *, url: str | None = None, project: int | None = None, webhook: str | None = None
) -> Facts:
    """Put the open round's items into the tool; says where they are, how many were there, and how many were sent.

    `project` is one of the tool's own, else one is made for the round. `webhook` is where Label Studio is to call.
    Raises what the tool's server says, and HitlError when it does not have exactly these items in the end.
    """
    current = awaiting(workspace)
    server = TOOLS[tool](url)
    plan = planned(workspace, current, tool)
    known = next((one for one in current.places if (one["tool"], one["url"]) == (tool, server.url)), None)
    own = server.project(plan, project) if project is not None else _again(server, plan, known)
    before = server.found(own, plan.batch_id)
    found = _sent(server, own, plan, before)
    server.finish(own, plan, found)
    place: Facts = {"tool": tool, "url": server.url, "project": own, "items": len(found)}
    if webhook is not None:
        called_back(server, own, webhook)
    _record(workspace, current, place, found)
    there = sum(1 for item in plan.postings if item.item_id in before)
    return {"round": current.id, **place, "before": there, "sent": len(plan.postings) - there, "title": server.title}


def _again(server: Tool, plan: Plan, known: Facts | None) -> int:
    """The project that the round was pushed to before, or where that is gone, the plan's own."""
    if known is not None:
        try:
            return server.project(plan, cast(int, known["project"]))
        except Failed as why:
            if why.status != HTTPStatus.NOT_FOUND:
                raise
            log.warning("%s; a project is made anew", why)
    return server.project(plan, None)


def planned(workspace: Workspace, current: RoundState, tool: str) -> Plan:
    """What the tool is to have of a round: what its pack has, in the tool's own format."""
    batch, overlap = for_tools(workspace, current), expected.manifest(workspace, current.id)["overlap"]
    made = cast(Callable[[Batch], Mapping[str, bytes]], FORMATS[tool].write)(batch)
    return Plan(
        round=current.id,
        batch_id=batch.batch_id,
        title=decide.title(workspace.name, current.id, batch.batch_id),
        classes=batch.classes,
        postings=POSTINGS[tool](made),
        overlap={row["item_id"]: overlap["items"].get(row["item_id"], overlap["default"]) for row in batch.rows},
        guideline=workspace.guideline.read_text(encoding="utf-8"),
        config=next((data.decode() for file, data in made.items() if file.endswith(".xml")), ""),
        model_version=batch.model_version,
    )


def called_back(server: Tool, project: int, url: str) -> None:
    """Have Label Studio call `url` with the shared secret after every answer; raises ParamsError for another tool."""
    if not isinstance(server, label_studio.LabelStudio):
        raise ParamsError(f"{server.title} calls nobody back: only Label Studio has webhooks")
    server.call_back(project, url, {webhook.HEADER: webhook.secret()})


def _sent(server: Tool, project: int, plan: Plan, found: Found) -> Found:
    """Send what is missing until all of it is there; what failed is looked up before anything is sent again."""
    why: HitlError | None = None
    while lacking := decide.missing(plan.postings, found):
        before = len(found)
        try:
            done = len(plan.postings) - len(lacking)
            for part in decide.parts(lacking, server.at_once):
                server.add(project, list(part))
                done += len(part)
                log.info("%s: %d of %d items are there", server.title, done, len(plan.postings))
            why = None
        except Failed as error:
            if not error.may_have_happened:
                raise
            why = error
        except Silent as error:
            why = error
        found = _settled(server, project, plan) if why else server.found(project, plan.batch_id)
        if len(found) == before:
            raise why or HitlError(
                f"{server.title} took {len(lacking)} items and shows none of them: look into its log"
            )
        if why:
            log.warning("%s; %d of %d items are there all the same", why, len(found), len(plan.postings))
    return _whole(server, project, plan, found)


def _settled(server: Tool, project: int, plan: Plan) -> Found:
    """What is there once two looks find the same: a request that was given up may still be at work."""
    found = server.found(project, plan.batch_id)
    for _ in range(LOOKS):
        server.server.wait(SETTLE)
        before, found = found, server.found(project, plan.batch_id)
        if before == found:
            return found
    raise HitlError(f"{server.title} at {server.url}: project {project} goes on changing; run this again in a while")


def _whole(server: Tool, project: int, plan: Plan, found: Found) -> Found:
    """Exactly the items of the plan, each once: copies that nobody has worked on are taken away, others are told."""
    if surplus := decide.surplus(found):
        log.warning("%s: %d copies too many are taken away from project %d", server.title, len(surplus), project)
        server.remove(project, surplus)
        found = server.found(project, plan.batch_id)
    if several := decide.twice(found):
        raise HitlError(
            f"{server.title} at {server.url}: project {project} has {len(several)} items twice, both worked on or "
            f"perhaps so ({', '.join(several[:LISTED])}): remove one of each there, and run this again"
        )
    strange = sorted(found.keys() - {one.item_id for one in plan.postings})
    if strange or len(found) != len(plan.postings):
        raise HitlError(
            f"{server.title} at {server.url}: project {project} has {len(found)} items of batch {plan.batch_id[:8]}, "
            f"{len(plan.postings)} were sent; not of it: {', '.join(strange[:LISTED]) or 'none'}"
        )
    return found


def _record(workspace: Workspace, current: RoundState, place: Facts, found: Found) -> None:
    """Keep under which id each item stands there, and tell the ledger; nothing where it knows."""
    path = workspace.round(current.id) / "pushed.csv"
    others = [one for one in current.places if (one["tool"], one["url"]) != (place["tool"], place["url"])]
    own = [str(place[name]) for name in HEADER[:3]]
    rows = [[*own, item, str(one.id)] for item, copies in sorted(found.items()) for one in copies]
    if others and path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            told = list(csv.reader(file, strict=True))[1:]
        kept = {tuple(str(one[name]) for name in HEADER[:3]) for one in others}
        rows += [row for row in told if tuple(row[:3]) in kept]
    data = csv_bytes([HEADER, *sorted(rows)])
    facts: Facts = {
        "places": [*others, place],
        "pushed_sha256": files.write_bytes(path, data, mode=files.PRIVATE),
    }
    if current.facts.get("pushed") != facts:
        journal.append(workspace, "pushed", current.id, facts)
