"""A closed round becomes a version: one git commit of our files, one tag, and in DVC every byte that they name."""

from pathlib import Path

from hitl import layout
from hitl.errors import DataError, MomentError
from hitl.layout import BASELINE, Workspace
from hitl.ledger import Facts
from hitl.state import RoundState, State
from tasks import journal
from tasks.edges import git, outbox, versions
from tasks.edges.files import keep_private, write_text

STAGES = ("train", "evaluate")
PUSHED = "pushed"
"""Under which the newest version that a remote has is noted."""
OURS = "# Written by hitl"
"""How a file begins that we made outside data/, such as .gitignore or prefect.yaml: then it belongs to the version."""
_HEAD = "Ledger-Head: "
_IGNORED = """\
/pool
/initial.parquet
/test.parquet
/gold.parquet
/truth.csv
/labeled.parquet
/model
/evaluation/predictions.parquet
/deliveries
/decisions
/adjudication
/letters
/rounds/r*/
/inbox
/outbox
.*
!.git*
"""
"""For git in data/: what DVC carries. All of it from the start, so that an open round leaves the tree clean too. (With
`/rounds/*/` DVC's reading of the rules would take data/rounds/ itself for ignored, and lose every round in it.)"""
_ATTRIBUTES = "* -text -filter\n"
"""For git in data/: no line end is changed, whatever the machine, or the ledger and the digests in it break."""


def start(workspace: Workspace) -> None:
    """Make the workspace a git and DVC repository of its own, unless it is; nothing is committed.

    Raises DataError when a rule of git would hide the files that name the datasets.
    """
    root = workspace.root.resolve()
    git.start(root)
    versions.start(root)
    _lines(root / ".hitl" / ".gitignore", "*\n")
    _lines(root / "data" / ".gitignore", _IGNORED)
    _lines(root / "data" / ".gitattributes", _ATTRIBUTES)
    hidden = git.hidden(root, [*_notes(Workspace(root), BASELINE), root / "dvc.lock", root / ".dvc" / "config"])
    if hidden:
        raise DataError("git must see the files that name the datasets; take out these rules:\n" + "\n".join(hidden))


def ready(workspace: Workspace) -> None:
    """Raise MomentError when the workspace shows an old version, or a merge is under way: no step may be taken now.

    What vendors sent is closed to others again: DVC gives a folder that it checks out the mode of every other.
    """
    git.require_branch(workspace.root.resolve())
    keep_private(workspace.deliveries)
    keep_private(workspace.decisions)


def pending(workspace: Workspace, state: State) -> list[str]:
    """The newest closed round, if its version has no tag yet; none while rounds are rebuilt.

    Of older ones nothing is said: the files are no longer theirs.
    """
    newest = () if state.rebuilding else state.closed[-1:]
    return [one.id for one in newest if git.tagged(workspace.root.resolve(), one.version) is None]


def version(workspace: Workspace, round_id: str) -> Facts:
    """Make the version of a closed round; see `seal`. Raises MomentError when the round is not closed."""
    closed = [one.hash for one in journal.events(workspace) if (one.event, one.round) == ("closed", round_id)]
    if not closed:
        raise MomentError(
            f"{round_id} is not closed, so there is no version of it to make: hitl status says what is due"
        )
    start(workspace)
    one = journal.read(workspace).round(round_id)
    return seal(workspace, round_id, headline(one), closed[-1], name=one.version)


def headline(one: RoundState) -> str:
    """What `git log --oneline` says of a round, such as `r0002: 90 labels, accuracy 0.9123, promoted`."""
    judged, evaluated = one.facts.get("judged", {}), one.facts.get("evaluated", {})
    metrics, metric = evaluated.get("metrics"), judged.get("metric")
    parts = [f"{one.facts['trained']['labels']} labels"] if "trained" in one.facts else []
    if isinstance(metrics, dict) and metric in metrics:
        parts.append(f"{metric} {metrics[metric]:.4f}")
    if "verdict" in judged:
        parts.append(str(judged["verdict"]))
    return f"{one.version}: {', '.join(parts)}" if parts else one.version


def seal(workspace: Workspace, round_id: str, message: str, head: str, *, name: str | None = None) -> Facts:
    """Commit and tag the files as they are now as the version `name` of the round, closed by the event hashed `head`.

    The version is called as the round, unless `name` says otherwise.
    Returns `tag`, `commit` and `head`. Does nothing when the version is there; ends what a killed call began. Raises
    MomentError on no branch, on a tag of that name that is another version's, and when somebody else holds git or DVC.
    """
    here, name = Workspace(workspace.root.resolve()), name or round_id
    if not _made(here.root, name, head):
        git.require_branch(here.root)
        versions.verify_remotes(here.root)
        _mend(here, round_id)
        versions.record(here.root, _datasets(here, round_id), STAGES)
        git.commit(here.root, _carried(here, round_id), message)
        git.tag(here.root, name, f"{message}\n\n{_HEAD}{head}\n")
    tagged = git.tagged(here.root, name)
    return {"tag": name, "commit": tagged[0] if tagged else "", "head": head}


def push(workspace: Workspace, state: State) -> Facts:
    """Upload the versions to DVC's default remote, where params.yaml asks for it and the newest has not gone yet.

    A failure is told, not raised, and the next call tries again; a remote that does not answer costs seconds. Returns
    `remote` (None: nothing to do), `files` that went, and `error` (None: done).
    """
    root, newest = workspace.root.resolve(), state.closed[-1:]
    if state.rebuilding or not newest or not journal.params(workspace).versioning.push:
        return {"remote": None, "files": 0, "error": None}
    name, url = versions.default_remote(root) or (None, "")
    now: Facts = {"version": newest[0].version}
    if name is None or outbox.told(workspace, PUSHED, url) == now:
        return {"remote": name, "files": 0, "error": None}
    try:
        outbox.answering("it", url, url)
        went = versions.push(root)
        outbox.note(workspace, PUSHED, url, now)
    except Exception as error:  # noqa: BLE001 - every kind of store fails in a way of its own, and no round fails for it
        return {"remote": name, "files": 0, "error": f"{type(error).__name__}: {error}"}
    return {"remote": name, "files": went, "error": None}


def _made(root: Path, name: str, head: str) -> bool:
    tagged = git.tagged(root, name)
    if tagged is None:
        return False
    if f"{_HEAD}{head}" in tagged[1].splitlines():
        return True
    raise MomentError(
        f"the tag {name} is there and is not the version of ledger head {head[:12]}: "
        f"keep it under another name (git tag {name}-old {name} && git tag -d {name}), then run again"
    )


def _mend(here: Workspace, last: str) -> None:
    """Bring back what DVC was killed over: it empties a file and then writes it, and cannot read half of one."""
    for path in versions.torn((here.root / "dvc.lock", *_notes(here, last))):
        before = git.committed(here.root, path)
        write_text(path, before) if before else path.unlink()


def _datasets(here: Workspace, last: str) -> list[Path]:
    """What DVC carries, there or not; of the rounds those up to `last`, for a later one may be open."""
    rounds = [here.round(layout.round_id(number)) for number in range(layout.round_number(last) + 1)]
    return [
        here.pool,
        here.initial,
        here.test,
        here.gold,
        here.truth,
        here.labeled,
        here.deliveries,
        here.decisions,
        *rounds,
    ]


def _notes(here: Workspace, last: str) -> list[Path]:
    """The .dvc files that stand in git for the datasets."""
    return [path.with_name(path.name + ".dvc") for path in _datasets(here, last)]


def _carried(here: Workspace, last: str) -> list[Path]:
    """Every file that git carries for us, there or not."""
    root, data, dvc = here.root, here.data, here.root / ".dvc"
    settings = [here.params, here.dvc_yaml, root / "dvc.lock", root / ".dvcignore", dvc / "config", dvc / ".gitignore"]
    plots = sorted((dvc / "plots").glob("hitl_*.json"))
    rules = [folder / ".gitignore" for folder in (data, data / "rounds", here.evaluation)]
    facts = [here.ledger, here.guideline, here.evaluation / "metrics.json", here.evaluation / "confusion.csv"]
    made = [path for path in (root / ".gitignore", root / "prefect.yaml") if _is_ours(path)]
    return [
        *settings,
        *plots,
        *rules,
        data / ".gitattributes",
        *facts,
        here.learning_curve,
        here.comparison,
        *made,
        *_notes(here, last),
    ]


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8", errors="replace").startswith(OURS)


def _lines(path: Path, wanted: str) -> None:
    """Have every line of `wanted` in the file at `path`; what else stands there stays."""
    present = path.read_text(encoding="utf-8") if path.is_file() else ""
    missing = [line for line in wanted.splitlines() if line not in present.splitlines()]
    if missing:
        write_text(path, "\n".join(filter(None, [present.rstrip("\n"), *missing])) + "\n")
