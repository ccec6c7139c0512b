"""The commands that are killed, each in a workspace that is just before it."""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hitl.layout import Workspace
from tests.kill.sandbox import Sandbox, forked


@dataclass(frozen=True)
class Scene:
    """A command, and what leads up to it."""

    words: tuple[str, ...]
    before: Callable[[Sandbox], None]


def make(box: Sandbox) -> None:
    """A workspace as `hitl init` leaves it: 80 items, rounds of 6."""
    source = box.here / "items.csv"
    rows = [f"i{n:03d},{n * 37 % 101},{n},{'even' if n % 2 == 0 else 'odd'}" for n in range(80)]
    source.write_text("\n".join(["id,size,place,parity", *rows]) + "\n")
    box.workspace.root.mkdir()
    _run(box, "init", str(box.workspace.root), "--from", str(source), "--label", "parity", "--id", "id", "--hide")
    text = box.workspace.params.read_text()
    for old, new in (("batch: 30", "batch: 6"), ("gold: 0", "gold: 1"), ("bootstrap: 1000", "bootstrap: 100")):
        if old not in text:
            raise AssertionError(f"params.yaml has no {old!r}: {text}")
        text = text.replace(old, new)
    box.workspace.params.write_text(text)


def opened(box: Sandbox) -> None:
    _run(box, "open")


def sent(box: Sandbox) -> None:
    """A delivery with a row that is held, and its manifest, lie outside of the workspace."""
    opened(box)
    data = _answers(box.workspace, "r0001", wrong=1)
    _send(box.sent / "acme.csv", data)


def answered(box: Sandbox) -> None:
    opened(box)
    _send(box.sent / "acme.csv", _answers(box.workspace, "r0001"))
    _run(box, "ingest", str(box.sent / "acme.csv"))


def arrived(box: Sandbox) -> None:
    """All that closes the round lies in the inbox."""
    opened(box)
    _send(box.workspace.inbox / "acme.csv", _answers(box.workspace, "r0001"))


def regretted(box: Sandbox) -> None:
    """A round is closed, the next is out, and one of two deliveries of the first is to be withdrawn."""
    opened(box)
    for name, rows in (("one.csv", slice(0, 3)), ("two.csv", slice(3, None))):
        _send(box.sent / name, _answers(box.workspace, "r0001", rows=rows))
        _run(box, "ingest", str(box.sent / name))
    _run(box, "close")
    opened(box)


SCENES: Mapping[str, Scene] = {
    "open": Scene(("open",), lambda _: None),
    "ingest": Scene(("ingest", "../sent/acme.csv"), sent),
    "close": Scene(("close",), answered),
    "advance": Scene(("advance",), arrived),
    "undo": Scene(("undo", "delivery", "SHA", "--reason", "filled in by a script"), regretted),
}


def words(scene: Scene, box: Sandbox) -> tuple[str, ...]:
    """The command as it is typed, with the digest of what is withdrawn."""
    path = box.sent / "two.csv"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.exists() else ""
    return tuple(digest if word == "SHA" else word for word in scene.words)


def _run(box: Sandbox, *words: str) -> None:
    code = forked(lambda: box.command(words))
    if code:
        raise AssertionError(f"hitl {' '.join(words)} ended with {code}:\n{box.said()}")


def _answers(workspace: Workspace, name: str, *, wrong: int = 0, rows: slice = slice(None)) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["item_id", "label", "annotator_id"])
    with (workspace.pack(name) / "batch.csv").open(newline="") as file:
        ids = [row["item_id"] for row in csv.DictReader(file)]
    said = ["evn" if n < wrong else ("even" if int(one[-1]) % 2 == 0 else "odd") for n, one in enumerate(ids)]
    writer.writerows([one, label, "ann"] for one, label in list(zip(ids, said, strict=True))[rows])
    return text.getvalue().encode()


def _send(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    manifest = f'{{"file_sha256": "{hashlib.sha256(data).hexdigest()}"}}\n'
    path.with_name(path.name + ".manifest.json").write_text(manifest)
