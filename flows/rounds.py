"""When: the order of a round's steps. Each body runs under any engine and goes on from wherever the ledger stands."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, cast

from hitl import due
from hitl.errors import DataError, GateError, MomentError
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts
from hitl.state import Phase, RoundState, may
from hitl.visible import clipped
from tasks import journal
from tasks.edges import runner
from tasks.edges.key import pseudonym_key
from tasks.shares import Part, Share

log = logging.getLogger("hitl")
TOLD = 300
"""Characters of a trouble with a server that a person is told."""
Step = Callable[[Workspace, str], Facts]


class Run(Protocol):
    """An engine: calls `step` under a name that a person understands, again up to `retries` times where it fails."""

    def __call__(self, name: str, step: Step, workspace: Workspace, round_id: str, *, retries: int = 0) -> Facts: ...

    def each(
        self,
        part: Part,
        workspace: Workspace,
        round_id: str,
        shares: Sequence[Share],
        told: Callable[[], str | None],
    ) -> list[Facts]:
        """Call `part` for each share, several at once, on what HITL_RUNNER says; ask `told` what there is to say."""
        ...


def open_round(workspace: Workspace, run: Run) -> str:
    """Train where needed, score, select, export; returns the open round. Goes on with an opening that was cut short.

    Where a rule of `stop` says that there are labels enough, that is said, and the round is opened: a person may always
    ask for more. Raises MomentError while a round waits for labels or is closing, GateError when the budget allows no
    batch.
    """
    _ready(workspace, run)
    enough = _enough(workspace)
    if enough:
        log.warning("%s", enough.why)
    return _opened(workspace, run)


def _ready(workspace: Workspace, run: Run) -> None:
    """Bring the workspace to where a round can be opened, or its opening gone on with."""
    from tasks import version

    version.ready(workspace)
    rebuild(workspace, run)
    _refuse_open(workspace)
    pseudonym_key(journal.params(workspace))  # said now, not when half a round is written
    runner.runner()
    _baseline(workspace, run)
    publish(workspace, run)


def _enough(workspace: Workspace) -> due.Stop | None:
    """Why there are labels enough for now; None where there are not, and in the middle of an opening, which goes on."""
    state = journal.read(workspace)
    is_between = cast(RoundState, state.current).phase is Phase.CLOSED
    return due.enough(journal.params(workspace), state) if is_between else None


def _opened(workspace: Workspace, run: Run) -> str:
    name = _begun(workspace)

    from tasks import export, score, select, train  # here, for they import scikit-learn, and a refusal is quick

    if train.stale(workspace, journal.read(workspace)):
        _once(workspace, run, name, "trained", "Train the model", train.train)
    _once(workspace, run, name, "scored", "Score the pool", partial(score.score, each=run.each))
    _once(workspace, run, name, "selected", "Select the batch", select.select)
    _once(workspace, run, name, "exported", "Export the pack", export.export)
    return name


def close_round(workspace: Workspace, run: Run, *, partial: bool = False) -> str:
    """Validate, resolve, retrain, evaluate, promote, report, version, track; returns the closed round.

    Goes on with a closing, a rebuilding or a publishing that was cut short. Raises MomentError when no round waits for
    labels, GateError when answers are missing and neither `partial` nor the deadline allows to go without them.
    """
    from tasks import version

    version.ready(workspace)
    rebuilt = rebuild(workspace, run)
    current = cast(RoundState, journal.read(workspace).current)
    if current.phase is Phase.CLOSED and (publish(workspace, run) or rebuilt) and current.id != BASELINE:
        return current.id
    name = _closing(workspace, partial=partial).id
    _complete(workspace, run, name)
    rebuild(workspace, run)
    publish(workspace, run)
    return name


def rebuild(workspace: Workspace, run: Run) -> list[str]:
    """Close anew, in order, the rounds that an undo made void; returns their names.

    Goes on with a rebuilding that was cut short. Then withdraws whom resolve.policy excludes, and rebuilds after that.
    """
    names = [one.id for one in journal.read(workspace).rebuilding]
    for name in names:
        _complete(workspace, run, name)
    return [*names, *rebuild(workspace, run)] if _excluded(workspace) else names


def _excluded(workspace: Workspace) -> bool:
    """Withdraw the answers of somebody whom the newest closed round finds suspicious, where params say so."""
    state = journal.read(workspace)
    newest = next((one for one in reversed(state.closed) if one.done("resolved")), None)
    if newest is None or newest.facts["resolved"].get("policy") != "exclude":
        return False
    from tasks import suspicion, undo

    for who, reason in suspicion.excluded(state, newest):
        found = undo.decide(workspace, "annotator", who, reason)
        if found is not None and may(state, "undone", found[0]) is None:
            journal.append(workspace, "undone", *found)
            log.info("%s: the answers of %s are withdrawn by resolve.policy", newest.id, clipped(who, TOLD))
            return True
    return False


def _complete(workspace: Workspace, run: Run, name: str) -> None:
    """The steps from a round's answers to its end, those that are not done yet."""
    from tasks import close, evaluate, promote, report, resolve, train, validate

    _once(workspace, run, name, "validated", "Validate the annotations", validate.validate)
    _once(workspace, run, name, "resolved", "Resolve the labels", resolve.resolve)
    _once(workspace, run, name, "trained", "Train the challenger", train.train)
    _once(workspace, run, name, "evaluated", "Evaluate the challenger", evaluate.evaluate)
    _once(workspace, run, name, "judged", "Compare with the champion", promote.promote)
    _once(workspace, run, name, "reported", "Write the report", report.report)
    _once(workspace, run, name, "closed", "Close the round", close.close)


def advance(workspace: Workspace, run: Run) -> list[str]:
    """Do whatever is due and end; returns what was done, in words. Never waits for people.

    Opens no round that a rule of `stop` says is not needed.
    """
    from tasks import inbox, version

    said: list[str] = []
    version.ready(workspace)
    said += [f"rebuilt {name}" for name in rebuild(workspace, run)]
    publish(workspace, run)
    said += _pulled(workspace)
    said += inbox.take(workspace)
    current = cast(RoundState, journal.read(workspace).current)
    if current.phase is Phase.AWAITING and due.why_not_close(
        current, journal.unchanged(workspace, current), journal.now()
    ):
        return said
    if current.phase in (Phase.AWAITING, Phase.CLOSING) and current.id != BASELINE:
        said.append(f"closed {close_round(workspace, run)}")
    try:
        _ready(workspace, run)
        enough = _enough(workspace)
        said.append(f"opened no round: {enough}" if enough else f"opened {_opened(workspace, run)}")
    except (GateError, DataError) as why:
        said.append(f"opened no round: {why}")
    return said


def _pulled(workspace: Workspace) -> list[str]:
    """What was finished at the labeling tools that the open round was pushed to."""
    current = cast(RoundState, journal.read(workspace).current)
    if current.phase is not Phase.AWAITING or not current.places:
        return []
    from tasks import pull  # here, for whoever uses no tool waits for no HTTP

    return pull.due(workspace, current)


def publish(workspace: Workspace, run: Run) -> bool:
    """Bring git, DVC and MLflow up to the ledger: every closed round has its commit, its tag and its run.

    Returns whether there was anything to bring, and it was brought. They are projections: what cannot be reached now is
    sent next time, and no round fails for it.
    """
    from tasks import track, version
    from tasks.edges.outbox import Unreachable

    brought = False
    for one in version.pending(workspace, journal.read(workspace)):
        run("Version the data", version.version, workspace, one, retries=2)
        brought = True
    state = journal.read(workspace)
    pushed = version.push(workspace, state)
    if pushed["error"]:
        remote, why = (clipped(str(pushed[key]), TOLD) for key in ("remote", "error"))
        last = state.closed[-1].version
        log.warning("%s is versioned here, and pushed to %s by the next hitl advance, for now: %s", last, remote, why)
    for one in track.pending(workspace, state):
        try:
            run("Track the round", track.track, workspace, one)
        except Unreachable as why:
            log.warning("%s stands; MLflow is told by the next hitl advance, for now: %s", one, clipped(str(why), TOLD))
            return brought
        brought = True
    try:
        track.repoint(workspace)
    except Unreachable as why:
        log.warning("MLflow is told of the rollback by the next hitl advance, for now: %s", clipped(str(why), TOLD))
    return brought


def _baseline(workspace: Workspace, run: Run) -> None:
    """The model of the initial set: round r0000, which asks nobody."""
    from tasks import close, evaluate, promote, train

    if journal.read(workspace).rounds[0].phase is Phase.CLOSED:
        return
    _once(workspace, run, BASELINE, "trained", "Train the baseline", train.train)
    _once(workspace, run, BASELINE, "evaluated", "Evaluate the baseline", evaluate.evaluate)
    _once(workspace, run, BASELINE, "judged", "Make it the first champion", promote.promote)
    _once(workspace, run, BASELINE, "closed", "Close the baseline", close.close)


def _begun(workspace: Workspace) -> str:
    """The round that is opening, begun now if the last one is closed."""
    state = journal.read(workspace)
    current = cast(RoundState, state.current)
    if current.phase is Phase.CLOSED:
        from tasks import pool_files  # here, for pyarrow is heavy, and most looks at a workspace need none

        stop = due.impossible(journal.params(workspace), state, pool_files.rows(workspace))
        if stop:
            raise (DataError if stop.rule == "pool" else GateError)(str(stop))
        name = state.next_round
        return journal.append(workspace, "opened", name, _opening(workspace, name)).round
    opened = _opening(workspace, current.id)
    if current.facts["opened"] != opened:
        journal.append(workspace, "reopened", current.id, opened)
    return current.id


def _opening(workspace: Workspace, name: str) -> Facts:
    """What round `name` opens with: where it is something else by now, the opening begins again."""
    from tasks import pool_files

    return {**journal.begin_opening(workspace, name), **pool_files.found(workspace, name)}


def _refuse_open(workspace: Workspace) -> None:
    """Raise MomentError when a round is out for labeling, or was cut short while closing."""
    current = cast(RoundState, journal.read(workspace).current)
    if current.phase is Phase.CLOSING and current.id != BASELINE:
        raise MomentError(f"{current.id} is closing and was cut short: run hitl close to complete it")
    if current.phase is Phase.AWAITING:
        answers = f"{current.accepted} of {current.expected} answers are in"
        raise MomentError(f"{current.id} is already open: its pack is {workspace.pack(current.id)}, {answers}")


def _closing(workspace: Workspace, *, partial: bool) -> RoundState:
    state = journal.read(workspace)
    current = cast(RoundState, state.current)
    if current.phase is Phase.CLOSING and current.id != BASELINE:
        return current
    if current.phase is not Phase.AWAITING:
        raise MomentError(f"no round waits for labels ({current.id} is {current.phase}): run hitl open")
    params = journal.unchanged(workspace, current)
    if not current.accepted:
        raise MomentError(f"{current.id} has no answer yet: take a delivery first with hitl ingest FILE")
    why = due.why_not_close(current, params, journal.now())
    if why and not partial:
        raise GateError(why)
    return current


def _once(workspace: Workspace, run: Run, round_id: str, event: str, name: str, step: Step) -> None:
    if journal.read(workspace).round(round_id).done(event):
        return
    began = time.perf_counter()
    journal.append(workspace, event, round_id, run(name, step, workspace, round_id))
    log.info("%s %s: done in %.1f s", round_id, name.lower(), time.perf_counter() - began)
