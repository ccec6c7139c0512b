import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from hitl.errors import HitlError, ParamsError
from tasks.edges import webhook
from tasks.edges.webhook import HEADER, VARIABLE, Endpoint

SECRET = "5" * 40


@pytest.fixture
def rung() -> list[int]:
    return []


@pytest.fixture
def endpoint(rung: list[int]) -> Iterator[Endpoint]:
    with Endpoint("127.0.0.1", 0, SECRET, lambda: rung.append(1)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def call(endpoint: Endpoint, method: str = "POST", body: bytes = b"{}", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"http://127.0.0.1:{endpoint.port}/"
    return httpx.request(method, url, content=body, headers=named, trust_env=False, timeout=10).status_code


def test_a_call_with_the_secret_rings_whatever_it_holds(endpoint: Endpoint, rung: list[int]) -> None:
    for body in (b"", b'{"action": "ANNOTATION_CREATED"}', b"\xff" * 200_000):
        assert call(endpoint, body=body, X_Hitl_Secret=SECRET) == 202
    assert len(rung) == 3


def test_every_other_call_is_refused(endpoint: Endpoint, rung: list[int]) -> None:
    assert call(endpoint) == 401
    assert call(endpoint, X_Hitl_Secret=SECRET[:-1]) == 403
    assert call(endpoint, X_Hitl_Secret="") == 403
    assert call(endpoint, X_Hitl_Secret=SECRET, body=b"x", method="PUT") == 501
    assert call(endpoint, method="GET", X_Hitl_Secret=SECRET) == 501
    assert rung == []


def test_two_secrets_are_none(endpoint: Endpoint, rung: list[int]) -> None:
    with socket.create_connection(("127.0.0.1", endpoint.port), 10) as line:
        line.sendall(f"POST / HTTP/1.1\r\n{HEADER}: {SECRET}\r\n{HEADER}: {SECRET}\r\n\r\n".encode())
        assert b"401" in line.recv(100)
    assert rung == []


def test_callers_beyond_the_limit_are_hung_up_on_until_one_is_done(
    endpoint: Endpoint, rung: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = [socket.create_connection(("127.0.0.1", endpoint.port), 10) for _ in range(webhook.AT_ONCE)]
    with socket.create_connection(("127.0.0.1", endpoint.port), 10) as one_more:
        assert one_more.recv(1) == b""
    for line in silent:
        line.close()
    while endpoint._free._value < webhook.AT_ONCE:
        pass
    assert call(endpoint, X_Hitl_Secret=SECRET) == 202


def test_a_port_that_is_taken_is_told(endpoint: Endpoint) -> None:
    with pytest.raises(HitlError, match="give another --port"):
        Endpoint("127.0.0.1", endpoint.port, SECRET, list)


@pytest.mark.parametrize(
    ("value", "says"), [("", "is not set"), ("short", "has only 5 characters"), ("é" * 40, "header")]
)
def test_a_secret_that_is_none_is_told_without_a_word_of_it(
    value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ParamsError, match=says) as caught:
        webhook.secret()
    assert not value or value not in str(caught.value)
