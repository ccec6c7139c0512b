"""Pages as one HTML file that needs nothing else. Whatever a value holds, it is printed as text."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from hitl.letter import Letter
from hitl.rehearsal_page import Rehearsal
from hitl.report.whole import Report
from hitl.visible import visible

HERE = Path(__file__).parent


def html(report: Report) -> bytes:
    """The page of `report`, UTF-8. Equal reports give equal bytes."""
    return template("report.html.j2").render(report=report).encode()


def rehearsal(page: Rehearsal) -> bytes:
    """The page of a rehearsal, likewise."""
    return template("rehearsal.html.j2").render(report=page).encode()


def letter(page: Letter) -> bytes:
    """The page of a letter to an annotator, likewise."""
    return template("letter.html.j2").render(report=page).encode()


@cache
def template(name: str) -> Template:
    """The page template called `name`."""
    here = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return here.get_template(name)


@cache
def style() -> Markup:
    """The style of the pages that a vendor reads."""
    return Markup((HERE / "vendor.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file


def style_hash() -> str:
    """The name of `style` for a Content-Security-Policy."""
    return hash_of(style())


def hash_of(text: str) -> str:
    """How a Content-Security-Policy names the one script, or style, that may be used."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _shown(value: object) -> object:
    # Every plain text passes here on its way to the page; Markup and drawings are ours and pass as they are.
    return visible(value) if type(value) is str else value
