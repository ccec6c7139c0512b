"""Convert: any labeling tool's export to annotations.csv, without a workspace."""

from pathlib import Path

from hitl.delivery.intake_rules import shown
from hitl.errors import DeliveryError
from hitl.formats import FORMATS, PLAIN, Asked, recognised
from hitl.formats.document import described
from hitl.formats.tally import Tally, annotations_csv
from hitl.ledger import Facts
from tasks.edges import files, intake


def convert(path: Path, out: Path, asked: Asked = PLAIN) -> Facts:
    """Write what the export at `path` holds to `out`; its tool and flavour, and the counts of what was in it.

    `out` is whole, or as it was. Raises DeliveryError when the file is no export that can be carried, and ParamsError
    when something must be said that it does not say itself.
    """
    if out.exists() and path.exists() and out.samefile(path):
        raise DeliveryError(f"{shown(path.name)} would be written over: give --out another name")
    source = intake.there(path)
    found = recognised(shown(path.name), source)
    if found is None:
        known = ", ".join(one.title for one in FORMATS.values())
        raise DeliveryError(
            f"{shown(path.name)} is no export of a labeling tool that hitl knows ({known}): "
            f"{described(shown(path.name), source)}; take the file as the tool wrote it (docs/labeling-tools.md)"
        )
    tally = Tally()
    files.write_parts(out, annotations_csv(tally.over(found.read(asked))))
    return {
        "file": shown(path.name),
        "tool": found.format.name,
        "flavour": found.flavour,
        "title": f"{found.format.title}, {found.kind.title}",
        "out": str(out),
        "lost": found.kind.lost,
        **tally.facts(),
    }
