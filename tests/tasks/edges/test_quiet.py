import os

import pytest

from tasks.edges.quiet import SWITCHES, quiet


def test_every_switch_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SWITCHES:
        monkeypatch.delenv(name, raising=False)
    quiet()
    assert {name: os.environ[name] for name in SWITCHES} == dict(SWITCHES)


def test_what_the_user_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_LOGGING_LEVEL", "DEBUG")
    quiet()
    assert os.environ["PREFECT_SERVER_LOGGING_LEVEL"] == "DEBUG"


def test_mlflow_obeys_only_the_word_true() -> None:
    assert SWITCHES["DO_NOT_TRACK"] == "true"
