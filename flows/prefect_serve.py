"""Serving `advance` by Prefect's runner: each run is a process of its own, and never are there two at once."""

import asyncio
from contextlib import suppress
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import EntrypointType
from prefect.runner import Runner
from prefect.schedules import Cron, Schedule

from flows.prefect_flows import advance
from hitl.layout import Workspace


class StoppableRunner(Runner):
    """A runner that ends on SIGTERM as on Ctrl-C: Prefect's own leaves at once, with its schedule still on."""

    async def serve(self) -> None:
        """Run what is due until cancelled."""
        self._serving = (asyncio.get_running_loop(), asyncio.current_task())
        await self.start()

    def handle_sigterm(self, *_: object) -> None:
        """Cancel `serve`, which then puts everything in order."""
        # Raising SIGINT would not do: what a shell starts in its background ignores it.
        loop, serving = self._serving
        if serving:
            loop.call_soon_threadsafe(serving.cancel)


def serve(workspace: Workspace, schedule: Schedule) -> None:
    """Register `advance` of the workspace on `schedule` and run it when it is due; returns on Ctrl-C and SIGTERM."""
    runner, _ = registered(workspace, schedule)
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(runner.serve())


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
