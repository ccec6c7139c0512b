"""The manifest a vendor may send beside a delivery: what the file should be, so that a cut or a mix-up shows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hitl.contract import label_schema_sha256
from hitl.delivery.expectation import Expectation
from hitl.delivery.frame import Frame
from hitl.delivery.reasons import Reason

TEXTS = ("file_sha256", "batch_id", "label_schema_sha256", "instructions_sha256", "supersedes", "source")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a manifest promises: `rows` is None when it does not say, `texts` hold only what it does say."""

    rows: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    is_valid: bool = True

    @property
    def vouches(self) -> bool:
        """Whether it names the file's digest: then the file is known to be whole."""
        return "file_sha256" in self.texts

    @property
    def supersedes(self) -> str:
        """The delivery (sha256) that this one revises, "" if none."""
        return self.texts.get("supersedes", "")

    @property
    def source(self) -> str:
        """What the file is the latest state of, "" if it does not say: such files supersede one another."""
        return self.texts.get("source", "")

    def denies(self, name: str, *held: str) -> bool:
        """Whether it promises something else under `name` than what we hold."""
        return name in self.texts and self.texts[name] not in held


def parse(manifest: bytes | None) -> Sidecar:
    """The promises in `manifest`; not valid when it is no JSON object, repeats a key, or a value has a wrong type."""
    if manifest is None:
        return Sidecar()
    try:
        promises = json.loads(manifest.decode("utf-8-sig"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return Sidecar(is_valid=False)
    return _sidecar(promises) if isinstance(promises, dict) else Sidecar(is_valid=False)


def reasons(sidecar: Sidecar, frame: Frame, expectation: Expectation) -> Iterator[Reason]:
    """What the manifest says against the file it came with."""
    sha256, known = frame.source.sha256, expectation.known
    if not sidecar.is_valid or (known is not None and sidecar.supersedes and sidecar.supersedes not in known):
        yield Reason.F_MANIFEST_INVALID
    if sidecar.denies("file_sha256", sha256, sha256.upper()):
        yield Reason.F_MANIFEST_HASH
    # A vendor who counts lines instead of rows counts those inside quoted cells too: both are fair counts.
    if frame.rows and sidecar.rows not in (None, frame.rows + frame.passed, frame.seen.feeds - 1):
        yield Reason.F_MANIFEST_ROWS
    if sidecar.denies("batch_id", expectation.round, expectation.batch):
        yield Reason.F_WRONG_ROUND
    if sidecar.denies("label_schema_sha256", label_schema_sha256(expectation.classes)):
        yield Reason.F_SCHEMA_VERSION
    if expectation.guideline_sha256 and sidecar.denies("instructions_sha256", expectation.guideline_sha256):
        yield Reason.F_INSTRUCTIONS


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys are all different: plain json.loads keeps the last of two without a word."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is repeated")
    return dict(pairs)


def _sidecar(promises: dict[str, object]) -> Sidecar:
    rows, texts = promises.get("rows"), {name: promises.get(name) or "" for name in TEXTS}
    if not (rows is None or type(rows) is int) or not all(isinstance(text, str) for text in texts.values()):
        return Sidecar(is_valid=False)
    return Sidecar(rows, {name: str(text) for name, text in texts.items() if text})
