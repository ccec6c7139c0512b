"""check.html: the page in a pack on which a vendor sees, offline, what `hitl check --pack` would say of a file.

Its rules are `hitl.delivery.tables`; its JavaScript, in check/, mirrors `hitl.delivery`. Whatever a pack's values hold,
they are data in the page, never code.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from markupsafe import Markup

from hitl import contract, pack
from hitl.delivery import intake_rules
from hitl.delivery.tables import tables
from hitl.visible import escaped
from tasks.edges.page import HERE, hash_of, style, style_hash, template

SCRIPTS = ("data", "text", "csv", "sha256", "manifest", "vocabulary", "cells", "rows", "judge", "check", "view")
"""The parts of the page's program, each using those before it."""
MOST = 30_000_000
"""Characters of a pack's values that a browser opens without complaint; of a larger pack the page holds ids alone."""


def check_html(manifest: Mapping[str, Any], batch: bytes, *, most: int = MOST) -> bytes:
    """The page for a pack with this manifest (its `files` are left out) and batch.csv; equal packs give equal bytes."""
    items = pack.exported_items(batch)
    columns = list(next(iter(items.values()), {}))
    data = _data(manifest, columns, [[item, *values.values()] for item, values in items.items()], has_values=True)
    has_values = len(data) <= most
    if not has_values:
        data = _data(manifest, columns, [[item] for item in items], has_values=False)
    page = template("check.html.j2").render(
        pack=manifest,
        count=len(items),
        has_values=has_values,
        required=contract.REQUIRED,
        optional=contract.OPTIONAL,
        skip=contract.SKIP,
        suffix=intake_rules.MANIFEST_SUFFIX,
        rules=_rules(),
        data=data,
        script=_script(),
        style=style(),
        script_hash=hash_of(_script()),
        style_hash=style_hash(),
    )
    return page.encode()


def _data(
    manifest: Mapping[str, Any], columns: list[str], items: list[list[str]], *, has_values: bool = True
) -> Markup:
    told = {name: value for name, value in manifest.items() if name != "files"}
    return _embedded({**told, "columns": columns, "items": items, "has_values": has_values})


@cache
def _rules() -> Markup:
    return _embedded(tables())


def _embedded(value: object) -> Markup:
    """JSON that can stand in a script element: nothing in it ends the element, or means anything to HTML."""
    text = escaped(json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")))
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704 - escaped just above


@cache
def _script() -> Markup:
    parts = [(HERE / "check" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return Markup('\n"use strict";\n(() => {\n%s})();\n') % Markup("\n".join(parts))  # noqa: S704 - our own files
