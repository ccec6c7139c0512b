"""Webhooks as a trigger: a labeling tool calls, and `advance` looks at what it has."""

import threading
import time

from flows.engine import perform
from flows.services import Tell
from hitl.errors import HitlError
from hitl.layout import Workspace
from tasks.edges import webhook

QUIET = 1.0
"""Seconds in which calls that come together make one pull."""
AGAIN = 30.0
"""Seconds until an advance that failed is tried again, if nobody calls before."""


def listen(workspace: Workspace, host: str, port: int, *, engine: str = "auto", tell: Tell = lambda _: None) -> None:
    """Run `advance` whenever a call with the shared secret comes in, and once at the beginning; until told to stop."""
    rung = threading.Event()
    with webhook.Endpoint(host, port, webhook.secret(), rung.set) as endpoint:
        threading.Thread(target=endpoint.serve_forever, daemon=True).start()
        tell(f"listening at http://{host}:{endpoint.port}/ for calls with {webhook.HEADER}; Ctrl-C ends this")
        is_done = _advanced(workspace, engine, tell)
        while True:
            rung.wait(None if is_done else AGAIN)
            time.sleep(QUIET)
            rung.clear()  # before looking: a call from now on may be about what this look does not see
            is_done = _advanced(workspace, engine, tell)


def _advanced(workspace: Workspace, engine: str, tell: Tell) -> bool:
    try:
        done = perform("advance", workspace, engine, tell=tell)["done"]
    except HitlError as why:
        tell(f"{why}; tried again in {AGAIN:.0f} s")
        return False
    for line in done if isinstance(done, list) else []:
        tell(str(line))
    return True
