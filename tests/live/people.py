"""What annotators do at the real servers, through the same requests that the tools' own pages make."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.live.servers import PASSWORD, TOKEN, Running


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=60, trust_env=False)


def _sound(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    return answer.json() if answer.content else None


@dataclass
class LabelStudio:
    """A running Label Studio; `ann` is its administrator, `bob` an annotator."""

    running: Running
    ann: httpx.Client
    bob: httpx.Client
    ids: Mapping[str, str]

    def items(self, project: int) -> dict[str, int]:
        """The ids of a project's items, by sent id."""
        found = _sound(self.ann.get("/api/tasks/", params={"project": project, "page_size": 1000, "fields": "all"}))
        return {one["data"]["item_id"]: one["id"] for one in found["tasks"]}

    def all(self, project: int) -> list[dict[str, Any]]:
        """Everything that stands in a project, page by page as it comes."""
        found = _sound(self.ann.get("/api/tasks/", params={"project": project, "page_size": 1000, "fields": "all"}))
        return list(found["tasks"])

    def answer(
        self, who: httpx.Client, item: int, *labels: str, seconds: float = 3.0, comment: str = "", skip: bool = False
    ) -> int:
        """Hand in an answer; its id."""
        result = [_choice(labels)] if labels else []
        if comment:
            result.append({"from_name": "comment", "to_name": "text", "type": "textarea", "value": {"text": [comment]}})
        body = {"result": result, "was_cancelled": skip, "lead_time": seconds}
        return int(_sound(who.post(f"/api/tasks/{item}/annotations/", json=body))["id"])

    def edit(self, who: httpx.Client, annotation: int, *labels: str) -> None:
        """Change an answer that was handed in."""
        _sound(who.patch(f"/api/annotations/{annotation}/", json={"result": [_choice(labels)]}))

    def project(self, project: int) -> dict[str, Any]:
        return dict(_sound(self.ann.get(f"/api/projects/{project}/")))


def _choice(labels: Iterable[str]) -> dict[str, Any]:
    return {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}


def label_studio(running: Running) -> LabelStudio:
    """Invite bob, as an administrator does, and let him sign up."""
    ann = _client(running.url, TOKEN)
    invite = _sound(ann.get("/api/invite"))["invite_url"]
    with httpx.Client(base_url=running.url, timeout=60, trust_env=False, follow_redirects=True) as page:
        form = page.get(invite)
        csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        assert csrf is not None, form.text[:500]
        who = {"email": "bob@hitl.test", "password": PASSWORD, "csrfmiddlewaretoken": csrf[1]}
        page.post(str(form.url), data={**who, "allow_newsletters": "false"}, headers={"Referer": str(form.url)})
        token = _sound(page.get("/api/current-user/token"))["token"]
    bob = _client(running.url, token)
    ids = {name: str(_sound(one.get("/api/current-user/whoami"))["id"]) for name, one in (("ann", ann), ("bob", bob))}
    return LabelStudio(running, ann, bob, ids)


@dataclass
class Doccano:
    """A running doccano; `admin` owns the projects, `ann` and `bob` annotate."""

    running: Running
    admin: httpx.Client
    ann: httpx.Client
    bob: httpx.Client

    def invite(self, project: int) -> None:
        """Make ann and bob annotators of a project."""
        role = next(one["id"] for one in _sound(self.admin.get("/v1/roles")) if one["name"] == "annotator")
        users = {one["username"]: one["id"] for one in _sound(self.admin.get("/v1/users"))}
        for name in ("ann", "bob"):
            _sound(self.admin.post(f"/v1/projects/{project}/members", json={"user": users[name], "role": role}))

    def all(self, project: int) -> list[dict[str, Any]]:
        """Everything that stands in a project."""
        return list(_sound(self.admin.get(f"/v1/projects/{project}/examples", params={"limit": 1000}))["results"])

    def items(self, project: int) -> dict[str, int]:
        """The ids of a project's items, by sent id."""
        return {one["meta"]["item_id"]: one["id"] for one in self.all(project)}

    def answer(
        self, who: httpx.Client, project: int, item: int, label: str, *, comment: str = "", confirm: bool = True
    ) -> None:
        """Give a label in place of an earlier one, and confirm the item unless that is done."""
        types = {one["text"]: one["id"] for one in _sound(who.get(f"/v1/projects/{project}/category-types"))}
        _sound(who.post(f"/v1/projects/{project}/examples/{item}/categories", json={"label": types[label]}))
        if comment:
            _sound(who.post(f"/v1/projects/{project}/comments", params={"example": item}, json={"text": comment}))
        if confirm:
            _sound(who.post(f"/v1/projects/{project}/examples/{item}/states", json={}))


def doccano(running: Running) -> Doccano:
    """Let everybody log in."""
    clients = []
    for name in ("admin", "ann", "bob"):
        body = {"username": name, "password": PASSWORD}
        answer = httpx.post(f"{running.url}/v1/auth/login/", json=body, timeout=60, trust_env=False)
        clients.append(_client(running.url, _sound(answer)["key"]))
    return Doccano(running, *clients)
