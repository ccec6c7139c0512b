"""Label Studio over HTTP: a project with a round's items, and its finished annotations. Tested with 1.23.

Its import may answer 500 and have kept the rows all the same, and knows no duplicates: what stands there is looked up
before anything is sent, and again after every answer that is no success.
"""

import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import httpx

from hitl.errors import HitlError, ParamsError
from hitl.push import Copy, Plan, Posting, check_classes
from tasks.edges import rest
from tasks.edges.rest import Failed, Server

NAME, TITLE = "label_studio", "Label Studio"
URL, TOKEN = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
TOLD = (
    f"{TOKEN} must hold a token of a user who may change the project: a personal access token (Account & Settings), or "
    "a legacy token where the organization allows those"
)
AT_ONCE = 100
"""Items in one request."""
PAGE = 500
EARLY = 30.0
"""Seconds before its end at which an access token is not used any more."""
LIFE = 300.0
"""Seconds that an access token lives."""
POLL, EXPORT_PATIENCE = 0.5, 900.0
"""Seconds between two looks at an export that is being made, and until it is given up."""
ACTIONS = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED")


class Personal(httpx.Auth):
    """A personal access token: it buys access tokens that live five minutes, and is sent nowhere else."""

    requires_response_body = True

    def __init__(self, url: str, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._token, self._clock = f"{url}/api/token/refresh/", token, clock
        self._access, self._ends = "", 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign a request; once more with a new access token where the server says that the old one is over."""
        if self._clock() >= self._ends - EARLY:
            self._take((yield self._wanted()))
        request.headers["Authorization"] = f"Bearer {self._access}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._take((yield self._wanted()))
            request.headers["Authorization"] = f"Bearer {self._access}"
            yield request

    def _wanted(self) -> httpx.Request:
        return httpx.Request("POST", self._url, json={"refresh": self._token})

    def _take(self, answer: httpx.Response) -> None:
        try:
            self._access = str(answer.json()["access"]) if answer.is_success else ""
        except (ValueError, KeyError, TypeError):
            self._access = ""
        if not self._access:
            raise Failed(
                f"{TITLE}: POST {self._url} answered {answer.status_code} to the token; {TOLD}", answer.status_code
            )
        self._ends = self._clock() + LIFE


class Legacy(httpx.Auth):
    """A token of the older kind, which is sent with every request."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Token {self._token}"
        yield request


def opened(url: str | None = None) -> "LabelStudio":
    """The server of now: its address is given or in LABEL_STUDIO_URL, the token in LABEL_STUDIO_API_KEY."""
    url = rest.address(URL, TITLE, url)
    token = rest.secret(TOKEN, TITLE, "a token")
    # A personal access token is a JWT: three parts with dots between them.
    auth = Personal(url, token) if token.count(".") == 2 else Legacy(token)
    return LabelStudio(Server(TITLE, url, auth, TOLD))


@dataclass(frozen=True, slots=True)
class LabelStudio:
    """A Label Studio server, as one user of it."""

    server: Server
    name: str = NAME
    title: str = TITLE
    at_once: int = AT_ONCE

    @property
    def url(self) -> str:
        return self.server.url

    def project(self, plan: Plan, named: int | None) -> int:
        """The id of the project for the plan: the one named, one of its title, or a new one.

        Raises ParamsError when it does not offer the classes, or cannot show the items.
        """
        found = self.server.get(f"/api/projects/{named}/") if named is not None else self._titled(plan.title)
        if found is None:
            found = self.server.post("/api/projects/", _settings(plan))
        where = f"project {found['id']} ({found['title']}) at {self.url}"
        check_classes(_offered(found, plan, where), plan.classes, where)
        return int(found["id"])

    def found(self, project: int, batch_id: str) -> dict[str, list[Copy]]:
        """What stands in the project of a batch, by sent id."""
        there: dict[str, list[Copy]] = {}
        for one in self._standing(project, batch_id):
            data = one["data"]
            if data.get("batch_id") == batch_id and "item_id" in data:
                touched = any(one.get(count) for count in ("total_annotations", "cancelled_annotations", "drafts"))
                there.setdefault(str(data["item_id"]), []).append(Copy(int(one["id"]), touched))
        return there

    def add(self, project: int, postings: Sequence[Posting]) -> None:
        """Import these items, none of which stands there."""
        self.server.post(f"/api/projects/{project}/import", [one.body for one in postings], return_task_ids="true")

    def remove(self, project: int, ids: Sequence[int]) -> None:  # noqa: ARG002 - as every tool has it
        """Take away copies that nobody has worked on."""
        for one in ids:
            self.server.delete(f"/api/tasks/{one}/")

    def finish(self, project: int, plan: Plan, found: Mapping[str, Sequence[Copy]]) -> None:
        """Say which model's predictions are shown from now on, and how many annotators each item gets."""
        version = plan.model_version if _answered(plan) else ""
        self.server.patch(f"/api/projects/{project}/", {"model_version": version})
        if plan.most > 1:
            for item, copies in found.items():
                for one in copies:
                    if plan.overlap.get(item, 1) < plan.most:
                        self.server.patch(f"/api/tasks/{one.id}/", {"overlap": plan.overlap.get(item, 1)})

    def export(self, project: int) -> bytes:
        """A snapshot of the project: every annotation with its annotator, every prediction in full."""
        wanted = {
            "predictions": {"only_id": False},
            "annotations__completed_by": {"only_id": False},
            "drafts": {"only_id": False},
        }
        path = f"/api/projects/{project}/exports/"
        made = self.server.post(path, {"serialization_options": wanted})
        own = f"{path}{made['id']}"
        try:
            self._wait(own)
            return self.server.send("GET", f"{own}/download?exportType=JSON", repeat=True)
        finally:
            self.server.delete(own)

    def call_back(self, project: int, url: str, headers: Mapping[str, str]) -> None:
        """Have the server call `url` after every answer. Only that something happened is sent, not what."""
        hooks = self.server.get("/api/webhooks/", project=project)
        body = {
            "url": url,
            "project": project,
            "headers": dict(headers),
            "send_payload": False,
            "send_for_all_actions": False,
            "actions": list(ACTIONS),
            "is_active": True,
        }
        own = next((one for one in hooks if one["url"] == url and one["project"] == project), None)
        if own is None:
            self.server.post("/api/webhooks/", body)
        else:
            self.server.patch(f"/api/webhooks/{own['id']}/", body)

    def _titled(self, title: str) -> dict[str, Any] | None:
        pages = self.server.get("/api/projects/", title=title, page_size=100)
        found = next((one for one in pages["results"] if one["title"] == title), None)
        return None if found is None else self.server.get(f"/api/projects/{found['id']}/")

    def _standing(self, project: int, batch_id: str) -> Iterator[dict[str, Any]]:
        only = {
            "filter": "filter:tasks:data.batch_id", "operator": "equal", "type": "String", "value": batch_id,
        }  # fmt: skip
        asked = json.dumps({"filters": {"conjunction": "and", "items": [only]}})
        page, seen, total = 1, 0, 1
        while seen < total:
            answer = self.server.get(
                "/api/tasks/",
                project=project,
                page=page,
                page_size=PAGE,
                query=asked,
                resolve_uri="false",
                fields="all",
            )
            total = int(answer["total"])
            seen, page = seen + len(answer["tasks"]), page + 1
            if not answer["tasks"]:
                return
            yield from answer["tasks"]

    def _wait(self, own: str) -> None:
        until = time.monotonic() + EXPORT_PATIENCE
        while (status := self.server.get(own)["status"]) != "completed":
            if status == "failed":
                raise HitlError(f"{TITLE}: the export {self.url}{own} failed there; look into the server's log")
            if time.monotonic() > until:
                raise HitlError(f"{TITLE}: the export {self.url}{own} is {status!r} after {EXPORT_PATIENCE:.0f} s")
            self.server.wait(POLL)


_OR_NONE = "change it there, or leave --project out: a project is made then"


def postings(files: Mapping[str, bytes]) -> tuple[Posting, ...]:
    """The items in what the format writes."""
    bodies = [one for data in files.values() for one in _listed(data)]
    return tuple(Posting(str(one["data"]["item_id"]), one) for one in bodies)


def _listed(data: bytes) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], json.loads(data)) if data.lstrip()[:1] == b"[" else []


def _settings(plan: Plan) -> dict[str, object]:
    return {
        "title": plan.title,
        "description": f"{plan.round}, batch {plan.batch_id}",
        "expert_instruction": plan.guideline,
        "show_instruction": bool(plan.guideline),
        "label_config": plan.config,
        "maximum_annotations": plan.most,
        "show_skip_button": True,
        "enable_empty_annotation": False,
        "show_collab_predictions": bool(plan.model_version),
        "sampling": "Sequential sampling",
    }


def _offered(project: Mapping[str, Any], plan: Plan, where: str) -> list[str]:
    """The classes that the project's annotators choose from, where the items suit its labeling config."""
    config = project.get("parsed_label_config") or {}
    asked = {name: one for name, one in config.items() if one["type"] == "Choices"}
    if not asked:
        raise ParamsError(f"{where} asks for no class: its labeling config has no <Choices>; {_OR_NONE}")
    for name, to in sorted(_answered(plan)):
        if to not in asked.get(name, {}).get("to_name", []):
            raise ParamsError(
                f'{where} has no <Choices name="{name}" toName="{to}"> for the model\'s answers; {_OR_NONE}'
            )
    shown = {one["value"] for control in asked.values() for one in control["inputs"] if one.get("value")}
    held = {name for one in plan.postings[:1] for name in one.body["data"]}
    if lacking := sorted(shown - held):
        raise ParamsError(
            f"{where} shows {', '.join(lacking)}, and the items have {', '.join(sorted(held))}; {_OR_NONE}"
        )
    return [label for one in asked.values() for label in one["labels"]]


def _answered(plan: Plan) -> set[tuple[str, str]]:
    """The questions, each with what it is asked of, that the predictions answer."""
    predictions = [prediction for one in plan.postings for prediction in one.body.get("predictions", [])]
    return {(str(one["from_name"]), str(one["to_name"])) for said in predictions for one in said["result"]}
