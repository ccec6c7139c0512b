"""The demo: whole rounds on real handwritten digits, every named tool doing its real part. Goes on where it stopped."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from flows import engine, services, start
from hitl import outcome
from hitl.curve import CurvePoint, learning_curve
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.report import terminal
from hitl.state import Phase, RoundState
from tasks import compare, journal, simulate
from tasks.edges.lock import locked

MESSY_ROUND = "r0003"
Tell = Callable[[str], None]


def run(workspace: Workspace, *, rounds: int, wanted: engine.EngineName, tell: Tell) -> tuple[Facts, str]:
    """Run the workspace up to `rounds` closed rounds; returns what they reached, and the same in words."""
    tell(f"making a workspace of handwritten digits in {workspace.root}")
    start.from_digits(workspace)
    if len(compare.means(workspace)) < rounds:
        tell("learning from random items first, to compare with (5 seeds)")
        with locked(workspace, "demo"):
            compare.compare(workspace, rounds=rounds)
    if _closed(workspace) < rounds:
        _served(workspace, rounds, wanted, tell)
    return _reached(workspace)


def _served(workspace: Workspace, rounds: int, wanted: engine.EngineName, tell: Tell) -> None:
    """The rounds, under one Prefect server for the whole run where Prefect is wanted."""
    ours = wanted == "prefect" and services.find(workspace) is None
    if ours:
        services.up(workspace, names=("prefect",), tell=tell)
    try:
        while _closed(workspace) < rounds:
            _round(workspace, wanted, tell)
    finally:
        if ours:
            services.down(workspace)


def _round(workspace: Workspace, wanted: engine.EngineName, tell: Tell) -> None:
    current = cast(RoundState, journal.read(workspace).current)
    if current.phase in (Phase.OPENING, Phase.CLOSED) or len(journal.read(workspace).rounds) == 1:
        engine.perform("open", workspace, wanted, tell=tell)
        current = cast(RoundState, journal.read(workspace).current)
    if current.phase is Phase.AWAITING and current.accepted < current.expected:
        with locked(workspace, "simulate"):
            answers = simulate.simulate(workspace, messy=current.id == MESSY_ROUND)
        for given in answers:
            rows = cast(dict[str, int], given.receipt["rows"])
            if rows["quarantined"]:
                held = f"{rows['quarantined']} of {rows['delivered']} rows held"
                tell(f"{current.id} {given.receipt['file']}: {held}, redo asked for")
    engine.perform("close", workspace, wanted, tell=tell)
    tell(_said(workspace, current.id))


def _said(workspace: Workspace, name: str) -> str:
    facts = outcome.closed(journal.read(workspace), name, journal.params(workspace))
    return (
        f"{name} closed: {facts['labels']} labels, {facts['metric']} {facts['value']:.4f} "
        f"({facts['low']:.4f} to {facts['high']:.4f}), {facts['verdict']}; {facts['amount']} {facts['currency']}"
    )


def _reached(workspace: Workspace) -> tuple[Facts, str]:
    state, metric = journal.read(workspace), journal.params(workspace).evaluate.metric
    points, means = learning_curve(state, metric), compare.means(workspace)
    random = [CurvePoint("", round(one["labels"]), one["value"], one["low"], one["high"]) for one in means]
    last = state.closed[-1].id
    report = workspace.round(last) / "report.html"
    chosen = points[-1]
    beside = means[len(points) - 2]
    drawn = terminal.curve(
        points, random=random, metric=metric, encoding=sys.stdout.encoding, colour=sys.stdout.isatty()
    )
    hitl = f"{_command()} -C {_near(workspace.root)}"
    text = [
        drawn,
        "",
        f"{chosen.labels} labels chosen by hitl: {metric} {chosen.value:.4f} ({chosen.low:.4f} to {chosen.high:.4f})",
        f"{round(beside['labels'])} labels chosen at random: {metric} {beside['value']:.4f} "
        f"(mean of {round(beside['seeds'])} runs, {beside['low']:.4f} to {beside['high']:.4f})",
        "",
        f"report:  {_near(report)}",
        f"models:  {hitl} up      (the pages of MLflow and Prefect; {hitl} down stops them)",
        f"next:    {hitl} status",
    ]
    facts: Facts = {
        "workspace": str(workspace.root),
        "metric": metric,
        "curve": [
            {"round": p.round, "labels": p.labels, "value": p.value, "low": p.low, "high": p.high} for p in points
        ],
        "random": means,
        "report": str(report),
    }
    return facts, "\n".join(text)


def _near(path: Path) -> str:
    """The path as a person in the current folder would type it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _command() -> str:
    """How this person calls `hitl`: by its name where the shell finds it, else by its path."""
    found = shutil.which("hitl")
    return "hitl" if found and Path(found).samefile(sys.argv[0]) else _near(Path(sys.argv[0]).absolute())


def _closed(workspace: Workspace) -> int:
    """Closed rounds that asked people: all but the baseline."""
    return max(0, len(journal.read(workspace).closed) - 1)
