"""The endpoint that a labeling tool calls after an answer: it checks a shared secret, and rings.

What it is sent is not read. Whoever knows the secret can make us look at the tool's server earlier, and nothing else.
"""

import hashlib
import hmac
import logging
import os
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hitl.errors import HitlError, ParamsError

log = logging.getLogger("hitl")
VARIABLE = "HITL_WEBHOOK_SECRET"
HEADER = "X-Hitl-Secret"
MINIMUM = 32
"""Characters of a secret. One as the message proposes has 64 hexadecimal digits: 256 bits."""
PATIENCE = 5.0
"""Seconds that a caller may take for each part of what it says."""
AT_ONCE = 16
"""Callers that are heard at one time; others are hung up on."""
_PASSED_OVER = 1 << 24
"""Bytes of a body that are passed over before the line is cut."""
_PART = 1 << 16


def secret() -> str:
    """The shared secret, out of the environment; raises ParamsError, without a word of it, when there is none."""
    found = os.environ.get(VARIABLE, "").strip()
    if len(found) >= MINIMUM and found.isascii() and found.isprintable():
        return found
    says = f"has only {len(found)} characters of at least {MINIMUM}" if found else "is not set"
    if len(found) >= MINIMUM:
        says = "holds a character that cannot stand in a header"
    raise ParamsError(
        f"webhooks want a shared secret in the environment, and {VARIABLE} {says}; make one and keep it outside the "
        'workspace: python -c "import secrets; print(secrets.token_hex(32))"'
    )


class Endpoint(ThreadingHTTPServer):
    """Listens at `host` and `port` (0: any that is free), and calls `ring` for every call with the right secret.

    Raises HitlError when the port is taken.
    """

    daemon_threads = True

    def __init__(self, host: str, port: int, secret: str, ring: Callable[[], object]) -> None:
        self.digest, self.ring = _digest(secret), ring
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Call)
        except OSError as error:
            raise HitlError(f"{host}:{port} cannot be listened at ({error.strerror}): give another --port") from error

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver has it
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002
        log.debug("a caller hung up")


class _Call(BaseHTTPRequestHandler):
    """One call: POST with the secret is accepted, everything else refused."""

    server: Endpoint
    timeout = PATIENCE
    server_version, sys_version = "hitl", ""

    def do_POST(self) -> None:
        """Ring, answer, and only then pass over the body."""
        given = self.headers.get_all(HEADER, [])
        if len(given) != 1:
            self._answer(HTTPStatus.UNAUTHORIZED)
        elif not hmac.compare_digest(_digest(given[0]), self.server.digest):
            self._answer(HTTPStatus.FORBIDDEN)
        else:
            self.server.ring()
            self._answer(HTTPStatus.ACCEPTED)

    def _answer(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()
        # A line that is cut with words still on it loses the answer, too.
        sent = self.headers.get("Content-Length", "")
        left = min(int(sent), _PASSED_OVER) if sent.isascii() and sent.isdigit() else 0
        while left > 0 and (part := self.rfile.read(min(left, _PART))):
            left -= len(part)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server has it
        """Nothing: a stranger's words are no line of ours."""


def _digest(text: str) -> bytes:
    """Of one length whatever the text's is, so that comparing tells nothing of it."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()
