"""What a server does to us: each is a real one on loopback that answers as it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from hitl.errors import ParamsError
from tasks.edges.label_studio import Legacy, Personal
from tasks.edges.rest import PAUSES, Failed, Server, Silent, address, secret

Told = tuple[str, str, str]
"""The method, path and Authorization of a request."""


@contextmanager
def answering(*answers: tuple[int, bytes]) -> Iterator[tuple[str, list[Told]]]:
    """A server that gives these answers, one after the other and then the last; its address, and what it was asked."""
    told: list[Told] = []

    class Answers(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.append((self.command, self.path, self.headers.get("Authorization", "")))
            status, body = answers[min(len(told), len(answers)) - 1]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Set-Cookie", "session=1")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - as http.server has them

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", told
        finally:
            server.shutdown()


def at(url: str, auth: httpx.Auth | None = None, waits: list[float] | None = None) -> Server:
    return Server("The tool", url, auth, "set TOKEN", wait=(waits if waits is not None else []).append)


def test_what_may_be_repeated_is_asked_for_again_while_the_server_is_busy() -> None:
    waits: list[float] = []
    with answering((503, b""), (429, b""), (200, b'{"a": 1}')) as (url, told):
        assert at(url, waits=waits).get("/x", page=2) == {"a": 1}
    assert ([one[:2] for one in told], waits) == ([("GET", "/x?page=2")] * 3, list(PAUSES[:2]))


def test_what_was_posted_is_never_sent_again() -> None:
    with answering((503, b"{}")) as (url, told), pytest.raises(Failed) as caught:
        at(url).post("/import", [1])
    assert (len(told), caught.value.may_have_happened) == (1, True)


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (403, b'{"detail": "not yours"}', "answered 403: not yours; set TOKEN"),
        (404, b"<html>gone</html>", "answered 404: <html>gone</html>; look whether the project is there"),
        (302, b"", "answered 302: nothing; a redirection is not followed"),
        (400, b'{"detail": "\x1b[2J"}', "answered 400: "),
        (200, b"<html>", "did not answer with JSON"),
    ],
)
def test_a_refusal_names_the_address_the_status_and_what_to_do(status: int, body: bytes, says: str) -> None:
    with answering((status, body)) as (url, _), pytest.raises(Failed) as caught:
        at(url).get("/api")
    assert f"GET {url}/api" in str(caught.value)
    assert says in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_nobody_there_is_told_after_a_few_tries() -> None:
    waits: list[float] = []
    with pytest.raises(Silent, match="is the server up"):
        at("http://127.0.0.1:1", waits=waits).get("/")
    assert waits == list(PAUSES)


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.edges.rest.LARGEST", 10)
    with answering((200, b"x" * 11)) as (url, _), pytest.raises(Silent, match="it was given up"):
        at(url).post("/")


def test_no_session_is_begun_beside_the_token() -> None:
    with answering((200, b"{}")) as (url, _):
        server = at(url, Legacy("abc"))
        server.get("/")
        assert not server.client.cookies


def test_a_personal_token_is_sent_only_to_buy_access_which_is_bought_again_before_its_end() -> None:
    now = 0.0
    answers = [(200, b'{"access": "one"}'), (200, b"{}"), (200, b"{}"), (200, b'{"access": "two"}'), (200, b"{}")]
    with answering(*answers) as (url, told):
        server = at(url, Personal(url, "personal.access.token", lambda: now))
        server.get("/a")
        now = 200.0
        server.get("/b")
        now = 271.0
        server.get("/c")
    refresh = ("POST", "/api/token/refresh/", "")
    assert told == [
        refresh,
        ("GET", "/a", "Bearer one"),
        ("GET", "/b", "Bearer one"),
        refresh,
        ("GET", "/c", "Bearer two"),
    ]


def test_access_that_is_refused_is_bought_again_once() -> None:
    answers = [(200, b'{"access": "one"}'), (401, b"{}"), (200, b'{"access": "two"}'), (401, b"{}")]
    with answering(*answers) as (url, told), pytest.raises(Failed, match="answered 401"):
        at(url, Personal(url, "personal.access.token")).get("/a")
    assert [one[2] for one in told] == ["", "Bearer one", "", "Bearer two"]


def test_a_personal_token_that_buys_nothing_is_told_without_a_word_of_it() -> None:
    with answering((401, b"{}")) as (url, _), pytest.raises(Failed, match="LABEL_STUDIO_API_KEY must hold") as caught:
        at(url, Personal(url, "personal.access.token")).get("/a")
    assert "personal" not in str(caught.value).replace("a personal access token (", "")


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8080", "http://", "https://x/?token=1", "https://me:word@x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ParamsError) as caught:
        address("THE_URL", "The tool", url)
    assert "word" not in str(caught.value) or "password" in str(caught.value)


def test_an_address_and_a_token_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_URL", " http://127.0.0.1:8080/ ")
    monkeypatch.setenv("THE_TOKEN", "abc\u00e9")
    assert address("THE_URL", "The tool") == "http://127.0.0.1:8080"
    with pytest.raises(ParamsError, match="THE_TOKEN holds a character"):
        secret("THE_TOKEN", "The tool", "a token")
    monkeypatch.delenv("THE_TOKEN")
    with pytest.raises(ParamsError, match="THE_TOKEN is not set"):
        secret("THE_TOKEN", "The tool", "a token")
