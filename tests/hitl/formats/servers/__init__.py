"""What each tool's server would write of some annotations, for the tests: one module a format, called as it is.

Each has `exported(flavour, annotations)`: the name and the bytes of the export file. Written by the tool's documents
and real files, not by our reader.
"""

from collections.abc import Sequence
from importlib import import_module

from hitl.formats import Annotation


def exported(name: str, flavour: str, annotations: Sequence[Annotation]) -> tuple[str, bytes]:
    """The export file that the tool of this name would write of the annotations: its name and its bytes."""
    made: tuple[str, bytes] = import_module(f"tests.hitl.formats.servers.{name}").exported(flavour, annotations)
    return made
