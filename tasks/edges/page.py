"""A report as one HTML file that needs nothing else. Whatever a value holds, it is printed as text."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from hitl.report.whole import Report
from hitl.visible import visible


def html(report: Report) -> bytes:
    """The page of `report`, UTF-8. Equal reports give equal bytes."""
    return _template().render(report=report).encode()


@cache
def _template() -> Template:
    here = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return here.get_template("report.html.j2")


def _shown(value: object) -> object:
    # Every plain text passes here on its way to the page; Markup and drawings are ours and pass as they are.
    return visible(value) if type(value) is str else value
