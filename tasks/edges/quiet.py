"""Nothing calls home and nothing chatters: the off switches of all our tools in one place. Imports none of them.

Call `quiet` before the first import of Prefect, MLflow, DVC or Great Expectations: some read their switches only then.
"""

import os
from collections.abc import Mapping

SWITCHES: Mapping[str, str] = {
    # Calling home. MLflow takes only the word "true" for DO_NOT_TRACK; Prefect's server has a switch of its own.
    "DO_NOT_TRACK": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    # A dead tracking server answers "no" at once instead of after minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    # A Prefect server that hangs is given up within seconds, where Prefect would wait six minutes for each call.
    "PREFECT_API_REQUEST_TIMEOUT": "10",
    "PREFECT_CLIENT_MAX_RETRIES": "1",
    # Chatter. Prefect's UI still gets every log line: only its console is silenced, ours says what a person must know.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_CLI_PROMPT": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "TQDM_DISABLE": "1",
    # Results are never kept by Prefect; were they, as JSON: its pickles run code when they are read.
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    # An embedded server needs more than Prefect's 20 s on a busy machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}
"""Environment variables and what each is set to unless the user set it."""


def quiet() -> None:
    """Set every switch that is not set yet, for this process and those it starts."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
