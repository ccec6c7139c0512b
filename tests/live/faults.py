"""A way to a real server on which answers get lost: what is asked arrives, and is done, and nobody hears of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx


@dataclass
class Way:
    """Stands before the server at `to`. What is posted to a path that ends so is done, and `faults` says what follows.

    `lost`: the line is cut; `500`: the answer says that it was not. Without a fault left, the answer comes through.
    """

    to: str
    ends: str
    faults: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def on_the_way(way: Way) -> Iterator[Way]:
    """The way, open: at `url`."""

    class Passing(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            answer = httpx.request(
                self.command, way.to + self.path, content=body, headers=kept, timeout=120, trust_env=False
            )
            path = self.path.partition("?")[0]
            fault = way.faults.pop(0) if self.command == "POST" and path.endswith(way.ends) and way.faults else ""
            if fault == "lost":
                self.close_connection = True
                return
            self._tell(500 if fault == "500" else answer.status_code, b"{}" if fault == "500" else answer.content)

        def _tell(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _pass  # noqa: N815 - as http.server has them

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Passing) as server:
        way.url = f"http://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield way
        finally:
            server.shutdown()
