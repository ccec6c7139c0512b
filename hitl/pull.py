"""What a pull makes of a tool's export: the finished answers to one batch, in the same bytes as long as they stand."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from hitl.ledger import canonical

_KEPT = ("id", "annotations", "predictions", "data", "meta", "inner_id", "project", "created_at")
"""What of an item in Label Studio's snapshot goes on: the rest counts, or tells of what nobody has finished."""
_PASSING = frozenset({"created_ago"})
"""What Label Studio words anew at every export."""


def source(tool: str, url: str, project: int) -> str:
    """The name of what a pull reads: its deliveries supersede one another.

    >>> source("label_studio", "http://127.0.0.1:8080", 3)
    'label_studio http://127.0.0.1:8080 project 3'
    """
    return f"{tool} {url} project {project}"


def snapshot(data: bytes, batch_id: str) -> bytes:
    """Label Studio's snapshot with the answered items of a batch alone, in one order; b"" where there are none."""
    items = [one for one in json.loads(data) if one["data"].get("batch_id") == batch_id and one["annotations"]]
    kept = [_settled({name: one[name] for name in _KEPT if name in one}) for one in items]
    for one in kept:
        one["annotations"].sort(key=lambda annotation: annotation["id"])
        one["predictions"].sort(key=lambda prediction: prediction["id"])
    return canonical(sorted(kept, key=lambda one: one["id"])) + b"\n" if kept else b""


def confirmed(rows: Mapping[str, Iterable[Mapping[str, Any]]], batch_id: str) -> dict[str, list[Mapping[str, Any]]]:
    """The rows of a batch in doccano's files by annotator, in one order; no file without a row."""
    own = {name: [one for one in told if one.get("batch_id") == batch_id] for name, told in sorted(rows.items())}
    return {name: sorted(told, key=lambda one: str(one.get("item_id"))) for name, told in own.items() if told}


def _settled(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _settled(one) for name, one in value.items() if name not in _PASSING}
    return [_settled(one) for one in value] if isinstance(value, list) else value
