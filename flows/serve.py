"""The schedule: `advance` as a Prefect deployment, served in the foreground or described in prefect.yaml."""

import json
import os

from flows import services
from hitl.layout import Workspace
from hitl.params import Schedule
from tasks import journal
from tasks.version import OURS

POOL = "hitl"


def serve(workspace: Workspace, *, tell: services.Tell = lambda _: None) -> None:
    """Register the deployment `advance/WORKSPACE` on the schedule of params.yaml, and run it until told to stop.

    Uses the server at PREFECT_API_URL, else the workspace's own, which is started where it is not up. Ctrl-C and
    SIGTERM end it; the schedule is paused then, so that nothing piles up while nobody serves.
    """
    schedule = journal.params(workspace).schedule
    url = os.environ.get("PREFECT_API_URL") or services.up(workspace, names=("prefect",), tell=tell).api_url
    os.environ["PREFECT_API_URL"] = str(url)
    # Here Prefect's log is the output: what ran, when, and how it ended.
    os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "INFO"
    from flows import prefect_serve

    tell(f"advance is due at {schedule.cron} ({schedule.timezone}), by {url}; Ctrl-C ends this")
    prefect_serve.serve(workspace, prefect_serve.cron(schedule.cron, schedule.timezone))


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
