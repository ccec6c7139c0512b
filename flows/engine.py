"""Which engine runs a flow: plain calls, or Prefect where a server answers. The steps and their results are the same.

Prefect is imported only when it is chosen.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from flows import servers, services
from hitl.errors import HitlError, MomentError, ParamsError
from hitl.layout import Workspace
from hitl.ledger import Facts
from tasks.edges import runner
from tasks.shares import Part, Share, unwanted_on_failure

if TYPE_CHECKING:
    from flows.rounds import Run, Step

FlowName = Literal["open", "close", "advance"]
EngineName = Literal["direct", "prefect"]
Outcome = str | list[str]

DELAYS = (1.0, 5.0, 15.0)
"""Seconds before the first, second and third repetition of a step that the world made fail."""
LOOKED_EVERY = 1.0
"""Seconds between two looks at how far shares of the pool are scored."""
log = logging.getLogger("hitl")


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs a flow, Prefect's address (None: a server that lives as long as the run), and what to say about it."""

    name: EngineName
    api_url: str | None = None
    note: str = ""


def choose(wanted: str, workspace: Workspace) -> Engine:
    """The engine for `wanted`: direct, prefect, or auto, which is Prefect where a server answers and direct elsewhere.

    Raises MomentError when Prefect is wanted and PREFECT_API_URL does not answer, ParamsError for an unknown engine.
    """
    if wanted not in ("auto", "prefect", "direct"):
        raise ParamsError(f"no engine is called {wanted!r}: there are auto, prefect, direct")
    if wanted == "direct":
        return Engine("direct")
    url = os.environ.get("PREFECT_API_URL")
    if url and servers.responds(f"{url.rstrip('/')}/health"):
        return Engine("prefect", url)
    if url and wanted == "prefect":
        raise MomentError(f"PREFECT_API_URL={url} does not answer: start that server, unset it, or use --engine direct")
    if url:
        return Engine("direct", note=f"PREFECT_API_URL={url} does not answer: the steps run as plain calls")
    found = services.find(workspace)
    if found and found.api_url:
        return Engine("prefect", found.api_url)
    if wanted == "prefect":
        return Engine("prefect", note="no server is up: Prefect starts its own for this run")
    ours = services.started(workspace).prefect
    return Engine("direct", note=f"Prefect at {ours.url} does not answer: the steps run as plain calls" if ours else "")


def perform(
    flow: FlowName, workspace: Workspace, wanted: str = "auto", *, tell: services.Tell = lambda _: None, **options: bool
) -> Facts:
    """Run `flow` to its end under the engine that is chosen for `wanted`; returns {engine, round} or {engine, done}.

    Errors of ours come out as they were raised, whatever the engine.
    """
    engine = choose(wanted, workspace)
    if engine.note:
        tell(engine.note)
    if engine.name == "direct":
        outcome = play(flow, workspace, direct, **options)
    else:
        if not os.environ.get("PREFECT_API_URL"):
            os.environ.setdefault("PREFECT_HOME", str(servers.home(workspace)))
        from flows import prefect_flows

        outcome = prefect_flows.perform(flow, workspace, engine.api_url, tell=tell, **options)
    return {"engine": engine.name, "round" if isinstance(outcome, str) else "done": outcome}


def play(flow: FlowName, workspace: Workspace, run: "Run", **options: bool) -> Outcome:
    """Run the body of `flow` with the workspace locked, each step by `run`."""
    from flows import rounds
    from tasks.edges.lock import locked

    body = {"open": rounds.open_round, "close": rounds.close_round, "advance": rounds.advance}[flow]
    with locked(workspace, flow):
        return cast(Outcome, body(workspace, run, **options))


class Direct:
    """Plain calls."""

    def __call__(self, name: str, step: "Step", workspace: Workspace, round_id: str, *, retries: int = 0) -> Facts:
        """Call `step`, again after a while where the world failed it; an error of ours is an answer, and final."""
        for delay in DELAYS[:retries]:
            try:
                return step(workspace, round_id)
            except HitlError:
                raise
            except Exception:
                time.sleep(delay)
        return step(workspace, round_id)

    def each(
        self,
        part: Part,
        workspace: Workspace,
        round_id: str,
        shares: Sequence[Share],
        told: Callable[[], str | None],
    ) -> list[Facts]:
        """Call `part` for each share in threads of this process, as many as there are processors or HITL_RUNNER says.

        Processes and Dask are Prefect's: where there is no server of it, there are threads.
        """
        wanted = runner.runner()
        if wanted.kind != "threads":
            log.info("%s=%s is Prefect's to do: by plain calls, threads score", runner.VARIABLE, wanted.kind)
        with ThreadPoolExecutor(wanted.at_once) as pool, unwanted_on_failure(shares):
            futures = [pool.submit(part, workspace, round_id, share) for share in shares]
            pending = set(futures)
            while pending:
                done, pending = wait(pending, timeout=LOOKED_EVERY, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                if line := told():
                    log.info("%s", line)
            return [future.result() for future in futures]


direct = Direct()
