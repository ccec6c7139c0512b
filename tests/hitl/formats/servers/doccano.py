"""Exports as doccano 1.8 writes them: a zip with a file of each annotator."""

import csv
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from hitl.formats import Annotation

ENDS = {"jsonl": "jsonl", "csv": "csv", "fasttext": "txt"}


def exported(flavour: str, annotations: Sequence[Annotation]) -> tuple[str, bytes]:
    files = defaultdict(list)
    for one in annotations:
        files[one.annotator_id].append(one)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, given in files.items():
            archive.writestr(f"{name}.{ENDS[flavour]}", WRITERS[flavour](given))
    return "doccano.zip", packed.getvalue()


def _row(one: Annotation) -> dict[str, Any]:
    shown = {"model_class": one.shown_class, "model_confidence": one.shown_confidence, "model_version": one.shown_model}
    meta = {"item_id": one.item_id, "batch_id": one.batch_id, **shown}
    meta = {name: value for name, value in meta.items() if value not in ("", None)}
    return {
        "id": one.source_item_id,
        **(one.content or {}),
        **meta,
        "label": list(one.labels),
        "Comments": [one.comment],
    }


def _jsonl(given: Sequence[Annotation]) -> str:
    return "".join(json.dumps(_row(one), ensure_ascii=False) + "\n" for one in given)


def _csv(given: Sequence[Annotation]) -> str:
    rows = [{**_row(one), "label": "#".join(sorted(one.labels)), "Comments": one.comment} for one in given]
    header = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _fasttext(given: Sequence[Annotation]) -> str:
    text = io.StringIO(newline="")
    marks = (" ".join(f"__label__{label}" for label in one.labels) for one in given)
    contents = ((one.content or {}).get("text", "") for one in given)
    csv.writer(text, lineterminator="\n").writerows(
        [f"{mark} {said}"] for mark, said in zip(marks, contents, strict=True)
    )
    return text.getvalue()


WRITERS = {"jsonl": _jsonl, "csv": _csv, "fasttext": _fasttext}
