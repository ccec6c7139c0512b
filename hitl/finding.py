"""What can be wrong with a workspace: the kinds of findings, why each matters, and the exit code that tells it."""

from collections.abc import Mapping
from dataclasses import dataclass

from hitl.errors import DataError, HitlError, IntegrityError, MomentError, ParamsError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding: why it matters, and the error whose exit code tells it."""

    why: str
    error: type[HitlError]


KINDS: Mapping[str, Kind] = {
    "at_work": Kind("two commands at once would write over each other, so the others wait", MomentError),
    "lock_elsewhere": Kind("as long as its lock is there, no command works here", MomentError),
    "half_written": Kind("it counts for nothing, and takes room", MomentError),
    "no_git": Kind("closed rounds are versions in git, and no round goes on without it", MomentError),
    "git_lock": Kind("as long as it is there, git refuses to make a version", MomentError),
    "git_under_way": Kind("a version made now would end up in it", MomentError),
    "detached": Kind("the workspace shows an old version, on which nothing may be built", MomentError),
    "missing": Kind("no step can do without it", ParamsError),
    "params": Kind("no step can be taken until it can be read", ParamsError),
    "params_changed": Kind("an open round ends as it began, so it cannot be closed now", ParamsError),
    "ledger": Kind("the ledger is the one truth: what it does not hold any more did not happen", IntegrityError),
    "file": Kind("what follows from it does not follow from what the ledger says", IntegrityError),
    "clock": Kind("events get the time of the last one until it is over, and deadlines come too early", HitlError),
    "cut_short": Kind("a command was killed; the ledger knows how far it came, and the next one goes on", MomentError),
    "no_version": Kind("the round stands, but git and DVC have no copy of it", HitlError),
    "no_run": Kind("the round stands, but MLflow does not show it, or its model", HitlError),
    "moved": Kind("what MLflow keeps in files is looked for in another place", HitlError),
    "unreachable": Kind("the rounds stand; what is shown or kept there is behind", HitlError),
    "cache": Kind("dvc checkout could not bring back this version, or would bring back another", IntegrityError),
    "room": Kind("a step that finds no room fails; nothing is lost, and nothing goes on", HitlError),
    "unwritable": Kind("no step can write what it makes", DataError),
    "tool": Kind("with another version of it nobody knows what happens", HitlError),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: of which kind, where, what, and the command that mends it."""

    kind: str
    where: str
    what: str
    mend: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of finding")

    @property
    def why(self) -> str:
        return KINDS[self.kind].why

    @property
    def exit_code(self) -> int:
        return KINDS[self.kind].error.exit_code
