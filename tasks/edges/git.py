"""Git as a workspace needs it: our paths committed alone, and a tag. What a person has under way stays as it was."""

import os
import re
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from hitl.errors import HitlError, MomentError

# Git sets these for its hooks; inherited, they would send our commands to another repository.
_ELSEWHERE = frozenset(
    {
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
    }
)
_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}
_PATHS_ON_STDIN = ("--pathspec-from-file=-", "--pathspec-file-nul")
_LOCKED = re.compile(r"(index|HEAD)\.lock")
_WAITS = (0.1, 0.3, 1.0, 2.0)
"""Seconds between attempts while another git, an editor's say, holds a lock."""


def start(root: Path) -> bool:
    """Make `root` itself a repository, also when it lies inside another; returns whether that was to be done."""
    if (root / ".git").exists():
        return False
    branch = () if _answer(root, "config", "init.defaultBranch") else ("--initial-branch=main",)
    _run(root, "init", "--quiet", *branch)
    return True


def require_branch(root: Path) -> None:
    """Raise MomentError when a commit made now would hang off no branch, or end up in a merge that is not done."""
    what = under_way(root)
    if what:
        raise MomentError(f"a git {what} is under way in {root}: end it (git status says how), then run again")
    if not on_branch(root):
        here = _answer(root, "describe", "--all", "--always", "HEAD").removeprefix("tags/")
        way_out = f"check out your branch first: {way_back(root)}"
        raise MomentError(f"{root} shows {here or 'a commit'} and is on no branch: {way_out}")


def under_way(root: Path) -> str | None:
    """The merge, rebase or the like that was begun and not ended; None when there is none."""
    places = _run(root, "rev-parse", *(word for name in _UNDER_WAY for word in ("--git-path", name))).splitlines()
    found = zip(places, _UNDER_WAY.values(), strict=True)
    return next((what for place, what in found if (root / place).exists()), None)


def on_branch(root: Path) -> bool:
    """Whether a commit made now would be on a branch."""
    return bool(_answer(root, "symbolic-ref", "--quiet", "HEAD"))


def way_back(root: Path) -> str:
    """The command that leads back to the branch that was left; what changed since is not checked out, but stays."""
    branch = _answer(root, "rev-parse", "--abbrev-ref", "@{-1}") or _only_branch(root) or "BRANCH"
    same = _answer(root, "rev-parse", "--quiet", "--verify", branch) == _answer(root, "rev-parse", "HEAD")
    stays = same or _answer(root, "diff", "--name-only", "HEAD")
    return f"git switch {branch}" if stays else f"git switch {branch} && dvc checkout"


def _only_branch(root: Path) -> str:
    names = _answer(root, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    return names[0] if len(names) == 1 else ""


def is_there(root: Path) -> str | None:
    """Why git cannot be asked about `root`; None when it can."""
    if not (root / ".git").exists():
        return "the workspace is no git repository"
    try:
        _run(root, "rev-parse", "--git-dir")
    except HitlError as error:
        return str(error).splitlines()[-2 if isinstance(error, MomentError) else 0]
    return None


def locks(root: Path) -> list[Path]:
    """The locks that some git holds in the repository, or left there when it was killed; each with its path."""
    folder = Path(_run(root, "rev-parse", "--absolute-git-dir"))
    return [folder / name for name in ("index.lock", "HEAD.lock", "packed-refs.lock") if (folder / name).exists()]


def hooks(root: Path) -> list[str]:
    """The hooks of the owner that may refuse our commits."""
    folder = root / _run(root, "rev-parse", "--git-path", "hooks")
    found = (folder / name for name in ("pre-commit", "prepare-commit-msg", "commit-msg"))
    return [path.name for path in found if os.access(path, os.X_OK)]


def hidden(root: Path, paths: Iterable[Path]) -> list[str]:
    """The rules that keep any of `paths` out of git, each as `FILE:LINE:RULE<tab>PATH`."""
    said = _answer(root, "check-ignore", "--verbose", "--no-index", "--", *map(str, paths)).splitlines()
    return [line for line in said if ":!" not in line.split("\t")[0]]


def commit(root: Path, paths: Iterable[Path], message: str) -> str:
    """Commit what changed in the files `paths`, and nothing else; returns HEAD's sha, the old one when nothing changed.

    What counts is the file on disk. Whatever is staged or changed elsewhere stays so. Hooks and signing are the owner's
    wish: they run, and when they refuse, MomentError tells what they said.
    """
    ours = sorted(path.relative_to(root).as_posix() for path in paths)
    known = _names(root, "ls-files", "-z", "--", *ours)
    present = sorted({*known, *(name for name in ours if (root / name).is_file())})
    _run(root, "add", "--force", *_PATHS_ON_STDIN, stdin="\0".join(present))
    changed = _names(root, "diff", "--cached", "--name-only", "--no-renames", "-z", "--", *ours)
    if changed:
        only = ("--quiet", "--only", f"--message={message}", *_PATHS_ON_STDIN)
        _run(root, "commit", *only, stdin="\0".join(changed), options=_identity(root))
    return _run(root, "rev-parse", "HEAD")


def tag(root: Path, name: str, message: str) -> None:
    """Put the annotated tag `name` on HEAD."""
    _run(root, "tag", "--annotate", "--cleanup=whitespace", "--file=-", name, stdin=message, options=_identity(root))


def tagged(root: Path, name: str) -> tuple[str, str] | None:
    """The sha of the commit that tag `name` is on, and the tag's message; None when there is no such tag."""
    sha = _answer(root, "rev-parse", "--quiet", "--verify", f"refs/tags/{name}^{{commit}}")
    return (sha, _run(root, "for-each-ref", "--format=%(contents)", f"refs/tags/{name}")) if sha else None


def committed(root: Path, path: Path) -> str:
    """The text of `path` as HEAD has it; empty when HEAD has none."""
    text = _answer(root, "show", f"HEAD:{path.relative_to(root).as_posix()}")
    return text + "\n" if text else ""


def tags(root: Path) -> dict[str, str]:
    """The message of every annotated tag, by its name."""
    said = _answer(root, "for-each-ref", "--format=%(refname:short)%00%(contents)%00%01", "refs/tags")
    fields = (one.strip("\n").split("\0") for one in said.split("\x01") if one.strip())
    return {field[0]: field[1] for field in fields}


def _identity(root: Path) -> tuple[str, ...]:
    """No options when git knows who commits; else ours, for a scheduled round needs an author."""
    if _answer(root, "var", "GIT_COMMITTER_IDENT") and _answer(root, "var", "GIT_AUTHOR_IDENT"):
        return ()
    return ("-c", "user.name=hitl", "-c", "user.email=hitl@localhost")


def _names(root: Path, verb: str, *arguments: str) -> list[str]:
    return [name for name in _run(root, verb, *arguments).split("\0") if name]


def _answer(root: Path, *arguments: str) -> str:
    """What git prints; nothing when it says no."""
    done = _call(root, arguments, "")
    return done.stdout.strip() if done.returncode == 0 else ""


def _run(root: Path, verb: str, *arguments: str, stdin: str = "", options: tuple[str, ...] = ()) -> str:
    """What `git VERB` prints; raises MomentError with git's own words when it refuses."""
    for wait in (*_WAITS, None):
        done = _call(root, (*options, verb, *arguments), stdin)
        if done.returncode == 0:
            return done.stdout.strip()
        if wait is None or not _LOCKED.search(done.stderr):
            break
        time.sleep(wait)
    said = "\n".join(filter(None, [done.stdout.strip(), done.stderr.strip()]))
    raise MomentError(f"git {verb} refused in {root}:\n{said}\nMend that, then run the same command again")


def _call(root: Path, arguments: Iterable[str], stdin: str) -> subprocess.CompletedProcess[str]:
    """One git, in a session of its own: a Ctrl-C meant for us lets it end, and so it leaves no lock behind."""
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}
    try:
        return subprocess.run(
            ["git", "-C", str(root), *arguments],
            input=stdin,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise HitlError(
            "git is not installed: closed rounds are versions in git; install it, then run again"
        ) from error
