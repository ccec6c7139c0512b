"""A manifest beside a delivery makes cuts and mix-ups visible; a broken promise refuses the file."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from hitl.contract import label_schema_sha256
from hitl.delivery.judge import Bytes, Expectation, Judgement, judge

AT = datetime(2026, 11, 21, tzinfo=UTC)
DATA = b'item_id,label,annotator_id,comment\ni1,cat,ann,"two\nlines"\ni2,cat,ann,\n'
WANTED = Expectation(
    round="r0001",
    batch="acme-7",
    classes=("cat", "dog"),
    items={"i1": {}, "i2": {}},
    exported_at=AT,
    received_at=AT,
    guideline_sha256="9" * 64,
)


def judged(promises: dict[str, object], data: bytes = DATA) -> Judgement:
    return judge(Bytes(data), WANTED, manifest=json.dumps(promises).encode())


def test_kept_promises_let_the_file_in() -> None:
    promises: dict[str, object] = {
        "file_sha256": hashlib.sha256(DATA).hexdigest().upper(),
        "rows": 2,
        "batch_id": "acme-7",
        "label_schema_sha256": label_schema_sha256(["cat", "dog"]),
        "instructions_sha256": "9" * 64,
        "supersedes": None,
    }

    assert judged(promises).verdict == "accept"


@pytest.mark.parametrize(
    ("promises", "reason"),
    [
        ({"file_sha256": "0" * 64}, "F_MANIFEST_HASH"),
        ({"rows": 5}, "F_MANIFEST_ROWS"),
        ({"batch_id": "r0000"}, "F_WRONG_ROUND"),
        ({"label_schema_sha256": "1" * 64}, "F_SCHEMA_VERSION"),
        ({"instructions_sha256": "2" * 64}, "F_INSTRUCTIONS"),
        ({"supersedes": "3" * 64}, "F_MANIFEST_INVALID"),
        ({"rows": "2"}, "F_MANIFEST_INVALID"),
        ({"rows": True}, "F_MANIFEST_INVALID"),
        ({"batch_id": 7}, "F_MANIFEST_INVALID"),
        ({"source": 7}, "F_MANIFEST_INVALID"),
    ],
)
def test_a_broken_promise_refuses_the_file(promises: dict[str, object], reason: str) -> None:
    judgement = judged(promises)

    assert (judgement.verdict, judgement.reasons, judgement.accepted) == ("reject", (reason,), 0)


@pytest.mark.parametrize("manifest", [b"", b"{rows: 3,", b"[]", b'{"rows": 1, "rows": 2}', b"\xff", b"[" * 100_000])
def test_a_manifest_that_cannot_be_read_refuses_the_file(manifest: bytes) -> None:
    assert judge(Bytes(DATA), WANTED, manifest=manifest).reasons == ("F_MANIFEST_INVALID",)


def test_lines_are_a_fair_count_of_rows() -> None:
    assert judged({"rows": 3}).verdict == "accept"


def test_a_last_row_without_its_line_end_is_held_unless_the_digest_vouches_for_it() -> None:
    cut = DATA + b"i2,cat,ann,"

    assert judged({}, cut).reasons == ("R_UNTERMINATED_LAST_ROW",)
    assert judged({"file_sha256": hashlib.sha256(cut).hexdigest()}, cut).verdict == "accept"
