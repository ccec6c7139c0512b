"""The schedule: `advance` as a Prefect deployment, served in the foreground or described in prefect.yaml."""

import json
import os
import time
from contextlib import suppress

from flows import servers, services
from hitl.layout import Workspace
from hitl.params import Schedule
from hitl.visible import clipped
from tasks import journal
from tasks.edges.lock import locked
from tasks.version import OURS

POOL = "hitl"
LOOK = 5.0
"""Seconds between two looks whether a server that went away is back."""


def serve(workspace: Workspace, *, tell: services.Tell = lambda _: None) -> None:
    """Register the deployment `advance/WORKSPACE` on the schedule of params.yaml, and run it until told to stop.

    Uses the server at PREFECT_API_URL, else the workspace's own, which is started where it is not up; a server that
    goes away is waited for, or started again. Ctrl-C and SIGTERM end it; the schedule is paused then, so that nothing
    piles up while nobody serves. Raises MomentError where the workspace is served already.
    """
    schedule = journal.params(workspace).schedule
    elsewhere = os.environ.get("PREFECT_API_URL")
    # Here Prefect's log is the output: what ran, when, and how it ended.
    os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "INFO"
    with suppress(KeyboardInterrupt), locked(workspace, "serve", place="serving"):
        while True:
            url = _there(elsewhere, tell) if elsewhere else _ours(workspace, tell)
            os.environ["PREFECT_API_URL"] = url
            from flows import prefect_serve

            tell(f"advance is due at {schedule.cron} ({schedule.timezone}), by {url}; Ctrl-C ends this")
            try:
                prefect_serve.serve(workspace, prefect_serve.cron(schedule.cron, schedule.timezone), url)
            except prefect_serve.ServerLost as why:
                tell(clipped(f"Prefect at {url} is gone, and served again when it is back: {why}", 300))
            else:
                return


def _there(url: str, tell: services.Tell) -> str:
    """The address of somebody else's server, once it answers."""
    if not servers.responds(f"{url.rstrip('/')}/health"):
        tell(f"PREFECT_API_URL={url} does not answer yet: waiting for it")
        while not servers.responds(f"{url.rstrip('/')}/health"):
            time.sleep(LOOK)
    return url


def _ours(workspace: Workspace, tell: services.Tell) -> str:
    """The address of the workspace's own server, which is started where it is not up."""
    return str(services.up(workspace, names=("prefect",), tell=tell).api_url)


def prefect_yaml(name: str, schedule: Schedule) -> str:
    """The text of a prefect.yaml for the workspace called `name`: the same deployment, for workers of a pool."""
    return f"""\
{OURS}. The schedule of params.yaml for a pool of Prefect workers, instead of hitl serve. In this folder:
#   prefect work-pool create --type process {POOL}
#   prefect --no-prompt deploy --all
#   prefect worker start --pool {POOL}
name: {json.dumps(name)}
pull:
  - prefect.deployments.steps.set_working_directory:
      directory: "{{{{ $PWD }}}}"
deployments:
  - name: {json.dumps(name)}
    entrypoint: flows.prefect_flows.advance
    parameters: {{workspace: "."}}
    work_pool: {{name: {POOL}}}
    schedules:
      - cron: {json.dumps(schedule.cron)}
        timezone: {json.dumps(schedule.timezone)}
        active: true
    concurrency_limit: {{limit: 1, collision_strategy: CANCEL_NEW}}
"""
