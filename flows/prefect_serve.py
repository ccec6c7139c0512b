"""Serving `advance` by Prefect's runner: each run is a process of its own, and never are there two at once."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

from httpx import HTTPError, HTTPStatusError
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import EntrypointType
from prefect.runner import Runner
from prefect.schedules import Cron, Schedule
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.prefect_flows import advance
from hitl.layout import Workspace


class ServerLost(Exception):
    """The Prefect server is gone, or does not answer any more."""


class StoppableRunner(Runner):
    """A runner that ends on SIGTERM as on Ctrl-C: Prefect's own leaves at once, with its schedule still on."""

    async def serve(self) -> None:
        """Run what is due until cancelled."""
        ours = asyncio.current_task()
        self._serving = (asyncio.get_running_loop(), ours)
        try:
            await self.start()
        except HTTPError as error:
            if ours and ours.cancelling():  # it is to end, and the server cannot be told so
                raise asyncio.CancelledError from error
            raise
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # nobody is left who could be cancelled

    def handle_sigterm(self, *_: object) -> None:
        """Cancel `serve`, which then puts everything in order."""
        # Raising SIGINT would not do: what a shell starts in its background ignores it.
        loop, serving = self._serving
        if serving:
            loop.call_soon_threadsafe(serving.cancel)


def serve(workspace: Workspace, schedule: Schedule, api_url: str) -> None:
    """Register `advance` of the workspace on `schedule` and run it when it is due; returns on Ctrl-C and SIGTERM.

    Raises ServerLost when the server stops answering, which ends Prefect's runner within a minute.
    """
    try:
        with suppress(KeyboardInterrupt, asyncio.CancelledError), temporary_settings({PREFECT_API_URL: api_url}):
            runner, _ = registered(workspace, schedule)
            asyncio.run(runner.serve())
    except Exception as error:
        if not any(map(_is_loss, _leaves(error))):
            raise
        raise ServerLost(f"{type(error).__name__}: {error}") from error


def registered(workspace: Workspace, schedule: Schedule) -> tuple[StoppableRunner, UUID]:
    """A runner for `advance` of the workspace, and the id of its deployment, which is new or as good as new.

    Runs that were planned before are taken back: days in which nobody served are not made up for. The slot that a
    killed run still holds is freed; were that run alive, the workspace's lock would keep the two apart.
    """
    root = workspace.root.resolve()
    runner = StoppableRunner(name=root.name, pause_on_shutdown=True)
    deployment = runner.add_flow(
        advance,
        name=root.name,
        schedules=[schedule],
        parameters={"workspace": str(root)},
        # A run that is due while another works would find nothing to do: it is dropped, not queued.
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    with get_client(sync_client=True) as client:
        client.update_global_concurrency_limit(limit_of(deployment), GlobalConcurrencyLimitUpdate(active_slots=0))
    return runner, deployment


def limit_of(deployment: UUID) -> str:
    """What Prefect calls the concurrency limit of a deployment."""
    return f"deployment:{deployment}"


def cron(line: str, timezone: str) -> Schedule:
    """The times at which a cron line is due, read in an IANA time zone."""
    return Cron(line, timezone=timezone)


def _is_loss(error: BaseException) -> bool:
    """Whether nobody answered, the server failed, or Prefect's runner gave it up."""
    if isinstance(error, HTTPStatusError):
        return bool(error.response.status_code >= 500)
    return isinstance(error, HTTPError) or str(error) == "Service exceeded error threshold."


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors that a group of errors is made of."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error
