"""A file as it was in an earlier version of the workspace."""

import subprocess
from pathlib import Path


def text(root: Path, tag: str, path: Path) -> str | None:
    """The text of the file at `path` in the version tagged `tag`; None when git knows no such version or file."""
    name = path.relative_to(root).as_posix()
    command = ["git", "-C", str(root), "show", f"refs/tags/{tag}:./{name}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - the user's own git
    except FileNotFoundError:
        return None
    return done.stdout.decode() if done.returncode == 0 else None
