"""How a labeling tool's server is spoken to: bounded in time and size, repeated only where that can do no harm."""

import ipaddress
import json
import logging
import os
import ssl
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal

import httpx

from hitl.errors import HitlError, ParamsError
from hitl.visible import clipped, visible

log = logging.getLogger("hitl")

CONNECT, PATIENCE = 5.0, 60.0
"""Seconds to reach a server, and in which it must say something."""
LONGEST = 600.0
"""Seconds after which an answer that still trickles in is given up."""
LARGEST = 1 << 30
"""Bytes of an answer that are read."""
PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each repetition of a request that may be repeated."""
_PASSING = frozenset({429, 502, 503, 504})
_SHOWN = 300


class Failed(HitlError):
    """The server answered that it could not, or would not; `status` is its word for it."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    @property
    def may_have_happened(self) -> bool:
        """Whether the server may have done all the same what it was asked to do: Label Studio does."""
        return self.status >= 500


class Silent(HitlError):
    """The server did not answer, or not to the end; what it was asked to do may have happened, or happen yet."""


@dataclass(frozen=True)
class Server:
    """A server at `url` of the tool called `title`; requests carry what `auth` says. `told` advises about a refusal."""

    title: str
    url: str
    auth: httpx.Auth | None = None
    told: str = ""
    wait: Callable[[float], object] = time.sleep

    def get(self, path: str, **asked: Any) -> Any:  # noqa: ANN401 - JSON
        """The JSON at `path`; asked for again where the server is not there, or busy."""
        return _json(self, "GET", path, self.send("GET", path, repeat=True, params=asked or None))

    def post(self, path: str, body: Any = None, **asked: Any) -> Any:  # noqa: ANN401
        """What the server answers to `body`, sent once and never again."""
        return _json(self, "POST", path, self.send("POST", path, json=body, params=asked or None))

    def patch(self, path: str, body: Any) -> Any:  # noqa: ANN401
        """What the server answers when a thing is set to what `body` says, which may be said again."""
        return _json(self, "PATCH", path, self.send("PATCH", path, repeat=True, json=body))

    def delete(self, path: str) -> None:
        """Take the thing at `path` away, if it is there."""
        try:
            self.send("DELETE", path, repeat=True)
        except Failed as why:
            if why.status != 404:
                raise

    def send(
        self,
        method: Literal["GET", "POST", "PATCH", "DELETE"],
        path: str,
        *,
        repeat: bool = False,
        **request: Any,  # noqa: ANN401
    ) -> bytes:
        """The body of the answer to one request. `repeat`: it may be sent again where it did not get through.

        Raises Failed for an answer that is no success, and Silent where none came; both name the URL and what to do.
        """
        for pause in PAUSES if repeat else ():
            try:
                return self._once(method, path, request)
            except Failed as why:
                if why.status not in _PASSING:
                    raise
                log.info("%s; again in %s s", why, pause)
            except Silent as why:
                log.info("%s; again in %s s", why, pause)
            self.wait(pause)
        return self._once(method, path, request)

    def _once(self, method: str, path: str, request: Mapping[str, Any]) -> bytes:
        asked = f"{self.title}: {method} {self.url}{path}"
        until = time.monotonic() + LONGEST
        try:
            with self.client.stream(method, path.lstrip("/"), **request) as answer:
                parts, size = [], 0
                for part in answer.iter_bytes():
                    size += len(part)
                    if size > LARGEST or time.monotonic() > until:
                        limit = f"{LARGEST >> 20} MB" if size > LARGEST else f"{LONGEST:.0f} s"
                        raise Silent(f"{asked} went on beyond {limit}; it was given up")
                    parts.append(part)
                data = b"".join(parts)
        except httpx.HTTPError as error:
            raise Silent(
                f"{asked} was not answered ({_cause(error)}); is the server up, and is that its address?"
            ) from error
        if answer.is_success:
            return data
        raise Failed(
            f"{asked} answered {answer.status_code}: {_said(data)}; {self._advice(answer.status_code)}",
            answer.status_code,
        )

    def _advice(self, status: int) -> str:
        if status in (401, 403):
            return self.told
        if 300 <= status < 400:
            return "a redirection is not followed, for it would carry the token elsewhere: give the final address"
        if status == 404:
            return "look whether the project is there, and the address right"
        if status >= 500 or status in _PASSING:
            return "look into the server's log; the command may be run again: nothing is sent twice"
        return "what was sent does not suit this server"

    @cached_property
    def client(self) -> httpx.Client:
        """What the requests go through."""
        return httpx.Client(
            base_url=self.url + "/",
            auth=self.auth,
            timeout=httpx.Timeout(PATIENCE, connect=CONNECT),
            headers={"User-Agent": "hitl", "Accept": "application/json"},
            trust_env=not _is_here(self.url),  # never through a proxy: a loopback address means this machine
            # The machine's own certificates: a firm's server is signed by the firm.
            verify=ssl.create_default_context(),
            # With a session beside the token, Django would want a CSRF token as well.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )


def address(variable: str, title: str, given: str | None = None) -> str:
    """The address of a tool's server: `given`, or what the environment has under `variable`.

    Raises ParamsError where there is none, or it is no http(s) URL, or has a password in it.
    """
    url = (given or os.environ.get(variable, "")).strip().rstrip("/")
    if not url:
        raise ParamsError(f"where is {title}? set {variable} (for example http://127.0.0.1:8080), or give --url")
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ParamsError(f"{visible(url)!r} is no address of a server: give one such as https://labels.example.org")
    if parts.username or parts.password:
        raise ParamsError(f"the address of {title} has a password in it: put what it wants into the environment")
    if parts.scheme == "http" and not _is_here(url):
        log.warning("%s is spoken to without encryption: whoever is on the way reads the token (use https)", url)
    return url


def secret(variable: str, title: str, meaning: str) -> str:
    """What the environment has under `variable`; raises ParamsError where it has nothing."""
    found = os.environ.get(variable, "").strip()
    if not found:
        raise ParamsError(f"{title} wants {meaning} in the environment, and {variable} is not set")
    if not found.isascii() or not found.isprintable() or " " in found:
        raise ParamsError(f"{variable} holds a character that no {meaning} has: copy it anew")
    return found


def _json(server: Server, method: str, path: str, data: bytes) -> Any:  # noqa: ANN401
    try:
        return json.loads(data) if data else None
    except ValueError as error:
        raise Failed(
            f"{server.title}: {method} {server.url}{path} did not answer with JSON ({_said(data)}); "
            f"is this the address of {server.title}?",
            200,
        ) from error


def _said(data: bytes) -> str:
    """What a server says went wrong, as short as it can be shown."""
    text = data.decode(errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
        return clipped(visible(" ".join(text.split())), _SHOWN) or "nothing"
    if isinstance(found, dict):
        found = {name: found[name] for name in ("detail", "validation_errors") if found.get(name)} or found
        found = next(iter(found.values())) if len(found) == 1 else found
    return clipped(visible(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)), _SHOWN)


def _cause(error: BaseException) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "time was up"
    return clipped(visible(str(error) or type(error).__name__), _SHOWN)


def _is_here(url: str) -> bool:
    """Whether an address means this machine."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
