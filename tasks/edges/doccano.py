"""doccano over HTTP: a project with a round's texts, and the answers that were confirmed. Tested with 1.8.4.

Items are made one by one. Its import of files is a job in a queue, which may be taken up after it was given up for lost
and would then make every item twice.
"""

import io
import json
import os
import time
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from hitl.contract import SKIP
from hitl.errors import HitlError, ParamsError
from hitl.push import Copy, Plan, Posting, check_classes
from tasks.edges import rest
from tasks.edges.rest import Server

NAME, TITLE = "doccano", "doccano"
URL, USER, PASSWORD, TOKEN = "DOCCANO_URL", "DOCCANO_USERNAME", "DOCCANO_PASSWORD", "DOCCANO_TOKEN"
TOLD = f"{USER} and {PASSWORD} (or {TOKEN}) must be those of an administrator of the project"
AT_ONCE = 20
"""Items between two words about how far it is."""
PAGE = 500
POLL, EXPORT_PATIENCE = 0.5, 600.0
"""Seconds between two looks at an export that is being made, and until it is given up."""
KIND, RESOURCE = "DocumentClassification", "TextClassificationProject"


class Token(httpx.Auth):
    """doccano's token, which is got with name and password where it is not given."""

    requires_response_body = True

    def __init__(self, url: str, token: str = "", user: str = "", password: str = "") -> None:
        self._url, self._token, self._user, self._password = f"{url}/v1/auth/login/", token, user, password

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._token:
            answer = yield httpx.Request("POST", self._url, json={"username": self._user, "password": self._password})
            try:
                self._token = str(answer.json()["key"]) if answer.is_success else ""
            except (ValueError, KeyError, TypeError):
                self._token = ""
            if not self._token:
                raise rest.Failed(
                    f"{TITLE}: POST {self._url} answered {answer.status_code}; {TOLD}", answer.status_code
                )
        request.headers["Authorization"] = f"Token {self._token}"
        yield request


def opened(url: str | None = None) -> "Doccano":
    """The server of now, at the address that is given or in DOCCANO_URL; the environment says who we are there."""
    url = rest.address(URL, TITLE, url)
    if os.environ.get(TOKEN):
        return Doccano(Server(TITLE, url, Token(url, rest.secret(TOKEN, TITLE, "a token")), TOLD))
    user, password = rest.secret(USER, TITLE, "a user's name"), os.environ.get(PASSWORD, "")
    if not password:
        raise ParamsError(f"{TITLE} wants a password in the environment, and {PASSWORD} is not set")
    return Doccano(Server(TITLE, url, Token(url, user=user, password=password), TOLD))


@dataclass(frozen=True, slots=True)
class Doccano:
    """A doccano server, as an administrator of projects in it."""

    server: Server
    name: str = NAME
    title: str = TITLE
    at_once: int = AT_ONCE

    @property
    def url(self) -> str:
        return self.server.url

    def project(self, plan: Plan, named: int | None) -> int:
        """The id of the project for the plan: the one named, one of its title, or a new one with the classes.

        Raises ParamsError when it does not offer the classes, or is no project about texts.
        """
        found = self.server.get(f"/v1/projects/{named}") if named is not None else self._titled(plan.title)
        if found is None:
            found = self.server.post("/v1/projects", _settings(plan))
        own, where = int(found["id"]), f"project {found['id']} ({found['name']}) at {self.url}"
        if found["project_type"] != KIND:
            raise ParamsError(f"{where} is for {found['project_type']}: give one for {KIND}, or leave --project out")
        path = f"/v1/projects/{own}/category-types"
        offered = [str(one["text"]) for one in self.server.get(path)]
        if named is None:  # ours, perhaps half made
            for one in (*plan.classes, SKIP):  # doccano has no skip of its own
                if one not in offered:
                    self.server.post(path, {"text": one})
            offered = [str(one["text"]) for one in self.server.get(path)]
        check_classes(offered, plan.classes, where)
        return own

    def found(self, project: int, batch_id: str) -> dict[str, list[Copy]]:
        """What stands in the project of a batch, by sent id. Who worked on what is not told: each may be touched."""
        there: dict[str, list[Copy]] = {}
        for one in self._items(project):
            meta = one["meta"]
            if meta.get("batch_id") == batch_id and "item_id" in meta:
                there.setdefault(str(meta["item_id"]), []).append(Copy(int(one["id"]), is_touched=True))
        return there

    def add(self, project: int, postings: Sequence[Posting]) -> None:
        """Make these items, none of which stands there."""
        for one in postings:
            self.server.post(f"/v1/projects/{project}/examples", dict(one.body))

    def remove(self, project: int, ids: Sequence[int]) -> None:
        """Take away copies that nobody has worked on."""
        for one in ids:
            self.server.delete(f"/v1/projects/{project}/examples/{one}")

    def finish(self, project: int, plan: Plan, found: Mapping[str, Sequence[Copy]]) -> None:
        """Nothing: doccano knows neither models nor how many annotators an item gets."""

    def export(self, project: int) -> bytes:
        """What was confirmed, as a zip of a file for each annotator."""
        path = f"/v1/projects/{project}/download"
        made = self.server.post(path, {"format": "JSONL", "exportApproved": True})
        data = self._awaited(f"{path}?taskId={made['task_id']}")
        return self._by_annotator(project, data) if self._is_shared(project) else data

    def _is_shared(self, project: int) -> bool:
        return bool(self.server.get(f"/v1/projects/{project}")["collaborative_annotation"])

    def _by_annotator(self, project: int, data: bytes) -> bytes:
        """The one file of a project whose annotators share their answers, as a file for each of them."""
        names = {int(one["user"]): str(one["username"]) for one in self.server.get(f"/v1/projects/{project}/members")}
        lines: dict[str, list[dict[str, Any]]] = {}
        own = {self._key(one): int(one["id"]) for one in self._items(project)}
        for row in rows(data):
            answered = f"/v1/projects/{project}/examples/{own.get(self._key({'meta': row}), row['id'])}"
            given = self.server.get(f"{answered}/categories")
            seen = self.server.get(f"{answered}/states")["results"]
            who = {one["user"] for one in given} or {one["confirmed_by"] for one in seen}
            for user in who:
                lines.setdefault(names.get(user, f"user-{user}"), []).append(row)
        return packed({f"{name}.jsonl": told for name, told in lines.items()})

    @staticmethod
    def _key(one: Mapping[str, Any]) -> tuple[str, str]:
        return str(one["meta"].get("batch_id")), str(one["meta"].get("item_id"))

    def _titled(self, title: str) -> dict[str, Any] | None:
        pages = self.server.get("/v1/projects", q=title, limit=PAGE)
        return next((one for one in pages["results"] if one["name"] == title), None)

    def _items(self, project: int) -> Iterator[dict[str, Any]]:
        at, count, seen = 0, 1, set()
        while at < count:
            answer = self.server.get(f"/v1/projects/{project}/examples", limit=PAGE, offset=at)
            count, at = int(answer["count"]), at + PAGE
            for one in answer["results"]:
                if one["id"] not in seen:
                    seen.add(one["id"])
                    yield one

    def _awaited(self, path: str) -> bytes:
        until = time.monotonic() + EXPORT_PATIENCE
        while (data := self.server.send("GET", path, repeat=True))[:1] == b"{":
            if time.monotonic() > until:
                raise HitlError(
                    f"{TITLE}: the export {self.url}{path} is not ready after {EXPORT_PATIENCE:.0f} s; is its celery "
                    "worker running?"
                )
            self.server.wait(POLL)
        return data


def postings(files: Mapping[str, bytes]) -> tuple[Posting, ...]:
    """The items in what the format writes: a text, and beside it what comes back with the answer."""
    found = []
    for line in (line for data in files.values() for line in data.decode().splitlines() if line.strip()):
        row = json.loads(line)
        meta = {name: value for name, value in row.items() if name not in ("text", "label")}
        found.append(Posting(str(row["item_id"]), {"text": row["text"], "meta": meta}))
    return tuple(found)


def rows(data: bytes) -> list[dict[str, Any]]:
    """Every row of an export, whoever gave the answer."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        texts = [packed.read(name).decode() for name in sorted(packed.namelist())]
    return [json.loads(line) for text in texts for line in text.splitlines() if line.strip()]


def packed(files: Mapping[str, Sequence[Mapping[str, Any]]], comment: str = "") -> bytes:
    """A zip of JSONL files; the same bytes for the same rows and comment."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.comment = comment.encode()
        for name, told in sorted(files.items()):
            lines = "".join(json.dumps(one, ensure_ascii=False, sort_keys=True) + "\n" for one in told)
            zipped.writestr(zipfile.ZipInfo(name), lines)
    return out.getvalue()


def _settings(plan: Plan) -> dict[str, object]:
    return {
        "resourcetype": RESOURCE,
        "project_type": KIND,
        "name": plan.title,
        "description": f"{plan.round}, batch {plan.batch_id}",
        "guideline": plan.guideline,
        "random_order": False,
        "collaborative_annotation": False,
        "single_class_classification": True,
        "allow_member_to_create_label_type": False,
        "tags": [],
    }
