"""Serving `advance` by Prefect's runner: each run is a process of its own, and never are there two at once."""

import asyncio
from contextlib import suppress

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
    """Register `advance` of the workspace on `schedule` and run it when it is due; returns on Ctrl-C and SIGTERM.

    Registering takes back the runs that were planned before: days in which nobody served are not made up for.
    """
    root = workspace.root.resolve()
    runner = StoppableRunner(name=root.name, pause_on_shutdown=True)
    runner.add_flow(
        advance,
        name=root.name,
        schedules=[schedule],
        parameters={"workspace": str(root)},
        # A run that is due while another works would find nothing to do: it is dropped, not queued.
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(runner.serve())


def cron(line: str, timezone: str) -> Schedule:
    """The times at which a cron line is due, read in an IANA time zone."""
    return Cron(line, timezone=timezone)
