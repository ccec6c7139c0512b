"""Push and pull against a stand-in for doccano: a few of its addresses on loopback. tests/live has the real one."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pandas as pd
import pytest

from hitl.errors import HitlError, MomentError, ParamsError
from hitl.layout import Workspace
from tasks import journal, push as pushing
from tasks.edges import files, tables, verifier
from tasks.edges.rest import Failed
from tasks.pull import pull
from tasks.push import push
from tests.tasks import awaiting_round

TOOL = "doccano"


@dataclass
class StandIn:
    """What doccano knows of its one project. `fails` says after which items made the answer is 500, all the same."""

    projects: list[dict[str, Any]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    confirmed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    fails: set[int] = field(default_factory=set)
    url: str = ""

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        match method, re.sub(r"/[0-9]+|\?.*", "", path):
            case "POST", "/v1/auth/login/":
                return 200, {"key": "abc"}
            case "GET", "/v1/projects" if path == "/v1/projects/1":
                return 200, self.projects[0]
            case "GET", "/v1/projects":
                return 200, {"results": self.projects}
            case "POST", "/v1/projects":
                self.projects.append({"id": 1, **body})
                return 201, self.projects[0]
            case "GET", "/v1/projects/category-types":
                return 200, [{"text": one} for one in self.types]
            case "POST", "/v1/projects/category-types":
                self.types.append(body["text"])
                return 201, {}
            case "GET", "/v1/projects/examples":
                return 200, {"count": len(self.items), "results": self.items}
            case "POST", "/v1/projects/examples":
                self.items.append({"id": len(self.items) + 1, **body})
                return (500 if len(self.items) in self.fails else 201), {}
            case "POST", "/v1/projects/download":
                return 200, {"task_id": "x"}
        return 200, self.exported()

    def exported(self) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as zipped:
            for name, told in self.confirmed.items():
                zipped.writestr(name, "".join(f"{json.dumps(one)}\n" for one in told))
        return out.getvalue()

    def confirm(self, who: str, item: int, label: str) -> None:
        """Give a label, in place of an earlier one."""
        one = self.items[item]
        kept = [row for row in self.confirmed.get(f"{who}.jsonl", []) if row["id"] != one["id"]]
        row = {"id": one["id"], "text": one["text"], **one["meta"], "label": [label], "Comments": []}
        self.confirmed[f"{who}.jsonl"] = [*kept, row]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    there = StandIn()

    class Answers(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, said = there.answer(self.command, self.path, json.loads(sent or b"{}"))
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer  # noqa: N815 - as http.server has them

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        there.url = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("DOCCANO_URL", there.url)
        monkeypatch.setenv("DOCCANO_USERNAME", "admin")
        monkeypatch.setenv("DOCCANO_PASSWORD", "word")
        monkeypatch.delenv("DOCCANO_TOKEN", raising=False)
        monkeypatch.setattr(pushing, "SETTLE", 0.0)
        yield there
        server.shutdown()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = awaiting_round.made(tmp_path / "tickets", items=30)
    files.write_text(made.guideline, "Look twice.\n")
    frame = pd.DataFrame({"item_id": [f"i{number:04d}" for number in range(30)], "weight": 1.0})
    tables.write_parquet(made.round("r0001") / "items.parquet", frame)
    tables.write_parquet(made.round("r0001") / "batch.parquet", frame.assign(model_class="cat", model_confidence=0.5))
    return made


def there(tool: StandIn) -> list[str]:
    return [one["meta"]["item_id"] for one in tool.items]


def test_a_push_sends_each_item_once_however_often_it_is_run(workspace: Workspace, tool: StandIn) -> None:
    first, second = push(workspace, TOOL), push(workspace, TOOL)

    assert there(tool) == [f"i{number:04d}" for number in range(30)]
    assert (first["sent"], second["sent"], second["before"]) == (30, 0, 30)
    assert tool.types == ["cat", "dog", "<skip>"]
    events = [one for one in journal.events(workspace) if one.event == "pushed"]
    assert [one.facts["places"] for one in events] == [[{"tool": TOOL, "url": tool.url, "project": 1, "items": 30}]]
    assert "data/rounds/r0001/pushed.csv" not in [one["file"] for one in verifier.verify(workspace.root)["problems"]]
    assert "word" not in (workspace.ledger.read_text(encoding="utf-8"))


def test_items_that_were_made_and_told_as_failed_are_not_sent_again(workspace: Workspace, tool: StandIn) -> None:
    tool.fails = {1, 7, 30}
    push(workspace, TOOL)
    assert len(there(tool)) == len(set(there(tool))) == 30


def test_a_push_that_gets_nowhere_fails_and_goes_on_where_it_stood(
    workspace: Workspace, tool: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tool.answer

    def refusing(method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        is_full = method == "POST" and path.endswith("/examples") and len(tool.items) >= 12
        return (503, {"detail": "no room"}) if is_full else full(method, path, body)

    monkeypatch.setattr(tool, "answer", refusing)
    with pytest.raises(Failed, match="no room"):
        push(workspace, TOOL)
    assert len(there(tool)) == 12
    monkeypatch.undo()
    monkeypatch.setenv("DOCCANO_TOKEN", "abc")
    push(workspace, TOOL, url=tool.url)
    assert sorted(there(tool)) == [f"i{number:04d}" for number in range(30)]


def test_copies_that_may_have_been_worked_on_are_left_to_a_person(workspace: Workspace, tool: StandIn) -> None:
    push(workspace, TOOL)
    tool.items.append({**tool.items[0], "id": 99})
    with pytest.raises(HitlError, match=r"1 items twice, both worked on or perhaps so \(i0000\)"):
        push(workspace, TOOL)


def test_a_project_that_lacks_a_class_is_refused_before_anything_is_sent(workspace: Workspace, tool: StandIn) -> None:
    tool.projects = [{"id": 1, "name": "ours", "project_type": "DocumentClassification"}]
    tool.types = ["dog"]
    with pytest.raises(ParamsError, match="does not offer 1 of the 2 classes: 'cat'"):
        push(workspace, TOOL, project=1)
    assert tool.items == []


def test_only_label_studio_calls_back(workspace: Workspace, tool: StandIn) -> None:
    with pytest.raises(ParamsError, match="calls nobody back"):
        push(workspace, TOOL, webhook="http://127.0.0.1:1/")


def test_what_was_pushed_nowhere_cannot_be_pulled(workspace: Workspace) -> None:
    with pytest.raises(MomentError, match="run hitl push first"):
        pull(workspace)


def test_a_pull_takes_what_is_new_and_an_edit_supersedes_also_back_to_what_it_was(
    workspace: Workspace, tool: StandIn
) -> None:
    push(workspace, TOOL)
    tool.projects[0]["collaborative_annotation"] = False
    assert pull(workspace) == []
    tool.confirm("ann", 0, "cat")
    tool.confirm("bob", 1, "<skip>")
    counts = []
    for label in ("cat", "dog", "cat", "dog"):
        tool.confirm("ann", 0, label)
        for _ in range(2):
            [answer] = pull(workspace)
            counts.append((answer.receipt["revised"], answer.receipt["rows"]["accepted"]))  # type: ignore[index]
    assert counts == [(0, 2), (0, 0), (1, 1), (0, 0), (1, 1), (0, 0), (1, 1), (0, 0)]
    assert journal.read(workspace).round("r0001").accepted == 2
