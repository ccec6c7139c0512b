"""The flows as Prefect has them: the bodies of `flows.rounds`, each step a task.

What Prefect comes to store are the workspace's path, round ids, and each step's facts: digests, counts, file names.
A server that is gone, or hangs, fails no flow: the steps go on, and what it cannot be told is dropped.
Flows are plain functions, not async: Ctrl-C stops a step at once, and a scheduled run's heart beats while one works.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from httpx import HTTPError
from prefect import Flow, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.events.worker import EventsWorker
from prefect.futures import PrefectFuture
from prefect.logging.handlers import APILogWorker
from prefect.runtime import flow_run
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    temporary_settings,
)
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from flows import prefect_artifacts, servers
from flows.engine import DELAYS, LOOKED_EVERY, FlowName, Outcome, direct, play
from flows.rounds import Step
from hitl.errors import HitlError, MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.state import Phase
from hitl.visible import clipped, escaped
from tasks import journal
from tasks.edges.runner import VARIABLE, runner
from tasks.shares import Part, Share, unwanted_on_failure

FLOW_RUN = "PREFECT__FLOW_RUN_ID"
LAST_WORDS = 10.0
"""Seconds that logs, and then events, may take to reach the server after a flow; the rest is dropped."""
TOLD = 300
"""Characters of a trouble of Prefect's that a person is told."""
LOGGED = 2000
"""Characters of a step's facts that go to Prefect's log."""
DIED = ("BrokenProcessPool", "KilledWorker")
"""What task runners raise when a process died: the pool of processes at once, Dask when a share was lost too often."""
log = logging.getLogger("hitl")


def _named(verb: str) -> Callable[[], str]:
    """What a flow run is called: the round in hand and what is done to it, such as `r0003 open`."""

    def name() -> str:
        try:
            state = journal.read(Workspace(Path(flow_run.parameters["workspace"])))
        except HitlError:  # The flow itself will say it.
            return verb
        last = state.rounds[-1]
        return f"{state.next_round if last.phase is Phase.CLOSED and verb != 'close' else last.id} {verb}"

    return name


@flow(name="open round", flow_run_name=_named("open"), persist_result=False, result_serializer="json")
def open_round(workspace: str) -> Outcome:
    """Train, score the pool, select the batch, export the pack."""
    return _played("open", workspace)


@flow(name="close round", flow_run_name=_named("close"), persist_result=False, result_serializer="json")
def close_round(workspace: str, partial: bool = False) -> Outcome:
    """Validate the annotations, resolve the labels, retrain, evaluate, promote, report."""
    return _played("close", workspace, partial=partial)


@flow(name="advance", flow_run_name=_named("advance"), persist_result=False, result_serializer="json")
def advance(workspace: str) -> Outcome:
    """Do whatever is due. The scheduled entry point."""
    return _played("advance", workspace)


FLOWS: dict[FlowName, Flow[..., Outcome]] = {"open": open_round, "close": close_round, "advance": advance}


@dataclass(slots=True)
class _Body:
    """How far the body of the flow in hand came: what it returned, or what it raised."""

    outcome: Outcome | None = None
    error: Exception | None = None


_body: ContextVar[_Body] = ContextVar("_body")


def perform(
    name: FlowName, workspace: Workspace, api_url: str | None, *, tell: Callable[[str], None], **options: bool
) -> Outcome:
    """Run a flow against the server at `api_url`, or against one that lives as long as this process.

    Returns what the flow's body returns and raises what it raises, also where Prefect fails around it; a body that
    Prefect failed before it began is run by plain calls. `tell` is told of that.
    """
    # A flow waits a second for its heartbeat to end, and a command needs none: whoever started it sees it live.
    settings = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_CLIENT_MAX_RETRIES: 0}
    settings |= {PREFECT_API_URL: api_url} if api_url else {}
    body, lost = _Body(), False
    token = _body.set(body)
    try:
        with temporary_settings(settings):
            try:
                return FLOWS[name](workspace=str(workspace.root.resolve()), **options)
            except Exception as error:  # noqa: BLE001 - whatever ails Prefect fails no round
                if body.error is not None:
                    raise body.error from None
                lost = True
                tell(clipped(f"Prefect failed, and the steps go on without it: {type(error).__name__}: {error}", TOLD))
            finally:
                # What is still to be told to the server is told now: whoever called may stop it next.
                _drain(seconds=0.0 if lost else LAST_WORDS)
    finally:
        _body.reset(token)
    return play(name, workspace, direct, **options) if body.outcome is None else body.outcome


def _drain(*, seconds: float) -> None:
    """Have logs and events sent within `seconds` each, and drop what was not: Prefect itself would wait for ever."""
    for service in (APILogWorker, EventsWorker):
        sending = [(one._loop, one._task) for one in tuple(service._instances.values())]  # noqa: SLF001 - no other handle
        _, late = service.drain_all(timeout=seconds, at_exit=False)
        for loop, work in sending if late else ():
            loop.call_soon_threadsafe(work.cancel)


class Tasks:
    """Each step as a task of Prefect's, and each share of the pool as one within."""

    def __call__(self, name: str, step: Step, workspace: Workspace, round_id: str, *, retries: int = 0) -> Facts:
        """Call `step` as a task called `name`, again up to `retries` times where the world failed it."""

        def called(round_id: str) -> Facts:
            facts = step(workspace, round_id)
            _note(facts)
            return facts

        text = step.func.__doc__ if isinstance(step, partial) else step.__doc__
        return _task(called, name, f"{name} ({round_id})", text, retries)(round_id)

    def each(
        self,
        part: Part,
        workspace: Workspace,
        round_id: str,
        shares: Sequence[Share],
        told: Callable[[], str | None],
    ) -> list[Facts]:
        """Map `part` over the shares, on the task runner that HITL_RUNNER names; it lives as long as this takes."""

        def called(share: Share) -> Facts:
            facts = part(workspace, round_id, share)
            _note(facts)
            return facts

        named = f"Score share {{share.number}} of {len(shares)} ({round_id})"
        mapped = _task(called, "Score a share", named, part.__doc__)
        with _task_runner() as running, unwanted_on_failure(shares):
            futures = _submitted(running, mapped, shares)
            pending = list(futures)
            while pending:
                pending[0].wait(timeout=LOOKED_EVERY)
                done = [one for one in pending if one.wrapped_future.done()]
                for one in done:
                    _result(one)
                    pending.remove(one)
                if line := told():
                    log.info("%s", line)
                    get_run_logger().info(line)
            return [_result(one) for one in futures]


run = Tasks()


def _task(
    act: Callable[..., Facts], name: str, run_name: str, description: str | None, retries: int = 0
) -> Task[..., Facts]:
    """`act` as a task of which Prefect keeps no result."""
    return task(
        name=name,
        task_run_name=run_name,
        description=description,
        retries=retries,
        retry_delay_seconds=list(DELAYS[:retries]),
        retry_condition_fn=_by_the_world,
        cache_policy=NO_CACHE,
        persist_result=False,
        result_serializer="json",
    )(act)


def _task_runner() -> TaskRunner[PrefectFuture[Facts]]:
    wanted = runner()
    if wanted.kind == "threads":
        return ThreadPoolTaskRunner(max_workers=wanted.at_once)
    if wanted.kind == "processes":
        return ProcessPoolTaskRunner(max_workers=wanted.at_once)
    from prefect_dask import DaskTaskRunner  # an extra of ours

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if wanted.address:
        return DaskTaskRunner(address=wanted.address)
    cluster = {"n_workers": wanted.at_once, "threads_per_worker": 1, "dashboard_address": None}
    return DaskTaskRunner(cluster_kwargs=cluster)


def _submitted(
    running: TaskRunner[PrefectFuture[Facts]], mapped: Task[..., Facts], shares: Sequence[Share]
) -> list[PrefectFuture[Facts]]:
    try:
        return list(running.map(mapped, {"share": list(shares)}))
    except OSError as error:
        told = clipped(str(error), TOLD)
        raise MomentError(f"nothing takes shares of the pool: {told}; start it, or set {VARIABLE} otherwise") from error


def _result(future: PrefectFuture[Facts]) -> Facts:
    try:
        return future.result()
    except Exception as error:
        if type(error).__name__ not in DIED:
            raise
        raise HitlError(
            f"a process that scored a share of the pool died ({clipped(str(error), TOLD)}); is there memory enough "
            f"for so many at once ({VARIABLE})? Run the command again"
        ) from error


def _note(facts: Facts) -> None:
    get_run_logger().info(escaped(json.dumps(facts, ensure_ascii=False, default=str)[:LOGGED]))


def _by_the_world(_: Task[..., object], __: TaskRun, state: State[object]) -> bool:
    """An error of ours is an answer: the same step would give it again."""
    return not isinstance(state.data, HitlError)


def _played(name: FlowName, workspace: str, **options: bool) -> Outcome:
    here = Workspace(Path(workspace).resolve())
    body = _body.get(None) or _Body()
    with _signed():
        try:
            body.outcome = outcome = play(name, here, run, **options)
        except Exception as error:
            body.error = error
            raise
    # The round is what it is: a picture of it that cannot be taken must not make it look failed.
    if not servers.responds(f"{PREFECT_API_URL.value()}/health"):
        _drain(seconds=0.0)
        return outcome
    try:
        prefect_artifacts.publish(here, journal.read(here))
    except HTTPError as error:
        get_run_logger().warning("no artifacts: %s", error)
    return outcome


@contextmanager
def _signed() -> Iterator[None]:
    """Let steps know the flow run they work in, as they do in a process that Prefect itself started."""
    before = os.environ.get(FLOW_RUN)
    os.environ[FLOW_RUN] = str(flow_run.id)
    try:
        yield
    finally:
        os.environ.pop(FLOW_RUN)
        if before is not None:
            os.environ[FLOW_RUN] = before
