"""DVC's cache as files: what the newest version needs and lacks, and what is not what its name says (DVC never looks).

And its remote, as far as a disk tells.
"""

import configparser
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from tasks.edges import verifier

_READ = 1 << 20


def sick(root: Path) -> tuple[list[Path], list[Path]]:
    """The files that the version on disk needs of the cache and that are missing there, and those that are damaged."""
    wanted = sorted({path for name in _named(root) for path in _parts(root, name)})
    missing = [path for path in wanted if not path.is_file()]
    return missing, [path for path in wanted if path not in missing and _md5(path) != _name(path)]


def remote(root: Path) -> str | None:
    """Where DVC's default remote is; None when there is none."""
    settings = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        settings.read([root / ".dvc" / "config", root / ".dvc" / "config.local"], encoding="utf-8")
    except (configparser.Error, ValueError):
        return None
    name = settings.get("core", "remote", fallback=None)
    sections = (f"'remote \"{name}\"'", f'remote "{name}"')
    return next((settings[one].get("url") for one in sections if settings.has_section(one)), None)


def remote_folder(root: Path) -> Path | None:
    """The folder that DVC's default remote is; None when it is no folder of this computer."""
    url = remote(root)
    return None if url is None or "://" in url else (root / ".dvc" / url).resolve()


def _named(root: Path) -> Iterator[str]:
    """The md5 of every dataset and every cached output of a stage."""
    for note in sorted((root / "data").rglob("*.dvc")):
        yield from (str(one["md5"]) for one in _list(_read(note), "outs"))
    stages, lock = _read(root / "dvc.yaml"), _read(root / "dvc.lock")
    for name, stage in _dict(lock, "stages").items():
        outs = _dict(_dict(stages, "stages"), name).get("outs", [])
        cached = [one for one in outs if isinstance(one, str)] if isinstance(outs, list) else []
        yield from (str(one["md5"]) for one in _list(stage, "outs") if one.get("path") in cached)


def _parts(root: Path, md5: str) -> Iterator[Path]:
    """The file of the cache called `md5`, and those that it lists when it stands for a folder."""
    path = verifier.cached(root, md5)
    yield path
    if md5.endswith(".dir") and path.is_file() and _md5(path) == _name(path):
        yield from (verifier.cached(root, str(one["md5"])) for one in json.loads(path.read_bytes()))


def _name(path: Path) -> str:
    return (path.parent.name + path.name).removesuffix(".dir")


def _md5(path: Path) -> str:
    found = hashlib.md5(usedforsecurity=False)
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_READ):
            found.update(piece)
    return found.hexdigest()


def _read(path: Path) -> object:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return None


def _dict(value: object, key: str) -> dict[str, object]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _list(value: object, key: str) -> list[dict[str, object]]:
    found = value.get(key) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, dict) and "md5" in one] if isinstance(found, list) else []
